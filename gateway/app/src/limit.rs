//! How fast a member may call.

use std::collections::BTreeMap;

use covenant_api::{Code, Problem};
use covenant_domain::MemberId;
use parking_lot::Mutex;

/// A token bucket's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per second in the long run.
    pub per_second: u32,
    /// Requests at once after a rest.
    pub burst: u32,
}

impl Default for Rate {
    fn default() -> Self {
        Self { per_second: 200, burst: 400 }
    }
}

/// One bucket, in thousandths of a token so that a millisecond adds a whole number of them.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    milli: u64,
    filled_ms: u64,
}

/// One bucket per member; members are few and known, so nothing here grows without bound.
#[derive(Debug)]
pub(crate) struct Limiter {
    rate: Rate,
    buckets: Mutex<BTreeMap<MemberId, Bucket>>,
}

impl Limiter {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::default() }
    }

    /// Takes one token.
    pub(crate) fn take(&self, member: &MemberId, now_ms: u64) -> Result<(), Problem> {
        let full = u64::from(self.rate.burst) * 1000;
        let mut buckets = self.buckets.lock();
        let bucket = buckets.entry(member.clone()).or_insert(Bucket { milli: full, filled_ms: now_ms });
        let gained = now_ms.saturating_sub(bucket.filled_ms).saturating_mul(u64::from(self.rate.per_second));
        bucket.milli = bucket.milli.saturating_add(gained).min(full);
        bucket.filled_ms = bucket.filled_ms.max(now_ms);
        match bucket.milli.checked_sub(1000) {
            Some(rest) => {
                bucket.milli = rest;
                Ok(())
            }
            None => Err(self.too_fast(member)),
        }
    }

    fn too_fast(&self, member: &MemberId) -> Problem {
        let Rate { per_second, burst } = self.rate;
        let detail = format!("`{member}` may send {per_second} requests per second, {burst} at once: slow down");
        Problem::new(Code::TooManyRequests, detail).retry_after(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_refills() {
        let limiter = Limiter::new(Rate { per_second: 2, burst: 3 });
        let member = MemberId::new("bank").unwrap();
        for _ in 0..3 {
            limiter.take(&member, 10_000).unwrap();
        }
        assert!(limiter.take(&member, 10_000).unwrap_err().is(Code::TooManyRequests));
        limiter.take(&MemberId::new("other").unwrap(), 10_000).unwrap();
        limiter.take(&member, 10_500).unwrap();
        limiter.take(&member, 10_500).unwrap_err();
        // A clock that goes back gives nothing.
        limiter.take(&member, 9_000).unwrap_err();
        limiter.take(&member, 11_000).unwrap();
    }
}
