//! Bad networks between good nodes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use covenant_mesh::proxy::{Conditions, FaultProxy};
use covenant_mesh::{Lane, MeshEvent};
use support::node::Node;
use support::pki::{Pki, TestSecurity};
use support::{member, until};

/// Two nodes joined by one relay only; `b` dials.
async fn joined(pki: &Pki) -> (Node, Node, FaultProxy) {
    let a = Node::start("a", &pki.security("a"), |_| {}).await;
    let b = Node::start("b", &pki.security("b"), |_| {}).await;
    let proxy = FaultProxy::start(a.at()).await.unwrap();
    b.dial(&[("a", proxy.addr())]);
    a.connected("b").await;
    b.connected("a").await;
    (a, b, proxy)
}

async fn talks(from: &Node, to: &mut Node, what: &[u8]) {
    from.send(&to.name, Lane::Consensus, what);
    let name = from.name.clone();
    assert_eq!(to.frame(&name).await.1, what);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_link_is_connected_again_when_it_heals() {
    let (mut a, mut b, proxy) = joined(&Pki::new()).await;
    talks(&a, &mut b, b"before").await;
    proxy.cut();
    a.parted("b").await;
    b.parted("a").await;
    until("the trouble is told", || b.info("a").unwrap().trouble.is_some()).await;
    proxy.heal();
    a.connected("b").await;
    b.connected("a").await;
    talks(&a, &mut b, b"after").await;
    talks(&b, &mut a, b"after").await;
    assert_eq!(b.info("a").unwrap().trouble, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_vanished_is_found_dead_by_its_silence() {
    let (mut a, mut b, proxy) = joined(&Pki::new()).await;
    talks(&a, &mut b, b"before").await;
    proxy.freeze();
    a.parted("b").await;
    b.parted("a").await;
    assert!(a.info("b").unwrap().trouble.unwrap().contains("nothing came"));
    proxy.heal();
    b.connected("a").await;
    talks(&a, &mut b, b"after").await;
    assert!(a.drain().contains(&MeshEvent::Disconnected(member("b"))));
}

/// A half-dead connection does not keep a peer out until its silence is noticed.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_came_back_replaces_its_half_dead_connection() {
    let pki = Pki::new();
    let patient = |security: Arc<TestSecurity>, name: &'static str| async move {
        let long = Duration::from_secs(3600);
        Node::start(name, &security, |config| (config.timing.silence, config.timing.ping) = (long, long)).await
    };
    // Whoever decides must find out by itself; the other one is told.
    for (staying, leaving) in [("a", "b"), ("b", "a")] {
        let mut stays = patient(pki.security(staying), staying).await;
        let leaver = pki.security(leaving);
        let proxy = FaultProxy::start(stays.at()).await.unwrap();
        let before = patient(leaver.clone(), leaving).await;
        before.dial(&[(staying, proxy.addr())]);
        stays.connected(leaving).await;
        before.connected(staying).await;
        proxy.freeze();
        drop(before);
        let again = patient(leaver, leaving).await;
        again.dial(&[(staying, stays.at())]);
        again.connected(staying).await;
        talks(&again, &mut stays, b"back").await;
        assert_eq!(stays.info(leaving).unwrap().counts.connections, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_and_lossy_link_delivers_in_order() {
    let (a, mut b, proxy) = joined(&Pki::new()).await;
    proxy.set(Conditions { delay_ms: 30, jitter_ms: 20, loss_permille: 20, bytes_per_s: 1 << 20 });
    for number in 0..40_u8 {
        a.send("b", Lane::Gossip, &[number; 20_000]);
    }
    for number in 0..40_u8 {
        assert_eq!(b.frame("a").await.1, vec![number; 20_000]);
    }
    assert_eq!(a.info("b").unwrap().counts.connections, 1);
    assert_eq!(b.info("a").unwrap().counts.connections, 1);
}

/// Delays make the two dials cross on their way.
#[tokio::test(flavor = "multi_thread")]
async fn crossing_dials_over_slow_links_settle_on_one_connection() {
    let pki = Pki::new();
    let (at_a, at_b) = (pki.security("a"), pki.security("b"));
    for _ in 0..8 {
        let mut a = Node::start("a", &at_a, |_| {}).await;
        let mut b = Node::start("b", &at_b, |_| {}).await;
        let to_a = FaultProxy::start(a.at()).await.unwrap();
        let to_b = FaultProxy::start(b.at()).await.unwrap();
        let slow = Conditions { delay_ms: 10, jitter_ms: 30, ..Conditions::default() };
        to_a.set(slow);
        to_b.set(slow);
        a.dial(&[("b", to_b.addr())]);
        b.dial(&[("a", to_a.addr())]);
        a.connected("b").await;
        b.connected("a").await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        for (node, peer) in [(&mut a, "b"), (&mut b, "a")] {
            assert_eq!(node.drain(), [MeshEvent::Connected(member(peer))]);
        }
        talks(&a, &mut b, b"still here").await;
        talks(&b, &mut a, b"still here").await;
    }
}
