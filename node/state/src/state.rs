//! The state in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use covenant_canon::{CanonError, Digest, SuiteId, from_bytes, to_bytes};
use covenant_domain::{DatasetId, GrantId, IntentId, Member, MemberId, PurposeCode};
use covenant_engine::{GrantState, Guard, GuardError, Moment};
use covenant_ledger::{Charter, CheckedBatch, Genesis, GenesisError, MemberKeys, Membership, RosterError, Trust};

use crate::apply;
use crate::beside::Beside;
use crate::draft::Draft;
use crate::execution::{Execution, Inadmissible, Row, SeenEntry};
use crate::fresh::Fresh;
use crate::object::{Key, Object};
use crate::objects::{Kind, Objects};
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
    /// A stored roster does not hold.
    #[error("a stored roster is not usable")]
    Roster(#[from] RosterError),
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
    /// Rosters of all heights that are known.
    trust: Trust,
    /// Of the next height.
    membership: Arc<Membership>,
    objects: Objects,
    grants: BTreeMap<GrantRoute, BTreeSet<GrantId>>,
    /// Consumers with the datasets they hold or held a grant on.
    pairs: BTreeSet<(MemberId, DatasetId)>,
    guards: BTreeMap<MemberId, Arc<Guard>>,
    /// What happens by itself, and when.
    due: BTreeSet<(u64, Key)>,
    /// Consumers' requests that were answered by a consent.
    consent_requests: BTreeSet<Digest>,
    /// Queries that were disputed, by whom.
    disputed: BTreeSet<(MemberId, IntentId)>,
    seen: BTreeSet<SeenEntry>,
    pub(crate) seen_entries: BTreeSet<Digest>,
    pub(crate) seen_intents: BTreeSet<IntentId>,
    tree: StateTree,
    height: u64,
    time_ms: u64,
    pub(crate) catalogue_height: u64,
}

impl State {
    /// The state before the first block.
    ///
    /// # Errors
    /// [`StateError::Genesis`].
    pub fn genesis(genesis: &Genesis) -> Result<Self, StateError> {
        let trust = Trust::new(genesis)?;
        Ok(Self {
            suite: genesis.suite,
            consortium: genesis.digest(),
            membership: trust.latest().clone(),
            trust,
            objects: Objects::default(),
            grants: BTreeMap::new(),
            pairs: BTreeSet::new(),
            guards: BTreeMap::new(),
            due: BTreeSet::new(),
            consent_requests: BTreeSet::new(),
            disputed: BTreeSet::new(),
            seen: BTreeSet::new(),
            seen_entries: BTreeSet::new(),
            seen_intents: BTreeSet::new(),
            tree: StateTree::new(genesis.suite),
            height: 0,
            time_ms: genesis.created_ms,
            catalogue_height: 0,
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
        (state.height, state.time_ms, state.catalogue_height) = (height, time_ms, height);
        let mut books = Vec::new();
        for row in &rows {
            let Some(value) = &row.value else { continue };
            let (key, object): (Key, Object) = (from_bytes(&row.key)?, from_bytes(value)?);
            match &object {
                Object::Policy(book) => books.push(book.clone()),
                // Keys of rosters lie in the order of their numbers.
                Object::Roster(roster) => {
                    let known = state.trust.latest().clone();
                    let next = Membership::new(state.suite, roster.as_ref().clone(), Some(&known))?;
                    state.trust.adopt(Arc::new(next));
                }
                _ => {}
            }
            state.place(key, Some(object));
        }
        state.membership = state.trust.at(height + 1).clone();
        for book in books {
            let guard = Guard::compile(state.suite, &book, state.membership.roster().members())?;
            state.guards.insert(book.holder, Arc::new(guard));
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
        Ok(self.run(height, time_ms, batches, None)?.0)
    }

    pub(crate) fn run(
        &self,
        height: u64,
        time_ms: u64,
        batches: &[CheckedBatch],
        beside: Option<Beside>,
    ) -> Result<(Execution, Option<Beside>), Inadmissible> {
        if time_ms < self.time_ms {
            return Err(Inadmissible::Time { time_ms, parent_ms: self.time_ms });
        }
        let mut draft = Draft::new(self, self.moment(height, time_ms));
        draft.beside = beside;
        apply::due(&mut draft);
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
        let (derived, membership) = (draft.derived, draft.membership);
        Ok((Execution { height, time_ms, derived, changes, rows, seen, guards, membership }, draft.beside))
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

    /// Makes an execution happen.
    pub fn apply(&mut self, execution: Execution) {
        self.tree.update(&execution.rows);
        self.note_catalogue(&execution);
        for (key, object) in execution.changes {
            self.place(key, object);
        }
        self.guards.extend(execution.guards);
        (self.height, self.time_ms) = (execution.height, execution.time_ms);
        if let Some(next) = execution.membership {
            self.trust.adopt(next);
        }
        self.enter_roster();
        self.remember(execution.seen);
        self.forget();
    }

    /// Takes the roster of the next height, and reads rule books again where it is another one.
    fn enter_roster(&mut self) {
        let next = self.trust.at(self.height.saturating_add(1)).clone();
        if Arc::ptr_eq(&next, &self.membership) {
            return;
        }
        self.membership = next;
        let books = self.objects.of(Kind::Policy).filter_map(|(_, object)| match object {
            Object::Policy(book) => Some(book),
            _ => None,
        });
        let members = || self.membership.roster().members();
        // INVARIANT: a rule book that compiled once compiles under any later roster, which names all former members.
        let compiled = books.filter_map(|book| Guard::compile(self.suite, book, members()).ok());
        self.guards = compiled.map(|guard| (guard.holder().clone(), Arc::new(guard))).collect();
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
        &self.membership.roster().charter
    }

    /// Parsed public keys of a member whose signatures count.
    pub fn keys(&self, member: &MemberId) -> Option<&MemberKeys> {
        self.membership.keys(member)
    }

    /// Who belongs to the consortium at the next height.
    pub fn membership(&self) -> &Arc<Membership> {
        &self.membership
    }

    /// Rosters of all heights that are known.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Whether something has become due by this time: a permit ran out, a clock, a vote.
    pub fn has_due(&self, time_ms: u64) -> bool {
        self.due.first().is_some_and(|(due, _)| *due <= time_ms)
    }

    /// When the next thing becomes due.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.due.first().map(|(due, _)| *due)
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// A member whose signatures count.
    pub(crate) fn member(&self, id: &MemberId) -> Option<&Member> {
        self.membership.member(id)
    }

    pub(crate) fn object(&self, key: &Key) -> Option<&Object> {
        self.objects.get(key)
    }

    pub(crate) fn guard(&self, holder: &MemberId) -> Option<&Guard> {
        self.guards.get(holder).map(Arc::as_ref)
    }

    /// Grants of a dataset, whoever they are for.
    pub(crate) fn grants_of(&self, dataset: &DatasetId) -> impl Iterator<Item = &GrantId> {
        self.grants.iter().filter(move |((_, of, _), _)| of == dataset).flat_map(|(_, ids)| ids)
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

    pub(crate) fn moment(&self, height: u64, time_ms: u64) -> Moment {
        let Charter { freshness_ms, completion_ms, .. } = *self.charter();
        Moment { height, time_ms, freshness_ms, completion_ms }
    }

    /// What has become due by this time, the oldest first.
    pub(crate) fn overdue(&self, time_ms: u64) -> impl Iterator<Item = &(u64, Key)> + use<'_> {
        self.due.iter().take_while(move |(due, _)| *due <= time_ms)
    }

    /// Whether the member holds or held a grant on the dataset.
    pub(crate) fn has_held_grant(&self, consumer: &MemberId, dataset: &DatasetId) -> bool {
        self.pairs.contains(&(consumer.clone(), dataset.clone()))
    }

    /// Whether a consumer's request was answered by a consent already.
    pub(crate) fn answered(&self, request: &Digest) -> bool {
        self.consent_requests.contains(request)
    }

    /// Whether the member has disputed this query.
    pub(crate) fn has_disputed(&self, member: &MemberId, intent: &IntentId) -> bool {
        self.disputed.contains(&(member.clone(), *intent))
    }

    /// Sets or removes an object and keeps the indices in step.
    fn place(&mut self, key: Key, object: Option<Object>) {
        let due = object.as_ref().and_then(Object::due_ms);
        match &object {
            Some(Object::Grant(GrantState { grant, .. })) => {
                let route = (grant.consumer.clone(), grant.dataset.clone(), grant.purpose.clone());
                self.pairs.insert((grant.consumer.clone(), grant.dataset.clone()));
                self.grants.entry(route).or_default().insert(grant.id);
            }
            Some(Object::Consent(state)) => self.consent_requests.extend(state.consent.request),
            Some(Object::Dispute(state)) => {
                self.disputed.insert((state.consumer.clone(), state.dispute.intent));
            }
            _ => {}
        }
        let before = match object {
            Some(object) => self.objects.insert(key.clone(), object),
            None => self.objects.remove(&key),
        };
        let was_due = before.as_ref().and_then(Object::due_ms);
        if was_due != due {
            was_due.map(|at| self.due.remove(&(at, key.clone())));
            due.map(|at| self.due.insert((at, key)));
        }
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
        let limit = self.time_ms.saturating_sub(self.charter().freshness_ms);
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
