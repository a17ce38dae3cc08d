//! The holder's side of a node: runs permitted queries beside the data and records that it did.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use covenant_canon::{from_bytes, to_bytes};
use covenant_domain::{Authority, Body, Completion, Entry, IntentId, MemberId, SignedRetrieval};
use covenant_ledger::{MAX_BATCH, SignedBatch};
use covenant_state::{OpenQuery, State};
use covenant_store::{Input, StoredAnswer};
use covenant_worker::lookup::RetrieveJob;
use covenant_worker::{CheckedPermit, Done, Job, RunError, Worker};
use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast};
use tracing::{Instrument, Span};

use crate::changes::Changes;
use crate::error::NodeError;
use crate::gossip::Offer;
use crate::keyring::Keyring;
use crate::lookup::Lookups;
use crate::replica::{CommittedBlock, Replica};

/// Answers kept in memory for the consumers that wait for them.
const REMEMBERED: usize = 8192;
/// How often unfinished work is looked at again.
const SWEEP: Duration = Duration::from_secs(2);

pub(crate) struct Holder {
    pub(crate) replica: Arc<Replica>,
    worker: Worker,
    lookups: Arc<Lookups>,
    keyring: Arc<Keyring>,
    gossip: Arc<dyn Offer>,
    work: Mutex<Work>,
    wake: Notify,
    /// Counts stored answers and blocks seen: what consumers wait for.
    pub(crate) changes: Arc<Changes>,
}

/// Jobs whose permits and inputs are here.
#[derive(Default)]
struct Ready {
    plain: Vec<Job>,
    lookups: Vec<RetrieveJob>,
}

#[derive(Default)]
struct Work {
    /// By query and sender: what another member sends under a query takes nobody's place.
    inputs: BTreeMap<IntentId, BTreeMap<MemberId, Input>>,
    /// The trace in which each input came, so that running it belongs to the same trace.
    spans: BTreeMap<IntentId, Span>,
    permitted: BTreeSet<IntentId>,
    /// Entries that void permits this holder cannot use.
    voids: Vec<Body>,
    answers: BTreeMap<IntentId, StoredAnswer>,
    order: VecDeque<IntentId>,
}

impl Work {
    fn keep(&mut self, input: Input) {
        self.inputs.entry(input.intent).or_default().entry(input.consumer.clone()).or_insert(input);
    }

    fn forget(&mut self, intent: &IntentId) {
        self.inputs.remove(intent);
        self.spans.remove(intent);
    }
}

impl Holder {
    pub(crate) fn new(
        replica: Arc<Replica>,
        worker: Worker,
        lookups: Arc<Lookups>,
        keyring: Arc<Keyring>,
        gossip: Arc<dyn Offer>,
    ) -> Arc<Self> {
        let (work, wake, changes) = (Mutex::default(), Notify::new(), Arc::default());
        Arc::new(Self { replica, worker, lookups, keyring, gossip, work, wake, changes })
    }

    /// Keeps sealed inputs for their permits. Durable when it returns; a sender's first input of an intent stays.
    pub(crate) async fn deliver(&self, inputs: Vec<Input>) -> Result<(), NodeError> {
        self.replica.store.put_inputs(&inputs).await?;
        self.replica.steps.pass("input-stored");
        let mut work = self.work.lock();
        for input in inputs {
            work.spans.insert(input.intent, Span::current());
            work.keep(input);
        }
        drop(work);
        self.wake.notify_one();
        Ok(())
    }

    /// The stored answer of an intent. Whether it may leave is the caller's to check.
    pub(crate) async fn answer(&self, intent: &IntentId) -> Result<Option<StoredAnswer>, NodeError> {
        if let Some(known) = self.work.lock().answers.get(intent) {
            return Ok(Some(known.clone()));
        }
        Ok(self.replica.store.answers(&[*intent]).await?.pop())
    }

    /// Works until the task is dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut events = self.replica.events.subscribe();
        self.sweep().await;
        let mut ticks = tokio::time::interval(SWEEP);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(block) => self.note(&block),
                    Err(broadcast::error::RecvError::Lagged(_)) => self.sweep().await,
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                () = self.wake.notified() => {}
                _ = ticks.tick() => self.sweep().await,
            }
            while let Ok(block) = events.try_recv() {
                self.note(&block);
            }
            while self.run_ready().await {}
        }
    }

    fn note(&self, block: &CommittedBlock) {
        let mut work = self.work.lock();
        let submitted = block.batches.iter().flat_map(|b| b.entries());
        for entry in submitted.filter(|e| e.author.as_ref() == Some(&self.replica.member)) {
            // What is closed is not run again, whatever was delivered once more.
            if let Body::Completion(covenant_domain::Completion { intent, .. })
            | Body::Voided(covenant_domain::Voided { intent, .. }) = &entry.body
            {
                work.permitted.remove(intent);
                work.forget(intent);
            }
        }
        for entry in &block.derived {
            match &entry.body {
                Body::Decision(decision) => {
                    let permit = decision.permit().filter(|p| p.holder == self.replica.member);
                    match permit {
                        Some(permit) => match self.lookups.void(permit) {
                            Some(void) => work.voids.push(void),
                            None => {
                                work.permitted.insert(permit.intent);
                            }
                        },
                        None => work.forget(&decision.intent),
                    }
                }
                Body::Lapse(lapse) => {
                    work.permitted.remove(&lapse.intent);
                    work.forget(&lapse.intent);
                }
                _ => {}
            }
        }
    }

    /// Finds work that events did not bring: after a restart, a lost event, a completion that did not make it.
    async fn sweep(&self) {
        let open: Vec<IntentId> = {
            let chain = self.replica.chain.read();
            let mine = chain.state.open_queries().filter(|q| q.permit.holder == self.replica.member);
            mine.map(|q| q.intent.id).collect()
        };
        if open.is_empty() {
            return;
        }
        if let Err(error) = self.sweep_open(&open).await {
            tracing::warn!(error = %error, "unfinished work could not be looked at");
        }
    }

    async fn sweep_open(&self, open: &[IntentId]) -> Result<(), NodeError> {
        let answers = self.replica.store.answers(open).await?;
        let answered: BTreeSet<IntentId> = answers.iter().map(|a| a.intent).collect();
        let unanswered: Vec<IntentId> = open.iter().filter(|i| !answered.contains(i)).copied().collect();
        let inputs = self.replica.store.inputs(&unanswered).await?;
        {
            let mut work = self.work.lock();
            work.permitted.extend(unanswered);
            for input in inputs {
                work.keep(input);
            }
        }
        // Answered but not completed: the completion was lost on its way. While some wait in the mempool, leave it alone.
        if !answers.is_empty() && self.replica.mempool.waiting(&self.replica.member) == 0 {
            let completions = answers.iter().filter_map(|a| from_bytes(&a.completion).ok()).collect();
            self.complete(completions).await;
        }
        Ok(())
    }

    /// Runs what is permitted and has its input; false when there was nothing.
    async fn run_ready(&self) -> bool {
        let voids = std::mem::take(&mut self.work.lock().voids);
        self.submit(voids).await;
        let jobs = self.collect();
        let permits = jobs.plain.iter().map(|j| &j.permit).chain(jobs.lookups.iter().map(|j| &j.permit));
        let intents: Vec<IntentId> = permits.map(CheckedPermit::intent).collect();
        if intents.is_empty() {
            return false;
        }
        let span = self.span(&intents);
        match self.run_jobs(jobs).instrument(span).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = %error, cause = ?std::error::Error::source(&error).map(ToString::to_string),
                    queries = intents.len(), "permitted queries could not be run; they are tried again");
                false
            }
        }
    }

    /// A span in the trace of the first query, linked to those of the others.
    fn span(&self, intents: &[IntentId]) -> Span {
        let mut work = self.work.lock();
        let mut spans = intents.iter().filter_map(|i| work.spans.remove(i));
        let parent = spans.next().unwrap_or_else(Span::none);
        let (member, queries) = (&self.replica.member, intents.len());
        let span = tracing::info_span!(parent: &parent, "worker.run", %member, queries);
        for other in spans {
            span.follows_from(&other);
        }
        span
    }

    async fn run_jobs(&self, jobs: Ready) -> Result<(), JobError> {
        let started = Instant::now();
        let mut done = match jobs.plain.is_empty() {
            true => Vec::new(),
            false => self.worker.run(jobs.plain).await?,
        };
        if !jobs.lookups.is_empty() {
            done.extend(self.worker.retrieve(self.replica.consortium, jobs.lookups).await?);
        }
        self.replica.metrics.ran(started.elapsed());
        self.replica.steps.pass("query-run");
        let completions: Vec<Completion> = done.iter().map(|d| d.completion.clone()).collect();
        self.keep(done).await?;
        self.replica.steps.pass("answer-stored");
        self.complete(completions).await;
        self.replica.steps.pass("completion-submitted");
        Ok(())
    }

    /// Jobs for permits whose inputs are here, at most one signature's worth.
    fn collect(&self) -> Ready {
        let chain = self.replica.chain.read();
        let mut guard = self.work.lock();
        let work = &mut *guard;
        let is_ready = |intent: &&IntentId| {
            let Some(senders) = work.inputs.get(intent) else { return false };
            chain.state.open_query(intent).is_some_and(|q| senders.contains_key(&q.intent.consumer))
        };
        let ready: Vec<IntentId> = work.permitted.iter().filter(is_ready).take(MAX_BATCH).copied().collect();
        let mut jobs = Ready::default();
        for intent in ready {
            work.permitted.remove(&intent);
            let Some(query) = chain.state.open_query(&intent) else { continue };
            let senders = work.inputs.remove(&intent);
            let Some(input) = senders.and_then(|mut s| s.remove(&query.intent.consumer)) else { continue };
            if self.take(&mut jobs, &chain.state, query.clone(), input).is_none() {
                tracing::warn!(%intent, "a permit on the ledger cannot be used");
            }
        }
        jobs
    }

    fn take(&self, jobs: &mut Ready, state: &State, query: OpenQuery, input: Input) -> Option<()> {
        let OpenQuery { intent, permit } = query;
        let commitment = match &intent.authority {
            Authority::Consent { id } => state.consent(id)?.consent.commitment,
            Authority::Legal { commitment, .. } => *commitment,
        };
        let dataset = state.dataset(&permit.dataset)?.clone();
        let keys = state.keys(&permit.consumer)?;
        let consumer_key = keys.sealing.clone();
        let is_lookup = permit.epoch.is_some();
        let checked = CheckedPermit::check(state.suite(), &self.replica.member, state.time_ms(), intent, permit);
        let permit = checked.inspect_err(|fault| tracing::warn!(%fault, "a permit is not used")).ok()?;
        match is_lookup {
            true => {
                // Inputs of other modes come by another way, so that nothing has checked it yet for certain.
                let signed: SignedRetrieval = from_bytes(&input.sealed).ok()?;
                let admitted = self.lookups.shelf.admit(state.suite(), &permit, &signed, &keys.verifying);
                admitted.inspect_err(|fault| tracing::warn!(%fault, "a retrieval is not run")).ok()?;
                jobs.lookups.push(RetrieveJob { permit, retrieval: signed.retrieval, consumer_key });
            }
            false => jobs.plain.push(Job { permit, dataset, commitment, input: input.sealed, consumer_key }),
        }
        Some(())
    }

    /// Stores answers before anything else hears of them.
    async fn keep(&self, done: Vec<Done>) -> Result<(), NodeError> {
        let created_ms = self.replica.clock.now_ms();
        let keep = |d: Done| StoredAnswer {
            intent: d.intent,
            consumer: d.consumer,
            sealed: d.sealed,
            completion: to_bytes(&d.completion),
            submitted: false,
            created_ms,
        };
        let answers: Vec<StoredAnswer> = done.into_iter().map(keep).collect();
        self.replica.store.put_answers(&answers).await?;
        let mut work = self.work.lock();
        for answer in answers {
            work.order.push_back(answer.intent);
            work.answers.insert(answer.intent, answer);
        }
        while work.order.len() > REMEMBERED {
            if let Some(oldest) = work.order.pop_front() {
                work.answers.remove(&oldest);
            }
        }
        drop(work);
        self.changes.note();
        Ok(())
    }

    /// Hands completions to the ledger; what fails is found again by the next sweep.
    async fn complete(&self, completions: Vec<Completion>) {
        self.submit(completions.into_iter().map(Body::Completion).collect()).await;
    }

    /// Hands entries of this member to the ledger under one signature each batch.
    pub(crate) async fn submit(&self, bodies: Vec<Body>) {
        if bodies.is_empty() {
            return;
        }
        let membership = self.replica.chain.read().state.membership().clone();
        let Some(key) = self.keyring.key_of(&membership) else {
            tracing::warn!(member = %self.replica.member, "the ledger names a key of this member that is not here");
            return;
        };
        let (author, made_ms) = (Some(self.replica.member.clone()), self.replica.clock.now_ms());
        let entry = |body| Entry { author: author.clone(), made_ms, body };
        let entries: Vec<Entry> = bodies.into_iter().map(entry).collect();
        for chunk in entries.chunks(MAX_BATCH) {
            let signed = SignedBatch::sign(&self.replica.consortium, &self.replica.member, chunk, &key);
            let submitted = match signed {
                Ok(batch) => {
                    let sent = Arc::new(batch.clone());
                    self.replica.submit(batch).await.map(|_| self.gossip.offer(&sent))
                }
                Err(fault) => Err(fault.into()),
            };
            if let Err(fault) = submitted {
                tracing::warn!(%fault, "entries could not be handed to the ledger; completions are tried again");
            }
        }
    }
}

/// Why jobs were not finished.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error("the worker could not run them")]
    Run(#[from] RunError),
    #[error("their answers could not be stored")]
    Store(#[from] NodeError),
}
