//! Meshes over loopback: who connects, who is refused and told why, what is lost and what not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use std::time::Duration;

use bytes::Bytes;
use covenant_canon::Digest;
use covenant_mesh::{CALLS, Lane, MAX_FRAME, MESH, Mesh, MeshConfig, MeshError, MeshEvent};
use rustls::pki_types::ServerName;
use support::{CONSORTIUM, World, free, id};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

fn text(words: &'static str) -> Bytes {
    Bytes::from_static(words.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_connect_and_frames_arrive_in_order() {
    let world = World::new();
    let names = ["a", "b", "c", "d"];
    let at = names.map(|n| (n, free()));
    let mut nodes = Vec::new();
    for (name, listen) in at {
        let others: Vec<_> = at.into_iter().filter(|(n, _)| *n != name).collect();
        nodes.push(world.start(name, listen, &others).await);
    }
    for (index, node) in nodes.iter_mut().enumerate() {
        let others: Vec<_> = names.into_iter().enumerate().filter(|(i, _)| *i != index).map(|(_, n)| n).collect();
        node.connected(&others).await;
    }
    for n in 0u32..500 {
        nodes[0].mesh.broadcast(Lane::Consensus, Bytes::copy_from_slice(&n.to_be_bytes()));
    }
    for node in &mut nodes[1..] {
        for n in 0u32..500 {
            assert_eq!(node.frame().await, (id("a"), Lane::Consensus, Bytes::copy_from_slice(&n.to_be_bytes())));
        }
    }
    nodes[1].mesh.send(&id("a"), Lane::Gossip, text("only you"));
    assert_eq!(nodes[0].frame().await, (id("b"), Lane::Gossip, text("only you")));
    assert!(nodes[0].mesh.peers().iter().all(|p| p.connected && p.refusal.is_none() && p.lost_frames == 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_call_each_other_settle_on_one_connection() {
    let world = World::new();
    let (at_a, at_b) = (free(), free());
    let mut a = world.start("a", at_a, &[("b", at_b)]).await;
    let mut b = world.start("b", at_b, &[("a", at_a)]).await;
    a.connected(&["b"]).await;
    b.connected(&["a"]).await;
    // Whatever was dialled twice is settled by now; from here on nothing may flap.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    for node in [&mut a, &mut b] {
        while let Ok(event) = node.events.try_recv() {
            panic!("a connection flaps: {event:?}");
        }
    }
    a.mesh.send(&id("b"), Lane::Consensus, text("x"));
    assert_eq!(b.frame().await.2, text("x"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_comes_back_is_connected_again() {
    let world = World::new();
    let (at_a, at_b) = (free(), free());
    let mut a = world.start("a", at_a, &[("b", at_b)]).await;
    let mut b = world.start("b", at_b, &[("a", at_a)]).await;
    a.connected(&["b"]).await;
    b.connected(&["a"]).await;
    b.mesh.stop().await;
    drop(b);
    a.disconnected("b").await;
    let mut b = world.start("b", at_b, &[("a", at_a)]).await;
    a.connected(&["b"]).await;
    b.connected(&["a"]).await;
    b.mesh.send(&id("a"), Lane::Consensus, text("again"));
    assert_eq!(a.frame().await.2, text("again"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ends_hear_why_they_are_not_connected() {
    let world = World::new();
    let (at_a, at_b) = (free(), free());
    let a = world.start("a", at_a, &[("b", at_b)]).await;
    let b = world.start_as("b", Digest([8; 32]), at_b, &[("a", at_a)]).await;
    a.refusal("b", "wrong_genesis").await;
    b.refusal("a", "wrong_genesis").await;
    assert!(!a.peer("b").connected);
    b.mesh.stop().await;
    world.banned.lock().insert(id("c"));
    let c = world.start("c", free(), &[("a", at_a)]).await;
    c.refusal("a", "not_admitted").await;
    a.refusal("c", "not_admitted").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_admitted_no_more_is_cut_off() {
    let world = World::new();
    let (at_a, at_b) = (free(), free());
    let mut a = world.start("a", at_a, &[("b", at_b)]).await;
    let mut b = world.start("b", at_b, &[]).await;
    a.connected(&["b"]).await;
    b.connected(&["a"]).await;
    world.banned.lock().insert(id("a"));
    b.mesh.review();
    b.disconnected("a").await;
    a.disconnected("b").await;
    world.banned.lock().clear();
    a.connected(&["b"]).await;
}

#[tokio::test]
async fn a_taken_port_and_a_nonsense_address_are_named() {
    let world = World::new();
    let taken = world.start("a", free(), &[]).await;
    let start = |listen, address: &str| {
        let addresses = [(id("b"), address.to_owned())].into();
        Mesh::start(MeshConfig {
            me: id("a"),
            consortium: CONSORTIUM,
            listen,
            security: world.security("a"),
            addresses,
        })
    };
    let error = start(taken.mesh.local_addr(), "h:1").await.err().unwrap();
    assert!(matches!(error, MeshError::Listen { .. }), "{error}");
    for nonsense in ["", "host", "host:", ":1", "host:0", "host:99999"] {
        assert!(matches!(start(free(), nonsense).await.err().unwrap(), MeshError::Address { .. }), "{nonsense}");
    }
}

/// A caller that says what it likes behind a good handshake.
async fn caller(
    world: &World,
    name: &str,
    at: std::net::SocketAddr,
    protocol: &[u8],
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let connector = TlsConnector::from(world.client(name, &[protocol]));
    let server = ServerName::try_from("a.covenant.internal").unwrap();
    connector.connect(server, TcpStream::connect(at).await.unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_callers_are_dropped_and_others_do_not_notice() {
    let world = World::new();
    let (at_a, at_b) = (free(), free());
    let mut a = world.start("a", at_a, &[("b", at_b)]).await;
    let mut b = world.start("b", at_b, &[]).await;
    a.connected(&["b"]).await;
    b.connected(&["a"]).await;
    let mut plain = TcpStream::connect(at_a).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let too_long = [u32::MAX.to_be_bytes().as_slice(), &[4]].concat();
    let unknown = vec![0, 0, 0, 0, 99];
    let no_greeting = vec![0, 0, 0, 0, 2];
    let huge_greeting = [(MAX_FRAME as u32).to_be_bytes().as_slice(), &[4], &[0; 8_000]].concat();
    for garbage in [too_long, unknown, no_greeting, huge_greeting] {
        let mut stream = caller(&world, "z", at_a, MESH).await;
        stream.write_all(&garbage).await.unwrap();
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        closed.expect("the connection is closed").ok();
    }
    assert!(a.mesh.peers().iter().all(|p| p.member != id("z") || !p.connected));
    b.mesh.send(&id("a"), Lane::Consensus, text("still here"));
    assert_eq!(a.frame().await, (id("b"), Lane::Consensus, text("still here")));
    a.mesh.send(&id("b"), Lane::Consensus, Bytes::from(vec![0; MAX_FRAME + 1]));
    a.mesh.send(&id("b"), Lane::Consensus, Bytes::from(vec![1; MAX_FRAME]));
    assert_eq!(b.frame().await.2.len(), MAX_FRAME, "what is too long is not sent at all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_takes_nothing_delays_nobody() {
    let world = World::new();
    let (at_a, at_b, at_c) = (free(), free(), free());
    let mut a = world.start("a", at_a, &[("b", at_b), ("c", at_c)]).await;
    // `b` never looks at its events, so its queue fills and its connection with it.
    let b = world.start("b", at_b, &[]).await;
    let mut c = world.start("c", at_c, &[]).await;
    a.connected(&["b", "c"]).await;
    c.connected(&["a"]).await;
    let frame = Bytes::from(vec![0; 64 * 1024]);
    let mut heard = 0;
    for _ in 0..20 {
        for _ in 0..200 {
            a.mesh.broadcast(Lane::Gossip, frame.clone());
        }
        while heard < 100 {
            c.frame().await;
            heard += 1;
        }
        heard = 0;
        while tokio::time::timeout(Duration::from_millis(50), c.events.recv()).await.is_ok() {}
    }
    assert!(a.peer("b").lost_frames > 0 || a.peer("b").connected, "{:?}", a.mesh.peers());
    a.mesh.send(&id("c"), Lane::Consensus, text("vote"));
    loop {
        if let MeshEvent::Frame(_, Lane::Consensus, frame) = c.next().await {
            assert_eq!(frame, text("vote"));
            break;
        }
    }
    drop(b);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_handed_out_with_their_member() {
    let world = World::new();
    let at_a = free();
    let mut a = world.start("a", at_a, &[]).await;
    let mut stream = caller(&world, "platform", at_a, CALLS).await;
    let (member, mut visit) = a.visits.recv().await.unwrap();
    assert_eq!(member, id("platform"));
    stream.write_all(b"PRI * HTTP/2.0").await.unwrap();
    let mut read = [0; 14];
    visit.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"PRI * HTTP/2.0");
}
