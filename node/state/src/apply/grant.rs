//! Grants.

use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::{Grant, GrantChange, GrantId, MemberId, Role, Sharing, SignedGrant};
use covenant_engine::{Facts, GrantState};
use covenant_suite::Signature;

use super::{Rejection, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};

/// A holder issues a grant that the consumer has signed too.
pub(super) fn issued(draft: &mut Draft<'_>, author: &MemberId, signed: &SignedGrant) -> Result<(), Rejection> {
    let grant = &signed.grant;
    demand_role(draft, author, Role::Holder)?;
    demand_role(draft, &grant.consumer, Role::Consumer)?;
    if draft.grant(&grant.id).is_some() {
        return Err(format!("grant {} exists already", grant.id));
    }
    check_scope(draft, author, grant)?;
    check_signature(draft, signed)?;
    let state = GrantState { grant: grant.clone(), suspended_by: Vec::new(), revoked: false };
    draft.put(Key::Grant(grant.id), Object::Grant(state));
    Ok(())
}

fn check_scope(draft: &Draft<'_>, author: &MemberId, grant: &Grant) -> Result<(), Rejection> {
    let Some(dataset) = draft.dataset(&grant.dataset) else {
        return Err(format!("no dataset `{}` is published", grant.dataset));
    };
    if &dataset.holder != author || &grant.holder != author {
        return Err(format!("dataset `{}` is not `{author}`'s to grant", grant.dataset));
    }
    if dataset.sharing == Sharing::Refused {
        return Err(format!("dataset `{}` is not shared at all", grant.dataset));
    }
    if draft.purpose(&grant.purpose).is_none() {
        return Err(format!("no purpose `{}` is registered", grant.purpose));
    }
    if let Some(field) = grant.fields.iter().find(|f| dataset.field(f).is_none()) {
        return Err(format!("dataset `{}` has no field `{field}`", grant.dataset));
    }
    if grant.valid_from_ms >= grant.valid_until_ms || grant.quota.window_ms == 0 || grant.max_rows == 0 {
        return Err(format!("grant {} has an empty validity, quota window or row cap", grant.id));
    }
    Ok(())
}

fn check_signature(draft: &Draft<'_>, signed: &SignedGrant) -> Result<(), Rejection> {
    let consumer = &signed.grant.consumer;
    let wrong = || format!("signature of `{consumer}` on grant {} does not verify", signed.grant.id);
    let keys = draft.base.keys(consumer).ok_or_else(wrong)?;
    let signature: Signature = signed.consumer_signature.parse().map_err(|_| wrong())?;
    let digest = Digest::of(draft.base.suite(), Label::GRANT, &to_bytes(&signed.grant));
    keys.verifying.verify(Label::GRANT, digest.as_bytes(), &signature).map_err(|_| wrong())
}

/// Holder, consumer and regulators suspend and resume, each for itself; holder and consumer may end it.
pub(super) fn changed(
    draft: &mut Draft<'_>,
    author: &MemberId,
    id: &GrantId,
    change: GrantChange,
) -> Result<(), Rejection> {
    let Some(state) = draft.grant(id) else { return Err(format!("no grant {id} is on the ledger")) };
    let mut state = state.clone();
    let party = author == &state.grant.holder || author == &state.grant.consumer;
    let regulator = draft.member(author).is_some_and(|m| m.has(Role::Regulator));
    let may = party || (regulator && change != GrantChange::Revoked);
    if !may {
        return Err(format!("grant {id} is not `{author}`'s to change"));
    }
    if state.revoked {
        return Err(format!("grant {id} is revoked for good"));
    }
    match change {
        GrantChange::Suspended if !state.suspended_by.contains(author) => {
            state.suspended_by.push(author.clone());
            state.suspended_by.sort();
        }
        GrantChange::Resumed if state.suspended_by.contains(author) => state.suspended_by.retain(|m| m != author),
        GrantChange::Revoked => state.revoked = true,
        GrantChange::Suspended | GrantChange::Resumed => {
            return Err(format!("grant {id} is already so for `{author}`"));
        }
    }
    draft.put(Key::Grant(*id), Object::Grant(state));
    Ok(())
}
