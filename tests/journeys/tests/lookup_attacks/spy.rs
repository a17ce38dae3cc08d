//! A gateway's port that counts what passes and, if told to, does not pass it on as it came.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use covenant_app::port::{
    BuildState, ConsentView, Consortium, EntryOutcome, EpochPart, EpochView, Explanation, FileChunk, GrantView,
    LedgerTip, NodeHealth, PortError, Progress, RecordKind, Records, SealedInput,
};
use covenant_canon::Digest;
use covenant_domain::{
    Case, Ceremony, ConsentId, ConsentUse, Dataset, DatasetId, Evaluation, IntentId, Member, MemberId, Notification,
    Purpose, RuleBook, SignedRetrieval, Simulation,
};
use covenant_engine::{Plan, Wish};
use covenant_ledger::{Bundle, EntryReceipt, Genesis, SignedBatch};
use parking_lot::Mutex;

/// What a gateway makes of what it carries.
pub(crate) type Twist<T> = Arc<dyn Fn(&mut T) + Send + Sync>;

/// Makes retrievals of its own.
pub(crate) type Forge = Arc<dyn Fn(&SignedRetrieval) -> Vec<SignedRetrieval> + Send + Sync>;

/// Something done for a query in the middle of its way.
pub(crate) type Hook = Arc<dyn Fn(IntentId) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Where a gateway is hostile; nowhere by default.
#[derive(Default, Clone)]
pub(crate) struct Tricks {
    pub(crate) epoch: Option<Twist<EpochView>>,
    pub(crate) ceremonies: Option<Twist<Vec<Ceremony>>>,
    /// A part, and what becomes of its chunks.
    pub(crate) file: Option<(EpochPart, Twist<Vec<u8>>)>,
    pub(crate) evaluation: Option<Twist<Evaluation>>,
    /// Retrievals it delivers first: those of its own making.
    pub(crate) retrieval: Option<Forge>,
    pub(crate) sealed: Option<Twist<Vec<u8>>>,
    /// What is done when a call has come and is not passed on yet, by the call's name.
    pub(crate) before: Option<(&'static str, Hook)>,
    /// Whether it says yes to a retrieval and throws it away.
    pub(crate) drops_retrieval: bool,
}

/// Passes everything to a port.
pub(crate) struct Spy {
    inner: Arc<dyn Consortium>,
    calls: Mutex<BTreeMap<&'static str, u64>>,
    tricks: Mutex<Tricks>,
    /// Batches of intents as they came from the consumer.
    pub(crate) batches: Mutex<Vec<SignedBatch>>,
    /// Sealed answers as they came from the holder.
    pub(crate) sealed: Mutex<BTreeMap<IntentId, Vec<u8>>>,
    /// Retrievals as they came from the consumer.
    pub(crate) retrievals: Mutex<Vec<SignedRetrieval>>,
    /// Evaluations as they came from the holder.
    pub(crate) evaluations: Mutex<Vec<Evaluation>>,
    /// What the holder said to each retrieval of the gateway's making, and whether it stored something then.
    pub(crate) forged: Mutex<Vec<(Result<(), String>, bool)>>,
}

impl Spy {
    pub(crate) fn new(inner: Arc<dyn Consortium>, tricks: Tricks) -> Self {
        Self {
            inner,
            calls: Mutex::default(),
            tricks: Mutex::new(tricks),
            batches: Mutex::default(),
            sealed: Mutex::default(),
            retrievals: Mutex::default(),
            evaluations: Mutex::default(),
            forged: Mutex::default(),
        }
    }

    /// How often each method was called.
    pub(crate) fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.calls.lock().clone()
    }

    pub(crate) fn count(&self, method: &str) -> u64 {
        self.calls.lock().get(method).copied().unwrap_or(0)
    }

    fn note(&self, method: &'static str) -> &dyn Consortium {
        *self.calls.lock().entry(method).or_default() += 1;
        self.inner.as_ref()
    }

    /// From now on the gateway is hostile in this way and no other.
    pub(crate) fn be(&self, tricks: Tricks) {
        *self.tricks.lock() = tricks;
    }

    async fn pause(&self, call: &str, intent: &IntentId) {
        if let Some((_, hook)) = self.tricks().before.filter(|(name, _)| *name == call) {
            hook(*intent).await;
        }
    }

    fn tricks(&self) -> Tricks {
        self.tricks.lock().clone()
    }
}

fn code(error: PortError) -> String {
    match error {
        PortError::Refused { code, .. } => code.into_owned(),
        _ => "unavailable".into(),
    }
}

#[async_trait]
impl Consortium for Spy {
    fn genesis(&self) -> &Genesis {
        self.inner.genesis()
    }
    async fn tip(&self) -> Result<LedgerTip, PortError> {
        self.note("tip").tip().await
    }
    async fn record(&self, batch: SignedBatch) -> Result<Vec<EntryOutcome>, PortError> {
        self.note("record").record(batch).await
    }
    async fn ask(&self, batch: SignedBatch, inputs: Vec<SealedInput>) -> Result<(), PortError> {
        self.batches.lock().push(batch.clone());
        self.note("ask").ask(batch, inputs).await
    }
    async fn progress(&self, intents: &[IntentId], wait: Duration) -> Result<Vec<Progress>, PortError> {
        let mut out = self.note("progress").progress(intents, wait).await?;
        for (intent, progress) in intents.iter().zip(&mut out) {
            if let Progress::Answered { sealed, .. } = progress {
                self.sealed.lock().insert(*intent, sealed.clone());
                self.tricks().sealed.iter().for_each(|twist| twist(sealed));
            }
        }
        Ok(out)
    }
    async fn consumer_of(&self, intent: &IntentId) -> Result<Option<MemberId>, PortError> {
        self.inner.consumer_of(intent).await
    }
    async fn evidence(&self, intent: &IntentId) -> Result<Option<Bundle>, PortError> {
        self.note("evidence").evidence(intent).await
    }
    async fn explain(&self, intent: &IntentId, replay: bool) -> Result<Option<Explanation>, PortError> {
        self.note("explain").explain(intent, replay).await
    }
    async fn plan(&self, wish: &Wish) -> Result<Plan, PortError> {
        self.note("plan").plan(wish).await
    }
    async fn simulate(&self, book: &RuleBook, last: u32) -> Result<Simulation, PortError> {
        self.note("simulate").simulate(book, last).await
    }
    async fn members(&self) -> Result<Vec<Member>, PortError> {
        self.inner.members().await
    }
    async fn purposes(&self) -> Result<Vec<Purpose>, PortError> {
        self.inner.purposes().await
    }
    async fn catalogue(&self, known: Option<u64>) -> Result<Option<covenant_app::port::Catalogue>, PortError> {
        self.inner.catalogue(known).await
    }
    async fn dataset_versions(&self, id: &DatasetId) -> Result<Vec<covenant_app::port::PublishedDataset>, PortError> {
        self.inner.dataset_versions(id).await
    }
    async fn right(&self, id: &covenant_domain::RightId) -> Result<Option<covenant_domain::RightState>, PortError> {
        self.inner.right(id).await
    }
    async fn datasets(&self) -> Result<Vec<Dataset>, PortError> {
        self.inner.datasets().await
    }
    async fn grants(&self, member: &MemberId) -> Result<Vec<GrantView>, PortError> {
        self.inner.grants(member).await
    }
    async fn consent(&self, id: &ConsentId) -> Result<Option<ConsentView>, PortError> {
        self.inner.consent(id).await
    }
    async fn uses(&self, id: &ConsentId, after: Option<u64>) -> Result<Vec<ConsentUse>, PortError> {
        self.inner.uses(id, after).await
    }
    async fn told(&self, holder: Option<&MemberId>, after: Option<u64>) -> Result<Vec<Notification>, PortError> {
        self.inner.told(holder, after).await
    }
    async fn receipt(&self, entry: &Digest) -> Result<Option<EntryReceipt>, PortError> {
        self.inner.receipt(entry).await
    }
    async fn records(&self, kind: RecordKind) -> Result<Records, PortError> {
        self.inner.records(kind).await
    }
    async fn epoch(&self, dataset: &DatasetId) -> Result<Option<EpochView>, PortError> {
        let mut view = self.note("epoch").epoch(dataset).await?;
        if let (Some(view), Some(twist)) = (&mut view, self.tricks().epoch) {
            twist(view);
        }
        Ok(view)
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
        let mut chunk = self.note("epoch_file").epoch_file(dataset, epoch, overlay, part, offset, length).await?;
        if let (Some(chunk), Some((_, twist))) = (&mut chunk, self.tricks().file.filter(|(p, _)| *p == part)) {
            twist(&mut chunk.bytes);
        }
        Ok(chunk)
    }
    async fn build_epoch(&self, dataset: &DatasetId, days: u32) -> Result<(), PortError> {
        self.inner.build_epoch(dataset, days).await
    }
    async fn build_overlay(&self, dataset: &DatasetId) -> Result<(), PortError> {
        self.inner.build_overlay(dataset).await
    }
    async fn build_state(&self, dataset: &DatasetId) -> Result<BuildState, PortError> {
        self.inner.build_state(dataset).await
    }
    async fn evaluate(&self, intent: &IntentId) -> Result<Option<Evaluation>, PortError> {
        self.pause("evaluate", intent).await;
        let mut evaluation = self.note("evaluate").evaluate(intent).await?;
        if let Some(evaluation) = &mut evaluation {
            let twist = self.tricks().evaluation;
            self.evaluations.lock().push(evaluation.clone());
            twist.iter().for_each(|twist| twist(evaluation));
        }
        Ok(evaluation)
    }
    async fn retrieve(&self, retrieval: SignedRetrieval) -> Result<(), PortError> {
        let (tricks, port) = (self.tricks(), self.note("retrieve"));
        for forged in tricks.retrieval.iter().flat_map(|forge| forge(&retrieval)) {
            let said = port.retrieve(forged).await.map_err(code);
            let stored = port.retrieval(&retrieval.retrieval.intent).await?.is_some();
            self.forged.lock().push((said, stored));
        }
        self.retrievals.lock().push(retrieval.clone());
        self.pause("retrieve", &retrieval.retrieval.intent).await;
        if tricks.drops_retrieval { Ok(()) } else { port.retrieve(retrieval).await }
    }
    async fn retrieval(&self, intent: &IntentId) -> Result<Option<Vec<u8>>, PortError> {
        self.note("retrieval").retrieval(intent).await
    }
    async fn ceremonies(&self) -> Result<Vec<Ceremony>, PortError> {
        let mut all = self.note("ceremonies").ceremonies().await?;
        self.tricks().ceremonies.iter().for_each(|twist| twist(&mut all));
        Ok(all)
    }
    async fn cases(&self) -> Result<Vec<Case>, PortError> {
        self.note("cases").cases().await
    }
    async fn health(&self) -> Result<Vec<NodeHealth>, PortError> {
        self.inner.health().await
    }
}
