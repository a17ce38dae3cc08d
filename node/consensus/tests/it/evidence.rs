//! A validator that contradicts itself is found out, with proof. It is a puppet that speaks the wire format by hand.

use bytes::Bytes;
use covenant_canon::{Digest, to_bytes};
use covenant_domain::MemberId;
use covenant_ledger::{VoteKind, vote_bytes};
use minicbor::Encode;

use crate::cluster::{Cluster, name};
use crate::replica::{CONSORTIUM, stamp};

#[derive(Encode)]
#[cbor(map)]
struct Frame {
    #[n(0)]
    version: u8,
    #[n(1)]
    message: Message,
}

#[derive(Encode)]
enum Message {
    #[n(0)]
    Vote(#[n(0)] Vote),
    #[n(8)]
    Wake(#[n(0)] u64),
}

/// "I have a reason to make this block."
pub(crate) fn wake(height: u64) -> Bytes {
    to_bytes(&Frame { version: 1, message: Message::Wake(height) }).into()
}

#[derive(Encode)]
#[cbor(map)]
struct Vote {
    #[n(0)]
    kind: VoteKind,
    #[n(1)]
    height: u64,
    #[n(2)]
    round: u32,
    #[n(3)]
    block: Option<Digest>,
    #[n(4)]
    validator: MemberId,
    #[cbor(n(5), with = "minicbor::bytes")]
    signature: Vec<u8>,
}

fn prevote(validator: MemberId, block: Option<Digest>) -> Bytes {
    let message = vote_bytes(&CONSORTIUM, VoteKind::Prevote, 1, 0, block, &validator);
    let signature = stamp(&validator, &message);
    let vote = Vote { kind: VoteKind::Prevote, height: 1, round: 0, block, validator, signature };
    to_bytes(&Frame { version: 1, message: Message::Vote(vote) }).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contradicting_votes_reach_the_replica_as_evidence() {
    let mut cluster = Cluster::new(4);
    let mut puppet = cluster.hub.join(&name(3));
    for index in 0..3 {
        cluster.start(index).await;
        puppet.events.recv().await.unwrap();
    }
    puppet.link.broadcast(Bytes::from_static(b"not a message"));
    puppet.link.broadcast(prevote(name(3), Some(Digest([1; 32]))));
    puppet.link.broadcast(prevote(name(3), Some(Digest([2; 32]))));
    cluster.submit(0..4);
    cluster.reached(0..3, 4).await;
    for node in &cluster.nodes[..3] {
        let evidence = node.disk.lock().evidence.clone();
        assert_eq!(evidence.len(), 1, "at {}", node.member);
        assert_eq!((&evidence[0].validator, evidence[0].height), (&name(3), 1));
        let expected =
            [1, 2].map(|n| vote_bytes(&CONSORTIUM, VoteKind::Prevote, 1, 0, Some(Digest([n; 32])), &name(3)));
        let mut found = [evidence[0].first.message.clone(), evidence[0].second.message.clone()];
        found.sort();
        assert_eq!(found, expected);
        for statement in [&evidence[0].first, &evidence[0].second] {
            assert_eq!(stamp(&name(3), &statement.message), statement.signature);
        }
    }
}
