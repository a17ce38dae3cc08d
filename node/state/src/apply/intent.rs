//! Queries: intent, decision, completion.

use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::{
    Authority, Body, Completion, ConsentId, ConsentStatus, Decision, GrantId, Intent, Lapse, MemberId, Outcome, Voided,
};
use covenant_engine::{Facts, RecentTables, decide, window_start_ms};

use super::Rejection;
use crate::State;
use crate::beside::Twice;
use crate::draft::Draft;
use crate::object::{Key, Object, OpenQuery, WindowUse};

/// Longest reason for voiding, in characters.
pub(crate) const MAX_REASON: usize = 200;

/// Closes a permitted query whose completion did not come in time.
pub(super) fn lapsed(draft: &mut Draft<'_>, due_ms: u64, query: &OpenQuery) {
    let intent = query.intent.id;
    draft.delete(Key::Open(intent));
    draft.count(&query.permit.consumer, &query.permit.dataset, |u| u.lapsed += 1);
    draft.derive(Body::Lapse(Lapse { intent, due_ms }));
}

/// Decides an intent, records the decision and debits budgets (I8).
pub(super) fn asked(draft: &mut Draft<'_>, intent: &Intent) {
    let query = Digest::of(draft.base.suite(), Label::INTENT, &to_bytes(intent));
    let terms = decide(draft, intent, query, &draft.moment);
    decide_beside(draft, intent, &terms.decision);
    if let Some((grant, window_start_ms)) = terms.debit_grant {
        debit_grant(draft, grant, window_start_ms);
    }
    if let Some(consent) = terms.debit_consent {
        debit_consent(draft, consent);
    }
    if let Some((grant, window_start_ms)) = terms.debit_rate {
        let used = draft.rate_used(&grant, window_start_ms) + 1;
        draft.put(Key::Rate(grant), Object::Rate(WindowUse { window_start_ms, used }));
    }
    if let Outcome::Permitted { permit } = &terms.decision.outcome {
        let query = OpenQuery { intent: intent.clone(), permit: permit.clone() };
        draft.put(Key::Open(intent.id), Object::Open(query));
        draft.count(&intent.consumer, &intent.dataset, |u| u.permitted += 1);
    } else {
        draft.count(&intent.consumer, &intent.dataset, |u| u.refused += 1);
    }
    draft.derive(Body::Decision(terms.decision));
}

/// Decides once more under the other rule book, where one stands beside and the holder is its own.
fn decide_beside(draft: &mut Draft<'_>, intent: &Intent, real: &Decision) {
    let Some(holder) = draft.dataset(&intent.dataset).map(|d| d.holder.clone()) else { return };
    if !draft.beside.as_ref().is_some_and(|b| b.is_about(&holder)) {
        return;
    }
    let turn = |draft: &mut Draft<'_>, in_use| draft.beside.iter_mut().for_each(|b| b.in_use = in_use);
    turn(draft, true);
    let other = decide(draft, intent, real.query, &draft.moment);
    turn(draft, false);
    let twice = Twice { intent: intent.clone(), real: real.clone(), other: other.decision };
    draft.beside.iter_mut().for_each(|b| b.record(twice.clone(), other.debit_rate));
}

fn debit_grant(draft: &mut Draft<'_>, grant: GrantId, window_start_ms: u64) {
    let used = draft.quota_used(&grant, window_start_ms) + 1;
    draft.put(Key::GrantUse(grant), Object::GrantUse(WindowUse { window_start_ms, used }));
    super::deletion::falls_due(draft, grant);
}

fn debit_consent(draft: &mut Draft<'_>, id: ConsentId) {
    let Some(state) = draft.consent(&id) else { return };
    let mut state = state.clone();
    state.uses += 1;
    if state.uses >= state.consent.max_uses {
        state.status = ConsentStatus::Exhausted;
    }
    if let Some(quota) = state.consent.frequency {
        let window_start_ms = window_start_ms(draft.moment.time_ms, quota.window_ms);
        let used = draft.consent_used(&id, window_start_ms) + 1;
        draft.put(Key::ConsentUse(id), Object::ConsentUse(WindowUse { window_start_ms, used }));
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
    let (consumer, dataset, mode) = (query.permit.consumer.clone(), query.permit.dataset.clone(), query.permit.mode);
    draft.delete(Key::Open(id));
    draft.count(&consumer, &dataset, |u| u.count_answer(mode));
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
    draft.count(&query.permit.consumer, &query.permit.dataset, |u| u.voided += 1);
    if draft.base.charter().restores_voided == Some(true) {
        restore(draft, &query);
    }
    Ok(())
}

/// Gives back what the intent debited (I8). A window that has passed gives nothing back.
fn restore(draft: &mut Draft<'_>, query: &OpenQuery) {
    let grant = query.permit.grant;
    let debited_ms = query.permit.expires_ms.saturating_sub(draft.moment.completion_ms);
    if let Some(WindowUse { window_start_ms, used }) = draft.grant_use(&grant).copied()
        && window_start_ms <= debited_ms
    {
        draft.put(Key::GrantUse(grant), Object::GrantUse(WindowUse { window_start_ms, used: used.saturating_sub(1) }));
    }
    let Authority::Consent { id } = &query.intent.authority else { return };
    let Some(state) = draft.consent(id) else { return };
    let mut state = state.clone();
    if let Some(WindowUse { window_start_ms, used }) = draft.consent_use(id).copied()
        && window_start_ms <= debited_ms
    {
        let used = used.saturating_sub(1);
        draft.put(Key::ConsentUse(*id), Object::ConsentUse(WindowUse { window_start_ms, used }));
    }
    state.uses = state.uses.saturating_sub(1);
    if state.status == ConsentStatus::Exhausted {
        state.status = ConsentStatus::Active;
    }
    draft.put(Key::Consent(*id), Object::Consent(state));
}
