//! Consents.

use covenant_domain::{Consent, ConsentChange, ConsentId, ConsentStatus, MemberId, Role};
use covenant_engine::{ConsentState, Facts};

use super::{Rejection, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};

/// An authorisation service records that a subject consented.
pub(super) fn issued(draft: &mut Draft<'_>, author: &MemberId, consent: &Consent) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Authoriser)?;
    demand_role(draft, &consent.consumer, Role::Consumer)?;
    if draft.consent(&consent.id).is_some() {
        return Err(format!("consent {} exists already", consent.id));
    }
    if consent.valid_from_ms >= consent.valid_until_ms || consent.max_uses == 0 {
        return Err(format!("consent {} has an empty validity or no uses", consent.id));
    }
    if let Some(scope) = consent.scopes.iter().find(|s| draft.dataset(&s.dataset).is_none()) {
        return Err(format!("no dataset `{}` is published", scope.dataset));
    }
    let state =
        ConsentState { consent: consent.clone(), issuer: author.clone(), status: ConsentStatus::Active, uses: 0 };
    draft.put(Key::Consent(consent.id), Object::Consent(state));
    Ok(())
}

/// The issuing service records that the subject paused, resumed or revoked.
pub(super) fn changed(
    draft: &mut Draft<'_>,
    author: &MemberId,
    id: &ConsentId,
    change: ConsentChange,
) -> Result<(), Rejection> {
    let Some(state) = draft.consent(id) else { return Err(format!("no consent {id} is on the ledger")) };
    let mut state = state.clone();
    if &state.issuer != author {
        return Err(format!("consent {id} was issued by `{}`, not by `{author}`", state.issuer));
    }
    state.status = match (state.status, change) {
        (ConsentStatus::Active, ConsentChange::Paused) => ConsentStatus::Paused,
        (ConsentStatus::Paused, ConsentChange::Resumed) => ConsentStatus::Active,
        (ConsentStatus::Active | ConsentStatus::Paused | ConsentStatus::Exhausted, ConsentChange::Revoked) => {
            ConsentStatus::Revoked
        }
        (status, _) => return Err(format!("consent {id} is {status:?} and cannot be {change:?}").to_lowercase()),
    };
    draft.put(Key::Consent(*id), Object::Consent(state));
    Ok(())
}
