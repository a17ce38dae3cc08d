//! The consortium as its nodes, one port for each.

mod holder;
mod progress;
mod route;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use covenant_canon::Digest;
use covenant_domain::{
    Case, Ceremony, ConsentId, ConsentUse, Dataset, DatasetId, Evaluation, IntentId, Member, MemberId, Notification,
    Purpose, RightId, RightState, RuleBook, SignedRetrieval, Simulation,
};
use covenant_engine::{Plan, Wish};
use covenant_ledger::{Bundle, EntryReceipt, Genesis, Handover, SignedBatch};
use futures::future::{BoxFuture, join_all};
use parking_lot::RwLock;
use tokio::time::Instant;

use crate::port::{
    BuildState, Catalogue, ConsentView, Consortium, EntryOutcome, EpochPart, EpochView, Explanation, FileChunk,
    GrantView, LedgerTip, NodeHealth, NodePort, PortError, Progress, PublishedDataset, QueryStanding, RecordKind,
    Records, SealedInput,
};

/// Longest wait for entries to become final.
const RECORD_WAIT: Duration = Duration::from_secs(20);

/// Nodes asked in turn when one is not available.
const TRIED: usize = 2;

/// What a node's port gives when it is asked.
type Answering<'a, T> = BoxFuture<'a, Result<T, PortError>>;

/// The port over nodes: what every node knows is asked of one that runs, what a holder knows of its own node.
pub struct Nodes {
    genesis: Arc<Genesis>,
    nodes: RwLock<BTreeMap<MemberId, Arc<dyn NodePort>>>,
}

impl Nodes {
    /// The port over these nodes. There may be none yet.
    pub fn new(genesis: Arc<Genesis>, nodes: BTreeMap<MemberId, Arc<dyn NodePort>>) -> Self {
        Self { genesis, nodes: RwLock::new(nodes) }
    }

    /// Asks this node too from now on, in place of a former one of the member.
    pub fn add(&self, member: MemberId, node: Arc<dyn NodePort>) {
        self.nodes.write().insert(member, node);
    }

    /// Asks the member's node no more. Calls under way go on.
    pub fn remove(&self, member: &MemberId) -> Option<Arc<dyn NodePort>> {
        self.nodes.write().remove(member)
    }

    /// The nodes to read from and submit through, in the order in which to try them: first those whose consensus runs.
    fn homes(&self) -> Vec<(MemberId, Arc<dyn NodePort>)> {
        let nodes = self.nodes.read();
        let (running, others): (Vec<_>, Vec<_>) = nodes.iter().partition(|(_, node)| node.is_running());
        running.into_iter().chain(others).take(TRIED).map(|(member, node)| (member.clone(), node.clone())).collect()
    }

    /// Asks a home node, and the next one where that is not available; says which one answered.
    async fn asked<T>(
        &self,
        ask: impl for<'a> Fn(&'a dyn NodePort) -> Answering<'a, T> + Send + Sync,
    ) -> Result<(MemberId, T), PortError> {
        let mut failed = PortError::unavailable("no node runs");
        for (member, node) in self.homes() {
            match ask(&*node).await {
                Ok(said) => return Ok((member, said)),
                Err(PortError::Unavailable { reason }) => {
                    tracing::debug!(%member, reason, "a home node is not available");
                    failed = PortError::Unavailable { reason };
                }
                Err(other) => return Err(other),
            }
        }
        Err(failed)
    }

    /// As [`Nodes::asked`], whoever answers.
    async fn home<T>(
        &self,
        ask: impl for<'a> Fn(&'a dyn NodePort) -> Answering<'a, T> + Send + Sync,
    ) -> Result<T, PortError> {
        self.asked(ask).await.map(|(_, said)| said)
    }

    /// Where one query stands.
    async fn standing(&self, intent: &IntentId) -> Result<QueryStanding, PortError> {
        Ok(self.standings(std::slice::from_ref(intent)).await?.1.pop().unwrap_or(QueryStanding::Unknown))
    }

    /// Where queries stand, and at whose node.
    async fn standings(&self, intents: &[IntentId]) -> Result<(MemberId, Vec<QueryStanding>), PortError> {
        let (member, standings) = self.asked(|node| node.queries(intents.to_vec())).await?;
        match standings.len() == intents.len() {
            true => Ok((member, standings)),
            false => Err(miscounted(&member, standings.len(), intents.len())),
        }
    }
}

/// A node answered for another number of things than asked.
fn miscounted(member: &MemberId, found: usize, asked: usize) -> PortError {
    PortError::unavailable(format!("the node of `{member}` gave {found} answers to {asked} questions"))
}

#[async_trait]
impl Consortium for Nodes {
    fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    async fn handovers(&self, after: u32) -> Result<Vec<Handover>, PortError> {
        self.home(|node| node.handovers(after)).await
    }

    async fn tip(&self) -> Result<LedgerTip, PortError> {
        self.home(|node| node.tip()).await
    }

    async fn record(&self, batch: SignedBatch) -> Result<Vec<EntryOutcome>, PortError> {
        let until = Instant::now() + RECORD_WAIT;
        self.home(|node| node.record(batch.clone(), until.saturating_duration_since(Instant::now()))).await
    }

    async fn ask(&self, batch: SignedBatch, inputs: Vec<SealedInput>) -> Result<(), PortError> {
        self.deliver(&batch, inputs).await?;
        self.home(|node| node.submit(batch.clone())).await
    }

    async fn progress(&self, intents: &[IntentId], wait: Duration) -> Result<Vec<Progress>, PortError> {
        self.progress_until(intents, Instant::now() + wait).await
    }

    async fn consumer_of(&self, intent: &IntentId) -> Result<Option<MemberId>, PortError> {
        Ok(self.standing(intent).await?.consumer())
    }

    async fn consumers_of(&self, intents: &[IntentId]) -> Result<Vec<Option<MemberId>>, PortError> {
        Ok(self.standings(intents).await?.1.into_iter().map(QueryStanding::consumer).collect())
    }

    async fn evidence(&self, intent: &IntentId) -> Result<Option<Bundle>, PortError> {
        self.home(|node| node.evidence(*intent)).await
    }

    async fn explain(&self, intent: &IntentId, replay: bool) -> Result<Option<Explanation>, PortError> {
        self.home(|node| node.explain(*intent, replay)).await
    }

    async fn plan(&self, wish: &Wish) -> Result<Plan, PortError> {
        self.home(|node| node.plan(wish.clone())).await
    }

    async fn simulate(&self, book: &RuleBook, last: u32) -> Result<Simulation, PortError> {
        self.home(|node| node.simulate(book.clone(), last)).await
    }

    async fn members(&self) -> Result<Vec<Member>, PortError> {
        self.home(|node| node.members()).await
    }

    async fn purposes(&self) -> Result<Vec<Purpose>, PortError> {
        self.home(|node| node.purposes()).await
    }

    async fn datasets(&self) -> Result<Vec<Dataset>, PortError> {
        self.home(|node| node.datasets()).await
    }

    async fn catalogue(&self, known: Option<u64>) -> Result<Option<Catalogue>, PortError> {
        self.home(|node| node.catalogue(known)).await
    }

    async fn dataset_versions(&self, id: &DatasetId) -> Result<Vec<PublishedDataset>, PortError> {
        self.home(|node| node.dataset_versions(id.clone())).await
    }

    async fn right(&self, id: &RightId) -> Result<Option<RightState>, PortError> {
        self.home(|node| node.right(*id)).await
    }

    async fn grants(&self, member: &MemberId) -> Result<Vec<GrantView>, PortError> {
        self.home(|node| node.grants(member.clone())).await
    }

    async fn consent(&self, id: &ConsentId) -> Result<Option<ConsentView>, PortError> {
        self.home(|node| node.consent(*id)).await
    }

    async fn uses(&self, id: &ConsentId, after: Option<u64>) -> Result<Vec<ConsentUse>, PortError> {
        self.home(|node| node.uses(*id, after)).await
    }

    async fn told(&self, holder: Option<&MemberId>, after: Option<u64>) -> Result<Vec<Notification>, PortError> {
        self.home(|node| node.told(holder.cloned(), after)).await
    }

    async fn receipt(&self, entry: &Digest) -> Result<Option<EntryReceipt>, PortError> {
        self.home(|node| node.receipt(*entry)).await
    }

    async fn records(&self, kind: RecordKind) -> Result<Records, PortError> {
        self.home(|node| node.records(kind)).await
    }

    async fn epoch(&self, dataset: &DatasetId) -> Result<Option<EpochView>, PortError> {
        self.home(|node| node.epoch(dataset.clone())).await
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
        self.at_holder_of(dataset, |node| node.epoch_file(dataset.clone(), epoch, overlay, part, offset, length)).await
    }

    async fn build_epoch(&self, dataset: &DatasetId, days: u32) -> Result<(), PortError> {
        self.at_holder_of(dataset, |node| node.build_epoch(dataset.clone(), days)).await
    }

    async fn build_overlay(&self, dataset: &DatasetId) -> Result<(), PortError> {
        self.at_holder_of(dataset, |node| node.build_overlay(dataset.clone())).await
    }

    async fn build_state(&self, dataset: &DatasetId) -> Result<BuildState, PortError> {
        self.at_holder_of(dataset, |node| node.build_state(dataset.clone())).await
    }

    async fn evaluate(&self, intent: &IntentId) -> Result<Option<Evaluation>, PortError> {
        match self.answering(intent).await? {
            Some(holder) => self.at(&holder, |node| node.evaluate(*intent)).await,
            None => Ok(None),
        }
    }

    async fn retrieve(&self, retrieval: SignedRetrieval) -> Result<(), PortError> {
        let intent = retrieval.retrieval.intent;
        let Some(holder) = self.answering(&intent).await? else {
            return Err(PortError::refused("not-permitted", format!("intent {intent} is no permitted lookup")));
        };
        self.at(&holder, |node| node.retrieve(retrieval.clone())).await
    }

    async fn retrieval(&self, intent: &IntentId) -> Result<Option<Vec<u8>>, PortError> {
        match self.answering(intent).await? {
            Some(holder) => Ok(self.at(&holder, |node| node.retrieval(*intent)).await?.map(Into::into)),
            None => Ok(None),
        }
    }

    async fn ceremonies(&self) -> Result<Vec<Ceremony>, PortError> {
        self.home(|node| node.ceremonies()).await
    }

    async fn cases(&self) -> Result<Vec<Case>, PortError> {
        self.home(|node| node.cases()).await
    }

    async fn health(&self) -> Result<Vec<NodeHealth>, PortError> {
        let nodes = self.nodes.read().clone();
        let checks = nodes.into_iter().map(|(member, node)| async move {
            let away = |error: PortError| NodeHealth {
                member,
                height: 0,
                backlog: 0,
                sound: false,
                fault: Some(error.to_string()),
            };
            node.health().await.unwrap_or_else(away)
        });
        Ok(join_all(checks).await)
    }
}
