#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

mod table;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use covenant_app::port::{FileChunk, NodeAnswer, NodeAsk, NodePort, NodePulse, NodeReply, PortError, answer};
use covenant_canon::to_bytes;
use covenant_wire::node::v1::Envelope;
use covenant_wire::node::v1::node_client::NodeClient;
use covenant_wire::node::v1::node_server::{Node as Calls, NodeServer};
use covenant_wire::{CALL_VERSION, enclose, open};
use futures::StreamExt;
use futures::future::join_all;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use table::{intent, member, table};
use tonic::transport::{Channel, Endpoint, Server, Uri};
use tonic::{Code, Request, Response, Status};
use world::{Fake, Place, anyone};

use super::{MAX_ASK_BYTES, MAX_REPLY_BYTES, MayCall, PeerStream, RemoteNode};

const LONG: Duration = Duration::from_secs(20);

/// A client that sends what it is told to.
fn raw(place: &Place) -> NodeClient<Channel> {
    let place = place.clone();
    let connector = tower::service_fn(move |_: Uri| {
        let stream = place.connect();
        async move { stream.map(TokioIo::new) }
    });
    let channel = Endpoint::from_static("http://node").connect_with_connector_lazy(connector);
    NodeClient::new(channel).max_decoding_message_size(MAX_REPLY_BYTES)
}

fn code(said: Result<NodeAnswer, PortError>) -> String {
    match said {
        Err(PortError::Refused { code, .. }) => code.into_owned(),
        other => panic!("no refusal: {other:?}"),
    }
}

async fn until(mut probe: impl AsyncFnMut() -> bool) {
    for _ in 0..800 {
        if probe().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it did not happen within twenty seconds");
}

#[tokio::test]
async fn every_call_arrives_and_its_answer_comes_back() {
    let (fake, place) = (Fake::new(), Place::of("gate"));
    let serving = place.open(fake.clone(), anyone());
    let remote = place.remote();
    let table = table();
    for (ask, expected) in &table {
        let direct = answer(&*fake, ask.clone()).await;
        assert_eq!(direct.as_ref(), Ok(expected));
        assert_eq!(expected.name(), ask.name());
        let far = answer(&*remote.line, ask.clone()).await;
        assert!(far == direct, "`{}` gave {far:?}", ask.name());
        assert_eq!(answer(&*remote, ask.clone()).await.map(|a| a.name()), Ok(ask.name()));
    }
    let covered: BTreeSet<_> = table.iter().map(|(ask, _)| ask.name()).collect();
    assert_eq!(covered, NodeAsk::ALL.iter().copied().collect(), "a call is missing in the table");
    serving.stop().await;
}

#[tokio::test]
async fn what_a_node_says_no_to_arrives_as_it_was_said() {
    let (fake, place) = (Fake::new(), Place::of("gate"));
    let serving = place.open(fake.clone(), anyone());
    let remote = place.remote();
    let refused = PortError::refused("policy-invalid", "no rules");
    let busy = PortError::Busy { member: member("bank"), waiting: 9, limit: 8 };
    for said in [refused, busy] {
        *fake.always.lock() = Some(Err(said.clone()));
        assert_eq!(remote.tip().await.unwrap_err(), said);
    }
    *fake.always.lock() = Some(Err(PortError::unavailable("the disk is full")));
    let error = remote.tip().await.unwrap_err().to_string();
    assert!(error.contains("`housing` asked `tip`: the disk is full"), "{error}");
    *fake.always.lock() = Some(Ok(NodeAnswer::Submit(())));
    assert!(matches!(remote.tip().await, Err(PortError::Unavailable { .. })), "an answer to something else");
    fake.running.store(false, Ordering::SeqCst);
    let _any = remote.tip().await;
    assert!(!remote.is_running(), "the node says that its consensus stopped");
    serving.stop().await;
}

#[tokio::test]
async fn unknown_formats_and_garbage_are_refused_by_name() {
    let (fake, place) = (Fake::new(), Place::of("gate"));
    let serving = place.open(fake.clone(), anyone());
    let mut raw = raw(&place);
    let envelope = enclose(&NodeAsk::Tip(()));
    let mut send = async |envelope: Envelope| {
        let reply = raw.call(envelope).await.unwrap().into_inner();
        open::<NodeReply>(&reply, "reply").unwrap().said
    };
    assert!(send(envelope.clone()).await.is_ok());
    let said = send(Envelope { version: 7, ..envelope.clone() }).await;
    assert!(said.as_ref().unwrap_err().to_string().contains("format 7"), "{said:?}");
    assert_eq!(code(said), "rpc-version");
    let trailing = [&envelope.body[..], &[0]].concat();
    // No call has number 999.
    let unknown = to_bytes(&(999_u32, ((),)));
    for body in [vec![], vec![0xff; 40], trailing, unknown] {
        assert_eq!(code(send(Envelope { version: CALL_VERSION, body }).await), "rpc-malformed");
    }
    assert_eq!(fake.asked.load(Ordering::SeqCst), 1);
    serving.stop().await;
}

#[tokio::test]
async fn what_is_too_long_is_refused_at_both_ends() {
    let (fake, place) = (Fake::new(), Place::of("gate"));
    let serving = place.open(fake.clone(), anyone());
    let remote = place.remote();
    let many = vec![intent(1); MAX_ASK_BYTES / 16];
    assert_eq!(code(remote.queries(many).await.map(NodeAnswer::Queries)), "rpc-too-large");
    let body = vec![0; MAX_ASK_BYTES + 1];
    let status = raw(&place).call(Envelope { version: CALL_VERSION, body }).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    let chunk = FileChunk { total: 0, bytes: vec![0; MAX_REPLY_BYTES] };
    *fake.always.lock() = Some(Ok(NodeAnswer::EpochFile(Some(chunk))));
    let (ask, _) = table().into_iter().find(|(ask, _)| ask.name() == "epoch_file").unwrap();
    assert_eq!(code(answer(&*remote, ask).await), "rpc-too-large");
    *fake.always.lock() = None;
    assert!(remote.tip().await.is_ok(), "the connection lives on");
    serving.stop().await;
}

#[tokio::test]
async fn only_who_may_call_is_answered() {
    let fake = Fake::new();
    let may_call: MayCall = Arc::new(|caller, ask| match caller.as_str() {
        "gate" => true,
        "watch" => ask.name() == "changed",
        _ => false,
    });
    for (caller, allowed) in [("gate", true), ("watch", false), ("bank", false)] {
        let place = Place::of(caller);
        let serving = place.open(fake.clone(), may_call.clone());
        let remote = place.remote();
        let before = fake.asked.load(Ordering::SeqCst);
        let said = remote.members().await.map(NodeAnswer::Members);
        assert_eq!(fake.asked.load(Ordering::SeqCst) - before, usize::from(allowed));
        if allowed {
            assert!(said.is_ok());
        } else {
            let words = said.as_ref().unwrap_err().to_string();
            assert!(words.contains(&format!("`{caller}` may not ask `")), "{words}");
            assert_eq!(code(said), "caller-not-allowed");
        }
        serving.stop().await;
    }
}

#[tokio::test]
async fn a_node_that_goes_is_named_and_found_again_when_it_is_back() {
    let (fake, place) = (Fake::new(), Place::of("gate"));
    let remote = place.remote();
    let away = async || match remote.tip().await {
        Err(PortError::Unavailable { reason }) => reason,
        other => panic!("{other:?}"),
    };
    assert!(away().await.contains("`housing`"), "never there");
    let serving = place.open(fake.clone(), anyone());
    until(async || remote.is_running()).await;
    assert!(remote.tip().await.is_ok());
    let known = remote.changes();
    serving.stop().await;
    assert!(away().await.contains("`housing` asked `tip`"));
    assert!(!remote.is_running());
    // Who waits for it is woken to look for another.
    assert_ne!(remote.changed(known, LONG).await.unwrap(), known);
    let serving = place.open(fake.clone(), anyone());
    until(async || remote.is_running()).await;
    assert!(remote.tip().await.is_ok());
    serving.stop().await;
}

#[tokio::test]
async fn many_wait_for_changes_and_one_call_brings_them() {
    let (fake, place) = (Fake::new(), Place::of("gate"));
    let serving = place.open(fake.clone(), anyone());
    let remote = place.remote();
    let mut known = remote.changes();
    // The first answer of the node.
    known = remote.changed(known, LONG).await.unwrap();
    for round in 1..4 {
        let waiting = join_all((0..50).map(|_| remote.changed(known, LONG)));
        let change = async {
            tokio::task::yield_now().await;
            fake.changes.note();
        };
        let (told, ()) = tokio::join!(waiting, change);
        let now = remote.changes();
        assert!(told.iter().all(|count| *count == Ok(now)) && now != known, "round {round}: {told:?}");
        known = now;
    }
    assert_eq!(remote.changed(known, Duration::ZERO).await, Ok(known), "nothing changed");
    let calls = fake.asked_for_changes.load(Ordering::SeqCst);
    assert!(calls <= 5, "{calls} calls for three changes");
    serving.stop().await;
}

#[tokio::test]
async fn a_stopped_door_lets_go_of_its_node() {
    let (fake, place) = (Fake::new(), Place::of("gate"));
    let serving = place.open(fake.clone(), anyone());
    let remote = place.remote();
    // Its follower waits at the node by now, or will.
    assert!(remote.tip().await.is_ok());
    until(async || fake.asked_for_changes.load(Ordering::SeqCst) == 2).await;
    serving.stop().await;
    until(async || Arc::strong_count(&fake) == 1).await;
}

/// Answers in a format of its own.
struct Strange;

#[tonic::async_trait]
impl Calls for Strange {
    async fn call(&self, _: Request<Envelope>) -> Result<Response<Envelope>, Status> {
        Ok(Response::new(Envelope { version: 3, body: vec![1, 2, 3] }))
    }
}

#[tokio::test]
async fn a_reply_in_an_unknown_format_is_named() {
    let (streams, incoming) = futures::channel::mpsc::unbounded();
    let server = Server::builder().add_service(NodeServer::new(Strange)).serve_with_incoming(incoming.boxed());
    let server = tokio::spawn(server);
    let remote = RemoteNode::new(member("housing"), move || {
        let (here, io) = tokio::io::duplex(1024);
        let sent = streams.unbounded_send(Ok::<_, std::io::Error>(PeerStream { member: member("gate"), io }));
        async move { sent.map(|()| here).map_err(std::io::Error::other) }
    });
    let error = remote.tip().await.unwrap_err().to_string();
    assert!(error.contains("`housing`") && error.contains("format 3"), "{error}");
    server.abort();
}

proptest! {
    #[test]
    fn bytes_of_any_kind_are_read_or_refused(body: Vec<u8>) {
        let envelope = Envelope { version: CALL_VERSION, body };
        let _any = (open::<NodeAsk>(&envelope, "call"), open::<NodeReply>(&envelope, "reply"));
    }

    #[test]
    fn damaged_calls_and_replies_are_read_or_refused(row in 0..1000_usize, at in 0..4000_usize, byte: u8, cut: bool) {
        let table = table();
        let (ask, said) = table[row % table.len()].clone();
        let reply = enclose(&NodeReply { running: true, said: Ok(said) });
        for mut envelope in [enclose(&ask), reply] {
            let at = at % envelope.body.len();
            envelope.body[at] = byte;
            if cut {
                envelope.body.truncate(at);
            }
            let _any = (open::<NodeAsk>(&envelope, "call"), open::<NodeReply>(&envelope, "reply"));
        }
    }
}
