//! Grants.

use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::{Grant, GrantChange, GrantId, MemberId, Power, Role, Sharing, SignedGrant};
use covenant_engine::{Facts, GrantState};
use covenant_suite::Signature;

use super::{Rejection, delegation, deletion, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};

/// A holder issues a grant that the consumer has signed too.
pub(super) fn issued(draft: &mut Draft<'_>, author: &MemberId, signed: &SignedGrant) -> Result<(), Rejection> {
    let grant = &signed.grant;
    demand_role(draft, author, Role::Holder)?;
    demand_role(draft, &grant.consumer, Role::Consumer)?;
    if &grant.holder != author {
        return Err(format!("dataset `{}` is not `{author}`'s to grant", grant.dataset));
    }
    check_new(draft, grant)?;
    check_signature(draft, signed, &grant.consumer)?;
    let signers = signers(draft, grant);
    if let Some(other) = signers.iter().find(|m| *m != author) {
        return Err(format!("dataset `{}` needs `{other}` to agree: file an access request", grant.dataset));
    }
    put_new(draft, GrantState::new(grant.clone(), vec![author.clone(), grant.consumer.clone()]));
    Ok(())
}

/// Who must agree to a grant on its holder's side, sorted.
pub(super) fn signers(draft: &Draft<'_>, grant: &Grant) -> Vec<MemberId> {
    let cosigners = draft.dataset(&grant.dataset).map(|d| d.cosigners.clone()).unwrap_or_default();
    let all: std::collections::BTreeSet<MemberId> = cosigners.into_iter().chain([grant.holder.clone()]).collect();
    all.into_iter().collect()
}

/// What must be true of a grant on the day it comes into force.
pub(super) fn check_new(draft: &Draft<'_>, grant: &Grant) -> Result<(), Rejection> {
    if draft.grant(&grant.id).is_some() {
        return Err(format!("grant {} exists already", grant.id));
    }
    check_scope(draft, grant)?;
    check_terms(draft, grant)?;
    check_supersedes(draft, grant)
}

fn check_scope(draft: &Draft<'_>, grant: &Grant) -> Result<(), Rejection> {
    let Some(dataset) = draft.dataset(&grant.dataset) else {
        return Err(format!("no dataset `{}` is published", grant.dataset));
    };
    if dataset.holder != grant.holder {
        return Err(format!("dataset `{}` is not `{}`'s to grant", grant.dataset, grant.holder));
    }
    if dataset.sharing == Sharing::Refused {
        return Err(format!("dataset `{}` is not shared at all", grant.dataset));
    }
    if draft.purpose(&grant.purpose).is_none() {
        return Err(format!("no purpose `{}` is registered", grant.purpose));
    }
    match grant.fields.iter().find(|f| dataset.field(f).is_none()) {
        Some(field) => Err(format!("dataset `{}` has no field `{field}`", grant.dataset)),
        None => Ok(()),
    }
}

fn check_terms(draft: &Draft<'_>, grant: &Grant) -> Result<(), Rejection> {
    if grant.valid_from_ms >= grant.valid_until_ms || grant.quota.window_ms == 0 || grant.max_rows == 0 {
        return Err(format!("grant {} has an empty validity, quota window or row cap", grant.id));
    }
    if grant.valid_until_ms <= draft.moment.time_ms {
        return Err(format!("grant {} ended at {} ms, before it began", grant.id, grant.valid_until_ms));
    }
    Ok(())
}

/// A grant takes the place of one between the same parties, about the same dataset, that has not ended.
fn check_supersedes(draft: &Draft<'_>, grant: &Grant) -> Result<(), Rejection> {
    let Some(id) = &grant.supersedes else { return Ok(()) };
    let Some(old) = draft.grant(id) else { return Err(format!("no grant {id} is on the ledger to be superseded")) };
    let parties = |g: &Grant| (g.holder.clone(), g.consumer.clone(), g.dataset.clone());
    if parties(&old.grant) != parties(grant) {
        return Err(format!("grant {id} is between other parties or about another dataset than grant {}", grant.id));
    }
    if old.is_ended() {
        return Err(format!("grant {id} is revoked or superseded already"));
    }
    Ok(())
}

/// The consumer's signature, or that of who asked for it under a delegation.
pub(super) fn check_signature(draft: &Draft<'_>, signed: &SignedGrant, signer: &MemberId) -> Result<(), Rejection> {
    let wrong = || format!("signature of `{signer}` on grant {} does not verify", signed.grant.id);
    let keys = draft.base.keys(signer).ok_or_else(wrong)?;
    let signature: Signature = signed.consumer_signature.parse().map_err(|_| wrong())?;
    let digest = Digest::of(draft.base.suite(), Label::GRANT, &to_bytes(&signed.grant));
    keys.verifying.verify(Label::GRANT, digest.as_bytes(), &signature).map_err(|_| wrong())
}

/// Puts a grant in force and ends the one it supersedes, which keeps what it has debited.
pub(super) fn put_new(draft: &mut Draft<'_>, state: GrantState) {
    if let Some(mut old) = state.grant.supersedes.and_then(|id| draft.grant(&id).cloned()) {
        old.superseded_by = Some(state.grant.id);
        deletion::ended(draft, &mut old);
        draft.put(Key::Grant(old.grant.id), Object::Grant(old));
    }
    draft.put(Key::Grant(state.grant.id), Object::Grant(state));
}

/// Holder, consumer, platforms and regulators suspend and resume, each for itself; holder and consumer may end it. Who
/// acts for holder or consumer does so in their name.
pub(super) fn changed(
    draft: &mut Draft<'_>,
    author: &MemberId,
    id: &GrantId,
    change: GrantChange,
) -> Result<(), Rejection> {
    let Some(state) = draft.grant(id) else { return Err(format!("no grant {id} is on the ledger")) };
    let mut state = state.clone();
    let grant = &state.grant;
    let acts = |m: &&&MemberId| delegation::acts_for(draft, author, m, Power::ChangeGrants, &grant.dataset);
    let party = [&grant.holder, &grant.consumer].iter().find(acts).map(|m| (*m).clone());
    let watches = draft.member(author).is_some_and(|m| m.has(Role::Regulator) || m.has(Role::Platform));
    let by = match party {
        Some(party) => party,
        None if watches && change != GrantChange::Revoked => author.clone(),
        None => return Err(format!("grant {id} is not `{author}`'s to change")),
    };
    if state.is_ended() {
        return Err(format!("grant {id} is revoked or superseded for good"));
    }
    match change {
        GrantChange::Suspended if !state.suspended_by.contains(&by) => {
            state.suspended_by.push(by);
            state.suspended_by.sort();
        }
        GrantChange::Resumed if state.suspended_by.contains(&by) => state.suspended_by.retain(|m| m != &by),
        GrantChange::Revoked => {
            state.revoked = true;
            deletion::ended(draft, &mut state);
        }
        GrantChange::Suspended | GrantChange::Resumed => {
            return Err(format!("grant {id} is already so for `{by}`"));
        }
    }
    draft.put(Key::Grant(*id), Object::Grant(state));
    Ok(())
}
