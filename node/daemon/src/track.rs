//! Where recent queries stand, kept from committed blocks; older ones are read from the store.

use std::collections::{BTreeMap, VecDeque};

use covenant_domain::{Body, IntentId, MemberId, Outcome, Reason, Release};
use parking_lot::Mutex;

use crate::replica::CommittedBlock;

/// Queries remembered.
const REMEMBERED: usize = 200_000;

/// Where a query stands on the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryState {
    /// Refused, with reasons.
    Refused(Vec<Reason>),
    /// Permitted, awaiting its completion.
    Permitted {
        /// Who answers.
        holder: MemberId,
        /// When the answer may leave.
        release: Release,
    },
    /// Completed: the receipt is on the ledger.
    Completed {
        /// Who answered.
        holder: MemberId,
    },
    /// Lapsed.
    Lapsed,
    /// The holder could not answer, and nothing has left.
    Voided(String),
}

/// An answer that may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// Canonical bytes of the sealed answer.
    pub sealed: Vec<u8>,
    /// Whether its receipt is on the ledger.
    pub receipted: bool,
}

#[derive(Default)]
pub(crate) struct Tracker(Mutex<Known>);

#[derive(Default)]
struct Known {
    states: BTreeMap<IntentId, (MemberId, QueryState)>,
    order: VecDeque<IntentId>,
}

impl Tracker {
    pub(crate) fn note(&self, block: &CommittedBlock) {
        let mut known = self.0.lock();
        let mut consumers = BTreeMap::new();
        let rejected = block.rejected();
        for (entry, id) in block.batches.iter().flat_map(|b| b.entries().iter().zip(b.ids())) {
            match &entry.body {
                Body::Intent(intent) => {
                    consumers.insert(intent.id, intent.consumer.clone());
                }
                Body::Completion(completion) if !rejected.contains_key(id) => known.complete(&completion.intent),
                Body::Voided(voided) if !rejected.contains_key(id) => {
                    if let Some((_, state)) = known.states.get_mut(&voided.intent) {
                        *state = QueryState::Voided(voided.reason.clone());
                    }
                }
                _ => {}
            }
        }
        for entry in &block.derived {
            match &entry.body {
                Body::Decision(decision) => {
                    let Some(consumer) = consumers.remove(&decision.intent) else { continue };
                    let state = match &decision.outcome {
                        Outcome::Refused => QueryState::Refused(decision.reasons.clone()),
                        Outcome::Permitted { permit } => {
                            QueryState::Permitted { holder: permit.holder.clone(), release: permit.obligations.release }
                        }
                    };
                    known.insert(decision.intent, consumer, state);
                }
                Body::Lapse(lapse) => {
                    if let Some((_, state)) = known.states.get_mut(&lapse.intent) {
                        *state = QueryState::Lapsed;
                    }
                }
                _ => {}
            }
        }
    }

    pub(crate) fn get(&self, intent: &IntentId) -> Option<(MemberId, QueryState)> {
        self.0.lock().states.get(intent).cloned()
    }
}

impl Known {
    fn insert(&mut self, intent: IntentId, consumer: MemberId, state: QueryState) {
        if self.states.insert(intent, (consumer, state)).is_none() {
            self.order.push_back(intent);
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.states.remove(&oldest);
            }
        }
    }

    fn complete(&mut self, intent: &IntentId) {
        if let Some((_, state)) = self.states.get_mut(intent)
            && let QueryState::Permitted { holder, .. } = state
        {
            *state = QueryState::Completed { holder: holder.clone() };
        }
    }
}
