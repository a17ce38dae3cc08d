//! The gateway's own few things.

use std::sync::Arc;

use covenant_api::HealthReport;
use covenant_canon::Digest;
use covenant_ledger::{GenesisError, Handover, Membership, Trust};
use parking_lot::RwLock;
use tokio::sync::{Mutex, Semaphore};

use crate::index::Index;
use crate::limit::{Limiter, Rate};
use crate::port::{Consortium, PortError};
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
    /// Rosters, followed from the genesis: no node is believed about them.
    trust: RwLock<Arc<Trust>>,
    handovers: RwLock<Arc<Vec<Handover>>>,
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
        let trust = RwLock::new(Arc::new(Trust::new(consortium.genesis())?));
        let digest = consortium.genesis().digest();
        let Rate { per_second, burst } = settings.rate;
        // As many as the rate lets through while a nonce is remembered, and some more for clocks that differ.
        let capacity = 130 * per_second as usize + burst as usize;
        Ok(Self {
            trust,
            handovers: RwLock::default(),
            digest,
            limiter: Limiter::new(settings.rate),
            replays: Replays::new(capacity),
            executions: Semaphore::new(settings.replays_at_once),
            index: Mutex::new(Arc::new(Index::none())),
            health: Mutex::new(None),
            consortium,
        })
    }

    /// The members as they are now.
    pub fn membership(&self) -> Arc<Membership> {
        self.trust.read().latest().clone()
    }

    /// Rosters as far as they are known.
    pub fn trust(&self) -> Arc<Trust> {
        self.trust.read().clone()
    }

    /// How they follow from the genesis.
    pub fn handovers(&self) -> Arc<Vec<Handover>> {
        self.handovers.read().clone()
    }

    /// Asks for newer rosters and follows them; whether there were any.
    ///
    /// # Errors
    /// [`PortError`] when no node answers, or shows handovers that do not follow.
    pub async fn refresh(&self) -> Result<bool, PortError> {
        let known = self.trust();
        let newer = self.consortium.handovers(known.latest().roster().number).await?;
        if newer.is_empty() {
            return Ok(false);
        }
        let mut trust = known.as_ref().clone();
        trust.follow(&newer).map_err(|e| PortError::unavailable(format!("a node shows false handovers: {e}")))?;
        let mut all = self.handovers().as_ref().clone();
        all.extend(newer);
        (*self.trust.write(), *self.handovers.write()) = (Arc::new(trust), Arc::new(all));
        Ok(true)
    }

    /// Digest of the founding document.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}
