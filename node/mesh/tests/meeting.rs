//! Nodes that mean well meet.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use covenant_mesh::{ALPN_H2, Lane, Mesh, MeshError, MeshEvent, RefusalCode, Side, Timing};
use support::node::{Node, config};
use support::pki::Pki;
use support::raw::Raw;
use support::{member, soon, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

async fn four(pki: &Pki) -> Vec<Node> {
    let mut nodes = Vec::new();
    for name in NAMES {
        nodes.push(Node::start(name, &pki.security(name), |_| {}).await);
    }
    let all: Vec<_> = nodes.iter().map(|node| (node.name.clone(), node.at())).collect();
    let all: Vec<_> = all.iter().map(|(name, at)| (name.as_str(), *at)).collect();
    nodes.iter().for_each(|node| node.dial(&all));
    for node in &nodes {
        for name in NAMES.into_iter().filter(|name| *name != node.name) {
            node.connected(name).await;
        }
    }
    nodes
}

#[tokio::test(flavor = "multi_thread")]
async fn four_nodes_connect_and_frames_arrive_in_order_in_each_lane() {
    let mut nodes = four(&Pki::new()).await;
    for number in 0..500_u32 {
        for node in &nodes {
            node.mesh.broadcast(Lane::Consensus, number.to_be_bytes().to_vec().into());
            node.mesh.broadcast(Lane::Gossip, [&number.to_be_bytes()[..], &[0; 1000]].concat().into());
        }
    }
    for node in &mut nodes {
        let mut expected: BTreeMap<_, u32> = BTreeMap::new();
        let mut got = 0;
        while got < 3 * 2 * 500 {
            if let MeshEvent::Frame(from, lane, body) = node.next().await {
                let next = expected.entry((from, lane)).or_default();
                assert_eq!(body[..4], next.to_be_bytes());
                *next += 1;
                got += 1;
            }
        }
        assert_eq!(expected.len(), 6);
    }
}

/// Both ends dial at the same moment, again and again, and every time one connection comes and stays.
#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_dials_settle_on_one_connection_without_flapping() {
    let pki = Pki::new();
    let (at_a, at_b) = (pki.security("a"), pki.security("b"));
    for _ in 0..15 {
        let mut a = Node::start("a", &at_a, |_| {}).await;
        let mut b = Node::start("b", &at_b, |_| {}).await;
        let (here, there) = (a.at(), b.at());
        a.dial(&[("b", there)]);
        b.dial(&[("a", here)]);
        a.connected("b").await;
        b.connected("a").await;
        // Longer than a late dial takes.
        tokio::time::sleep(Duration::from_millis(250)).await;
        a.send("b", Lane::Gossip, b"still here");
        b.send("a", Lane::Gossip, b"still here");
        for (node, peer) in [(&mut a, "b"), (&mut b, "a")] {
            assert_eq!(node.next().await, MeshEvent::Connected(member(peer)));
            let frame = MeshEvent::Frame(member(peer), Lane::Gossip, b"still here"[..].into());
            assert_eq!(node.next().await, frame, "nothing came or went in between");
            let info = node.info(peer).unwrap();
            assert_eq!((info.counts.connections, info.refusal, info.trouble), (1, None, None));
        }
        assert_ne!(a.info("b").unwrap().dialled, b.info("a").unwrap().dialled);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_address_dials_in_and_is_heard() {
    let pki = Pki::new();
    let mut a = Node::start("a", &pki.security("a"), |_| {}).await;
    let mut observer = Node::start("observer", &pki.security("observer"), |_| {}).await;
    observer.dial(&[("a", a.at())]);
    observer.connected("a").await;
    observer.send("a", Lane::Gossip, b"question");
    assert_eq!(a.frame("observer").await.1, b"question"[..]);
    a.send("observer", Lane::Gossip, b"answer");
    assert_eq!(observer.frame("a").await.1, b"answer"[..]);
    until("a round trip is known", || a.info("observer").unwrap().rtt_us.is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_node_takes_its_port_again_and_is_connected_again() {
    let pki = Pki::new();
    let mut nodes = four(&pki).await;
    let all: Vec<_> = NAMES.into_iter().zip(nodes.iter().map(Node::at).collect::<Vec<_>>()).collect();
    for gently in [true, false] {
        let gone = nodes.remove(1);
        let (port, security) = (gone.at(), gone.security.clone());
        if gently {
            gone.mesh.stop().await;
        }
        drop(gone);
        for node in &nodes {
            node.parted("b").await;
        }
        until("the port is free", || std::net::TcpListener::bind(port).is_ok()).await;
        let mut again = Node::start("b", &security, |config| config.listen = port).await;
        again.dial(&all);
        for node in &nodes {
            node.connected("b").await;
            again.connected(&node.name).await;
            again.send(&node.name, Lane::Consensus, b"back");
        }
        for node in &mut nodes {
            assert_eq!(node.frame("b").await, (Lane::Consensus, b"back"[..].into()));
            node.send("b", Lane::Gossip, node.name.as_bytes());
            assert_eq!(again.frame(&node.name).await.1, node.name.as_bytes());
        }
        nodes.insert(1, again);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_mesh_tells_nothing_more_and_frees_its_port() {
    let mut nodes = four(&Pki::new()).await;
    let mut gone = nodes.remove(0);
    gone.mesh.stop().await;
    std::net::TcpListener::bind(gone.at()).unwrap();
    soon("the end of events", async { while gone.events.recv().await.is_some() {} }).await;
    nodes[0].parted("a").await;
    assert!(nodes[0].info("a").unwrap().refusal.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_admitted_no_more_is_dropped_at_review_and_comes_back_when_admitted() {
    let mut nodes = four(&Pki::new()).await;
    nodes[0].security.bar("c");
    assert!(nodes[0].is_connected("c"), "only a review looks");
    nodes[0].mesh.review();
    nodes[0].parted("c").await;
    nodes[0].refused("c", Side::Us, RefusalCode::NotAdmitted).await;
    nodes[2].refused("a", Side::Them, RefusalCode::NotAdmitted).await;
    assert!(nodes[0].is_connected("b") && nodes[1].is_connected("c"));
    nodes[0].drain();
    nodes[0].security.unbar("c");
    nodes[0].mesh.review();
    nodes[0].connected("c").await;
    assert_eq!(nodes[0].next().await, MeshEvent::Connected(member("c")));
    assert_eq!(nodes[0].refusal("c"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn h2_visits_are_handed_out_and_refused_when_nobody_wants_them() {
    let pki = Pki::new();
    let mut a = Node::start("a", &pki.security("a"), |_| {}).await;
    let guest = pki.security("guest");
    let mut raw = Raw::connect(&guest, "a", a.at(), ALPN_H2).await;
    raw.bytes(b"PRI * HTTP/2.0").await;
    let mut visit = soon("a visit", a.visits.recv()).await.unwrap();
    assert_eq!(visit.member, member("guest"));
    let mut said = [0; 14];
    soon("bytes", visit.stream.read_exact(&mut said)).await.unwrap();
    assert_eq!(&said, b"PRI * HTTP/2.0");
    visit.stream.write_all(b"hi").await.unwrap();
    visit.stream.flush().await.unwrap();
    let mut answer = [0; 2];
    soon("bytes", raw.stream.read_exact(&mut answer)).await.unwrap();
    assert!(a.drain().is_empty(), "a visitor is no peer");

    a.security.bar("guest");
    let mut barred = Raw::connect(&guest, "a", a.at(), ALPN_H2).await;
    assert!(barred.next().await.is_none());
    assert_eq!(a.refusal("guest"), Some((Side::Us, RefusalCode::NotAdmitted)));
    a.security.unbar("guest");
    a.visits.close();
    let mut config = (*covenant_mesh::Security::client(&*guest, &member("a"))).clone();
    config.alpn_protocols = vec![ALPN_H2.to_vec()];
    let tcp = tokio::net::TcpStream::connect(a.at()).await.unwrap();
    let name = "a.covenant.internal".try_into().unwrap();
    let refused = soon("TLS", tokio_rustls::TlsConnector::from(std::sync::Arc::new(config)).connect(name, tcp)).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn a_taken_port_and_an_unusable_address_have_names() {
    let pki = Pki::new();
    let a = Node::start("a", &pki.security("a"), |_| {}).await;
    let mut taken = config("b", &pki.security("b"));
    taken.listen = a.at();
    let Err(MeshError::Listen { address, .. }) = Mesh::start(taken.clone()).await else { panic!("the port is taken") };
    assert_eq!(address, a.at());
    taken.listen = "127.0.0.1:0".parse().unwrap();
    taken.addresses.insert(member("c"), "nowhere".to_owned());
    let Err(error) = Mesh::start(taken).await else { panic!("no address") };
    assert_eq!(error.to_string(), "`nowhere` is no address of `c`: use `host:port`");
    let bad = BTreeMap::from([(member("c"), "c:0".to_owned())]);
    assert!(matches!(a.mesh.set_addresses(bad), Err(MeshError::Address { .. })));
}

#[test]
fn nodes_have_the_patience_that_operations_describe() {
    let Timing { ping, silence, handshake, .. } = Timing::default();
    assert_eq!([ping, silence, handshake].map(|time| time.as_secs()), [5, 15, 5]);
}
