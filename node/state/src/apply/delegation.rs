//! Delegations: who may act for whom.

use covenant_domain::{DatasetId, Delegation, DelegationId, MemberId, Power};
use covenant_engine::Facts;

use super::Rejection;
use crate::draft::Draft;
use crate::object::{Key, Object};

/// Most delegations that one member may give at a time.
const MAX_GIVEN: usize = 64;

/// A principal lets another member act for it.
pub(super) fn given(draft: &mut Draft<'_>, author: &MemberId, delegation: &Delegation) -> Result<(), Rejection> {
    let Delegation { id, principal, delegate, powers, .. } = delegation;
    if principal != author {
        return Err(format!("delegation {id} is `{principal}`'s to give"));
    }
    if draft.delegation(id).is_some() {
        return Err(format!("delegation {id} exists already"));
    }
    if draft.member(delegate).is_none() {
        return Err(format!("`{delegate}` is no member"));
    }
    if powers.is_empty() || !powers.is_sorted_by(|a, b| a < b) {
        return Err(format!("delegation {id} needs powers, sorted and each once"));
    }
    if delegation.valid_from_ms >= delegation.valid_until_ms || delegation.valid_until_ms <= draft.moment.time_ms {
        return Err(format!("delegation {id} has an empty validity, or one that has passed"));
    }
    if draft.delegations().filter(|d| &d.principal == author).count() >= MAX_GIVEN {
        return Err(format!("`{author}` has given {MAX_GIVEN} delegations: end some first"));
    }
    no_circle(draft, delegation)?;
    draft.put(Key::Delegation(*id), Object::Delegation(delegation.clone()));
    Ok(())
}

/// Nobody ends up acting for itself by way of others: such a circle would let a check be passed by its own author.
fn no_circle(draft: &Draft<'_>, delegation: &Delegation) -> Result<(), Rejection> {
    let live: Vec<&Delegation> = draft.delegations().filter(|d| d.valid_until_ms > draft.moment.time_ms).collect();
    let (mut reached, mut ahead) = (vec![&delegation.delegate], vec![&delegation.delegate]);
    while let Some(member) = ahead.pop() {
        if member == &delegation.principal {
            return Err(format!(
                "delegation {} closes a circle: `{}` acts for `{}` already, perhaps by way of others",
                delegation.id, delegation.principal, delegation.delegate
            ));
        }
        for next in live.iter().filter(|d| &d.principal == member).map(|d| &d.delegate) {
            if !reached.contains(&next) {
                reached.push(next);
                ahead.push(next);
            }
        }
    }
    Ok(())
}

/// Principal or delegate end it, at once.
pub(super) fn ended(draft: &mut Draft<'_>, author: &MemberId, id: &DelegationId) -> Result<(), Rejection> {
    let Some(delegation) = draft.delegation(id) else { return Err(format!("no delegation {id} is in force")) };
    if author != &delegation.principal && author != &delegation.delegate {
        return Err(format!("delegation {id} is not `{author}`'s to end"));
    }
    draft.delete(Key::Delegation(*id));
    Ok(())
}

/// Whether the author may act for the principal: being it, or under a delegation in force.
pub(super) fn acts_for(
    draft: &Draft<'_>,
    author: &MemberId,
    principal: &MemberId,
    power: Power,
    dataset: &DatasetId,
) -> bool {
    let time_ms = draft.moment.time_ms;
    author == principal
        || draft
            .delegations()
            .any(|d| &d.principal == principal && &d.delegate == author && d.covers(power, dataset, time_ms))
}
