//! The ledger replica: mempool, chain and store behind the consensus engine's traits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use covenant_canon::{Digest, from_bytes, to_bytes};
use covenant_consensus::{AppError, Application, Committed, Evidence, Proposal, Statement, Undecided, Verdict};
use covenant_domain::{Body, Entry, Equivocation, MemberId, RosterStep, SignedStatement};
use covenant_ledger::{
    Anchor, Block, Certificate, CheckedBatch, Genesis, Handover, Header, LogTail, MAX_BLOCK_BYTES, Membership,
    SignedBatch, Trust, ValidatorSet,
};
use covenant_state::State;
use covenant_store::{Body as Kept, Commit, Pending, Store};
use minicbor::bytes::ByteVec;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{broadcast, mpsc};

use crate::chain::{Chain, Prepared};
use crate::clock::Clock;
use crate::error::{NodeError, SubmitError};
use crate::mempool::Mempool;
use crate::metrics::Metrics;
use crate::steps::Steps;
use crate::stored::header_of;

/// Room that header and framing take of a block.
const BLOCK_OVERHEAD: usize = 8 * 1024;
/// Blocks a subscriber may lag behind before it must read the store.
const EVENTS: usize = 1024;
/// Prepared blocks remembered for the height being decided.
const PREPARED: usize = 16;

/// A block that has become final, with everything in decoded form.
#[derive(Debug)]
pub struct CommittedBlock {
    /// Header.
    pub header: Header,
    /// Its id.
    pub id: Digest,
    /// Batches in order.
    pub batches: Vec<CheckedBatch>,
    /// Derived entries in order.
    pub derived: Vec<Entry>,
    /// Leaf number of the first entry.
    pub first_leaf: u64,
}

impl CommittedBlock {
    /// Entries that were ordered but not accepted, with the reasons.
    pub fn rejected(&self) -> BTreeMap<Digest, String> {
        let rejected = self.derived.iter().filter_map(|e| match &e.body {
            Body::Rejected { entry, reason } => Some((*entry, reason.clone())),
            _ => None,
        });
        rejected.collect()
    }
}

/// Newest block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Height; zero before the first block.
    pub height: u64,
    /// Its id.
    pub block: Digest,
    /// Leaves in the log.
    pub leaves: u64,
    /// Block time, milliseconds since 1970.
    pub time_ms: u64,
}

pub(crate) struct Replica {
    pub(crate) member: MemberId,
    pub(crate) genesis: Arc<Genesis>,
    /// Rosters of all heights, for those who must not wait for the chain.
    pub(crate) trust: Arc<RwLock<Trust>>,
    /// How one roster led to the next, from the first on.
    pub(crate) handovers: RwLock<Vec<Handover>>,
    /// Contradictions of validators, to be shown on the ledger.
    pub(crate) contradictions: mpsc::UnboundedSender<Equivocation>,
    pub(crate) consortium: Digest,
    pub(crate) store: Store,
    pub(crate) chain: Arc<RwLock<Chain>>,
    pub(crate) mempool: Mempool,
    pub(crate) events: broadcast::Sender<Arc<CommittedBlock>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) steps: Steps,
    pub(crate) metrics: Metrics,
    /// Lowest height whose body is in the database.
    pub(crate) archived_below: AtomicU64,
    /// Lowest height whose body this replica can give.
    pub(crate) earliest: AtomicU64,
    /// Whether a block is wanted though nothing waits: a snapshot needs the one after it.
    pub(crate) wished: AtomicBool,
    /// Blocks stored for the height being decided, executed.
    prepared: Mutex<Vec<Prepared>>,
}

impl Replica {
    /// Loads the newest state from the store.
    pub(crate) async fn open(
        member: MemberId,
        genesis: Arc<Genesis>,
        store: Store,
        clock: Arc<dyn Clock>,
        steps: Steps,
        contradictions: mpsc::UnboundedSender<Equivocation>,
    ) -> Result<Arc<Self>, NodeError> {
        let chain = load_chain(&genesis, &store).await?;
        let trust = chain.state.trust().clone();
        let handovers = RwLock::new(crate::handover::load(&store, &trust, &chain.state).await?);
        let earliest = earliest_body(&store, chain.state.height()).await?;
        let archived_below = lowest_here(&store, chain.state.height()).await?;
        let metrics = Metrics::new(&member);
        let replica = Arc::new(Self {
            metrics,
            member,
            consortium: chain.consortium,
            trust: Arc::new(RwLock::new(trust)),
            handovers,
            contradictions,
            store,
            chain: Arc::new(RwLock::new(chain)),
            mempool: Mempool::new(genesis.charter.pending_per_member as usize),
            genesis,
            events: broadcast::channel(EVENTS).0,
            clock,
            steps,
            archived_below: AtomicU64::new(archived_below),
            earliest: AtomicU64::new(earliest),
            wished: AtomicBool::new(false),
            prepared: Mutex::default(),
        });
        replica.restore_pending().await?;
        Ok(replica)
    }

    /// Offers entries that were waiting when the node stopped again.
    async fn restore_pending(&self) -> Result<(), NodeError> {
        let mut gone = Vec::new();
        for pending in self.store.pending().await? {
            let taken = from_bytes::<SignedBatch>(&pending.bytes).is_ok_and(|b| self.take(b).is_ok());
            if !taken {
                gone.push(pending.id);
            }
        }
        Ok(self.store.drop_pending(&gone).await?)
    }

    /// Takes a batch from a member for a coming block. Durable when it returns; taking it again is harmless.
    pub(crate) async fn submit(&self, batch: SignedBatch) -> Result<CheckedBatch, SubmitError> {
        let bytes = to_bytes(&batch);
        let membership = self.membership();
        let checked = self.check_batch_at(batch, &membership)?;
        if self.mempool.get(&checked.id()).is_some() || self.chain.read().state.has_all(&checked) {
            return Ok(checked);
        }
        self.admissible(&checked)?;
        let pending = Pending { id: checked.id(), author: checked.batch().author.clone(), bytes };
        self.store.put_pending(&[pending]).await.map_err(NodeError::from)?;
        self.steps.pass("pending-stored");
        self.metrics.submitted(checked.id());
        self.keep_waiting(checked.clone(), &membership)?;
        Ok(checked)
    }

    /// Takes a batch that a peer has checked and stored; checks it all the same.
    pub(crate) fn take(&self, batch: SignedBatch) -> Result<(), SubmitError> {
        if self.mempool.checked(&batch).is_some() {
            return Ok(());
        }
        let membership = self.membership();
        let checked = self.check_batch_at(batch, &membership)?;
        self.admissible(&checked)?;
        self.keep_waiting(checked, &membership)
    }

    /// The membership of the next block.
    pub(crate) fn membership(&self) -> Arc<Membership> {
        self.chain.read().state.membership().clone()
    }

    /// Whether a contradiction of this validator under the present roster is on the ledger.
    pub(crate) fn is_on_record(&self, validator: &MemberId) -> bool {
        let chain = self.chain.read();
        let since = chain.state.membership().roster().from_height;
        chain.state.equivocations().any(|shown| &shown.validator == validator && shown.height >= since)
    }

    /// Checks a block against the chain and keeps it; nothing of it is later than `now_ms` and what clocks may differ.
    async fn check_at(
        self: &Arc<Self>,
        now_ms: u64,
        round: u32,
        proposer: &MemberId,
        block: Bytes,
    ) -> Result<Verdict, AppError> {
        let check =
            move |replica: &Self, chain: &Chain| chain.check(now_ms, &block, |batch| replica.check_known(chain, batch));
        let prepared = match self.on_chain(check).await.map_err(AppError::new)? {
            Ok(prepared) => prepared,
            Err(reason) => return Ok(Verdict::Invalid(reason)),
        };
        self.steps.pass("block-checked");
        let id = prepared.id;
        self.keep_undecided(round, proposer, prepared).await.map_err(AppError::new)?;
        Ok(Verdict::Valid(id))
    }

    /// Puts a batch into the mempool, if the key that it was checked with still counts.
    ///
    /// INVARIANT: under the chain's lock, so that a roster entered meanwhile either is seen here or finds the batch.
    fn keep_waiting(&self, batch: CheckedBatch, checked_by: &Membership) -> Result<(), SubmitError> {
        let chain = self.chain.read();
        let author = &batch.batch().author;
        let key = |of: &Membership| of.member(author).map(|m| m.verifying_key.clone());
        if key(chain.state.membership()) != key(checked_by) {
            return Err(covenant_state::Inadmissible::NotMember { author: author.clone() }.into());
        }
        self.mempool.add(batch).map(|_| ())
    }

    fn admissible(&self, batch: &CheckedBatch) -> Result<(), SubmitError> {
        let limit = MAX_BLOCK_BYTES - BLOCK_OVERHEAD;
        if batch.size() > limit {
            return Err(SubmitError::TooLarge { size: batch.size(), limit });
        }
        let chain = self.chain.read();
        let time_ms = self.clock.now_ms().max(chain.state.time_ms());
        Ok(chain.state.admissible(time_ms, batch)?)
    }

    /// Checks a batch with the keys of a height.
    fn check_batch_at(&self, batch: SignedBatch, membership: &Membership) -> Result<CheckedBatch, SubmitError> {
        let Some(keys) = membership.keys(&batch.author) else {
            return Err(covenant_state::Inadmissible::NotMember { author: batch.author }.into());
        };
        Ok(batch.check(&self.consortium, &keys.verifying)?)
    }

    /// As [`Self::check_batch`], on this chain, knowing what the mempool has checked already.
    ///
    /// INVARIANT: the mempool holds nothing that was signed with keys of an older roster, see [`Self::enter_roster`].
    fn check_known(&self, chain: &Chain, batch: SignedBatch) -> Result<CheckedBatch, String> {
        match self.mempool.checked(&batch) {
            Some(known) => Ok(known),
            None => self.check_batch_at(batch, chain.state.membership()).map_err(|e| e.to_string()),
        }
    }

    /// Makes a new roster known to all who check signatures, and forgets what was signed with keys that count no more.
    async fn enter_roster(&self, header: &Header, certificate: &Certificate) -> Result<(), NodeError> {
        if header.next_roster.is_none() {
            return Ok(());
        }
        let (before, next) = {
            let chain = self.chain.read();
            let trust = chain.state.trust();
            (trust.at(header.height).clone(), chain.state.membership().clone())
        };
        let anchor = Anchor { header: header.clone(), certificate: certificate.clone() };
        let step = RosterStep::between(before.roster(), next.roster());
        self.handovers.write().push(Handover { step, anchor });
        self.trust.write().adopt(next.clone());
        let key = |of: &Membership, id: &MemberId| of.member(id).map(|m| m.verifying_key.clone());
        let gone = self.mempool.retain(|b| key(&before, &b.author) == key(&next, &b.author));
        Ok(self.store.drop_pending(&gone).await?)
    }

    pub(crate) fn tip_now(&self) -> Tip {
        let chain = self.chain.read();
        let (height, time_ms) = (chain.state.height(), chain.state.time_ms());
        Tip { height, block: chain.parent, leaves: chain.tail.size(), time_ms }
    }

    /// Runs CPU work with the chain at hand, off the async threads.
    async fn on_chain<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self, &Chain) -> T + Send + 'static,
    ) -> Result<T, NodeError> {
        let replica = self.clone();
        let run = move || work(&replica, &replica.chain.read());
        tokio::task::spawn_blocking(run).await.map_err(|_| NodeError::Stopping)
    }

    /// Stores a block durably before anyone may vote for it, and keeps its execution for the decision.
    async fn keep_undecided(&self, round: u32, proposer: &MemberId, block: Prepared) -> Result<(), NodeError> {
        let (height, id, bytes) = (block.header.height, block.id, block.bytes.to_vec());
        let undecided = covenant_store::Undecided { height, round, proposer: proposer.clone(), id, bytes };
        self.store.put_undecided(&undecided).await?;
        self.steps.pass("undecided-stored");
        let mut known = self.prepared.lock();
        if known.len() >= PREPARED {
            known.remove(0);
        }
        known.push(block);
        Ok(())
    }

    /// The decided block as executed; after a restart, executed again from what was stored before voting.
    async fn recall(self: &Arc<Self>, height: u64, block: Digest) -> Result<Prepared, NodeError> {
        let known = std::mem::take(&mut *self.prepared.lock()).into_iter().find(|p| p.id == block);
        if let Some(known) = known {
            return Ok(known);
        }
        let undecided = self.store.undecided_all().await?;
        let Some(stored) = undecided.into_iter().find(|u| u.id == block) else {
            return Err(NodeError::Unexecutable { height, reason: "its bytes were never stored here".into() });
        };
        let bytes = Bytes::from(stored.bytes);
        let now_ms = u64::MAX;
        let check = move |replica: &Self, chain: &Chain| chain.check(now_ms, &bytes, |b| replica.check_known(chain, b));
        self.on_chain(check).await?.map_err(|reason| NodeError::Unexecutable { height, reason })
    }

    async fn commit_now(
        self: &Arc<Self>,
        height: u64,
        block: Digest,
        certificate: &Certificate,
        evidence: Vec<Evidence>,
    ) -> Result<(), NodeError> {
        if height <= self.chain.read().state.height() {
            return Ok(());
        }
        let prepared = self.recall(height, block).await?;
        let included: Vec<Digest> = prepared.batches.iter().map(CheckedBatch::id).collect();
        self.steps.pass("before-commit");
        let started = Instant::now();
        let entries = prepared.rows();
        let Prepared { header, bytes, batches, mut execution, tiles, first_leaf, tail, .. } = prepared;
        let mut commit = Commit {
            height,
            block,
            time_ms: header.time_ms,
            bytes: bytes.into(),
            certificate: to_bytes(certificate),
            entries,
            seen: execution.seen.clone(),
            rows: std::mem::take(&mut execution.rows),
            tiles,
            log_size: header.log.size,
            included: included.clone(),
            evidence: evidence.iter().map(evidence_bytes).collect(),
        };
        self.store.commit(&commit).await?;
        self.steps.pass("after-commit");
        execution.rows = std::mem::take(&mut commit.rows);
        let derived = execution.derived.clone();
        let signers: BTreeSet<_> = certificate.signatures.iter().map(|s| s.validator.clone()).collect();
        self.chain.write().advance(execution, tail, &header, signers.into_iter().collect());
        self.wished.store(false, Ordering::Release);
        self.mempool.remove(&included);
        self.enter_roster(&header, certificate).await?;
        for shown in evidence {
            let _stopping = self.contradictions.send(equivocation(shown));
        }
        let event = CommittedBlock { header, id: block, batches, derived, first_leaf };
        self.metrics.committed(&event, started.elapsed(), self.mempool.backlog());
        // Nobody listening is no fault.
        let _listeners = self.events.send(Arc::new(event));
        Ok(())
    }
}

/// A contradiction as it goes on the ledger.
fn equivocation(evidence: Evidence) -> Equivocation {
    let Evidence { validator, height, first, second } = evidence;
    let statement = |s: Statement| SignedStatement { message: s.message, signature: s.signature };
    Equivocation { validator, height, first: statement(first), second: statement(second) }
}

/// Two contradicting statements with their signatures, as canonical bytes.
fn evidence_bytes(evidence: &Evidence) -> Vec<u8> {
    let bytes = |b: &[u8]| ByteVec::from(b.to_vec());
    let (first, second) = (&evidence.first, &evidence.second);
    to_bytes(&(
        evidence.validator.clone(),
        evidence.height,
        (bytes(&first.message), bytes(&first.signature)),
        (bytes(&second.message), bytes(&second.signature)),
    ))
}

/// The lowest height whose body is in the database itself.
async fn lowest_here(store: &Store, tip: u64) -> Result<u64, NodeError> {
    let (mut without, mut with) = (0, tip.saturating_add(1));
    while with - without > 1 {
        let middle = without + (with - without) / 2;
        let here = store.block_here(middle).await?.is_some_and(|stored| stored.body == Kept::Full);
        if here { with = middle } else { without = middle }
    }
    Ok(with)
}

/// The lowest height from which on every body is at hand.
pub(crate) async fn earliest_body(store: &Store, tip: u64) -> Result<u64, NodeError> {
    let has = async |height: u64| -> Result<bool, NodeError> {
        Ok(store.block(height).await?.is_some_and(|stored| stored.body == Kept::Full))
    };
    if tip == 0 || has(1).await? {
        return Ok(1);
    }
    // Bodies are archived from below, so those at hand are the upper part.
    let (mut without, mut with) = (1, tip.saturating_add(1));
    while with - without > 1 {
        let middle = without + (with - without) / 2;
        if has(middle).await? { with = middle } else { without = middle }
    }
    Ok(with)
}

/// Rebuilds the chain's tip from stored rows and checks what can be checked at once.
async fn load_chain(genesis: &Arc<Genesis>, store: &Store) -> Result<Chain, NodeError> {
    let tip = store.tip().await?;
    let fresh_after = tip.as_ref().map_or(0, |t| t.time_ms.saturating_sub(genesis.charter.freshness_ms));
    let loaded = store.load(fresh_after).await?;
    let mut chain = Chain::begin(genesis)?;
    let Some(tip) = tip else { return Ok(chain) };
    chain.state = State::restore(genesis, tip.height, tip.time_ms, loaded.rows, loaded.seen)?;
    chain.tail = LogTail::restore(tip.log_size, loaded.tiles);
    chain.parent = tip.block;
    // The newest header is wanted in any case, for the signers of its own.
    for height in chain.window().min(tip.height).max(1)..=tip.height {
        let Some(stored) = store.block(height).await? else { continue };
        let header = header_of(&stored)?;
        chain.note_signers(&header);
        if height == tip.height {
            let certificate: Certificate = from_bytes(&stored.certificate)?;
            let signers: BTreeSet<_> = certificate.signatures.into_iter().map(|s| s.validator).collect();
            chain.tip_signers = signers.into_iter().collect();
            check_tip(&chain, &header)?;
        }
    }
    Ok(chain)
}

/// The log rebuilt from tiles must have the roots that validators signed.
fn check_tip(chain: &Chain, header: &Header) -> Result<(), NodeError> {
    let roots = chain.tail.roots();
    let diverged = |what, found, recorded| NodeError::Diverged { height: header.height, what, found, recorded };
    if header.id() != chain.parent {
        return Err(diverged("block id", header.id(), chain.parent));
    }
    if roots != header.log {
        return Err(diverged("log root", roots.sm3, header.log.sm3));
    }
    Ok(())
}

/// The replica as the engine sees it.
pub(crate) struct Engineered(pub(crate) Arc<Replica>);

#[async_trait]
impl Application for Engineered {
    async fn tip(&self) -> Result<u64, AppError> {
        Ok(self.0.tip_now().height)
    }

    async fn validators(&self, _height: u64) -> Result<ValidatorSet, AppError> {
        Ok(self.0.chain.read().live_validators())
    }

    async fn wanted(&self, _height: u64) {
        loop {
            let arrived = self.0.mempool.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            let next_due_ms = self.0.chain.read().state.next_due_ms();
            let now_ms = self.0.clock.now_ms();
            let handing_over = self.0.chain.read().state.awaits_roster() || self.0.wished.load(Ordering::Acquire);
            if handing_over || !self.0.mempool.is_empty() || next_due_ms.is_some_and(|due| due <= now_ms) {
                return;
            }
            let sleep_ms = next_due_ms.map_or(1_000, |due| due.saturating_sub(now_ms).clamp(1, 1_000));
            tokio::select! {
                () = arrived => {}
                () = tokio::time::sleep(std::time::Duration::from_millis(sleep_ms)) => {}
            }
        }
    }

    async fn propose(&self, height: u64, round: u32) -> Result<Proposal, AppError> {
        let replica = &self.0;
        let stored = replica.store.undecided(height, round).await.map_err(AppError::new)?;
        if let Some(own) = stored.into_iter().find(|u| u.proposer == replica.member) {
            return Ok(Proposal { id: own.id, block: own.bytes.into() });
        }
        let build = |replica: &Replica, chain: &Chain| {
            let batches = replica.mempool.oldest(MAX_BLOCK_BYTES - BLOCK_OVERHEAD);
            chain.build(&replica.member, replica.clock.now_ms(), batches)
        };
        let (prepared, left_out) = replica.on_chain(build).await.map_err(AppError::new)?;
        replica.steps.pass("block-built");
        replica.mempool.remove(&left_out);
        replica.store.drop_pending(&left_out).await.map_err(AppError::new)?;
        let proposal = Proposal { id: prepared.id, block: prepared.bytes.clone() };
        replica.keep_undecided(round, &replica.member, prepared).await.map_err(AppError::new)?;
        Ok(proposal)
    }

    async fn check(&self, _height: u64, round: u32, proposer: &MemberId, block: Bytes) -> Result<Verdict, AppError> {
        self.0.check_at(self.0.clock.now_ms(), round, proposer, block).await
    }

    async fn check_decided(
        &self,
        _height: u64,
        round: u32,
        proposer: &MemberId,
        block: Bytes,
    ) -> Result<Verdict, AppError> {
        self.0.check_at(u64::MAX, round, proposer, block).await
    }

    async fn undecided(&self, height: u64, round: u32) -> Result<Vec<Undecided>, AppError> {
        let stored = self.0.store.undecided(height, round).await.map_err(AppError::new)?;
        Ok(stored.into_iter().map(|u| Undecided { proposer: u.proposer, id: u.id, block: u.bytes.into() }).collect())
    }

    async fn commit(
        &self,
        height: u64,
        block: Digest,
        certificate: &Certificate,
        evidence: Vec<Evidence>,
    ) -> Result<(), AppError> {
        self.0.commit_now(height, block, certificate, evidence).await.map_err(AppError::new)
    }

    async fn strengthened(&self, certificate: &Certificate) -> Result<(), AppError> {
        let mut chain = self.0.chain.write();
        if certificate.block == chain.parent {
            let signers: BTreeSet<_> = certificate.signatures.iter().map(|s| s.validator.clone()).collect();
            chain.tip_signers = signers.into_iter().collect();
        }
        Ok(())
    }

    async fn condemned(&self, block: &Bytes, certificate: &Certificate, reason: &str) -> Option<AppError> {
        let header = Block::read(block).ok()?.header;
        let anchor = Anchor { header, certificate: certificate.clone() };
        let replica = &self.0;
        let theirs = anchor.belongs_to(&replica.consortium, replica.genesis.suite)
            && anchor.header.height == replica.tip_now().height.saturating_add(1)
            && replica.trust.read().certified(&anchor).is_ok();
        let (height, reason) = (anchor.header.height, reason.to_owned());
        theirs.then(|| AppError::new(NodeError::Unexecutable { height, reason }))
    }

    async fn idle_blocks(&self) -> Result<u32, AppError> {
        Ok(self.0.chain.read().idle)
    }

    async fn committed(&self, height: u64) -> Result<Option<Committed>, AppError> {
        let stored = self.0.store.block(height).await.map_err(AppError::new)?;
        let Some(stored) = stored.filter(|s| s.body == Kept::Full) else { return Ok(None) };
        let certificate = from_bytes(&stored.certificate).map_err(AppError::new)?;
        Ok(Some(Committed { block: stored.bytes.into(), certificate }))
    }

    async fn earliest(&self) -> Result<u64, AppError> {
        Ok(self.0.earliest.load(Ordering::Acquire))
    }
}
