//! A running node.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use covenant_canon::{Digest, Label};
use covenant_consensus::{Config, ConsensusError, Engine, Network};
use covenant_domain::{Body, ConsentId, ConsentUse, Decision, IntentId, MemberId, Notification, Release, Simulation};
use covenant_engine::{Guard, Plan, Wish};
use covenant_ledger::{Bundle, EntryReceipt, Genesis, Handover, SignedBatch, entry_id};
use covenant_source::Source;
use covenant_state::State;
use covenant_store::{Input, Store};
use covenant_suite::{OpeningKey, suite};
use covenant_worker::Worker;
use covenant_worker::lookup::{EpochFiles, Shelf};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::error::{NodeError, SubmitError};
use crate::evidence::{entry_of, state_of};
use crate::gossip::{Gossip, Offer};
use crate::holder::Holder;
use crate::keyring::Keyring;
use crate::lookup::{EpochSettings, Lookups};
use crate::replay::{compare, rebuild, simulate};
use crate::replica::{CommittedBlock, Engineered, Replica, Tip};
use crate::steps::Steps;
use crate::stored::{block_of, header_of};
use crate::tasks;
use crate::track::{QueryState, Released, Tracker};
use crate::votes::Votes;

/// Settings of a node.
pub struct NodeConfig {
    /// Whose node it is.
    pub member: MemberId,
    /// The founding document.
    pub genesis: Arc<Genesis>,
    /// Signs its votes and entries.
    pub keyring: Arc<Keyring>,
    /// Opens what is sealed to it.
    pub opening: Arc<OpeningKey>,
    /// Database of the replica, `sqlite://...` or `postgres://...`.
    pub store_url: String,
    /// Folder of the consensus engine's log.
    pub wal_dir: PathBuf,
    /// The department's records.
    pub sources: Vec<Arc<dyn Source>>,
    /// Where epochs of private lookup are kept.
    pub epochs: EpochSettings,
    /// Folder of archives of old blocks.
    pub archives: Option<PathBuf>,
    /// How votes and blocks reach the other validators.
    pub network: Network,
    /// How batches reach the other mempools.
    pub gossip: Gossip,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Points at which a test may stop the process.
    pub steps: Steps,
    /// Whether it only follows, though its member may be a validator.
    pub observe: bool,
}

/// What became of a recorded entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEntry {
    /// Its digest.
    pub entry: Digest,
    /// Leaf number.
    pub leaf: u64,
    /// Block height.
    pub height: u64,
    /// What the ledger said.
    pub outcome: Outcome,
}

/// Whether an entry took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It did.
    Accepted,
    /// It was recorded and rejected, with the reason.
    Rejected(String),
}

/// A running node. Dropping it stops its tasks.
pub struct Node {
    pub(crate) replica: Arc<Replica>,
    pub(crate) holder: Arc<Holder>,
    pub(crate) lookups: Arc<Lookups>,
    tracker: Arc<Tracker>,
    pub(crate) keyring: Arc<Keyring>,
    gossip: Arc<dyn Offer>,
    engine: Engine,
    /// Aborted when dropped.
    tasks: JoinSet<()>,
}

impl Node {
    /// Opens the store, rebuilds the state, joins consensus and begins to answer.
    ///
    /// # Errors
    /// [`NodeError`] when store, genesis or keys are not usable.
    pub async fn start(config: NodeConfig) -> Result<Self, NodeError> {
        let NodeConfig {
            member,
            genesis,
            keyring,
            opening,
            store_url,
            wal_dir,
            sources,
            epochs,
            archives,
            network,
            gossip,
            clock,
            steps,
            observe,
        } = config;
        let store = Store::open(&store_url).await?;
        let store = match archives {
            Some(folder) => store.with_archives(folder),
            None => store,
        };
        let Gossip { offer, offered } = gossip;
        let (contradictions, contradicted) = mpsc::unbounded_channel();
        let replica = Replica::open(member.clone(), genesis.clone(), store, clock, steps, contradictions).await?;
        check_identity(&replica, &keyring, &opening)?;
        let observe = observe || barred(&replica).await?;
        let files = EpochFiles::new(epochs.dir, genesis.suite, opening.clone());
        let shelf = Arc::new(Shelf::new(files, epochs.memory));
        let lookups = Lookups::new(replica.clone(), shelf.clone(), &sources);
        let worker = Worker::new(genesis.suite, opening, sources).serving(shelf);
        let holder = Holder::new(replica.clone(), worker, lookups.clone(), keyring.clone(), offer.clone());
        let votes = Arc::new(Votes { keyring: keyring.clone(), trust: replica.trust.clone() });
        let tracker = Arc::new(Tracker::default());
        let mut background = JoinSet::new();
        background.spawn(tasks::track(replica.events.subscribe(), tracker.clone(), holder.changes.clone()));
        background.spawn(holder.clone().run());
        background.spawn(tasks::take_offers(replica.clone(), offered));
        background.spawn(tasks::offer_again(replica.clone(), offer.clone()));
        background.spawn(tasks::show_contradictions(holder.clone(), contradicted));
        background.spawn(tasks::forget_answers(replica.clone()));
        background.spawn(lookups.clone().tidy());
        let mut settings = Config::new(replica.consortium, member, wal_dir);
        settings.observes = observe;
        let app = Arc::new(Engineered(replica.clone()));
        let engine = covenant_consensus::start(settings, app, votes.clone(), votes, network).await?;
        Ok(Self { replica, holder, lookups, tracker, keyring, gossip: offer, engine, tasks: background })
    }

    /// Stops taking part. Nothing that was promised is lost.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.engine.stop().await;
        self.replica.store.close().await;
    }

    /// Resolves when consensus died here: the disk is full, the database or the log failed. The node signs and commits
    /// nothing any more; what it committed stands. Stop it, remove the cause, start it again.
    pub async fn failed(&self) -> Arc<ConsensusError> {
        self.engine.failed().await
    }

    /// Whether consensus still runs here, as far as is known now.
    pub fn is_running(&self) -> bool {
        !self.engine.has_failed()
    }

    /// Whose node it is.
    pub fn member(&self) -> &MemberId {
        &self.replica.member
    }

    /// The founding document.
    pub fn genesis(&self) -> &Arc<Genesis> {
        &self.replica.genesis
    }

    /// Newest block.
    pub fn tip(&self) -> Tip {
        self.replica.tip_now()
    }

    /// Entries waiting for a block.
    pub fn backlog(&self) -> usize {
        self.replica.mempool.backlog()
    }

    /// Looks at the state; keep it short, blocks wait meanwhile.
    pub fn with_state<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.replica.chain.read().state)
    }

    /// Blocks as they become final.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<CommittedBlock>> {
        self.replica.events.subscribe()
    }

    /// Takes a member's batch and offers it to the other nodes.
    ///
    /// # Errors
    /// [`SubmitError`] when it can never stand in a block, or not now.
    #[tracing::instrument(name = "node.submit", skip_all, fields(member = %self.member(), author = %batch.author, entries = batch.entries.len()))]
    pub async fn submit(&self, batch: SignedBatch) -> Result<Digest, SubmitError> {
        let offered = Arc::new(batch.clone());
        let checked = self.replica.submit(batch).await?;
        self.gossip.offer(&offered);
        Ok(checked.id())
    }

    /// Takes a batch and waits until it is final.
    ///
    /// # Errors
    /// [`SubmitError`]; [`NodeError::Stopping`] inside when no block came within `wait`.
    pub async fn record(&self, batch: SignedBatch, wait: Duration) -> Result<Vec<RecordedEntry>, SubmitError> {
        let mut events = self.subscribe();
        let digests: Vec<Digest> = {
            let suite = self.replica.genesis.suite;
            batch.entries.iter().map(|e| entry_id(suite, e)).collect()
        };
        let id = self.submit(batch).await?;
        let deadline = tokio::time::Instant::now() + wait;
        if let Some(known) = self.recorded(&digests).await? {
            return Ok(known);
        }
        loop {
            let block = match tokio::time::timeout_at(deadline, events.recv()).await {
                Ok(Ok(block)) => block,
                Ok(Err(broadcast::error::RecvError::Lagged(_))) => match self.recorded(&digests).await? {
                    Some(known) => return Ok(known),
                    None => continue,
                },
                _ => return Err(NodeError::Stopping.into()),
            };
            if block.batches.iter().any(|b| b.id() == id) {
                return Ok(outcomes(&block, &id));
            }
        }
    }

    /// Entries that are final already; absent when one is not.
    async fn recorded(&self, digests: &[Digest]) -> Result<Option<Vec<RecordedEntry>>, NodeError> {
        let mut out = Vec::new();
        for digest in digests {
            let Some(row) = self.replica.store.entry_by_digest(digest).await? else { return Ok(None) };
            let rejections = self.replica.store.entries_about(&digest.to_string()).await?;
            let mut outcome = Outcome::Accepted;
            for rejection in rejections.iter().filter_map(|r| r.derived.as_deref()) {
                let entry: covenant_domain::Entry = covenant_canon::from_bytes(rejection)?;
                if let Body::Rejected { reason, .. } = entry.body {
                    outcome = Outcome::Rejected(reason);
                }
            }
            out.push(RecordedEntry { entry: *digest, leaf: row.leaf, height: row.height, outcome });
        }
        Ok(Some(out))
    }

    /// Takes sealed inputs for queries about this holder's datasets.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    #[tracing::instrument(name = "node.deliver", skip_all, fields(member = %self.member(), queries = inputs.len()))]
    pub async fn deliver(&self, inputs: Vec<Input>) -> Result<(), NodeError> {
        self.holder.deliver(inputs).await
    }

    /// Where a query stands on the ledger, with its consumer.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn query(&self, intent: &IntentId) -> Result<Option<(MemberId, QueryState)>, NodeError> {
        if let Some(known) = self.tracker.get(intent) {
            return Ok(Some(known));
        }
        let now_ms = self.replica.clock.now_ms();
        if self.with_state(|s| s.knows_intent(intent, now_ms)) == Some(false) {
            return Ok(None);
        }
        let Some(bundle) = self.replica.bundle(intent).await? else { return Ok(None) };
        Ok(state_of(&bundle))
    }

    /// The answer of a query of this holder, if it may leave: its receipt is on the ledger, or it is graded general and
    /// permitted. This is the one door through which answers leave a node (I1).
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn release(&self, intent: &IntentId) -> Result<Option<Released>, NodeError> {
        let receipted = match self.query(intent).await? {
            Some((_, QueryState::Completed { .. })) => true,
            Some((_, QueryState::Permitted { release: Release::AfterPermit, .. })) => false,
            _ => return Ok(None),
        };
        let answer = self.holder.answer(intent).await?;
        Ok(answer.map(|a| Released { sealed: a.sealed, receipted }))
    }

    /// Whether an intent waits in this node's mempool.
    pub fn is_waiting(&self, intent: &IntentId) -> bool {
        self.replica.mempool.has_intent(intent)
    }

    /// The evidence bundle of a decided query.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn evidence(&self, intent: &IntentId) -> Result<Option<Bundle>, NodeError> {
        self.replica.bundle(intent).await
    }

    /// How rosters behind this number follow, in their order.
    pub fn handovers(&self, after: u32) -> Vec<Handover> {
        self.replica.handovers.read().iter().skip(after as usize).cloned().collect()
    }

    /// Up to 256 permits that a holder's stewards, or else regulators, are told of, behind a leaf and in the order of the
    /// ledger.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn told(&self, holder: Option<&MemberId>, after: Option<u64>) -> Result<Vec<Notification>, NodeError> {
        self.replica.told(holder, after).await
    }

    /// The receipt of a submitted entry.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn receipt(&self, entry: &Digest) -> Result<Option<EntryReceipt>, NodeError> {
        self.replica.receipt(entry).await
    }

    /// Up to 256 intents that name a consent, behind a leaf and in the order of the ledger.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn uses(&self, consent: &ConsentId, after: Option<u64>) -> Result<Vec<ConsentUse>, NodeError> {
        self.replica.uses(consent, after).await
    }

    /// The recorded decision with its height; with `replay`, also the decision that executing the ledger again gives.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn explain(
        &self,
        intent: &IntentId,
        replay: bool,
    ) -> Result<Option<(Decision, u64, Option<Decision>)>, NodeError> {
        let rows = self.replica.store.entries_about(&intent.to_string()).await?;
        let Some(row) = rows.iter().find(|r| r.kind == "decision") else { return Ok(None) };
        let Some(bytes) = &row.derived else { return Ok(None) };
        let entry: covenant_domain::Entry = covenant_canon::from_bytes(bytes)?;
        let Body::Decision(decision) = entry.body else { return Ok(None) };
        let again = match replay {
            true => rebuild(&self.replica.store, &self.replica.genesis, row.height, Some(*intent)).await?.decision,
            false => None,
        };
        Ok(Some((decision, row.height, again)))
    }

    /// What the newest `last` queries to a holder's datasets would have been told under another rule book of it.
    ///
    /// # Errors
    /// [`NodeError::Diverged`] where executing the ledger again gives something else than is recorded.
    pub async fn simulate(&self, guard: Arc<Guard>, last: u32) -> Result<Simulation, NodeError> {
        simulate(&self.replica.store, &self.replica.genesis, guard, last as usize).await
    }

    /// Advice before a query.
    pub fn plan(&self, wish: &Wish) -> Plan {
        self.with_state(|state| state.plan(wish, self.replica.clock.now_ms()))
    }

    /// Executes the whole ledger again and compares it with the tables.
    ///
    /// # Errors
    /// [`NodeError::Diverged`] where they differ.
    pub async fn rebuild(&self) -> Result<BTreeMap<&'static str, u64>, NodeError> {
        compare(&self.replica.store, &self.replica.genesis).await
    }

    /// Does the real operation: sees that consensus runs, signs and verifies with the member's key, reads the newest block
    /// back and checks it.
    ///
    /// # Errors
    /// What failed, in words.
    pub async fn probe(&self) -> Result<(), String> {
        tokio::select! {
            biased;
            cause = self.engine.failed() => return Err(format!("consensus stopped: {cause}")),
            () = std::future::ready(()) => {}
        }
        tokio::select! {
            biased;
            failure = self.failed() => return Err(in_words(&*failure)),
            () = std::future::ready(()) => {}
        }
        let message = self.tip().block;
        let words = suite(self.replica.genesis.suite);
        let membership = self.replica.membership();
        let signing = self.keyring.key_of(&membership).ok_or("the key that the ledger names is not here")?;
        let signature = words.sign(&signing, Label::REQUEST, message.as_bytes()).map_err(|e| e.to_string())?;
        let key = membership.keys(self.member()).ok_or("no key of its own")?;
        key.verifying.verify(Label::REQUEST, message.as_bytes(), &signature).map_err(|e| e.to_string())?;
        let tip = self.tip();
        if tip.height == 0 {
            return Ok(());
        }
        let stored = self.replica.store.block(tip.height).await.map_err(|e| e.to_string())?;
        let stored = stored.ok_or_else(|| format!("block {} cannot be read back", tip.height))?;
        let header = header_of(&stored).map_err(|e| e.to_string())?;
        if header.id() == tip.block { Ok(()) } else { Err(format!("block {} reads back differently", tip.height)) }
    }

    /// The entry at a leaf of the log; absent beyond its end.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn entry(&self, leaf: u64) -> Result<Option<covenant_domain::Entry>, NodeError> {
        let Some(row) = self.replica.store.entries(leaf, 1).await?.pop().filter(|r| r.leaf == leaf) else {
            return Ok(None);
        };
        let Some(stored) = self.replica.store.block(row.height).await? else { return Ok(None) };
        entry_of(&row, &block_of(&stored)?).map(Some)
    }
}

/// Whether the key at hand must not vote: this replica was restored from a backup, and the machine from which it was
/// taken may have voted since. A new key makes it a validator again.
async fn barred(replica: &Replica) -> Result<bool, NodeError> {
    let Some(bytes) = replica.store.mark(RESTORED).await? else { return Ok(false) };
    let barred: Vec<String> = covenant_canon::from_bytes(&bytes)?;
    let membership = replica.membership();
    let key = membership.member(&replica.member).map(|m| &m.verifying_key);
    let is_barred = key.is_none_or(|key| barred.contains(key));
    if is_barred {
        tracing::warn!(member = %replica.member, "restored from a backup: it follows without voting until it is started with a rotated key in force");
    }
    Ok(is_barred)
}

/// Mark under which a restored replica keeps the keys that must not vote.
pub const RESTORED: &str = "node/restored";

/// An error with its causes.
fn in_words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |e| e.source()).map(|e| format!(": {e}"));
    std::iter::once(error.to_string()).chain(causes).collect()
}

/// The member is one, or was one that may follow, and the keys at hand are the ones on the ledger.
fn check_identity(replica: &Replica, keyring: &Keyring, opening: &OpeningKey) -> Result<(), NodeError> {
    let member = &replica.member;
    let wrong = |reason| Err(NodeError::Identity { member: member.clone(), reason });
    let chain = replica.chain.read();
    // A replica that is behind may not know its member, or its newest key, yet: it follows until it does.
    let membership = chain.state.trust().latest();
    let Some(known) = membership.member(member) else { return Ok(()) };
    if keyring.key_of(membership).is_none() || known.sealing_key != opening.sealing_key().to_string() {
        return wrong("the keys at hand are not the ones on the ledger");
    }
    Ok(())
}

fn outcomes(block: &CommittedBlock, id: &Digest) -> Vec<RecordedEntry> {
    let rejected = block.rejected();
    let all = block.batches.iter().flat_map(|b| b.ids().iter().map(move |e| (b.id(), e)));
    let own = (block.first_leaf..).zip(all).filter(|(_, (batch, _))| batch == id);
    let outcome = |entry: &Digest| rejected.get(entry).map_or(Outcome::Accepted, |r| Outcome::Rejected(r.clone()));
    let height = block.header.height;
    own.map(|(leaf, (_, entry))| RecordedEntry { entry: *entry, leaf, height, outcome: outcome(entry) }).collect()
}
