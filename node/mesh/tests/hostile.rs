//! Peers and strangers that mean ill harm nobody but themselves.
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
use covenant_mesh::{ALPN_MESH, Hello, Kind, Lane, MeshEvent, RefusalCode, Side};
use support::node::{GENESIS, Node};
use support::pki::Pki;
use support::raw::Raw;
use support::{member, soon, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Two nodes that are connected and stay so.
async fn two(pki: &Pki) -> (Node, Node) {
    let a = Node::start("a", &pki.security("a"), |_| {}).await;
    let b = Node::start("b", &pki.security("b"), |_| {}).await;
    b.dial(&[("a", a.at())]);
    a.connected("b").await;
    b.connected("a").await;
    (a, b)
}

async fn still_well(a: &mut Node, b: &mut Node) {
    b.send("a", Lane::Gossip, b"well?");
    assert_eq!(a.frame("b").await.1, b"well?"[..]);
    assert_eq!(a.info("b").unwrap().counts.connections, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_beyond_the_limit_and_unknown_kinds_close_with_a_reason() {
    let pki = Pki::new();
    let (mut a, mut b) = two(&pki).await;
    let z = pki.security("z");
    let cases: [(&[u8], RefusalCode); 4] = [
        (&[0, 32, 0, 1, 0], RefusalCode::FrameTooLong),
        (&[255, 255, 255, 255, 1, 1, 2, 3], RefusalCode::FrameTooLong),
        (&[0, 0, 0, 1, 77, 0], RefusalCode::UnknownFrame),
        (&[0, 0, 0, 0, 5], RefusalCode::UnknownFrame),
    ];
    for (bytes, code) in cases {
        let mut raw = Raw::join(&z, "z", "a", a.at()).await;
        raw.bytes(bytes).await;
        assert_eq!(raw.refused().await, Some(code));
        // The node waits a moment for the other end to close.
        drop(raw);
        a.refused("z", Side::Us, code).await;
    }
    still_well(&mut a, &mut b).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_after_tls_and_frames_before_the_welcome_are_refused() {
    let pki = Pki::new();
    let (mut a, mut b) = two(&pki).await;
    let z = pki.security("z");
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 4096], &[0, 32, 0, 0, 0], &[0xff; 100]] {
        let mut raw = Raw::connect(&z, "a", a.at(), ALPN_MESH).await;
        raw.bytes(garbage).await;
        let mut filler = vec![1; 200 << 10];
        filler.truncate(if garbage.len() == 5 { 200 << 10 } else { 0 });
        let _closed_meanwhile = raw.stream.write_all(&filler).await;
        let _closed_meanwhile = raw.stream.flush().await;
        let refused = raw.refused().await;
        assert!(refused.is_some() || garbage.len() == 5, "{garbage:?} was not refused");
    }
    still_well(&mut a, &mut b).await;
    assert!(!a.drain().iter().any(|event| *event == MeshEvent::Connected(member("z"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_nothing_or_no_tls_is_closed() {
    let pki = Pki::new();
    let (mut a, mut b) = two(&pki).await;
    let mut silent = TcpStream::connect(a.at()).await.unwrap();
    let mut plain = TcpStream::connect(a.at()).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut hello_less = Raw::connect(&pki.security("z"), "a", a.at(), ALPN_MESH).await;
    // A hello of one byte now and then.
    let mut slow = Raw::connect(&pki.security("y"), "a", a.at(), ALPN_MESH).await;
    let dripping = tokio::spawn(async move {
        for byte in Hello::new(GENESIS, member("y")).to_body() {
            if slow.stream.write_all(&[0, 0, 0, 48, 4, byte]).await.is_err() || slow.stream.flush().await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        panic!("it was never closed");
    });
    still_well(&mut a, &mut b).await;
    let mut rest = Vec::new();
    let _reset = soon("the end", plain.read_to_end(&mut rest)).await;
    let _reset = soon("the end", silent.read_to_end(&mut rest)).await;
    soon("the end", async { while hello_less.next().await.is_some() {} }).await;
    soon("the end", dripping).await.unwrap();
    still_well(&mut a, &mut b).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_holds_few_half_open_connections_and_gives_them_back() {
    let pki = Pki::new();
    let mut a = Node::start("a", &pki.security("a"), |config| config.limits.half_open_per_address = 4).await;
    let mut b = Node::start("b", &pki.security("b"), |_| {}).await;
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(TcpStream::connect(a.at()).await.unwrap());
    }
    let mut closed = 0;
    for stream in &mut held {
        let waiting = tokio::time::timeout(Duration::from_millis(20), stream.read_u8());
        closed += usize::from(matches!(waiting.await, Ok(Err(_))));
    }
    assert!(closed >= 16, "{closed} of 20 were closed at once");
    b.dial(&[("a", a.at())]);
    b.connected("a").await;
    a.connected("b").await;
    still_well(&mut a, &mut b).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_never_reads_loses_its_frames_and_delays_nobody() {
    const LANE: usize = 4 << 20;
    const FRAME: usize = 64 << 10;
    let pki = Pki::new();
    let a = Node::start("a", &pki.security("a"), |config| config.limits.lane_bytes = LANE).await;
    let mut b = Node::start("b", &pki.security("b"), |_| {}).await;
    b.dial(&[("a", a.at())]);
    a.connected("b").await;
    let mut stalled = Raw::join(&pki.security("z"), "z", "a", a.at()).await;
    let frame = Bytes::from(vec![9; FRAME]);
    let mut rounds = 0;
    // The stalled one shows a sign of life, or it would be taken for dead.
    while a.info("z").unwrap().counts.dropped_gossip < 100 {
        a.mesh.broadcast(Lane::Gossip, frame.clone());
        assert_eq!(b.frame("a").await.1.len(), FRAME);
        stalled.say(Kind::Ping, &[0; 8]).await;
        rounds += 1;
    }
    let z = a.info("z").unwrap();
    let waiting = rounds - z.counts.dropped_gossip - z.counts.sent_frames;
    assert!(z.connected.is_some());
    assert!(usize::try_from(waiting).unwrap() * FRAME <= LANE, "{waiting} frames wait");
    let b = a.info("b").unwrap();
    assert_eq!((b.counts.dropped_gossip, b.counts.sent_frames), (0, rounds));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_takes_no_events_lets_its_peers_wait() {
    const FRAME: usize = 64 << 10;
    let pki = Pki::new();
    let mut a = Node::start("a", &pki.security("a"), |config| config.limits.inbox_bytes = 4 << 20).await;
    let b = Node::start("b", &pki.security("b"), |_| {}).await;
    b.dial(&[("a", a.at())]);
    b.connected("a").await;
    a.connected("b").await;
    let mut sent = 0_u64;
    while b.info("a").unwrap().counts.dropped_gossip == 0 {
        b.send("a", Lane::Gossip, &[3; FRAME]);
        sent += 1;
        tokio::task::yield_now().await;
    }
    // As long as nothing is taken, no more is read than there is room for.
    let read = a.info("b").unwrap().counts.received_bytes;
    assert!(read <= 4 << 20, "{read} bytes wait");
    for _ in 0..sent - 1 {
        assert_eq!(a.frame("b").await.1.len(), FRAME);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consensus_frames_overtake_a_long_queue_of_gossip() {
    const FRAME: usize = 256 << 10;
    let pki = Pki::new();
    let a = Node::start("a", &pki.security("a"), |_| {}).await;
    let mut z = Raw::join(&pki.security("z"), "z", "a", a.at()).await;
    for _ in 0..200 {
        a.send("z", Lane::Gossip, &[1; FRAME]);
    }
    a.send("z", Lane::Consensus, b"vote");
    let (mut gossip, mut before_vote) = (0, None);
    while gossip < 200 {
        match z.next().await.expect("a frame").kind {
            Kind::Lane(Lane::Gossip) => gossip += 1,
            Kind::Lane(Lane::Consensus) => before_vote = Some(gossip),
            _ => {}
        }
    }
    assert!(before_vote.is_some_and(|before| before < 100), "{before_vote:?} frames of gossip came first");
    until("all is counted", || a.info("z").unwrap().counts.sent_frames == 201).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_lanes_lose_frames_by_count_and_too_long_frames_are_never_sent() {
    let pki = Pki::new();
    let a = Node::start("a", &pki.security("a"), |config| config.limits.consensus_frames = 10).await;
    a.send("nobody", Lane::Gossip, b"lost");
    let _z = Raw::join(&pki.security("z"), "z", "a", a.at()).await;
    a.send("z", Lane::Gossip, &vec![0; covenant_mesh::MOST_BODY + 1]);
    assert_eq!(a.info("z").unwrap().counts.dropped_gossip, 1);
    until("the queue is full", || {
        (0..100).for_each(|_| a.send("z", Lane::Consensus, &[0; 60_000]));
        a.info("z").unwrap().counts.dropped_consensus > 0
    })
    .await;
}
