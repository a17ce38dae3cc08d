//! What may stand in a block: fresh entries without personal numbers, each recorded at most once, completions of open
//! queries.

use std::collections::BTreeSet;

use covenant_canon::Digest;
use covenant_domain::{Body, IntentId, MemberId, personal};
use covenant_ledger::CheckedBatch;

use crate::State;
use crate::apply::{MAX_REASON, names_tables};
use crate::execution::{Inadmissible, SeenEntry};

/// Checks that entries are fresh and recorded at most once, batch by batch.
pub(crate) struct Fresh<'a> {
    state: &'a State,
    time_ms: u64,
    /// Whether the block is at hand, so that completions can be held against open queries.
    in_block: bool,
    entries: BTreeSet<Digest>,
    intents: BTreeSet<IntentId>,
    completed: BTreeSet<IntentId>,
    pub(crate) seen: Vec<SeenEntry>,
}

impl<'a> Fresh<'a> {
    pub(crate) fn new(state: &'a State, time_ms: u64) -> Self {
        let (entries, intents, completed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { state, time_ms, in_block: false, entries, intents, completed, seen: Vec::new() }
    }

    pub(crate) fn in_block(state: &'a State, time_ms: u64) -> Self {
        Self { in_block: true, ..Self::new(state, time_ms) }
    }

    /// Takes the whole batch or nothing of it.
    pub(crate) fn admit(&mut self, batch: &CheckedBatch) -> Result<(), Inadmissible> {
        let author = &batch.batch().author;
        if self.state.member(author).is_none() {
            return Err(Inadmissible::NotMember { author: author.clone() });
        }
        let (before, mut completed) = (self.seen.len(), Vec::new());
        let result = batch.entries().iter().zip(batch.ids()).try_for_each(|(entry, id)| {
            if let Some((intent, names_tables)) = self.closes(&entry.body)
                && self.admit_completion(author, intent, names_tables)?
            {
                completed.push(intent);
            }
            let intent = match &entry.body {
                Body::Intent(intent) => Some(intent.id),
                _ => None,
            };
            if let Some(found) = personal(&entry.body) {
                return Err(Inadmissible::Personal { entry: *id, found });
            }
            self.admit_one(entry.made_ms, *id, intent)
        });
        if result.is_err() {
            for undone in self.seen.drain(before..) {
                self.entries.remove(&undone.entry);
                if let Some(intent) = undone.intent {
                    self.intents.remove(&intent);
                }
            }
            completed.iter().for_each(|id| {
                self.completed.remove(id);
            });
        }
        result
    }

    fn admit_one(&mut self, made_ms: u64, entry: Digest, intent: Option<IntentId>) -> Result<(), Inadmissible> {
        let (time_ms, freshness_ms) = (self.time_ms, self.state.charter().freshness_ms);
        // INVARIANT: an intent's own time is fresh too. It is remembered until it no longer is, so an id is decided once.
        let id_ms = intent.map_or(made_ms, |i| i.time_ms());
        if let Some(stale_ms) = [made_ms, id_ms].into_iter().find(|t| t.abs_diff(time_ms) > freshness_ms) {
            return Err(Inadmissible::Stale { entry, made_ms: stale_ms, time_ms, freshness_ms });
        }
        if self.state.seen_entries.contains(&entry) || self.entries.contains(&entry) {
            return Err(Inadmissible::Duplicate { entry });
        }
        if let Some(intent) = intent
            && (self.state.seen_intents.contains(&intent) || self.intents.contains(&intent))
        {
            return Err(Inadmissible::IntentReused { intent });
        }
        self.entries.insert(entry);
        self.intents.extend(intent);
        // An intent id may be dated after its entry; it must be remembered until both are stale.
        self.seen.push(SeenEntry { fresh_ms: made_ms.max(id_ms), entry, intent });
        Ok(())
    }

    /// The query an entry would close, and whether it names what the answer was computed from as it must.
    fn closes(&self, body: &Body) -> Option<(IntentId, bool)> {
        match body {
            Body::Completion(completion) => {
                let query = self.state.open_query(&completion.intent);
                Some((completion.intent, query.is_none_or(|q| names_tables(self.state, q, completion))))
            }
            Body::Voided(voided) => Some((voided.intent, voided.reason.chars().count() <= MAX_REASON)),
            _ => None,
        }
    }

    /// Whether the completion is its holder's and counts. What another member sends is ordered and rejected.
    fn admit_completion(&mut self, author: &MemberId, intent: IntentId, whole: bool) -> Result<bool, Inadmissible> {
        if !self.in_block {
            return Ok(false);
        }
        let not_open = Inadmissible::NotOpen { intent };
        let query = self.state.open_query(&intent).ok_or(not_open.clone())?;
        if &query.permit.holder != author {
            return Ok(false);
        }
        let counts = whole && self.time_ms < query.permit.expires_ms && self.completed.insert(intent);
        if counts { Ok(true) } else { Err(not_open) }
    }
}

impl State {
    /// Whether an intent was recorded, as far as recent ones are remembered; absent when it is too old to be told.
    pub fn knows_intent(&self, id: &IntentId, now_ms: u64) -> Option<bool> {
        let remembered = id.time_ms().saturating_add(self.charter().freshness_ms) > now_ms.max(self.time_ms());
        if self.seen_intents.contains(id) { Some(true) } else { remembered.then_some(false) }
    }

    /// Whether every entry of a batch is on the ledger already, as far as recent entries are remembered.
    pub fn has_all(&self, batch: &CheckedBatch) -> bool {
        batch.ids().iter().all(|id| self.seen_entries.contains(id))
    }
}
