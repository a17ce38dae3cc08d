//! Whether a consent, or the law, covers an intent.

use covenant_domain::{Authority, ConsentKind, ConsentStatus, Intent, Purpose, Reason, ReasonCode};

use crate::Facts;
use crate::facts::{ConsentState, Moment};
use crate::grant::window_start_ms;

/// Every reason why the authority named in the intent does not suffice; empty when it does.
pub(crate) fn faults(facts: &impl Facts, intent: &Intent, purpose: &Purpose, moment: &Moment) -> Vec<Reason> {
    match &intent.authority {
        Authority::Consent { id } => match facts.consent(id) {
            None => vec![Reason::new(ReasonCode::ConsentUnknown, format!("no consent {id} is on the ledger"))],
            Some(state) => {
                let mut out = consent_faults(state, intent, moment);
                out.extend(kind_fault(state, purpose));
                out.extend(frequency_fault(facts, state, moment));
                out
            }
        },
        Authority::Legal { case, .. } => {
            let mut out = Vec::new();
            if purpose.needs_consent {
                let detail =
                    format!("purpose `{}` demands the subject's consent and the query names none", purpose.code);
                out.push(Reason::new(ReasonCode::ConsentRequired, detail));
            }
            if purpose.needs_case && case.as_ref().is_none_or(|c| c.trim().is_empty()) {
                let detail = format!("purpose `{}` demands a case number", purpose.code);
                out.push(Reason::new(ReasonCode::CaseRequired, detail));
            }
            if purpose.needs_record == Some(true) {
                let detail = format!(
                    "purpose `{}` demands an authority on record: have the authorisation service record it first",
                    purpose.code
                );
                out.push(Reason::new(ReasonCode::RecordRequired, detail));
            }
            out
        }
    }
}

/// An authority by law is no consent.
fn kind_fault(state: &ConsentState, purpose: &Purpose) -> Option<Reason> {
    let by_law = matches!(state.consent.kind, ConsentKind::LegalAuthority { .. });
    let detail = format!(
        "purpose `{}` demands the subject's consent, {} is an authority by law",
        purpose.code, state.consent.id
    );
    (by_law && purpose.needs_consent).then(|| Reason::new(ReasonCode::ConsentRequired, detail))
}

fn frequency_fault(facts: &impl Facts, state: &ConsentState, moment: &Moment) -> Option<Reason> {
    let (id, quota) = (state.consent.id, state.consent.frequency?);
    let start = window_start_ms(moment.time_ms, quota.window_ms);
    let next = start.saturating_add(quota.window_ms);
    let detail = format!("consent {id} allows {} uses per window; the next starts at {next} ms", quota.limit);
    (facts.consent_used(&id, start) >= quota.limit).then(|| Reason::new(ReasonCode::ConsentTooOften, detail))
}

fn consent_faults(state: &ConsentState, intent: &Intent, moment: &Moment) -> Vec<Reason> {
    let consent = &state.consent;
    let id = consent.id;
    let mut out = Vec::new();
    let mut add = |code, detail: String| out.push(Reason::new(code, detail));
    match state.status {
        ConsentStatus::Active => {}
        ConsentStatus::Paused => add(ReasonCode::ConsentPaused, format!("consent {id} is paused by its subject")),
        ConsentStatus::Revoked => add(ReasonCode::ConsentRevoked, format!("consent {id} is revoked by its subject")),
        ConsentStatus::Exhausted => {
            add(ReasonCode::ConsentExhausted, format!("all {} uses of consent {id} are spent", consent.max_uses));
        }
    }
    if moment.time_ms < consent.valid_from_ms {
        add(ReasonCode::ConsentNotYetValid, format!("consent {id} starts at {} ms", consent.valid_from_ms));
    }
    if moment.time_ms >= consent.valid_until_ms {
        add(ReasonCode::ConsentExpired, format!("consent {id} ended at {} ms: ask again", consent.valid_until_ms));
    }
    if let Some(what) = outside(state, intent) {
        add(ReasonCode::ConsentOutOfScope, format!("consent {id} does not cover {what}"));
    }
    out
}

/// The first thing asked that the consent does not cover.
fn outside(state: &ConsentState, intent: &Intent) -> Option<String> {
    let consent = &state.consent;
    if consent.consumer != intent.consumer {
        return Some(format!("consumer `{}`", intent.consumer));
    }
    if consent.purpose != intent.purpose {
        return Some(format!("purpose `{}`", intent.purpose));
    }
    if !consent.modes.contains(&intent.mode) {
        return Some(format!("mode `{}`", intent.mode));
    }
    let Some(scope) = consent.scopes.iter().find(|s| s.dataset == intent.dataset) else {
        return Some(format!("dataset `{}`", intent.dataset));
    };
    intent.fields.iter().find(|f| !scope.fields.contains(f)).map(|f| format!("field `{f}`"))
}
