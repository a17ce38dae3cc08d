//! Private lookup at a holder's node: evaluations and retrievals for permits, epochs built in the background.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::{
    Body, Dataset, DatasetId, Evaluation, IntentId, MemberId, Overlay, Permit, SignedRetrieval, Voided,
};
use covenant_source::Source;
use covenant_state::State;
use covenant_store::Input;
use covenant_worker::CheckedPermit;
use covenant_worker::lookup::{BuildError, EpochFiles, EpochPlan, Part, RetrieveError, Shelf, Step, Watch};
use parking_lot::Mutex;

use crate::error::NodeError;
use crate::replica::Replica;

/// How often epochs that are over are looked for.
const TIDY: Duration = Duration::from_secs(2);
/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 3_600_000;

/// Where a node keeps its epochs.
#[derive(Debug, Clone)]
pub struct EpochSettings {
    /// The folder.
    pub dir: PathBuf,
    /// Largest matrix that is kept in memory, in bytes; larger ones are read from disk for each batch of questions.
    pub memory: u64,
}

/// Where the build of an epoch or overlay stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BuildState {
    /// None was asked for since the node started.
    #[default]
    Idle,
    /// Under way.
    Running {
        /// What it does.
        step: &'static str,
        /// How much of it is done.
        done: u64,
        /// Of how much; the same while that is not known.
        total: u64,
    },
    /// Published.
    Done {
        /// The epoch.
        epoch: u32,
    },
    /// Nothing was published.
    Failed {
        /// Why, and what to do.
        reason: String,
    },
}

/// Why a node does not do what a lookup asks.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The request does not fit the permit, epoch or table.
    #[error(transparent)]
    Refused(#[from] RetrieveError),
    /// This node does not hold the dataset.
    #[error("`{member}` holds no records of dataset `{dataset}`")]
    NotHolder {
        /// The node's member.
        member: MemberId,
        /// The dataset.
        dataset: DatasetId,
    },
    /// A build of this dataset is under way.
    #[error("an epoch of `{dataset}` is being built: wait until it is done")]
    Busy {
        /// The dataset.
        dataset: DatasetId,
    },
    /// The node failed.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// Why an entry was not published.
pub(crate) enum NotPublished {
    /// The ledger has rejected it, for good.
    Rejected(String),
    /// It is not known: it may still become final.
    Unknown(String),
}

impl NotPublished {
    fn reason(self) -> String {
        match self {
            Self::Rejected(reason) | Self::Unknown(reason) => reason,
        }
    }
}

/// Publishes an entry of this node's member and waits until it is final.
pub(crate) type Publish =
    Arc<dyn Fn(Body) -> futures::future::BoxFuture<'static, Result<(), NotPublished>> + Send + Sync>;

/// The holder's side of private lookup.
pub(crate) struct Lookups {
    replica: Arc<Replica>,
    pub(crate) shelf: Arc<Shelf>,
    sources: BTreeMap<DatasetId, Arc<dyn Source>>,
    builds: Mutex<BTreeMap<DatasetId, BuildState>>,
}

impl Lookups {
    /// Puts what is on disk on the shelf. A damaged epoch is told and left out: its permits are voided.
    pub(crate) fn new(replica: Arc<Replica>, shelf: Arc<Shelf>, sources: &[Arc<dyn Source>]) -> Arc<Self> {
        for source in sources {
            if let Err(error) = shelf.load(source.dataset()) {
                tracing::warn!(dataset = %source.dataset(), %error, "an epoch on disk cannot be served");
            }
        }
        let sources = sources.iter().map(|s| (s.dataset().clone(), s.clone())).collect();
        Arc::new(Self { replica, shelf, sources, builds: Mutex::default() })
    }

    /// The permit of an open lookup of this holder, checked on its own replica.
    fn permit(&self, state: &State, intent: &IntentId) -> Option<CheckedPermit> {
        let query = state.open_query(intent)?;
        query.permit.epoch?;
        let (intent, permit) = (query.intent.clone(), query.permit.clone());
        CheckedPermit::check(state.suite(), &self.replica.member, state.time_ms(), intent, permit).ok()
    }

    /// Evaluates the blinded subject of a permitted lookup; none when it is not permitted, or no longer.
    pub(crate) fn evaluate(&self, intent: &IntentId) -> Result<Option<Evaluation>, LookupError> {
        let permit = self.permit(&self.replica.chain.read().state, intent);
        let evaluate = |permit: CheckedPermit| self.shelf.evaluate(self.replica.consortium, &permit);
        Ok(permit.map(evaluate).transpose()?)
    }

    /// Checks a retrieval; what comes back is to be delivered as the input of its query.
    pub(crate) fn admit(&self, signed: &SignedRetrieval) -> Result<Input, LookupError> {
        let intent = signed.retrieval.intent;
        let (permit, consumer, key) = {
            let chain = self.replica.chain.read();
            let permit = self.permit(&chain.state, &intent).ok_or(RetrieveError::NotPermitted { intent })?;
            let consumer = permit.consumer().clone();
            let key = chain.state.keys(&consumer).map(|k| k.verifying.clone());
            (permit, consumer, key.ok_or(RetrieveError::NotPermitted { intent })?)
        };
        self.shelf.admit(self.replica.genesis.suite, &permit, signed, &key)?;
        let received_ms = self.replica.clock.now_ms();
        Ok(Input { intent, consumer, sealed: to_bytes(signed), received_ms })
    }

    /// The entry that voids a permit which this node cannot use, since it never held the epoch or holds it no more. Asked
    /// when the permit becomes final, before anything can have left.
    pub(crate) fn void(&self, permit: &Permit) -> Option<Body> {
        let epoch = permit.epoch?;
        if self.shelf.served(&permit.dataset, epoch).is_some() {
            return None;
        }
        let digest = Digest::of(self.replica.genesis.suite, Label::PERMIT, &to_bytes(permit));
        let reason = format!("epoch {epoch} of `{}` is not held any more", permit.dataset);
        Some(Body::Voided(Voided { intent: permit.intent, permit: digest, reason }))
    }

    /// Where a build stands.
    pub(crate) fn state(&self, dataset: &DatasetId) -> BuildState {
        self.builds.lock().get(dataset).cloned().unwrap_or_default()
    }

    fn begin(&self, id: &DatasetId) -> Result<(Arc<dyn Source>, Dataset), LookupError> {
        let not_holder = || LookupError::NotHolder { member: self.replica.member.clone(), dataset: id.clone() };
        let source = self.sources.get(id).cloned().ok_or_else(not_holder)?;
        let dataset = self.replica.chain.read().state.dataset(id).cloned();
        let dataset = dataset.filter(|d| d.holder == self.replica.member).ok_or_else(not_holder)?;
        let mut builds = self.builds.lock();
        if matches!(builds.get(id), Some(BuildState::Running { .. })) {
            return Err(LookupError::Busy { dataset: id.clone() });
        }
        builds.insert(id.clone(), BuildState::Running { step: Step::Reading.name(), done: 0, total: 0 });
        Ok((source, dataset))
    }

    fn end(&self, id: &DatasetId, result: Result<u32, String>) {
        let state = match result {
            Ok(epoch) => {
                tracing::info!(dataset = %id, epoch, "private lookup is up to date");
                BuildState::Done { epoch }
            }
            Err(reason) => {
                tracing::warn!(dataset = %id, %reason, "private lookup was not brought up to date");
                BuildState::Failed { reason }
            }
        };
        self.builds.lock().insert(id.clone(), state);
    }

    /// Builds and publishes the next epoch in the background.
    pub(crate) fn build_epoch(
        self: &Arc<Self>,
        id: &DatasetId,
        days: u32,
        publish: Publish,
    ) -> Result<(), LookupError> {
        let (source, dataset) = self.begin(id)?;
        let this = self.clone();
        tokio::spawn(async move {
            let id = dataset.id.clone();
            let built = this.epoch(source, dataset, days, publish).await;
            this.end(&id, built);
        });
        Ok(())
    }

    async fn epoch(
        self: &Arc<Self>,
        source: Arc<dyn Source>,
        dataset: Dataset,
        days: u32,
        publish: Publish,
    ) -> Result<u32, String> {
        let id = dataset.id.clone();
        let number = self.replica.chain.read().state.epoch(&id).map_or(1, |s| s.epoch.number + 1);
        let opens_ms = self.replica.clock.now_ms();
        let plan = EpochPlan {
            suite: self.replica.genesis.suite,
            consortium: self.replica.consortium,
            holder: self.replica.member.clone(),
            dataset,
            number,
            opens_ms,
            closes_ms: opens_ms.saturating_add(u64::from(days) * DAY_MS),
        };
        let epoch = plan.build(source.as_ref(), self.shelf.files(), self.watch(&id)).await.map_err(in_words)?;
        // On the shelf before the ledger hears of it: the first permit may follow in the next block.
        self.shelf.put_built(&epoch).map_err(|e| e.to_string())?;
        let published = publish(Body::EpochPublished(epoch)).await;
        // What may still become final stays: without its key every permit under it would be void.
        if matches!(published, Err(NotPublished::Rejected(_))) {
            self.shelf.retire(&id, number);
        }
        published.map(|()| number).map_err(NotPublished::reason)
    }

    fn watch(self: &Arc<Self>, id: &DatasetId) -> Watch {
        let (this, id) = (Arc::downgrade(self), id.clone());
        Arc::new(move |step, done, total| {
            let Some(this) = this.upgrade() else { return ControlFlow::Break(()) };
            this.builds.lock().insert(id.clone(), BuildState::Running { step: step.name(), done, total });
            ControlFlow::Continue(())
        })
    }

    /// Builds and publishes the next overlay of the epoch in force in the background.
    pub(crate) fn build_overlay(self: &Arc<Self>, id: &DatasetId, publish: Publish) -> Result<(), LookupError> {
        let (source, dataset) = self.begin(id)?;
        let this = self.clone();
        tokio::spawn(async move {
            let built = this.overlay(source, &dataset, publish).await;
            this.end(&dataset.id, built);
        });
        Ok(())
    }

    async fn overlay(&self, source: Arc<dyn Source>, dataset: &Dataset, publish: Publish) -> Result<u32, String> {
        let now = self.replica.chain.read().state.epoch(&dataset.id).map(|s| (s.epoch.number, s.overlay_revision));
        let Some((epoch, revision)) = now else { return Err("the dataset has no epoch: build one first".into()) };
        let built = self.shelf.build_overlay(dataset, epoch, revision + 1, source.as_ref()).await;
        let overlay: Overlay = built.map_err(in_words)?;
        self.shelf.put_overlay(&overlay).map_err(|e| e.to_string())?;
        let published = publish(Body::OverlayPublished(overlay.clone())).await;
        if matches!(published, Err(NotPublished::Rejected(_))) {
            self.shelf.withdraw_overlay(&overlay);
        }
        published.map(|()| epoch).map_err(NotPublished::reason)
    }

    /// A part of a file of an epoch, with its whole length; none when there is no such file.
    pub(crate) fn file(
        &self,
        (dataset, epoch): (&DatasetId, u32),
        overlay: Option<u32>,
        part: Part,
        (offset, length): (u64, u32),
    ) -> Result<Option<(u64, Vec<u8>)>, LookupError> {
        if self.shelf.served(dataset, epoch).is_none() {
            return Ok(None);
        }
        let path = self.shelf.files().path(dataset, epoch, overlay, part);
        let chunk = EpochFiles::chunk(&path, offset, length).map_err(|error| {
            tracing::warn!(%dataset, epoch, %error, "a file of an epoch cannot be read");
            NodeError::Stopping
        })?;
        Ok(chunk)
    }

    /// Destroys epochs that are over: a later one is in force, or their time has passed, and no permit is open under them.
    pub(crate) async fn tidy(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(TIDY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            for (dataset, number) in self.over() {
                tracing::info!(%dataset, epoch = number, "the key and table of an epoch are destroyed");
                let shelf = self.shelf.clone();
                let retired = tokio::task::spawn_blocking(move || shelf.retire(&dataset, number));
                if retired.await.is_err() {
                    return;
                }
            }
        }
    }

    fn over(&self) -> Vec<(DatasetId, u32)> {
        let chain = self.replica.chain.read();
        let state = &chain.state;
        let grace = state.charter().completion_ms;
        let open: BTreeSet<(&DatasetId, u32)> =
            state.open_queries().filter_map(|q| Some((&q.permit.dataset, q.permit.epoch?))).collect();
        let over = |epoch: &covenant_domain::Epoch| {
            let later = state.epoch(&epoch.dataset).is_some_and(|s| s.epoch.number > epoch.number);
            let past = self.replica.clock.now_ms() > epoch.closes_ms.saturating_add(grace);
            (later || past) && !open.contains(&(&epoch.dataset, epoch.number))
        };
        let served = self.shelf.all();
        let epochs = served.iter().map(|s| s.epoch());
        epochs.filter(|epoch| over(epoch)).map(|epoch| (epoch.dataset.clone(), epoch.number)).collect()
    }
}

fn in_words(error: BuildError) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}
