//! Rights whose changes several bureaus sign: registration, pledge, transfer.

use covenant_domain::{DatasetStage, MemberId, RightChange, RightId, RightKind, RightState};
use covenant_engine::Facts;

use super::Rejection;
use crate::draft::Draft;
use crate::object::{Key, Object};

/// A signer proposes a change and signs it. It takes effect when all the others have signed too.
pub(super) fn proposed(draft: &mut Draft<'_>, author: &MemberId, change: &RightChange) -> Result<(), Rejection> {
    let signers = signers(draft, author, change)?;
    if draft.right(&change.id).is_some() {
        return Err(format!("right change {} exists already", change.id));
    }
    check_chain(draft, change)?;
    let (signed, change) = (vec![author.clone()], change.clone());
    let state = RightState { change, signed, signers, effective_ms: 0, followed_by: None };
    draft.put(Key::Right(state.change.id), Object::Right(state));
    Ok(())
}

/// Another signer signs. The last signature makes the change effective.
pub(super) fn signed(draft: &mut Draft<'_>, author: &MemberId, id: &RightId) -> Result<(), Rejection> {
    let Some(state) = draft.right(id) else { return Err(format!("no right change {id} is on the ledger")) };
    let mut state = state.clone();
    if !state.signers.contains(author) {
        return Err(format!("right change {id} is not `{author}`'s to sign"));
    }
    if state.signed.contains(author) {
        return Err(format!("`{author}` has signed right change {id} already"));
    }
    if state.signed.len() + 1 == state.signers.len() {
        // Between proposal and last signature another change may have taken the place behind the one it follows.
        check_chain(draft, &state.change)?;
        state.effective_ms = draft.moment.time_ms;
        follow(draft, &state.change);
    }
    state.signed.push(author.clone());
    state.signed.sort();
    draft.put(Key::Right(*id), Object::Right(state));
    Ok(())
}

/// Whose signatures it takes; the author is one of them.
fn signers(draft: &Draft<'_>, author: &MemberId, change: &RightChange) -> Result<Vec<MemberId>, Rejection> {
    let id = &change.dataset;
    let Some(dataset) = draft.dataset(id) else { return Err(format!("no dataset `{id}` is published")) };
    if dataset.cosigners.is_empty() {
        return Err(format!("dataset `{id}` has no co-signers: its rights are not kept on the ledger"));
    }
    if draft.status_of(id).is_some_and(|s| s.stage(draft.moment.time_ms) == DatasetStage::Archived) {
        return Err(format!("dataset `{id}` is archived: no right in it changes any more"));
    }
    let signers = dataset.signers();
    if signers.contains(author) { Ok(signers) } else { Err(format!("`{author}` signs nothing of dataset `{id}`")) }
}

/// INVARIANT: the effective changes of a right form one chain from its registration.
fn check_chain(draft: &Draft<'_>, change: &RightChange) -> Result<(), Rejection> {
    let id = change.id;
    let before = match (change.kind, change.follows) {
        (RightKind::Registration, None) => return Ok(()),
        (RightKind::Registration, Some(_)) => {
            return Err(format!(
                "right change {id} is a registration and follows another: a first entry follows nothing"
            ));
        }
        (RightKind::Pledge | RightKind::Transfer, None) => {
            return Err(format!("right change {id} follows nothing: name the change before it"));
        }
        (RightKind::Pledge | RightKind::Transfer, Some(before)) => before,
    };
    let Some(state) = draft.right(&before) else { return Err(format!("no right change {before} is on the ledger")) };
    if state.change.dataset != change.dataset {
        return Err(format!(
            "right change {before} is of dataset `{}`, not of `{}`",
            state.change.dataset, change.dataset
        ));
    }
    if state.effective_ms == 0 {
        return Err(format!("right change {before} is not effective: it lacks signatures"));
    }
    match &state.followed_by {
        Some(other) => Err(format!("right change {before} is followed by {other} already")),
        None => Ok(()),
    }
}

fn follow(draft: &mut Draft<'_>, change: &RightChange) {
    let Some(before) = change.follows else { return };
    let Some(state) = draft.right(&before) else { return };
    let state = RightState { followed_by: Some(change.id), ..state.clone() };
    draft.put(Key::Right(before), Object::Right(state));
}
