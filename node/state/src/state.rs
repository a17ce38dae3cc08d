//! The state in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use covenant_canon::{CanonError, Digest, SuiteId, from_bytes, to_bytes};
use covenant_domain::{ConsentId, Dataset, DatasetId, GrantId, IntentId, Member, MemberId, Purpose, PurposeCode};
use covenant_engine::{ConsentState, GrantState, Guard, GuardError, Moment, Plan, Wish, plan};
use covenant_ledger::{Charter, CheckedBatch, Genesis, GenesisError, MemberKeys};

use crate::apply;
use crate::draft::Draft;
use crate::execution::{Execution, Inadmissible, Row, SeenEntry};
use crate::fresh::Fresh;
use crate::object::{Key, Object, OpenQuery};
use crate::tree::StateTree;

/// Why stored rows do not make a state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The genesis is not usable.
    #[error("genesis is not usable")]
    Genesis(#[from] GenesisError),
    /// A row cannot be read.
    #[error("a row of the state table cannot be read")]
    Row(#[from] CanonError),
    /// A rule book that was once accepted no longer compiles.
    #[error("a stored rule book is not usable")]
    Guard(#[from] GuardError),
}

type GrantRoute = (MemberId, DatasetId, PurposeCode);

/// Everything a decision depends on, after some block.
#[derive(Clone)]
pub struct State {
    suite: SuiteId,
    consortium: Digest,
    charter: Charter,
    members: BTreeMap<MemberId, Member>,
    keys: BTreeMap<MemberId, MemberKeys>,
    objects: BTreeMap<Key, Object>,
    grants: BTreeMap<GrantRoute, BTreeSet<GrantId>>,
    guards: BTreeMap<MemberId, Arc<Guard>>,
    due: BTreeSet<(u64, IntentId)>,
    seen: BTreeSet<SeenEntry>,
    pub(crate) seen_entries: BTreeSet<Digest>,
    pub(crate) seen_intents: BTreeSet<IntentId>,
    tree: StateTree,
    height: u64,
    time_ms: u64,
}

impl State {
    /// The state before the first block.
    ///
    /// # Errors
    /// [`StateError::Genesis`].
    pub fn genesis(genesis: &Genesis) -> Result<Self, StateError> {
        Ok(Self {
            suite: genesis.suite,
            consortium: genesis.digest(),
            charter: genesis.charter.clone(),
            members: genesis.members.iter().map(|m| (m.id.clone(), m.clone())).collect(),
            keys: genesis.check()?,
            objects: BTreeMap::new(),
            grants: BTreeMap::new(),
            guards: BTreeMap::new(),
            due: BTreeSet::new(),
            seen: BTreeSet::new(),
            seen_entries: BTreeSet::new(),
            seen_intents: BTreeSet::new(),
            tree: StateTree::new(genesis.suite),
            height: 0,
            time_ms: genesis.created_ms,
        })
    }

    /// The state that stored rows and recent entries describe.
    ///
    /// # Errors
    /// [`StateError`] when a row is not what this build would have written.
    pub fn restore(
        genesis: &Genesis,
        height: u64,
        time_ms: u64,
        rows: Vec<Row>,
        seen: Vec<SeenEntry>,
    ) -> Result<Self, StateError> {
        let mut state = Self::genesis(genesis)?;
        (state.height, state.time_ms) = (height, time_ms);
        for row in &rows {
            let Some(value) = &row.value else { continue };
            let (key, object): (Key, Object) = (from_bytes(&row.key)?, from_bytes(value)?);
            if let Object::Policy(book) = &object {
                let guard = Guard::compile(state.suite, book, state.members.values())?;
                state.guards.insert(book.holder.clone(), Arc::new(guard));
            }
            state.place(key, Some(object));
        }
        state.tree.update(&rows);
        state.remember(seen);
        Ok(state)
    }

    /// Executes a block on top of this state without changing it.
    ///
    /// # Errors
    /// [`Inadmissible`] when the block must not hold one of the batches.
    pub fn execute(&self, height: u64, time_ms: u64, batches: &[CheckedBatch]) -> Result<Execution, Inadmissible> {
        if time_ms < self.time_ms {
            return Err(Inadmissible::Time { time_ms, parent_ms: self.time_ms });
        }
        let mut draft = Draft::new(self, self.moment(height, time_ms));
        apply::lapses(&mut draft);
        let mut fresh = Fresh::in_block(self, time_ms);
        for batch in batches {
            fresh.admit(batch)?;
            for (entry, id) in batch.entries().iter().zip(batch.ids()) {
                apply::entry(&mut draft, entry, *id);
            }
        }
        let seen = fresh.seen;
        let changes: Vec<_> = draft.changes.into_iter().collect();
        let rows = changes.iter().map(|(k, o)| Row { key: to_bytes(k), value: o.as_ref().map(to_bytes) }).collect();
        let guards = draft.guards.into_iter().collect();
        Ok(Execution { height, time_ms, derived: draft.derived, changes, rows, seen, guards })
    }

    /// Whether a batch could stand in a block of this time on top of this state or of a later one: a completion may
    /// arrive before the block that makes it due.
    ///
    /// # Errors
    /// [`Inadmissible`] naming the entry at fault.
    pub fn admissible(&self, time_ms: u64, batch: &CheckedBatch) -> Result<(), Inadmissible> {
        Fresh::new(self, time_ms).admit(batch)
    }

    /// Splits batches into those that can stand together in a block of this time, in their order, and the rest with
    /// what is wrong with each.
    pub fn select(
        &self,
        time_ms: u64,
        batches: Vec<CheckedBatch>,
    ) -> (Vec<CheckedBatch>, Vec<(CheckedBatch, Inadmissible)>) {
        let mut fresh = Fresh::in_block(self, time_ms);
        let (mut fit, mut unfit) = (Vec::new(), Vec::new());
        for batch in batches {
            match fresh.admit(&batch) {
                Ok(()) => fit.push(batch),
                Err(fault) => unfit.push((batch, fault)),
            }
        }
        (fit, unfit)
    }

    /// Whether an intent was recorded, as far as recent ones are remembered; absent when it is too old to be told.
    pub fn knows_intent(&self, id: &IntentId, now_ms: u64) -> Option<bool> {
        let remembered = id.time_ms().saturating_add(self.charter.freshness_ms) > now_ms.max(self.time_ms);
        if self.seen_intents.contains(id) { Some(true) } else { remembered.then_some(false) }
    }

    /// Whether every entry of a batch is on the ledger already, as far as recent entries are remembered.
    pub fn has_all(&self, batch: &CheckedBatch) -> bool {
        batch.ids().iter().all(|id| self.seen_entries.contains(id))
    }

    /// Makes an execution happen.
    pub fn apply(&mut self, execution: Execution) {
        self.tree.update(&execution.rows);
        for (key, object) in execution.changes {
            self.place(key, object);
        }
        self.guards.extend(execution.guards);
        (self.height, self.time_ms) = (execution.height, execution.time_ms);
        self.remember(execution.seen);
        self.forget();
    }

    /// Digest over all objects; stands in the header of the next block.
    pub fn digest(&self) -> Digest {
        self.tree.root()
    }

    /// Height of the newest applied block.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// Block time of the newest applied block.
    pub fn time_ms(&self) -> u64 {
        self.time_ms
    }

    /// Cipher suite of the consortium.
    pub fn suite(&self) -> SuiteId {
        self.suite
    }

    /// Digest of the genesis.
    pub fn consortium(&self) -> Digest {
        self.consortium
    }

    /// Rules of the consortium.
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// All members.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// Parsed public keys of a member.
    pub fn keys(&self, member: &MemberId) -> Option<&MemberKeys> {
        self.keys.get(member)
    }

    /// Whether permits have run out by this time.
    pub fn has_lapses(&self, time_ms: u64) -> bool {
        self.due.first().is_some_and(|(due, _)| *due <= time_ms)
    }

    /// When the next permit runs out.
    pub fn next_lapse_ms(&self) -> Option<u64> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Permitted queries that await completion.
    pub fn open_queries(&self) -> impl Iterator<Item = &OpenQuery> {
        self.due.iter().filter_map(|(_, id)| self.open_query(id))
    }

    /// One permitted query that awaits completion.
    pub fn open_query(&self, id: &IntentId) -> Option<&OpenQuery> {
        match self.object(&Key::Open(*id)) {
            Some(Object::Open(query)) => Some(query),
            _ => None,
        }
    }

    /// All datasets.
    pub fn datasets(&self) -> impl Iterator<Item = &Dataset> {
        self.objects.values().filter_map(|o| match o {
            Object::Dataset(dataset) => Some(dataset),
            _ => None,
        })
    }

    /// All grants.
    pub fn grants_all(&self) -> impl Iterator<Item = &GrantState> {
        self.objects.values().filter_map(|o| match o {
            Object::Grant(state) => Some(state),
            _ => None,
        })
    }

    /// All purposes.
    pub fn purposes(&self) -> impl Iterator<Item = &Purpose> {
        self.objects.values().filter_map(|o| match o {
            Object::Purpose(purpose) => Some(purpose),
            _ => None,
        })
    }

    /// All consents.
    pub fn consents(&self) -> impl Iterator<Item = &ConsentState> {
        self.objects.values().filter_map(|o| match o {
            Object::Consent(state) => Some(state),
            _ => None,
        })
    }

    /// Advice on a query as of now.
    pub fn plan(&self, wish: &Wish, time_ms: u64) -> Plan {
        let draft = Draft::new(self, self.moment(self.height + 1, time_ms.max(self.time_ms)));
        plan(&draft, wish, &draft.moment)
    }

    /// A consent with its status.
    pub fn consent(&self, id: &ConsentId) -> Option<&ConsentState> {
        match self.object(&Key::Consent(*id)) {
            Some(Object::Consent(state)) => Some(state),
            _ => None,
        }
    }

    /// A grant with its status.
    pub fn grant(&self, id: &GrantId) -> Option<&GrantState> {
        match self.object(&Key::Grant(*id)) {
            Some(Object::Grant(state)) => Some(state),
            _ => None,
        }
    }

    /// Queries debited from a grant in its newest window.
    pub fn grant_used(&self, id: &GrantId) -> u64 {
        match self.object(&Key::GrantUse(*id)) {
            Some(Object::GrantUse(used)) => used.used,
            _ => 0,
        }
    }

    /// A dataset in force.
    pub fn dataset(&self, id: &DatasetId) -> Option<&Dataset> {
        match self.object(&Key::Dataset(id.clone())) {
            Some(Object::Dataset(dataset)) => Some(dataset),
            _ => None,
        }
    }

    /// A purpose.
    pub fn purpose(&self, code: &PurposeCode) -> Option<&Purpose> {
        match self.object(&Key::Purpose(code.clone())) {
            Some(Object::Purpose(purpose)) => Some(purpose),
            _ => None,
        }
    }

    pub(crate) fn objects(&self) -> &BTreeMap<Key, Object> {
        &self.objects
    }

    pub(crate) fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.get(id)
    }

    pub(crate) fn object(&self, key: &Key) -> Option<&Object> {
        self.objects.get(key)
    }

    pub(crate) fn guard(&self, holder: &MemberId) -> Option<&Guard> {
        self.guards.get(holder).map(Arc::as_ref)
    }

    pub(crate) fn grant_ids(
        &self,
        consumer: &MemberId,
        dataset: &DatasetId,
        purpose: &PurposeCode,
    ) -> impl Iterator<Item = &GrantId> {
        let route = (consumer.clone(), dataset.clone(), purpose.clone());
        self.grants.get(&route).into_iter().flatten()
    }

    fn moment(&self, height: u64, time_ms: u64) -> Moment {
        let Charter { freshness_ms, completion_ms, .. } = self.charter;
        Moment { height, time_ms, freshness_ms, completion_ms }
    }

    /// Permits that have run out by this time, the oldest first.
    pub(crate) fn overdue(&self, time_ms: u64) -> impl Iterator<Item = (u64, IntentId)> + use<'_> {
        self.due.iter().take_while(move |(due, _)| *due <= time_ms).copied()
    }

    /// Sets or removes an object and keeps the indices in step.
    fn place(&mut self, key: Key, object: Option<Object>) {
        let Some(object) = object else {
            if let Some(Object::Open(query)) = self.objects.remove(&key) {
                self.due.remove(&(query.permit.expires_ms, query.intent.id));
            }
            return;
        };
        match &object {
            Object::Open(query) => {
                self.due.insert((query.permit.expires_ms, query.intent.id));
            }
            Object::Grant(GrantState { grant, .. }) => {
                let route = (grant.consumer.clone(), grant.dataset.clone(), grant.purpose.clone());
                self.grants.entry(route).or_default().insert(grant.id);
            }
            _ => {}
        }
        self.objects.insert(key, object);
    }

    fn remember(&mut self, seen: Vec<SeenEntry>) {
        for one in seen {
            self.seen_entries.insert(one.entry);
            self.seen_intents.extend(one.intent);
            self.seen.insert(one);
        }
    }

    /// Forgets entries that would be refused as stale anyway.
    fn forget(&mut self) {
        let limit = self.time_ms.saturating_sub(self.charter.freshness_ms);
        while let Some(first) = self.seen.first().copied()
            && first.fresh_ms < limit
        {
            self.seen.remove(&first);
            self.seen_entries.remove(&first.entry);
            if let Some(intent) = &first.intent {
                self.seen_intents.remove(intent);
            }
        }
    }
}
