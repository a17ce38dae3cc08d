//! No signed request counts twice.

use std::collections::{BTreeMap, BTreeSet};

use covenant_api::{Code, FRESHNESS_MS, Nonce, Problem};
use covenant_domain::MemberId;
use parking_lot::Mutex;

/// Nonces of one member that are remembered at most.
const MOST: usize = 20_000;

/// Nonces by the time of their request, per member. They are remembered for as long as the request would pass as fresh;
/// a member that fills its window is refused rather than a nonce forgotten. After a restart a request may come again
/// within a minute: requests for consents are known by their digest, and representations are registered by the
/// service's own operators.
#[derive(Debug, Default)]
pub(crate) struct Replays(Mutex<BTreeMap<MemberId, BTreeSet<(u64, Nonce)>>>);

impl Replays {
    /// Admits a nonce once. The request's time was checked to be fresh.
    pub(crate) fn admit(&self, member: &MemberId, created_ms: u64, nonce: Nonce, now_ms: u64) -> Result<(), Problem> {
        let mut all = self.0.lock();
        let seen = all.entry(member.clone()).or_default();
        let fresh = (now_ms.saturating_sub(FRESHNESS_MS), Nonce::default());
        *seen = seen.split_off(&fresh);
        // The signature covers both, so whoever repeats the request repeats both.
        if seen.contains(&(created_ms, nonce)) {
            let detail = format!("this nonce of `{member}` was used before: draw a new one for each request");
            return Err(Problem::new(Code::NonceReplayed, detail));
        }
        if seen.len() >= MOST {
            return Err(Problem::new(Code::TooManyRequests, "slow down").retry_after(10));
        }
        seen.insert((created_ms, nonce));
        Ok(())
    }
}
