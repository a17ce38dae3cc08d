//! Whether a grant covers an intent.

use covenant_domain::{Intent, Reason, ReasonCode};

use crate::facts::{GrantState, Moment};
use crate::{Facts, lookup};

/// Start of the quota window that holds a moment, milliseconds since 1970.
pub fn window_start_ms(time_ms: u64, window_ms: u64) -> u64 {
    time_ms - time_ms % window_ms.max(1)
}

/// Every reason why the grant does not cover the intent now; empty when it does.
pub(crate) fn faults(facts: &impl Facts, state: &GrantState, intent: &Intent, moment: &Moment) -> Vec<Reason> {
    let grant = &state.grant;
    let id = grant.id;
    let mut out = Vec::new();
    let mut add = |code, detail: String| out.push(Reason::new(code, detail));
    if state.revoked {
        add(ReasonCode::GrantRevoked, format!("grant {id} is revoked: ask `{}` for a new one", grant.holder));
    }
    if let Some(by) = &state.superseded_by {
        add(ReasonCode::GrantSuperseded, format!("grant {id} was superseded by grant {by}"));
    }
    if let Some(by) = state.suspended_by.first() {
        add(ReasonCode::GrantSuspended, format!("grant {id} is suspended by `{by}`"));
    }
    if moment.time_ms < grant.valid_from_ms {
        add(ReasonCode::GrantNotYetValid, format!("grant {id} starts at {} ms", grant.valid_from_ms));
    }
    if moment.time_ms >= grant.valid_until_ms {
        add(ReasonCode::GrantExpired, format!("grant {id} ended at {} ms: renew it", grant.valid_until_ms));
    }
    if !grant.modes.contains(&intent.mode) {
        add(ReasonCode::ModeNotGranted, format!("grant {id} does not allow mode `{}`", intent.mode));
    }
    for field in intent.fields.iter().filter(|f| !grant.fields.contains(f)) {
        add(ReasonCode::FieldNotGranted, format!("grant {id} does not cover field `{field}`"));
    }
    if let Some(rows) = lookup::rows(facts, intent).filter(|rows| *rows > grant.max_rows) {
        let detail = format!("grant {id} allows {} records, a row of the epoch may carry {rows}", grant.max_rows);
        add(ReasonCode::EpochMismatch, detail);
    }
    let start = window_start_ms(moment.time_ms, grant.quota.window_ms);
    if facts.quota_used(&id, start) >= grant.quota.limit {
        let next = start.saturating_add(grant.quota.window_ms);
        add(
            ReasonCode::QuotaExhausted,
            format!("grant {id} allows {} queries per window; the next starts at {next} ms", grant.quota.limit),
        );
    }
    out
}
