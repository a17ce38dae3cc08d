//! A gateway's port that lies about one thing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use covenant_app::Nodes;
use covenant_app::port::*;
use covenant_canon::Digest;
use covenant_canon::to_bytes;
use covenant_domain::*;
use covenant_engine::{Plan, Wish};
use covenant_ledger::{Bundle, EntryReceipt, Genesis, SignedBatch};
use covenant_sigma::SecretScalar;
use covenant_sigma::threshold::{Committee, FirstRound};
use parking_lot::Mutex;

/// What it lies about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    Nothing,
    /// Shows an escrow key whose secret the gateway knows.
    EscrowKey,
    /// Changes a byte of a file.
    File(EpochPart),
    /// Changes the evaluated point to another valid one.
    Point,
    /// Changes a byte of the evaluation's proof.
    Proof,
    /// Puts a question of its own in place of the consumer's.
    Retrieval,
}

pub(crate) struct Liar {
    honest: Nodes,
    pub(crate) lie: Mutex<Lie>,
}

impl Liar {
    pub(crate) fn new(honest: Nodes) -> Arc<Self> {
        Arc::new(Self { honest, lie: Mutex::new(Lie::Nothing) })
    }

    fn lies(&self, about: Lie) -> bool {
        *self.lie.lock() == about
    }
}

/// A handle, since a server wants a port of its own.
pub(crate) struct Handle(pub(crate) Arc<Liar>);

fn forged(ceremony: &Ceremony) -> Ceremony {
    let committee = Committee::new(2, 2).unwrap();
    let (a, first) = FirstRound::start(committee, 1, &mut rand::rng()).unwrap();
    let (b, second) = FirstRound::start(committee, 2, &mut rand::rng()).unwrap();
    let all = std::collections::BTreeMap::from([(1, first), (2, second)]);
    let (a, _) = a.shares(&all).unwrap();
    let (_, from_b) = b.shares(&all).unwrap();
    let group = a.finish(&std::collections::BTreeMap::from([(2, from_b[&1].to_vec())])).unwrap().1;
    let key = Some(Point(group.escrow_key().to_bytes()));
    Ceremony { group: Some(Package(group.to_bytes())), key, ..ceremony.clone() }
}

#[async_trait]
impl Consortium for Handle {
    fn genesis(&self) -> &Genesis {
        self.0.honest.genesis()
    }
    async fn tip(&self) -> Result<LedgerTip, PortError> {
        self.0.honest.tip().await
    }
    async fn record(&self, batch: SignedBatch) -> Result<Vec<EntryOutcome>, PortError> {
        self.0.honest.record(batch).await
    }
    async fn ask(&self, batch: SignedBatch, inputs: Vec<SealedInput>) -> Result<(), PortError> {
        self.0.honest.ask(batch, inputs).await
    }
    async fn progress(&self, intents: &[IntentId], wait: Duration) -> Result<Vec<Progress>, PortError> {
        self.0.honest.progress(intents, wait).await
    }
    async fn consumer_of(&self, intent: &IntentId) -> Result<Option<MemberId>, PortError> {
        self.0.honest.consumer_of(intent).await
    }
    async fn evidence(&self, intent: &IntentId) -> Result<Option<Bundle>, PortError> {
        self.0.honest.evidence(intent).await
    }
    async fn explain(&self, intent: &IntentId, replay: bool) -> Result<Option<Explanation>, PortError> {
        self.0.honest.explain(intent, replay).await
    }
    async fn plan(&self, wish: &Wish) -> Result<Plan, PortError> {
        self.0.honest.plan(wish).await
    }
    async fn simulate(&self, book: &RuleBook, last: u32) -> Result<Simulation, PortError> {
        self.0.honest.simulate(book, last).await
    }
    async fn members(&self) -> Result<Vec<Member>, PortError> {
        self.0.honest.members().await
    }
    async fn purposes(&self) -> Result<Vec<Purpose>, PortError> {
        self.0.honest.purposes().await
    }
    async fn catalogue(&self, known: Option<u64>) -> Result<Option<covenant_app::port::Catalogue>, PortError> {
        self.0.honest.catalogue(known).await
    }
    async fn dataset_versions(&self, id: &DatasetId) -> Result<Vec<covenant_app::port::PublishedDataset>, PortError> {
        self.0.honest.dataset_versions(id).await
    }
    async fn right(&self, id: &covenant_domain::RightId) -> Result<Option<covenant_domain::RightState>, PortError> {
        self.0.honest.right(id).await
    }
    async fn datasets(&self) -> Result<Vec<Dataset>, PortError> {
        self.0.honest.datasets().await
    }
    async fn grants(&self, member: &MemberId) -> Result<Vec<GrantView>, PortError> {
        self.0.honest.grants(member).await
    }
    async fn consent(&self, id: &ConsentId) -> Result<Option<ConsentView>, PortError> {
        self.0.honest.consent(id).await
    }
    async fn uses(&self, id: &ConsentId, after: Option<u64>) -> Result<Vec<ConsentUse>, PortError> {
        self.0.honest.uses(id, after).await
    }
    async fn told(&self, holder: Option<&MemberId>, after: Option<u64>) -> Result<Vec<Notification>, PortError> {
        self.0.honest.told(holder, after).await
    }
    async fn receipt(&self, entry: &Digest) -> Result<Option<EntryReceipt>, PortError> {
        self.0.honest.receipt(entry).await
    }
    async fn records(&self, kind: RecordKind) -> Result<Records, PortError> {
        self.0.honest.records(kind).await
    }
    async fn epoch(&self, dataset: &DatasetId) -> Result<Option<EpochView>, PortError> {
        self.0.honest.epoch(dataset).await
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
        let mut chunk = self.0.honest.epoch_file(dataset, epoch, overlay, part, offset, length).await?;
        if self.0.lies(Lie::File(part))
            && let Some(byte) = chunk.as_mut().and_then(|c| c.bytes.last_mut())
        {
            *byte ^= 1;
        }
        Ok(chunk)
    }
    async fn build_epoch(&self, dataset: &DatasetId, days: u32) -> Result<(), PortError> {
        self.0.honest.build_epoch(dataset, days).await
    }
    async fn build_overlay(&self, dataset: &DatasetId) -> Result<(), PortError> {
        self.0.honest.build_overlay(dataset).await
    }
    async fn build_state(&self, dataset: &DatasetId) -> Result<BuildState, PortError> {
        self.0.honest.build_state(dataset).await
    }
    async fn evaluate(&self, intent: &IntentId) -> Result<Option<Evaluation>, PortError> {
        let mut evaluation = self.0.honest.evaluate(intent).await?;
        if let Some(evaluation) = &mut evaluation {
            if self.0.lies(Lie::Point) {
                evaluation.evaluated = Point(SecretScalar::random(&mut rand::rng()).public().to_bytes());
            }
            if self.0.lies(Lie::Proof) {
                evaluation.proof.0[0] ^= 1;
            }
        }
        Ok(evaluation)
    }
    async fn retrieve(&self, mut retrieval: SignedRetrieval) -> Result<(), PortError> {
        if self.0.lies(Lie::Retrieval) {
            retrieval.retrieval.table_query.fill(1);
            assert_ne!(to_bytes(&retrieval).len(), 0);
        }
        self.0.honest.retrieve(retrieval).await
    }
    async fn retrieval(&self, intent: &IntentId) -> Result<Option<Vec<u8>>, PortError> {
        self.0.honest.retrieval(intent).await
    }
    async fn ceremonies(&self) -> Result<Vec<Ceremony>, PortError> {
        let all = self.0.honest.ceremonies().await?;
        Ok(if self.0.lies(Lie::EscrowKey) { all.iter().map(forged).collect() } else { all })
    }
    async fn cases(&self) -> Result<Vec<Case>, PortError> {
        self.0.honest.cases().await
    }
    async fn health(&self) -> Result<Vec<NodeHealth>, PortError> {
        self.0.honest.health().await
    }
}
