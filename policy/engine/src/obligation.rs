//! What guard rules demand of an answer: whether it can be met, and how it enters the permit.

use covenant_domain::{Dataset, FieldName, Intent, Mode, Obligations, Reason, ReasonCode, Release, RuleObligations};

use crate::facts::{GrantState, Moment};
use crate::grant::window_start_ms;
use crate::{Facts, lookup};

/// Length of the window in which a rate is counted, per grant.
pub(crate) const MINUTE_MS: u64 = 60_000;

/// Every demand that this query cannot meet.
pub(crate) fn faults(
    facts: &impl Facts,
    dataset: &Dataset,
    intent: &Intent,
    grant: Option<&GrantState>,
    demanded: &RuleObligations,
    moment: &Moment,
) -> Vec<Reason> {
    let mut out = Vec::new();
    if let Some(k) = demanded.k_minimum.filter(|k| *k > 1 && is_about_one(intent.mode)) {
        let detail = format!("guard rules demand groups of {k} or more, mode `{}` is about one record", intent.mode);
        out.push(Reason::new(ReasonCode::GroupRequired, detail));
    }
    out.extend(row_fault(facts, dataset, intent, demanded));
    out.extend(grant.and_then(|state| rate_fault(facts, state, demanded, moment)));
    out
}

/// Whether an answer in this mode tells of a single record.
fn is_about_one(mode: Mode) -> bool {
    match mode {
        Mode::Match | Mode::Lookup | Mode::Detail | Mode::Submit => true,
    }
}

/// A row of a private lookup was sealed for everybody: it can be neither masked nor shortened for one query.
fn row_fault(facts: &impl Facts, dataset: &Dataset, intent: &Intent, demanded: &RuleObligations) -> Option<Reason> {
    let rows = lookup::rows(facts, intent)?;
    let unmasked = |name: &&FieldName| dataset.field(name).is_some_and(|f| f.mask.is_none());
    let masked = demanded.masked.iter().filter(|name| intent.fields.contains(name)).find(unmasked);
    let detail = match (masked, demanded.max_rows) {
        (Some(field), _) => format!("guard rules mask field `{field}`, which rows of the epoch carry in full"),
        (None, Some(most)) if most < rows => {
            format!("guard rules allow {most} records, a row of the epoch may carry {rows}")
        }
        _ => return None,
    };
    Some(Reason::new(ReasonCode::ObligationUnmet, format!("{detail}: ask in mode `detail`")))
}

fn rate_fault(facts: &impl Facts, state: &GrantState, demanded: &RuleObligations, moment: &Moment) -> Option<Reason> {
    let (id, rate) = (state.grant.id, demanded.rate_per_minute?);
    let start = window_start_ms(moment.time_ms, MINUTE_MS);
    if facts.rate_used(&id, start) < u64::from(rate) {
        return None;
    }
    let next = start.saturating_add(MINUTE_MS);
    let detail = format!("guard rules allow {rate} queries a minute under grant {id}: ask again from {next} ms on");
    Some(Reason::new(ReasonCode::RateExceeded, detail))
}

/// Writes the demands into the obligations of a permit; nothing is ever loosened.
pub(crate) fn bind(obligations: &mut Obligations, demanded: &RuleObligations) {
    let more = demanded.masked.iter().filter(|name| obligations.fields.contains(name));
    let masked: std::collections::BTreeSet<FieldName> = obligations.masked.iter().chain(more).cloned().collect();
    // In the order in which fields are asked.
    obligations.masked = obligations.fields.iter().filter(|name| masked.contains(name)).cloned().collect();
    obligations.max_rows = demanded.max_rows.map_or(obligations.max_rows, |most| most.min(obligations.max_rows));
    if demanded.release_after_receipt {
        obligations.release = Release::AfterReceipt;
    }
    obligations.rate_per_minute = demanded.rate_per_minute;
    obligations.k_minimum = demanded.k_minimum;
    obligations.notify.clone_from(&demanded.notify);
}
