//! The end of data life: what was learned under a grant is deleted, and the consumer says so.

use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::{DeletionAttestation, GrantId, MAX_WORDS, MemberId};
use covenant_engine::GrantState;

use super::Rejection;
use super::due::escalate;
use crate::draft::Draft;
use crate::object::{Key, Object};

/// A day in milliseconds.
const DAY_MS: u64 = 24 * 3_600_000;

/// A grant that is used for the first time will have something to delete.
pub(super) fn falls_due(draft: &mut Draft<'_>, id: GrantId) {
    let Some(state) = draft.grant(&id).filter(|s| s.deletion_due_ms.is_none()).cloned() else { return };
    let end_ms = state.grant.valid_until_ms;
    put_due(draft, state, end_ms);
}

/// A grant that ended early is deleted earlier, if it was ever used.
pub(super) fn ended(draft: &mut Draft<'_>, state: &mut GrantState) {
    if state.deletion_due_ms.is_some() {
        let end_ms = state.grant.valid_until_ms.min(draft.moment.time_ms);
        state.deletion_due_ms = Some(due_ms(draft, state, end_ms));
    }
}

fn put_due(draft: &mut Draft<'_>, mut state: GrantState, end_ms: u64) {
    state.deletion_due_ms = Some(due_ms(draft, &state, end_ms));
    draft.put(Key::Grant(state.grant.id), Object::Grant(state));
}

/// The end of data life, and the working days that the calendar gives to attest.
fn due_ms(draft: &Draft<'_>, state: &GrantState, end_ms: u64) -> u64 {
    let life_ms = u64::from(state.grant.data_life_days) * DAY_MS;
    let calendar = draft.calendar();
    calendar.due_ms(end_ms.saturating_add(life_ms), calendar.clocks.deletion_days)
}

/// Nothing was attested in time.
pub(super) fn overdue(draft: &mut Draft<'_>, due_ms: u64, state: &GrantState) {
    let mut state = state.clone();
    state.deletion_overdue = true;
    let (id, consumer) = (state.grant.id, state.grant.consumer.clone());
    draft.put(Key::Grant(id), Object::Grant(state));
    escalate(draft, "deletion", id.to_string(), consumer, due_ms);
}

/// The consumer of an ended grant attests deletion. Late is better than never, and stays on record as late.
pub(super) fn attested(
    draft: &mut Draft<'_>,
    author: &MemberId,
    attestation: &DeletionAttestation,
) -> Result<(), Rejection> {
    let id = attestation.grant;
    let Some(state) = draft.grant(&id) else { return Err(format!("no grant {id} is on the ledger")) };
    let mut state = state.clone();
    if &state.grant.consumer != author {
        return Err(format!("grant {id} is `{}`'s to attest deletion of", state.grant.consumer));
    }
    if !state.is_ended() && draft.moment.time_ms < state.grant.valid_until_ms {
        return Err(format!(
            "grant {id} is still valid: end it first, or wait until {} ms",
            state.grant.valid_until_ms
        ));
    }
    if state.deletion.is_some() {
        return Err(format!("deletion under grant {id} is attested already"));
    }
    let words = attestation.method.trim();
    if words.is_empty() || words.chars().count() > MAX_WORDS || MemberId::new(&attestation.operator).is_err() {
        return Err(format!(
            "attestation for grant {id} needs a method of 1 to {MAX_WORDS} characters and an operator"
        ));
    }
    state.deletion_due_ms = None;
    state.deletion = Some(Digest::of(draft.base.suite(), Label::DELETION, &to_bytes(attestation)));
    draft.put(Key::Grant(id), Object::Grant(state));
    Ok(())
}
