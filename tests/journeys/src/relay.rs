//! The gateway's port over nodes that come and go.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use covenant_app::port::{
    BuildState, ConsentView, Consortium, EntryOutcome, EpochPart, EpochView, Explanation, FileChunk, GrantView,
    LedgerTip, NodeHealth, PortError, Progress, RecordKind, Records, SealedInput,
};
use covenant_canon::Digest;
use covenant_demo::Local;
use covenant_domain::{
    Case, Ceremony, ConsentId, ConsentUse, Dataset, DatasetId, Evaluation, IntentId, Member, MemberId, Notification,
    Purpose, RuleBook, SignedRetrieval, Simulation,
};
use covenant_engine::{Plan, Wish};
use covenant_ledger::{Bundle, EntryReceipt, Genesis, SignedBatch};
use parking_lot::RwLock;

/// Passes everything to the port over the nodes that run now.
pub struct Relay {
    genesis: Arc<Genesis>,
    now: RwLock<Option<Arc<Local>>>,
}

impl Relay {
    /// A relay to nothing yet.
    pub fn new(genesis: Arc<Genesis>) -> Self {
        Self { genesis, now: RwLock::new(None) }
    }

    /// Passes to these nodes from now on.
    pub fn turn_to(&self, local: Option<Local>) {
        *self.now.write() = local.map(Arc::new);
    }

    fn now(&self) -> Result<Arc<Local>, PortError> {
        self.now.read().clone().ok_or_else(|| PortError::Unavailable { reason: "no node runs".into() })
    }
}

#[async_trait]
impl Consortium for Relay {
    fn genesis(&self) -> &Genesis {
        &self.genesis
    }
    async fn tip(&self) -> Result<LedgerTip, PortError> {
        self.now()?.tip().await
    }
    async fn record(&self, batch: SignedBatch) -> Result<Vec<EntryOutcome>, PortError> {
        self.now()?.record(batch).await
    }
    async fn ask(&self, batch: SignedBatch, inputs: Vec<SealedInput>) -> Result<(), PortError> {
        self.now()?.ask(batch, inputs).await
    }
    async fn progress(&self, intents: &[IntentId], wait: Duration) -> Result<Vec<Progress>, PortError> {
        self.now()?.progress(intents, wait).await
    }
    async fn consumer_of(&self, intent: &IntentId) -> Result<Option<MemberId>, PortError> {
        self.now()?.consumer_of(intent).await
    }
    async fn evidence(&self, intent: &IntentId) -> Result<Option<Bundle>, PortError> {
        self.now()?.evidence(intent).await
    }
    async fn explain(&self, intent: &IntentId, replay: bool) -> Result<Option<Explanation>, PortError> {
        self.now()?.explain(intent, replay).await
    }
    async fn plan(&self, wish: &Wish) -> Result<Plan, PortError> {
        self.now()?.plan(wish).await
    }
    async fn simulate(&self, book: &RuleBook, last: u32) -> Result<Simulation, PortError> {
        self.now()?.simulate(book, last).await
    }
    async fn members(&self) -> Result<Vec<Member>, PortError> {
        self.now()?.members().await
    }
    async fn purposes(&self) -> Result<Vec<Purpose>, PortError> {
        self.now()?.purposes().await
    }
    async fn catalogue(&self, known: Option<u64>) -> Result<Option<covenant_app::port::Catalogue>, PortError> {
        self.now()?.catalogue(known).await
    }
    async fn dataset_versions(&self, id: &DatasetId) -> Result<Vec<covenant_app::port::PublishedDataset>, PortError> {
        self.now()?.dataset_versions(id).await
    }
    async fn right(&self, id: &covenant_domain::RightId) -> Result<Option<covenant_domain::RightState>, PortError> {
        self.now()?.right(id).await
    }
    async fn datasets(&self) -> Result<Vec<Dataset>, PortError> {
        self.now()?.datasets().await
    }
    async fn grants(&self, member: &MemberId) -> Result<Vec<GrantView>, PortError> {
        self.now()?.grants(member).await
    }
    async fn consent(&self, id: &ConsentId) -> Result<Option<ConsentView>, PortError> {
        self.now()?.consent(id).await
    }
    async fn uses(&self, id: &ConsentId, after: Option<u64>) -> Result<Vec<ConsentUse>, PortError> {
        self.now()?.uses(id, after).await
    }
    async fn told(&self, holder: Option<&MemberId>, after: Option<u64>) -> Result<Vec<Notification>, PortError> {
        self.now()?.told(holder, after).await
    }
    async fn receipt(&self, entry: &Digest) -> Result<Option<EntryReceipt>, PortError> {
        self.now()?.receipt(entry).await
    }
    async fn records(&self, kind: RecordKind) -> Result<Records, PortError> {
        self.now()?.records(kind).await
    }
    async fn epoch(&self, dataset: &DatasetId) -> Result<Option<EpochView>, PortError> {
        self.now()?.epoch(dataset).await
    }
    async fn epoch_file(
        &self,
        dataset: &DatasetId,
        epoch: u32,
        overlay: u32,
        part: EpochPart,
        offset: u64,
        length: u32,
    ) -> Result<Option<FileChunk>, PortError> {
        self.now()?.epoch_file(dataset, epoch, overlay, part, offset, length).await
    }
    async fn build_epoch(&self, dataset: &DatasetId, days: u32) -> Result<(), PortError> {
        self.now()?.build_epoch(dataset, days).await
    }
    async fn build_overlay(&self, dataset: &DatasetId) -> Result<(), PortError> {
        self.now()?.build_overlay(dataset).await
    }
    async fn build_state(&self, dataset: &DatasetId) -> Result<BuildState, PortError> {
        self.now()?.build_state(dataset).await
    }
    async fn evaluate(&self, intent: &IntentId) -> Result<Option<Evaluation>, PortError> {
        self.now()?.evaluate(intent).await
    }
    async fn retrieve(&self, retrieval: SignedRetrieval) -> Result<(), PortError> {
        self.now()?.retrieve(retrieval).await
    }
    async fn retrieval(&self, intent: &IntentId) -> Result<Option<Vec<u8>>, PortError> {
        self.now()?.retrieval(intent).await
    }
    async fn ceremonies(&self) -> Result<Vec<Ceremony>, PortError> {
        self.now()?.ceremonies().await
    }
    async fn cases(&self) -> Result<Vec<Case>, PortError> {
        self.now()?.cases().await
    }
    async fn health(&self) -> Result<Vec<NodeHealth>, PortError> {
        self.now()?.health().await
    }
}
