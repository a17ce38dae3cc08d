//! Disputes about records: opened by who was answered, answered by the holder within its clock.

use covenant_domain::{Clock, Dispute, DisputeAnswer, DisputeId, DisputeState, MAX_WORDS, MemberId, Power, Role};
use covenant_engine::Facts;

use super::{Rejection, delegation, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};
use crate::objects::Kind;

/// How long after a query its answer may be disputed, in milliseconds: half a year.
const DISPUTABLE_MS: u64 = 183 * 24 * 3_600_000;

/// A consumer disputes an answer. Whether the query was answered is the holder's to know: queries that are closed are no
/// longer part of the state. A dispute about nothing costs its author its name, since it stays on record.
pub(super) fn opened(draft: &mut Draft<'_>, author: &MemberId, dispute: &Dispute) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Consumer)?;
    let (id, now_ms) = (dispute.id, draft.moment.time_ms);
    if draft.dispute(&id).is_some() {
        return Err(format!("dispute {id} exists already"));
    }
    let Some(dataset) = draft.dataset(&dispute.dataset).cloned() else {
        return Err(format!("no dataset `{}` is published", dispute.dataset));
    };
    if dispute.fields.is_empty() || !dispute.fields.is_sorted_by(|a, b| a < b) {
        return Err(format!("dispute {id} names its fields, sorted and each once"));
    }
    if let Some(field) = dispute.fields.iter().find(|f| dataset.field(f).is_none()) {
        return Err(format!("dataset `{}` has no field `{field}`", dispute.dataset));
    }
    let asked_ms = dispute.intent.time_ms();
    if asked_ms > now_ms || now_ms - asked_ms > DISPUTABLE_MS {
        return Err(format!("dispute {id}: intent {} is not of the last half year", dispute.intent));
    }
    let twice =
        |o: &Object| matches!(o, Object::Dispute(d) if &d.consumer == author && d.dispute.intent == dispute.intent);
    if draft.base.has_disputed(author, &dispute.intent) || draft.changed(Kind::Dispute).any(twice) {
        return Err(format!("`{author}` has disputed intent {} already", dispute.intent));
    }
    if !draft.has_held_grant(author, &dispute.dataset) {
        return Err(format!("`{author}` never held a grant on dataset `{}`", dispute.dataset));
    }
    let calendar = draft.calendar();
    let due_ms = calendar.due_ms(now_ms, calendar.clocks.dispute_days);
    let clock = Clock { member: dataset.holder.clone(), started_ms: now_ms, due_ms, overdue: false };
    let (consumer, holder) = (author.clone(), dataset.holder);
    let state = DisputeState { dispute: dispute.clone(), consumer, holder, clock, answer: None, answered_ms: 0 };
    draft.count(author, &dispute.dataset, |u| u.disputed += 1);
    draft.put(Key::Dispute(id), Object::Dispute(state));
    Ok(())
}

/// The holder corrects, or says why the record stands.
pub(super) fn answered(
    draft: &mut Draft<'_>,
    author: &MemberId,
    id: &DisputeId,
    answer: &DisputeAnswer,
) -> Result<(), Rejection> {
    let Some(state) = draft.dispute(id) else { return Err(format!("no dispute {id} is on the ledger")) };
    let mut state = state.clone();
    let dataset = state.dispute.dataset.clone();
    if !delegation::acts_for(draft, author, &state.holder, Power::AnswerDisputes, &dataset) {
        return Err(format!("dispute {id} is `{}`'s to answer", state.holder));
    }
    if state.answer.is_some() {
        return Err(format!("dispute {id} is answered already"));
    }
    let (DisputeAnswer::Corrected { note: words } | DisputeAnswer::Refused { reason: words }) = answer;
    if words.trim().is_empty() || words.chars().count() > MAX_WORDS {
        return Err(format!("the answer to dispute {id} needs 1 to {MAX_WORDS} characters"));
    }
    draft.count(&state.consumer, &dataset, |u| match answer {
        DisputeAnswer::Corrected { .. } => u.corrected += 1,
        DisputeAnswer::Refused { .. } => u.upheld += 1,
    });
    (state.answer, state.answered_ms) = (Some(answer.clone()), draft.moment.time_ms);
    draft.put(Key::Dispute(*id), Object::Dispute(state));
    Ok(())
}
