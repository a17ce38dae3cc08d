//! A node as the gateway's port sees it, in the gateway's own process or behind [`rpc`](crate::rpc).

mod refusal;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use covenant_app::port::{
    ArchiveView, BackupView, BuildState, Catalogue, ConsentView, EntryOutcome, EpochPart, EpochView, EscrowView,
    Explanation, FileChunk, GrantView, LedgerTip, NodeHealth, NodePort, NodePulse, PeerView, PortError,
    PublishedDataset, QueryStanding, RecordKind, Records, Released, SealedInput,
};
use covenant_canon::Digest;
use covenant_domain::{
    Case, Ceremony, ConsentId, ConsentUse, Dataset, DatasetId, Evaluation, IntentId, Member, MemberId, Notification,
    Purpose, RightId, RightState, Role, RuleBook, SignedRetrieval, Simulation,
};
use covenant_engine::{GrantState, Guard, GuardError, Plan, Wish};
use covenant_ledger::{Bundle, EntryReceipt, Handover, SignedBatch};
use covenant_state::State;
use covenant_store::Input;
use covenant_worker::lookup::Part;
use minicbor::bytes::ByteVec;
use refusal::{lookup_refused, refused, stopped, unavailable};

use crate::admin::Admin;
use crate::catalogue::PublishedRevision;
use crate::lookup::BuildState as Built;
use crate::node::{Node, Outcome, RecordedEntry};
use crate::track::QueryState;

/// Bytes of answers after which no further one is put into the same message.
const RELEASE_BYTES: usize = 8 * 1024 * 1024;

const NOT_A_PROCESS: &str = "this node is part of another process and has no administration of its own";

/// The port of a node in this process.
pub struct LocalNode(Arc<Node>, Option<Arc<Admin>>);

impl LocalNode {
    /// The port of this node. It keeps the node from being stopped as long as it lives.
    pub fn new(node: Arc<Node>) -> Self {
        Self(node, None)
    }

    /// The port of a node that runs as a process of its own, with what its administrator may have done.
    pub fn administered(node: Arc<Node>, admin: Arc<Admin>) -> Self {
        Self(node, Some(admin))
    }

    fn admin(&self) -> Result<&Arc<Admin>, PortError> {
        let none = || PortError::Refused { code: "not-administered".into(), reason: NOT_A_PROCESS.into() };
        self.1.as_ref().ok_or_else(none)
    }

    fn all<T: Clone>(&self, look: impl FnOnce(&State) -> Vec<T>) -> Result<Vec<T>, PortError> {
        Ok(self.0.with_state(look))
    }

    async fn standing(&self, intent: &IntentId) -> Result<QueryStanding, PortError> {
        let Some((consumer, state)) = self.0.query(intent).await.map_err(unavailable)? else {
            return Ok(if self.0.is_waiting(intent) { QueryStanding::Waiting } else { QueryStanding::Unknown });
        };
        Ok(match state {
            QueryState::Refused(reasons) => QueryStanding::Refused { consumer, reasons },
            QueryState::Permitted { holder, .. } | QueryState::Completed { holder } => {
                QueryStanding::Permitted { consumer, holder }
            }
            QueryState::Lapsed => QueryStanding::Lapsed { consumer },
            QueryState::Voided(reason) => QueryStanding::Voided { consumer, reason },
        })
    }
}

impl NodePulse for LocalNode {
    fn is_running(&self) -> bool {
        self.0.is_running()
    }

    fn changes(&self) -> u64 {
        self.0.holder.changes.count()
    }
}

#[async_trait]
impl NodePort for LocalNode {
    async fn tip(&self) -> Result<LedgerTip, PortError> {
        let tip = self.0.tip();
        Ok(LedgerTip { height: tip.height, block: tip.block, leaves: tip.leaves, time_ms: tip.time_ms })
    }

    async fn record(&self, batch: SignedBatch, wait: Duration) -> Result<Vec<EntryOutcome>, PortError> {
        Ok(self.0.record(batch, wait).await.map_err(refused)?.into_iter().map(outcome).collect())
    }

    async fn submit(&self, batch: SignedBatch) -> Result<(), PortError> {
        self.0.submit(batch).await.map(drop).map_err(refused)
    }

    async fn deliver(&self, consumer: MemberId, inputs: Vec<SealedInput>) -> Result<(), PortError> {
        let received_ms = self.0.replica.clock.now_ms();
        let stamped =
            |SealedInput { intent, sealed }| Input { intent, consumer: consumer.clone(), sealed, received_ms };
        self.0.deliver(inputs.into_iter().map(stamped).collect()).await.map_err(unavailable)
    }

    async fn queries(&self, intents: Vec<IntentId>) -> Result<Vec<QueryStanding>, PortError> {
        let mut out = Vec::with_capacity(intents.len());
        for intent in &intents {
            out.push(self.standing(intent).await?);
        }
        Ok(out)
    }

    async fn releases(&self, intents: Vec<IntentId>) -> Result<Vec<Option<Released>>, PortError> {
        let (mut out, mut bytes) = (Vec::with_capacity(intents.len()), 0);
        for intent in &intents {
            let released = self.0.release(intent).await.map_err(unavailable)?;
            let released = released.map(|r| Released { sealed: r.sealed, receipted: r.receipted });
            bytes += released.as_ref().map_or(0, |r| r.sealed.len());
            out.push(released);
            if bytes > RELEASE_BYTES {
                break;
            }
        }
        Ok(out)
    }

    async fn evidence(&self, intent: IntentId) -> Result<Option<Bundle>, PortError> {
        self.0.evidence(&intent).await.map_err(unavailable)
    }

    async fn explain(&self, intent: IntentId, replay: bool) -> Result<Option<Explanation>, PortError> {
        let found = self.0.explain(&intent, replay).await.map_err(unavailable)?;
        Ok(found.map(|(decision, height, again)| {
            let replayed_equal = replay.then(|| again.as_ref() == Some(&decision));
            Explanation { decision, height, replayed_equal }
        }))
    }

    async fn plan(&self, wish: Wish) -> Result<Plan, PortError> {
        Ok(self.0.plan(&wish))
    }

    async fn simulate(&self, book: RuleBook, last: u32) -> Result<Simulation, PortError> {
        let suite = self.0.genesis().suite;
        let invalid = |e: GuardError| PortError::refused("policy-invalid", e.to_string());
        let guard = self.0.with_state(|s| Guard::compile(suite, &book, s.members())).map_err(invalid)?;
        self.0.simulate(Arc::new(guard), last).await.map_err(unavailable)
    }

    async fn members(&self) -> Result<Vec<Member>, PortError> {
        self.all(|s| s.members().cloned().collect())
    }

    async fn purposes(&self) -> Result<Vec<Purpose>, PortError> {
        self.all(|s| s.purposes().cloned().collect())
    }

    async fn datasets(&self) -> Result<Vec<Dataset>, PortError> {
        self.all(|s| s.datasets().cloned().collect())
    }

    async fn catalogue(&self, known: Option<u64>) -> Result<Option<Catalogue>, PortError> {
        Ok(self.0.with_state(|s| {
            let mark = s.catalogue_height();
            let all = || s.catalogue().map(|(dataset, status)| (dataset.clone(), status)).collect();
            (known != Some(mark)).then(|| Catalogue { mark, datasets: all() })
        }))
    }

    async fn dataset_versions(&self, id: DatasetId) -> Result<Vec<PublishedDataset>, PortError> {
        let all = self.0.dataset_revisions(&id).await.map_err(unavailable)?;
        let published = |PublishedRevision { dataset, entry, leaf, height, time_ms }| PublishedDataset {
            dataset,
            entry,
            leaf,
            height,
            time_ms,
        };
        Ok(all.into_iter().map(published).collect())
    }

    async fn right(&self, id: RightId) -> Result<Option<RightState>, PortError> {
        Ok(self.0.with_state(|s| s.right(&id).cloned()))
    }

    async fn grants(&self, member: MemberId) -> Result<Vec<GrantView>, PortError> {
        self.all(|s| {
            let regulator = s.members().any(|m| m.id == member && m.has(Role::Regulator));
            let party = |g: &&GrantState| g.grant.holder == member || g.grant.consumer == member;
            let view = |g: &GrantState| GrantView { state: g.clone(), used_in_window: s.grant_used(&g.grant.id) };
            s.grants_all().filter(|g| regulator || party(g)).map(view).collect()
        })
    }

    async fn consent(&self, id: ConsentId) -> Result<Option<ConsentView>, PortError> {
        Ok(self.0.with_state(|s| {
            s.consent(&id).map(|c| ConsentView {
                consent: c.consent.clone(),
                issuer: c.issuer.clone(),
                status: c.status,
                uses: c.uses,
            })
        }))
    }

    async fn uses(&self, id: ConsentId, after: Option<u64>) -> Result<Vec<ConsentUse>, PortError> {
        self.0.uses(&id, after).await.map_err(unavailable)
    }

    async fn told(&self, holder: Option<MemberId>, after: Option<u64>) -> Result<Vec<Notification>, PortError> {
        self.0.told(holder.as_ref(), after).await.map_err(unavailable)
    }

    async fn handovers(&self, after: u32) -> Result<Vec<Handover>, PortError> {
        Ok(self.0.handovers(after))
    }

    async fn peers(&self) -> Result<Vec<PeerView>, PortError> {
        Ok(self.1.as_ref().map(|admin| admin.peers()).unwrap_or_default())
    }

    async fn backup(&self) -> Result<BackupView, PortError> {
        self.admin()?.backup(&self.0).await
    }

    async fn archive(&self, keep: u64) -> Result<ArchiveView, PortError> {
        self.admin()?.archive(&self.0, keep).await
    }

    async fn snapshot(&self) -> Result<BackupView, PortError> {
        self.admin()?.snapshot(&self.0).await
    }

    async fn receipt(&self, entry: Digest) -> Result<Option<EntryReceipt>, PortError> {
        self.0.receipt(&entry).await.map_err(unavailable)
    }

    async fn records(&self, kind: RecordKind) -> Result<Records, PortError> {
        Ok(self.0.with_state(|s| match kind {
            RecordKind::Grants => Records::Grants(s.grants_all().cloned().collect()),
            RecordKind::Requests => Records::Requests(s.requests().cloned().collect()),
            RecordKind::Delegations => Records::Delegations(s.delegations().cloned().collect()),
            RecordKind::Proposals => Records::Proposals(s.proposals().cloned().collect()),
            RecordKind::Disputes => Records::Disputes(s.disputes().cloned().collect()),
            RecordKind::Usage => Records::Usage(s.usage().cloned().collect()),
            RecordKind::Calendar => Records::Calendar(vec![s.calendar().clone()]),
            RecordKind::Notices => Records::Notices(s.notices().cloned().collect()),
            RecordKind::Tariff => Records::Tariff(vec![s.tariff()]),
            RecordKind::RuleBooks => Records::RuleBooks(s.rule_books().cloned().collect()),
            RecordKind::Roster => Records::Roster(vec![s.membership().roster().clone()]),
        }))
    }

    async fn epoch(&self, dataset: DatasetId) -> Result<Option<EpochView>, PortError> {
        Ok(self.0.with_state(|s| {
            let state = s.epoch(&dataset)?.clone();
            let policy = s.dataset(&dataset).and_then(|d| s.policy_digest(&d.holder))?;
            let escrow = s.escrow().map(|e| EscrowView { ceremony: e.ceremony, key: e.key });
            Some(EpochView { state, policy, escrow })
        }))
    }

    async fn epoch_file(
        &self,
        dataset: DatasetId,
        epoch: u32,
        overlay: u32,
        part: EpochPart,
        offset: u64,
        length: u32,
    ) -> Result<Option<FileChunk>, PortError> {
        let (overlay, part) = match part {
            EpochPart::Hint => (None, Part::Hint),
            EpochPart::Locator => (None, Part::Locator),
            EpochPart::Matrix => (None, Part::Matrix),
            EpochPart::OverlayHint => (Some(overlay), Part::Hint),
            EpochPart::OverlayLocator => (Some(overlay), Part::Locator),
            EpochPart::OverlayMatrix => (Some(overlay), Part::Matrix),
        };
        let node = self.0.clone();
        let read = move || node.epoch_file((&dataset, epoch), overlay, part, (offset, length));
        let chunk = tokio::task::spawn_blocking(read).await.map_err(|e| stopped(&e))?.map_err(lookup_refused)?;
        Ok(chunk.map(|(total, bytes)| FileChunk { total, bytes }))
    }

    async fn build_epoch(&self, dataset: DatasetId, days: u32) -> Result<(), PortError> {
        self.0.build_epoch(&dataset, days).map_err(lookup_refused)
    }

    async fn build_overlay(&self, dataset: DatasetId) -> Result<(), PortError> {
        self.0.build_overlay(&dataset).map_err(lookup_refused)
    }

    async fn build_state(&self, dataset: DatasetId) -> Result<BuildState, PortError> {
        Ok(match self.0.build_state(&dataset) {
            Built::Idle => BuildState::Idle,
            Built::Running { step, done, total } => BuildState::Running { step: step.to_owned(), done, total },
            Built::Done { epoch } => BuildState::Done { epoch },
            Built::Failed { reason } => BuildState::Failed { reason },
        })
    }

    async fn evaluate(&self, intent: IntentId) -> Result<Option<Evaluation>, PortError> {
        self.0.evaluate(&intent).map_err(lookup_refused)
    }

    async fn retrieve(&self, retrieval: SignedRetrieval) -> Result<(), PortError> {
        self.0.retrieve(&retrieval).await.map_err(lookup_refused)
    }

    async fn retrieval(&self, intent: IntentId) -> Result<Option<ByteVec>, PortError> {
        Ok(self.0.retrieval(&intent).await.map_err(unavailable)?.map(Into::into))
    }

    async fn ceremonies(&self) -> Result<Vec<Ceremony>, PortError> {
        self.all(|s| s.ceremonies().cloned().collect())
    }

    async fn cases(&self) -> Result<Vec<Case>, PortError> {
        self.all(|s| s.cases().cloned().collect())
    }

    async fn health(&self) -> Result<NodeHealth, PortError> {
        let fault = self.0.probe().await.err();
        let (member, height, backlog) = (self.0.member().clone(), self.0.tip().height, self.0.backlog());
        Ok(NodeHealth { member, height, backlog, sound: fault.is_none(), fault })
    }

    async fn holders(&self, datasets: Vec<DatasetId>) -> Result<Vec<Option<MemberId>>, PortError> {
        self.all(|s| datasets.iter().map(|id| s.dataset(id).map(|d| d.holder.clone())).collect())
    }

    async fn changed(&self, since: u64, wait: Duration) -> Result<u64, PortError> {
        Ok(self.0.holder.changes.after(since, wait).await)
    }
}

fn outcome(recorded: RecordedEntry) -> EntryOutcome {
    let RecordedEntry { entry, leaf, height, outcome } = recorded;
    let rejected = match outcome {
        Outcome::Accepted => None,
        Outcome::Rejected(reason) => Some(reason),
    };
    EntryOutcome { entry, leaf, height, rejected }
}
