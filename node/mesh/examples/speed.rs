//! Frames over loopback TLS between two nodes: `cargo run --release -p covenant-mesh --example speed`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "an example measures and prints"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use covenant_mesh::{Lane, MeshEvent};
use support::member;
use support::node::Node;
use support::pki::Pki;

/// Sends as fast as the other end takes, without losing a frame.
async fn flood(from: &Node, to: &mut Node, size: usize, count: usize) -> Duration {
    let (frame, window) = (Bytes::from(vec![7; size]), ((32 << 20) / size).clamp(16, 8192));
    let (started, mut sent, mut got) = (Instant::now(), 0, 0);
    while got < count {
        while sent < count && sent - got < window {
            from.mesh.send(&member("b"), Lane::Consensus, frame.clone());
            sent += 1;
        }
        let _frame = to.frame("a").await;
        got += 1;
        while let Some(event) = to.events.try_recv() {
            got += usize::from(matches!(event, MeshEvent::Frame(..)));
        }
    }
    started.elapsed()
}

async fn round_trips(a: &mut Node, b: &mut Node, count: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..count {
        let started = Instant::now();
        a.send("b", Lane::Consensus, &[1; 200]);
        let (_, body) = b.frame("a").await;
        b.mesh.send(&member("a"), Lane::Consensus, body);
        let _frame = a.frame("b").await;
        times.push(started.elapsed());
    }
    times.sort();
    times
}

#[tokio::main]
async fn main() {
    let pki = Pki::new();
    let mut a = Node::start("a", &pki.security("a"), |_| {}).await;
    let mut b = Node::start("b", &pki.security("b"), |_| {}).await;
    a.dial(&[("b", b.at())]);
    a.connected("b").await;
    b.connected("a").await;
    for (size, count) in [(200, 400_000), (4 << 10, 100_000), (64 << 10, 8_000), (1 << 20, 500)] {
        let seconds = flood(&a, &mut b, size, count).await.as_secs_f64();
        let (frames, bytes) = (count as f64 / seconds, (count * size) as f64 / seconds);
        println!("{size:>8} bytes: {frames:>9.0} frames/s {:>7.1} MiB/s", bytes / f64::from(1 << 20));
    }
    let times = round_trips(&mut a, &mut b, 5_000).await;
    println!("round trip of 200 bytes: p50 {:?}, p99 {:?}", times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("lost: {:?}", a.info("b").map(|info| info.counts.dropped_consensus));
}
