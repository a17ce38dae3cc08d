//! What the tests share: certificates, nodes, raw peers and a bad network.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests, and no test file uses all of them"
)]

pub mod node;
pub mod pki;
pub mod raw;

use std::time::Duration;

use covenant_domain::MemberId;

/// Longest time that any step of a test may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn member(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Bounds a step.
pub async fn soon<T>(what: &str, step: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, step).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}
