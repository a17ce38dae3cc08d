//! Consents.

use covenant_domain::{Consent, ConsentChange, ConsentId, ConsentKind, ConsentStatus, MemberId, Role};
use covenant_engine::{ConsentState, Facts};

use super::{Rejection, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};
use crate::objects::Kind;

/// How long an authority may stay hidden from its subject after it has ended, in milliseconds.
const LONGEST_SEAL_MS: u64 = 731 * 24 * 3_600_000;

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
    if consent.valid_until_ms <= draft.moment.time_ms {
        return Err(format!("consent {} ended at {} ms, before it began", consent.id, consent.valid_until_ms));
    }
    if consent.frequency.is_some_and(|q| q.window_ms == 0 || q.limit == 0) {
        return Err(format!("consent {} allows no use in any window", consent.id));
    }
    check_ground(draft, consent)?;
    check_request(draft, consent)?;
    if let Some(scope) = consent.scopes.iter().find(|s| draft.dataset(&s.dataset).is_none()) {
        return Err(format!("no dataset `{}` is published", scope.dataset));
    }
    let state =
        ConsentState { consent: consent.clone(), issuer: author.clone(), status: ConsentStatus::Active, uses: 0 };
    draft.put(Key::Consent(consent.id), Object::Consent(state));
    Ok(())
}

/// A consent was given on the newest notice; an authority by law has a purpose that needs no consent.
fn check_ground(draft: &Draft<'_>, consent: &Consent) -> Result<(), Rejection> {
    let (id, code) = (consent.id, &consent.purpose);
    let Some(purpose) = draft.purpose(code) else { return Err(format!("no purpose `{code}` is registered")) };
    match &consent.kind {
        ConsentKind::Consent => match draft.notice(code) {
            Some(notice) if consent.notice != Some(notice.text) => {
                Err(format!("consent {id} was not given on version {} of the notice of `{code}`", notice.version))
            }
            _ => Ok(()),
        },
        ConsentKind::LegalAuthority { .. } if purpose.needs_consent => {
            Err(format!("purpose `{code}` demands the subject's consent: no authority by law serves it"))
        }
        ConsentKind::LegalAuthority { .. } if consent.representative.is_some() => {
            Err(format!("nobody speaks for the subject in authority {id}"))
        }
        ConsentKind::LegalAuthority { sealed_until_ms: Some(until_ms), .. }
            if until_ms.saturating_sub(consent.valid_until_ms) > LONGEST_SEAL_MS =>
        {
            Err(format!("authority {id} is sealed more than two years beyond its validity"))
        }
        ConsentKind::LegalAuthority { .. } => Ok(()),
    }
}

/// A signed request is answered once.
fn check_request(draft: &Draft<'_>, consent: &Consent) -> Result<(), Rejection> {
    let Some(request) = &consent.request else { return Ok(()) };
    let same = |o: &Object| matches!(o, Object::Consent(c) if c.consent.request.as_ref() == Some(request));
    if draft.base.answered(request) || draft.changed(Kind::Consent).any(same) {
        return Err(format!("consent {}: its request was answered by another consent", consent.id));
    }
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
