//! Queries: intent, decision, completion.

use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::{
    Authority, Body, Completion, ConsentId, ConsentStatus, GrantId, Intent, Lapse, MemberId, Outcome, Voided,
};
use covenant_engine::{Facts, RecentTables, decide};

use super::Rejection;
use crate::State;
use crate::draft::Draft;
use crate::object::{GrantUse, Key, Object, OpenQuery};

/// Most lapses recorded in one block; the rest follow in the next.
const LAPSES_PER_BLOCK: usize = 256;

/// Longest reason for voiding, in characters.
pub(crate) const MAX_REASON: usize = 200;

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
    if !names_tables(draft.base, query, completion) {
        return Err(format!("completion of intent {id} does not name the tables in force that it was computed from"));
    }
    draft.delete(Key::Open(id));
    Ok(())
}

/// Whether a completion names, for a lookup, tables in force before this block, and nothing of the kind in other modes.
/// Read from the state before the block by admission and execution alike, so that no block holds a completion by its
/// holder that execution then rejects.
pub(crate) fn names_tables(state: &State, query: &OpenQuery, completion: &Completion) -> bool {
    match (query.permit.epoch, &completion.lookup) {
        (None, None) => true,
        (Some(epoch), Some(record)) => {
            let named = RecentTables { epoch, table: record.table, overlay: record.overlay };
            let known = state.epoch(&query.permit.dataset).is_some_and(|s| s.recent.contains(&named));
            known && completion.fields_root == record.retrieved
        }
        _ => false,
    }
}

/// Closes an open query that its holder could not answer; nothing has left.
pub(super) fn voided(draft: &mut Draft<'_>, author: &MemberId, voided: &Voided) -> Result<(), Rejection> {
    let id = voided.intent;
    let Some(query) = draft.open(&id).cloned() else { return Err(format!("intent {id} is not open")) };
    if &query.permit.holder != author {
        return Err(format!("intent {id} is `{}`'s to void", query.permit.holder));
    }
    if Digest::of(draft.base.suite(), Label::PERMIT, &to_bytes(&query.permit)) != voided.permit {
        return Err(format!("voiding intent {id} names another permit"));
    }
    if voided.reason.chars().count() > MAX_REASON {
        return Err(format!("reason of voiding intent {id} has more than {MAX_REASON} characters"));
    }
    draft.delete(Key::Open(id));
    if draft.base.charter().restores_voided == Some(true) {
        restore(draft, &query);
    }
    Ok(())
}

/// Gives back what the intent debited (I8). A window that has passed gives nothing back.
fn restore(draft: &mut Draft<'_>, query: &OpenQuery) {
    let grant = query.permit.grant;
    let debited_ms = query.permit.expires_ms.saturating_sub(draft.moment.completion_ms);
    if let Some(GrantUse { window_start_ms, used }) = draft.grant_use(&grant).copied()
        && window_start_ms <= debited_ms
    {
        draft.put(Key::GrantUse(grant), Object::GrantUse(GrantUse { window_start_ms, used: used.saturating_sub(1) }));
    }
    let Authority::Consent { id } = &query.intent.authority else { return };
    let Some(state) = draft.consent(id) else { return };
    let mut state = state.clone();
    state.uses = state.uses.saturating_sub(1);
    if state.status == ConsentStatus::Exhausted {
        state.status = ConsentStatus::Active;
    }
    draft.put(Key::Consent(*id), Object::Consent(state));
}
