//! What a rule book would have said, beside what is said: every query is decided twice, at its own moment and on the
//! facts of the ledger as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_domain::{Decision, GrantId, Intent, MemberId};
use covenant_engine::Guard;
use covenant_ledger::CheckedBatch;

use crate::State;
use crate::execution::{Execution, Inadmissible};
use crate::object::WindowUse;

/// A query decided twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twice {
    /// The query.
    pub intent: Intent,
    /// The decision on the ledger.
    pub real: Decision,
    /// The decision under the other rule book.
    pub other: Decision,
}

impl Twice {
    /// Whether anything but the name of the rule book differs: the outcome, or what the holder must observe.
    pub fn differs(&self) -> bool {
        let obligations = |decision: &Decision| decision.permit().map(|p| p.obligations.clone());
        obligations(&self.real) != obligations(&self.other)
    }
}

/// Another rule book of one holder. Quotas and consents are those of the ledger; queries a minute are counted anew,
/// since a rule book that limits them may take the place of one that does not.
#[derive(Debug, Clone)]
pub struct Beside {
    guard: Arc<Guard>,
    rates: BTreeMap<GrantId, WindowUse>,
    decided: Vec<Twice>,
    pub(crate) in_use: bool,
}

impl Beside {
    /// Nothing decided yet.
    pub fn new(guard: Arc<Guard>) -> Self {
        Self { guard, rates: BTreeMap::new(), decided: Vec::new(), in_use: false }
    }

    /// What was decided twice since the last call.
    pub fn take(&mut self) -> Vec<Twice> {
        std::mem::take(&mut self.decided)
    }

    /// The other guard, while it is its turn and the holder is its own.
    pub(crate) fn guard(&self, holder: &MemberId) -> Option<&Guard> {
        (self.in_use && self.guard.holder() == holder).then_some(&*self.guard)
    }

    pub(crate) fn is_about(&self, holder: &MemberId) -> bool {
        self.guard.holder() == holder
    }

    pub(crate) fn rate(&self, grant: &GrantId) -> Option<&WindowUse> {
        self.rates.get(grant)
    }

    pub(crate) fn record(&mut self, twice: Twice, debit_rate: Option<(GrantId, u64)>) {
        self.decided.push(twice);
        let Some((grant, window_start_ms)) = debit_rate else { return };
        let before = self.rates.get(&grant).filter(|u| u.window_start_ms == window_start_ms).map_or(0, |u| u.used);
        self.rates.insert(grant, WindowUse { window_start_ms, used: before + 1 });
    }
}

impl State {
    /// As [`Self::execute`], with every query of one holder decided under another rule book too. What is executed is
    /// the same.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub fn execute_beside(
        &self,
        height: u64,
        time_ms: u64,
        batches: &[CheckedBatch],
        beside: &mut Beside,
    ) -> Result<Execution, Inadmissible> {
        let (execution, after) = self.run(height, time_ms, batches, Some(beside.clone()))?;
        if let Some(after) = after {
            *beside = after;
        }
        Ok(execution)
    }
}
