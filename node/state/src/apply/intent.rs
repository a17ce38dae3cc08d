//! Queries: intent, decision, completion.

use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::{Body, Completion, ConsentId, ConsentStatus, GrantId, Intent, Lapse, MemberId, Outcome};
use covenant_engine::{Facts, decide};

use super::Rejection;
use crate::draft::Draft;
use crate::object::{GrantUse, Key, Object, OpenQuery};

/// Most lapses recorded in one block; the rest follow in the next.
const LAPSES_PER_BLOCK: usize = 256;

/// Closes what ran out by the time of the block.
pub(crate) fn lapses(draft: &mut Draft<'_>) {
    let base = draft.base;
    for (due_ms, intent) in base.overdue(draft.moment.time_ms).take(LAPSES_PER_BLOCK) {
        draft.delete(Key::Open(intent));
        draft.derive(Body::Lapse(Lapse { intent, due_ms }));
    }
}

/// Decides an intent, records the decision and debits budgets (I8).
pub(super) fn asked(draft: &mut Draft<'_>, intent: &Intent) {
    let query = Digest::of(draft.base.suite(), Label::INTENT, &to_bytes(intent));
    let terms = decide(draft, intent, query, &draft.moment);
    if let Some((grant, window_start_ms)) = terms.debit_grant {
        debit_grant(draft, grant, window_start_ms);
    }
    if let Some(consent) = terms.debit_consent {
        debit_consent(draft, consent);
    }
    if let Outcome::Permitted { permit } = &terms.decision.outcome {
        let query = OpenQuery { intent: intent.clone(), permit: permit.clone() };
        draft.put(Key::Open(intent.id), Object::Open(query));
    }
    draft.derive(Body::Decision(terms.decision));
}

fn debit_grant(draft: &mut Draft<'_>, grant: GrantId, window_start_ms: u64) {
    let used = draft.quota_used(&grant, window_start_ms) + 1;
    draft.put(Key::GrantUse(grant), Object::GrantUse(GrantUse { window_start_ms, used }));
}

fn debit_consent(draft: &mut Draft<'_>, id: ConsentId) {
    let Some(state) = draft.consent(&id) else { return };
    let mut state = state.clone();
    state.uses += 1;
    if state.uses >= state.consent.max_uses {
        state.status = ConsentStatus::Exhausted;
    }
    draft.put(Key::Consent(id), Object::Consent(state));
}

/// Closes an open query by its holder's completion.
pub(super) fn completed(draft: &mut Draft<'_>, author: &MemberId, completion: &Completion) -> Result<(), Rejection> {
    let id = completion.intent;
    let Some(query) = draft.open(&id) else { return Err(format!("intent {id} awaits no completion")) };
    if &query.permit.holder != author {
        return Err(format!("intent {id} is `{}`'s to complete", query.permit.holder));
    }
    if Digest::of(draft.base.suite(), Label::PERMIT, &to_bytes(&query.permit)) != completion.permit {
        return Err(format!("completion of intent {id} names another permit"));
    }
    draft.delete(Key::Open(id));
    Ok(())
}
