//! No request counts twice.

use std::collections::{BTreeMap, BTreeSet};

use covenant_api::{Code, FRESHNESS_MS, Nonce, Problem};
use covenant_domain::MemberId;
use parking_lot::Mutex;

/// Nonces seen of one member, by the time of their request: those that would be stale anyway are forgotten.
#[derive(Debug, Default)]
struct Seen {
    nonces: BTreeSet<Nonce>,
    by_time: BTreeSet<(u64, Nonce)>,
}

/// A window of nonces per member.
///
/// INVARIANT a nonce is remembered for as long as its request would pass as fresh. When a member fills its window, its
/// requests are refused rather than old nonces forgotten.
#[derive(Debug)]
pub(crate) struct Replays {
    capacity: usize,
    seen: Mutex<BTreeMap<MemberId, Seen>>,
}

impl Replays {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, seen: Mutex::default() }
    }

    /// Refuses a nonce that was admitted before, and changes nothing.
    pub(crate) fn refuse_known(&self, member: &MemberId, nonce: &Nonce) -> Result<(), Problem> {
        match self.seen.lock().get(member) {
            Some(seen) if seen.nonces.contains(nonce) => Err(replayed(member)),
            _ => Ok(()),
        }
    }

    /// Admits a nonce once. The request's time was checked to be fresh.
    pub(crate) fn admit(&self, member: &MemberId, nonce: Nonce, created_ms: u64, now_ms: u64) -> Result<(), Problem> {
        let mut all = self.seen.lock();
        let seen = all.entry(member.clone()).or_default();
        seen.forget(now_ms.saturating_sub(FRESHNESS_MS));
        if seen.nonces.contains(&nonce) {
            return Err(replayed(member));
        }
        if seen.nonces.len() >= self.capacity {
            let detail = format!("`{member}` sent more than {} requests within two minutes: slow down", self.capacity);
            return Err(Problem::new(Code::TooManyRequests, detail).retry_after(10));
        }
        seen.nonces.insert(nonce);
        seen.by_time.insert((created_ms, nonce));
        Ok(())
    }
}

fn replayed(member: &MemberId) -> Problem {
    let detail = format!("this nonce of `{member}` was used before: draw a new one for each request");
    Problem::new(Code::NonceReplayed, detail)
}

impl Seen {
    fn forget(&mut self, before_ms: u64) {
        while let Some(&(time, nonce)) = self.by_time.first() {
            if time >= before_ms {
                return;
            }
            self.by_time.pop_first();
            self.nonces.remove(&nonce);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_passes_once_while_its_request_is_fresh() {
        let replays = Replays::new(3);
        let (bank, other) = (MemberId::new("bank").unwrap(), MemberId::new("other").unwrap());
        let now = 1_000_000;
        replays.admit(&bank, [1; 16], now, now).unwrap();
        assert!(replays.admit(&bank, [1; 16], now, now).unwrap_err().is(Code::NonceReplayed));
        // The last instant at which a request made a minute ahead is fresh.
        replays.admit(&bank, [2; 16], now + FRESHNESS_MS, now).unwrap();
        assert!(replays.admit(&bank, [2; 16], now + FRESHNESS_MS, now + 2 * FRESHNESS_MS).is_err());
        replays.admit(&other, [1; 16], now, now).unwrap();
        let seen = replays.seen.lock();
        assert_eq!(seen.get(&bank).unwrap().nonces.len(), 1, "the first one was forgotten when stale");
    }

    #[test]
    fn a_full_window_refuses_and_forgets_nothing_fresh() {
        let replays = Replays::new(2);
        let bank = MemberId::new("bank").unwrap();
        replays.admit(&bank, [1; 16], 5, 5).unwrap();
        replays.admit(&bank, [2; 16], 5, 5).unwrap();
        assert!(replays.admit(&bank, [3; 16], 5, 5).unwrap_err().is(Code::TooManyRequests));
        assert!(replays.admit(&bank, [1; 16], 5, 5).unwrap_err().is(Code::NonceReplayed));
    }
}
