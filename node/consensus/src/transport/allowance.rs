//! How much a peer may send. The engine queues what it is handed without bound, and checks a signature of every vote; so
//! what comes faster than any honest validator speaks is dropped at the door, as a frame lost on the way would be. Answers that
//! were asked for are charged as they come and given back once they are read; of a peer that has nothing left they are dropped too.

use std::collections::BTreeMap;

use covenant_domain::MemberId;
use tokio::time::Instant;

/// Bytes that a peer may send at once: sixteen of the longest blocks.
const BURST: u64 = 16 * 1024 * 1024;

/// Bytes for every second.
const RATE: u64 = 32 * 1024 * 1024;

/// What the shortest frame counts for, so that a peer sends at most 4,096 votes in a second. Four validators that make a
/// hundred blocks in a second send a tenth of that each.
const LEAST: u64 = 8 * 1024;

struct Bucket {
    left: u64,
    since: Instant,
    /// Whether what comes is being dropped.
    dry: bool,
}

impl Bucket {
    fn refill(&mut self, now: Instant) {
        let passed = u64::try_from(now.duration_since(self.since).as_micros()).unwrap_or(u64::MAX);
        let more = passed.saturating_mul(RATE) / 1_000_000;
        // The rest of a byte is not lost: time that has not paid for one goes on counting.
        if more > 0 {
            self.left = self.left.saturating_add(more).min(BURST);
            self.since = now;
        }
    }
}

/// What each peer may still send.
#[derive(Default)]
pub(crate) struct Allowance(BTreeMap<MemberId, Bucket>);

fn cost(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX).max(LEAST)
}

impl Allowance {
    /// Whether a frame of this length is still within what the peer may send. A peer that comes again has what it had left.
    pub(crate) fn take(&mut self, peer: &MemberId, length: usize) -> bool {
        let (now, cost) = (Instant::now(), cost(length));
        let full = || Bucket { left: BURST, since: now, dry: false };
        let bucket = self.0.entry(peer.clone()).or_insert_with(full);
        bucket.refill(now);
        let enough = bucket.left >= cost;
        if enough {
            bucket.left -= cost;
        }
        if !enough && !bucket.dry {
            tracing::warn!(%peer, "sends more than any validator has to say: what is too much is dropped");
        }
        bucket.dry = !enough || (bucket.dry && bucket.left < BURST / 2);
        enough
    }

    /// The frame was asked for.
    pub(crate) fn give_back(&mut self, peer: &MemberId, length: usize) {
        if let Some(bucket) = self.0.get_mut(peer) {
            bucket.left = bucket.left.saturating_add(cost(length)).min(BURST);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn member(name: &str) -> MemberId {
        MemberId::new(name).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_sends_without_end_is_held_to_the_rate_and_others_are_not() {
        let (mut allowance, loud, calm) = (Allowance::default(), member("loud"), member("calm"));
        let mut passed = 0;
        for _ in 0..10 {
            passed += (0..10_000).filter(|_| allowance.take(&loud, 300)).count() as u64;
            assert!(allowance.take(&calm, 300));
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        let most = (BURST + RATE) / LEAST;
        assert!((most * 8 / 10..=most).contains(&passed), "{passed} of at most {most}");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(allowance.take(&loud, 1024 * 1024), "and is heard again");
    }

    #[tokio::test(start_paused = true)]
    async fn looking_often_loses_nothing() {
        let (mut allowance, peer) = (Allowance::default(), member("a"));
        while allowance.take(&peer, 0) {}
        let (mut passed, whole) = (0, RATE / LEAST);
        for _ in 0..5_000 {
            tokio::time::advance(Duration::from_micros(200)).await;
            passed += u64::from(allowance.take(&peer, 0));
        }
        assert!((whole - 2..=whole + 2).contains(&passed), "{passed} of {whole}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_asked_for_does_not_count() {
        let (mut allowance, peer) = (Allowance::default(), member("a"));
        for _ in 0..1_000 {
            assert!(allowance.take(&peer, 2 * 1024 * 1024));
            allowance.give_back(&peer, 2 * 1024 * 1024);
        }
    }
}
