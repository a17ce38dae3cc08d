//! The gateway's port over nodes that run in this process.

mod refusal;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use covenant_app::port::{
    BuildState, Catalogue, ConsentView, Consortium, EntryOutcome, EpochPart, EpochView, EscrowView, Explanation,
    FileChunk, GrantView, LedgerTip, NodeHealth, PortError, Progress, PublishedDataset, RecordKind, Records,
    SealedInput,
};
use covenant_canon::{Digest, from_bytes};
use covenant_daemon::{Clock, Node, Outcome, QueryState, SystemClock};
use covenant_domain::{
    Body, Case, Ceremony, ConsentId, ConsentUse, Dataset, DatasetId, Entry, Evaluation, IntentId, Member, MemberId,
    Notification, Purpose, RightId, RightState, Role, RuleBook, SignedRetrieval, Simulation,
};
use covenant_engine::{Guard, GuardError, Plan, Wish};
use covenant_ledger::{Bundle, EntryReceipt, Genesis, SignedBatch};
use covenant_store::Input;
use covenant_worker::lookup::Part;
use refusal::{lookup_refused, refused, stopped, unavailable};

/// Longest wait for entries to become final.
const RECORD_WAIT: Duration = Duration::from_secs(20);

/// Nodes of one consortium in this process. Answers come from their holders.
pub struct Local {
    nodes: BTreeMap<MemberId, Arc<Node>>,
    first: Arc<Node>,
    genesis: Arc<Genesis>,
}

impl Local {
    /// The port over these nodes; none when there are none.
    pub fn new(nodes: Vec<Arc<Node>>) -> Option<Self> {
        let first = nodes.first()?.clone();
        let genesis = first.genesis().clone();
        Some(Self { nodes: nodes.into_iter().map(|n| (n.member().clone(), n)).collect(), first, genesis })
    }

    /// The node to read from and submit through: one whose consensus runs, if there is any.
    fn home(&self) -> &Arc<Node> {
        self.nodes.values().find(|n| n.is_running()).unwrap_or(&self.first)
    }

    /// Groups inputs by the holder of the dataset that each intent names.
    fn route(
        &self,
        batch: &SignedBatch,
        inputs: Vec<SealedInput>,
    ) -> Result<BTreeMap<MemberId, Vec<Input>>, PortError> {
        let mut datasets = BTreeMap::new();
        for bytes in &batch.entries {
            if let Ok(Entry { body: Body::Intent(intent), .. }) = from_bytes::<Entry>(bytes) {
                datasets.insert(intent.id, intent.dataset);
            }
        }
        let received_ms = SystemClock.now_ms();
        let mut routed: BTreeMap<MemberId, Vec<Input>> = BTreeMap::new();
        for SealedInput { intent, sealed } in inputs {
            let Some(dataset) = datasets.get(&intent).cloned() else {
                let reason = format!("input for intent {intent} has no intent in the batch");
                return Err(PortError::Refused { code: "input-without-intent", reason });
            };
            // An unknown dataset is refused by the ledger with its reason; there is nobody to deliver to.
            if let Some(holder) = self.holder_of(&dataset) {
                routed.entry(holder).or_default().push(Input {
                    intent,
                    consumer: batch.author.clone(),
                    sealed,
                    received_ms,
                });
            }
        }
        Ok(routed)
    }

    fn holder_of(&self, dataset: &DatasetId) -> Option<MemberId> {
        self.home().with_state(|s| s.dataset(dataset).map(|d| d.holder.clone()))
    }

    /// The node that holds a dataset.
    fn node_of(&self, dataset: &DatasetId) -> Result<&Arc<Node>, PortError> {
        let unknown =
            || PortError::Refused { code: "dataset-unknown", reason: format!("no dataset `{dataset}` is in force") };
        let holder = self.holder_of(dataset).ok_or_else(unknown)?;
        let away = || PortError::Unavailable { reason: format!("holder `{holder}` has no running node") };
        self.nodes.get(&holder).ok_or_else(away)
    }

    /// The node that answers a permitted query.
    async fn holder_node(&self, intent: &IntentId) -> Result<Option<&Arc<Node>>, PortError> {
        Ok(match self.home().query(intent).await.map_err(unavailable)? {
            Some((_, QueryState::Permitted { holder, .. } | QueryState::Completed { holder })) => {
                self.nodes.get(&holder)
            }
            _ => None,
        })
    }

    async fn progress_of(&self, intent: &IntentId) -> Result<Progress, PortError> {
        let Some((_, state)) = self.home().query(intent).await.map_err(unavailable)? else {
            return Ok(if self.home().is_waiting(intent) { Progress::Received } else { Progress::Unknown });
        };
        Ok(match state {
            QueryState::Refused(reasons) => Progress::Refused { reasons },
            QueryState::Lapsed => Progress::Lapsed,
            QueryState::Voided(reason) => Progress::Voided { reason },
            QueryState::Permitted { holder, .. } | QueryState::Completed { holder } => {
                self.released(&holder, intent).await?
            }
        })
    }

    async fn released(&self, holder: &MemberId, intent: &IntentId) -> Result<Progress, PortError> {
        let Some(node) = self.nodes.get(holder) else { return Ok(Progress::Permitted) };
        let released = node.release(intent).await.map_err(unavailable)?;
        Ok(released.map_or(Progress::Permitted, |r| Progress::Answered { sealed: r.sealed, receipted: r.receipted }))
    }

    async fn progress_of_all(&self, intents: &[IntentId]) -> Result<Vec<Progress>, PortError> {
        let mut out = Vec::with_capacity(intents.len());
        for intent in intents {
            out.push(self.progress_of(intent).await?);
        }
        Ok(out)
    }
}

#[async_trait]
impl Consortium for Local {
    fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    async fn tip(&self) -> Result<LedgerTip, PortError> {
        let tip = self.home().tip();
        Ok(LedgerTip { height: tip.height, block: tip.block, leaves: tip.leaves, time_ms: tip.time_ms })
    }

    async fn record(&self, batch: SignedBatch) -> Result<Vec<EntryOutcome>, PortError> {
        let recorded = self.home().record(batch, RECORD_WAIT).await.map_err(refused)?;
        let outcome = |r: covenant_daemon::RecordedEntry| EntryOutcome {
            entry: r.entry,
            leaf: r.leaf,
            height: r.height,
            rejected: match r.outcome {
                Outcome::Accepted => None,
                Outcome::Rejected(reason) => Some(reason),
            },
        };
        Ok(recorded.into_iter().map(outcome).collect())
    }

    async fn ask(&self, batch: SignedBatch, inputs: Vec<SealedInput>) -> Result<(), PortError> {
        for (holder, inputs) in self.route(&batch, inputs)? {
            // Without its input a permitted query could only lapse: better to say so before anything is debited.
            let away = || PortError::Unavailable { reason: format!("holder `{holder}` has no running node") };
            self.nodes.get(&holder).ok_or_else(away)?.deliver(inputs).await.map_err(unavailable)?;
        }
        self.home().submit(batch).await.map_err(refused)?;
        Ok(())
    }

    async fn progress(&self, intents: &[IntentId], wait: Duration) -> Result<Vec<Progress>, PortError> {
        let deadline = tokio::time::Instant::now() + wait;
        let (mut tracked, _) = self.home().changes();
        let mut stored: Vec<_> = self.nodes.values().map(|n| n.changes()).collect();
        let mut out = self.progress_of_all(intents).await?;
        while !out.iter().all(Progress::is_final) {
            let changed = async {
                let any = stored.iter_mut().map(|(blocks, answers)| {
                    Box::pin(async move {
                        tokio::select! { _ = blocks.recv() => {}, _ = answers.recv() => {} }
                    })
                });
                tokio::select! {
                    _ = tracked.recv() => {}
                    _ = futures::future::select_all(any) => {}
                }
            };
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                break;
            }
            for (intent, slot) in intents.iter().zip(&mut out).filter(|(_, p)| !p.is_final()) {
                *slot = self.progress_of(intent).await?;
            }
        }
        Ok(out)
    }

    async fn consumer_of(&self, intent: &IntentId) -> Result<Option<MemberId>, PortError> {
        Ok(self.home().query(intent).await.map_err(unavailable)?.map(|(consumer, _)| consumer))
    }

    async fn evidence(&self, intent: &IntentId) -> Result<Option<Bundle>, PortError> {
        self.home().evidence(intent).await.map_err(unavailable)
    }

    async fn explain(&self, intent: &IntentId, replay: bool) -> Result<Option<Explanation>, PortError> {
        let found = self.home().explain(intent, replay).await.map_err(unavailable)?;
        Ok(found.map(|(decision, height, again)| {
            let replayed_equal = replay.then(|| again.as_ref() == Some(&decision));
            Explanation { decision, height, replayed_equal }
        }))
    }

    async fn plan(&self, wish: &Wish) -> Result<Plan, PortError> {
        Ok(self.home().plan(wish))
    }

    async fn simulate(&self, book: &RuleBook, last: u32) -> Result<Simulation, PortError> {
        let invalid = |e: GuardError| PortError::Refused { code: "policy-invalid", reason: e.to_string() };
        let guard = Guard::compile(self.genesis.suite, book, &self.genesis.members).map_err(invalid)?;
        self.home().simulate(Arc::new(guard), last).await.map_err(unavailable)
    }

    async fn members(&self) -> Result<Vec<Member>, PortError> {
        Ok(self.home().with_state(|s| s.members().cloned().collect()))
    }

    async fn purposes(&self) -> Result<Vec<Purpose>, PortError> {
        Ok(self.home().with_state(|s| s.purposes().cloned().collect()))
    }

    async fn catalogue(&self, known: Option<u64>) -> Result<Option<Catalogue>, PortError> {
        Ok(self.home().with_state(|s| {
            let mark = s.catalogue_height();
            let all = || s.catalogue().map(|(dataset, status)| (dataset.clone(), status)).collect();
            (known != Some(mark)).then(|| Catalogue { mark, datasets: all() })
        }))
    }

    async fn dataset_versions(&self, id: &DatasetId) -> Result<Vec<PublishedDataset>, PortError> {
        let all = self.home().dataset_revisions(id).await.map_err(unavailable)?;
        let published = |covenant_daemon::PublishedRevision { dataset, entry, leaf, height, time_ms }| {
            PublishedDataset { dataset, entry, leaf, height, time_ms }
        };
        Ok(all.into_iter().map(published).collect())
    }

    async fn right(&self, id: &RightId) -> Result<Option<RightState>, PortError> {
        Ok(self.home().with_state(|s| s.right(id).cloned()))
    }

    async fn datasets(&self) -> Result<Vec<Dataset>, PortError> {
        Ok(self.home().with_state(|s| s.datasets().cloned().collect()))
    }

    async fn grants(&self, member: &MemberId) -> Result<Vec<GrantView>, PortError> {
        let all = self.genesis.member(member).is_some_and(|m| m.has(Role::Regulator));
        Ok(self.home().with_state(|s| {
            let visible = s.grants_all().filter(|g| all || &g.grant.holder == member || &g.grant.consumer == member);
            let view = |g: &covenant_engine::GrantState| GrantView {
                state: g.clone(),
                used_in_window: s.grant_used(&g.grant.id),
            };
            visible.map(view).collect()
        }))
    }

    async fn consent(&self, id: &ConsentId) -> Result<Option<ConsentView>, PortError> {
        Ok(self.home().with_state(|s| {
            s.consent(id).map(|c| ConsentView {
                consent: c.consent.clone(),
                issuer: c.issuer.clone(),
                status: c.status,
                uses: c.uses,
            })
        }))
    }

    async fn uses(&self, id: &ConsentId, after: Option<u64>) -> Result<Vec<ConsentUse>, PortError> {
        self.home().uses(id, after).await.map_err(unavailable)
    }

    async fn told(&self, holder: Option<&MemberId>, after: Option<u64>) -> Result<Vec<Notification>, PortError> {
        self.home().told(holder, after).await.map_err(unavailable)
    }

    async fn receipt(&self, entry: &Digest) -> Result<Option<EntryReceipt>, PortError> {
        self.home().receipt(entry).await.map_err(unavailable)
    }

    async fn records(&self, kind: RecordKind) -> Result<Records, PortError> {
        Ok(self.home().with_state(|s| match kind {
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
        }))
    }

    async fn epoch(&self, dataset: &DatasetId) -> Result<Option<EpochView>, PortError> {
        Ok(self.home().with_state(|s| {
            let state = s.epoch(dataset)?.clone();
            let policy = s.dataset(dataset).and_then(|d| s.policy_digest(&d.holder))?;
            let escrow = s.escrow().map(|e| EscrowView { ceremony: e.ceremony, key: e.key });
            Some(EpochView { state, policy, escrow })
        }))
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
        let node = self.node_of(dataset)?.clone();
        let (overlay, part) = match part {
            EpochPart::Hint => (None, Part::Hint),
            EpochPart::Locator => (None, Part::Locator),
            EpochPart::Matrix => (None, Part::Matrix),
            EpochPart::OverlayHint => (Some(overlay), Part::Hint),
            EpochPart::OverlayLocator => (Some(overlay), Part::Locator),
            EpochPart::OverlayMatrix => (Some(overlay), Part::Matrix),
        };
        let dataset = dataset.clone();
        let read = move || node.epoch_file((&dataset, epoch), overlay, part, (offset, length));
        let chunk = tokio::task::spawn_blocking(read).await.map_err(|e| stopped(&e))?.map_err(lookup_refused)?;
        Ok(chunk.map(|(total, bytes)| FileChunk { total, bytes }))
    }

    async fn build_epoch(&self, dataset: &DatasetId, days: u32) -> Result<(), PortError> {
        self.node_of(dataset)?.build_epoch(dataset, days).map_err(lookup_refused)
    }

    async fn build_overlay(&self, dataset: &DatasetId) -> Result<(), PortError> {
        self.node_of(dataset)?.build_overlay(dataset).map_err(lookup_refused)
    }

    async fn build_state(&self, dataset: &DatasetId) -> Result<BuildState, PortError> {
        use covenant_daemon::BuildState as Built;
        Ok(match self.node_of(dataset)?.build_state(dataset) {
            Built::Idle => BuildState::Idle,
            Built::Running { step, done, total } => BuildState::Running { step: step.to_owned(), done, total },
            Built::Done { epoch } => BuildState::Done { epoch },
            Built::Failed { reason } => BuildState::Failed { reason },
        })
    }

    async fn evaluate(&self, intent: &IntentId) -> Result<Option<Evaluation>, PortError> {
        let Some(node) = self.holder_node(intent).await? else { return Ok(None) };
        node.evaluate(intent).map_err(lookup_refused)
    }

    async fn retrieve(&self, retrieval: SignedRetrieval) -> Result<(), PortError> {
        let intent = retrieval.retrieval.intent;
        let Some(node) = self.holder_node(&intent).await? else {
            let reason = format!("intent {intent} is no permitted lookup");
            return Err(PortError::Refused { code: "not-permitted", reason });
        };
        node.retrieve(&retrieval).await.map_err(lookup_refused)
    }

    async fn retrieval(&self, intent: &IntentId) -> Result<Option<Vec<u8>>, PortError> {
        match self.holder_node(intent).await? {
            Some(node) => node.retrieval(intent).await.map_err(unavailable),
            None => Ok(None),
        }
    }

    async fn ceremonies(&self) -> Result<Vec<Ceremony>, PortError> {
        Ok(self.home().with_state(|s| s.ceremonies().cloned().collect()))
    }

    async fn cases(&self) -> Result<Vec<Case>, PortError> {
        Ok(self.home().with_state(|s| s.cases().cloned().collect()))
    }

    async fn health(&self) -> Result<Vec<NodeHealth>, PortError> {
        let mut out = Vec::new();
        for (member, node) in &self.nodes {
            let fault = node.probe().await.err();
            let (height, backlog) = (node.tip().height, node.backlog());
            out.push(NodeHealth { member: member.clone(), height, backlog, sound: fault.is_none(), fault });
        }
        Ok(out)
    }
}
