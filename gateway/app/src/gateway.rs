//! The gateway's own few things.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_api::HealthReport;
use covenant_canon::Digest;
use covenant_domain::MemberId;
use covenant_ledger::{GenesisError, MemberKeys};
use tokio::sync::{Mutex, Semaphore};

use crate::index::Index;
use crate::limit::{Limiter, Rate};
use crate::port::Consortium;
use crate::replay::Replays;

/// What may be configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How fast each member may call.
    pub rate: Rate,
    /// How many ledger replays for explanations run at once.
    pub replays_at_once: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rate: Rate::default(), replays_at_once: 1 }
    }
}

/// The use cases. Holds keys of members, buckets and nonces; no key that opens anything.
pub struct Gateway {
    pub(crate) consortium: Arc<dyn Consortium>,
    pub(crate) keys: BTreeMap<MemberId, MemberKeys>,
    pub(crate) digest: Digest,
    pub(crate) limiter: Limiter,
    pub(crate) replays: Replays,
    pub(crate) executions: Semaphore,
    /// The catalogue, ready for search.
    pub(crate) index: Mutex<Arc<Index>>,
    /// The last health report and when it was made: the check is costly and open to anyone.
    pub(crate) health: Mutex<Option<(u64, HealthReport)>>,
}

impl Gateway {
    /// A gateway to a consortium.
    ///
    /// # Errors
    /// [`GenesisError`] when the founding document does not hold.
    pub fn new(consortium: Arc<dyn Consortium>, settings: Settings) -> Result<Self, GenesisError> {
        let keys = consortium.genesis().check()?;
        let digest = consortium.genesis().digest();
        let Rate { per_second, burst } = settings.rate;
        // As many as the rate lets through while a nonce is remembered, and some more for clocks that differ.
        let capacity = 130 * per_second as usize + burst as usize;
        Ok(Self {
            keys,
            digest,
            limiter: Limiter::new(settings.rate),
            replays: Replays::new(capacity),
            executions: Semaphore::new(settings.replays_at_once),
            index: Mutex::new(Arc::new(Index::none())),
            health: Mutex::new(None),
            consortium,
        })
    }

    /// Digest of the founding document.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}
