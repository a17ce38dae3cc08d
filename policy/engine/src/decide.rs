//! The decision on an intent.

use covenant_canon::Digest;
use covenant_domain::{
    Authority, ConsentId, ConsentKind, Dataset, Decision, Grade, GrantId, Intent, Member, Obligations, Outcome, Permit,
    Purpose, Reason, ReasonCode, Release, Role, RuleObligations, Sharing,
};

use crate::facts::{Facts, GrantState, Moment};
use crate::grant::window_start_ms;
use crate::guard::{Guard, GuardQuestion, GuardVerdict};
use crate::{consent, grant, lookup, obligation};

/// Hour offset of guard rules: China Standard Time.
const UTC_OFFSET_HOURS: u64 = 8;

/// A decision with the debits that go with a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What goes on the ledger.
    pub decision: Decision,
    /// Grant and window start to debit one query from.
    pub debit_grant: Option<(GrantId, u64)>,
    /// Consent to debit one use from.
    pub debit_consent: Option<ConsentId>,
    /// Grant and minute to count one query in, where guard rules limit the rate.
    pub debit_rate: Option<(GrantId, u64)>,
}

/// Decides an intent. Depends only on its arguments: replaying it on the same snapshot gives the same result (I5).
/// `query` is the digest of the whole intent.
pub fn decide(facts: &impl Facts, intent: &Intent, query: Digest, moment: &Moment) -> Terms {
    weigh(facts, intent, query, moment, lookup::claim_faults(facts, intent))
}

/// Decides an intent in which the given faults were found already.
pub(crate) fn weigh(
    facts: &impl Facts,
    intent: &Intent,
    query: Digest,
    moment: &Moment,
    claim_faults: Vec<Reason>,
) -> Terms {
    let found = Found::look_up(facts, intent);
    let policy = found.guard.map(Guard::digest);
    let mut reasons = basic_faults(&found, intent, moment);
    reasons.extend(standing_faults(facts, &found, intent));
    reasons.extend(claim_faults);
    let mut chosen = None;
    if let (Some(dataset), Some(purpose)) = (found.dataset, found.purpose) {
        reasons.extend(crate::dataset::faults(facts, dataset, moment));
        reasons.extend(field_faults(dataset, purpose, intent));
        reasons.extend(lookup::epoch_faults(facts, dataset, intent, moment));
        match choose_grant(facts, intent, moment) {
            Ok(state) => chosen = Some(state),
            Err(faults) => reasons.extend(faults),
        }
        reasons.extend(consent::faults(facts, intent, purpose, moment));
    }
    let (allowed_by, demanded) = match guard_verdict(facts, &found, intent, moment) {
        Ok(allowed) => allowed,
        Err(reason) => {
            reasons.push(reason);
            (Vec::new(), RuleObligations::default())
        }
    };
    if let Some(dataset) = found.dataset {
        reasons.extend(obligation::faults(facts, dataset, intent, chosen, &demanded, moment));
    }
    match (reasons.is_empty(), chosen, found.dataset, policy) {
        (true, Some(state), Some(dataset), Some(policy)) => {
            let mut permit = permit(intent, query, dataset, state, policy, moment);
            permit.obligations.data_life_days = data_life_days(facts, &found, state, intent);
            lookup::bind(facts, &mut permit);
            obligation::bind(&mut permit.obligations, &demanded);
            let detail = format!("grant {}, guard rules: {}", state.grant.id, allowed_by.join(", "));
            yes(intent, permit, Reason::new(ReasonCode::Allowed, detail), state, moment)
        }
        _ => no(intent, query, reasons, policy),
    }
}

/// How long the answer may be kept: the least of what grant, purpose and consent allow.
fn data_life_days(facts: &impl Facts, found: &Found<'_>, state: &GrantState, intent: &Intent) -> u32 {
    let by_consent = match &intent.authority {
        Authority::Consent { id } => facts.consent(id).map(|c| c.consent.data_life_days),
        Authority::Legal { .. } => None,
    };
    let by_purpose = found.purpose.map(|p| p.retention_days);
    [by_consent, by_purpose].into_iter().flatten().fold(state.grant.data_life_days, u32::min)
}

/// What the intent refers to.
struct Found<'a> {
    consumer: Option<&'a Member>,
    dataset: Option<&'a Dataset>,
    purpose: Option<&'a Purpose>,
    guard: Option<&'a Guard>,
}

impl<'a> Found<'a> {
    fn look_up(facts: &'a impl Facts, intent: &Intent) -> Self {
        let dataset = facts.dataset(&intent.dataset);
        Self {
            consumer: facts.member(&intent.consumer),
            dataset,
            purpose: facts.purpose(&intent.purpose),
            guard: dataset.and_then(|d| facts.guard(&d.holder)),
        }
    }
}

fn basic_faults(found: &Found<'_>, intent: &Intent, moment: &Moment) -> Vec<Reason> {
    let mut out = Vec::new();
    let mut add = |code, detail: String| out.push(Reason::new(code, detail));
    if !found.consumer.is_some_and(|m| m.has(Role::Consumer)) {
        add(ReasonCode::CallerNotConsumer, format!("`{}` has no role `consumer`", intent.consumer));
    }
    if intent.id.time_ms().abs_diff(moment.time_ms) > moment.freshness_ms {
        let detail = format!(
            "the intent's time is more than {} ms from block time {}: ask again",
            moment.freshness_ms, moment.time_ms
        );
        add(ReasonCode::IntentStale, detail);
    }
    if found.dataset.is_none() {
        add(ReasonCode::DatasetUnknown, format!("no dataset `{}` is published", intent.dataset));
    }
    if found.purpose.is_none() {
        add(ReasonCode::PurposeUnknown, format!("no purpose `{}` is registered", intent.purpose));
    }
    out
}

fn field_faults(dataset: &Dataset, purpose: &Purpose, intent: &Intent) -> Vec<Reason> {
    let mut out = Vec::new();
    if intent.fields.is_empty() || intent.fields.windows(2).any(|pair| matches!(pair, [a, b] if a >= b)) {
        out.push(Reason::new(ReasonCode::FieldsMalformed, "fields must be named, sorted and distinct"));
    }
    if dataset.sharing == Sharing::Refused {
        out.push(Reason::new(ReasonCode::GrantMissing, format!("dataset `{}` is not shared at all", dataset.id)));
    }
    if !purpose.modes.contains(&intent.mode) {
        let detail = format!("purpose `{}` is not served by mode `{}`", purpose.code, intent.mode);
        out.push(Reason::new(ReasonCode::ModeNotGranted, detail));
    }
    for name in &intent.fields {
        match dataset.field(name) {
            None => out
                .push(Reason::new(ReasonCode::FieldUnknown, format!("dataset `{}` has no field `{name}`", dataset.id))),
            Some(field) if !field.modes.contains(&intent.mode) => {
                let detail = format!("field `{name}` is not open to mode `{}`", intent.mode);
                out.push(Reason::new(ReasonCode::ModeNotGranted, detail));
            }
            Some(_) => {}
        }
    }
    out
}

/// The first grant that covers the intent, or what is wrong with the one that comes closest.
fn choose_grant<'a>(facts: &'a impl Facts, intent: &Intent, moment: &Moment) -> Result<&'a GrantState, Vec<Reason>> {
    let mut best: Option<Vec<Reason>> = None;
    for state in facts.grants(&intent.consumer, &intent.dataset, &intent.purpose) {
        let faults = grant::faults(facts, state, intent, moment);
        if faults.is_empty() {
            return Ok(state);
        }
        if best.as_ref().is_none_or(|b| faults.len() < b.len()) {
            best = Some(faults);
        }
    }
    Err(best.unwrap_or_else(|| {
        let detail = format!(
            "no grant lets `{}` use dataset `{}` for purpose `{}`: send its holder an access request",
            intent.consumer, intent.dataset, intent.purpose
        );
        vec![Reason::new(ReasonCode::GrantMissing, detail)]
    }))
}

/// The rules that allow and what they demand, or why nothing is allowed.
fn guard_verdict(
    facts: &impl Facts,
    found: &Found<'_>,
    intent: &Intent,
    moment: &Moment,
) -> Result<(Vec<String>, RuleObligations), Reason> {
    let Some(dataset) = found.dataset else { return Ok(Default::default()) };
    let holder = &dataset.holder;
    let Some(guard) = found.guard else {
        let detail = format!("`{holder}` has adopted no guard rules, so nothing is allowed");
        return Err(Reason::new(ReasonCode::GuardSilent, detail));
    };
    let hours = moment.time_ms / 3_600_000 + UTC_OFFSET_HOURS;
    let question = GuardQuestion {
        consumer: intent.consumer.clone(),
        dataset: dataset.id.name().to_owned(),
        mode: intent.mode,
        purpose: intent.purpose.clone(),
        hour: (hours % 24) as u8,
        working_day: facts.is_working_day(moment.time_ms),
        legal: by_law(facts, &intent.authority),
        grade: dataset.grade,
        fields: intent.fields.clone(),
    };
    let revision = guard.revision();
    match guard.ask(&question) {
        GuardVerdict::Allows { rules, obligations } => Ok((rules, obligations)),
        GuardVerdict::Forbids { rules } => {
            let detail = format!("forbidden by rule `{}` of `{holder}`, revision {revision}", rules.join("`, `"));
            Err(Reason::new(ReasonCode::GuardForbids, detail))
        }
        GuardVerdict::Silent => {
            let day = if question.working_day { "working" } else { "free" };
            let detail = format!(
                "no guard rule of `{holder}`, revision {revision}, allows this at hour {} of a {day} day",
                question.hour
            );
            Err(Reason::new(ReasonCode::GuardSilent, detail))
        }
        GuardVerdict::Failed { error } => {
            let detail = format!("guard rules of `{holder}`, revision {revision}, could not be evaluated: {error}");
            Err(Reason::new(ReasonCode::GuardFailed, detail))
        }
    }
}

/// A suspended or frozen member neither asks nor is asked.
fn standing_faults(facts: &impl Facts, found: &Found<'_>, intent: &Intent) -> Vec<Reason> {
    let holder = found.dataset.map(|d| &d.holder);
    let still = [Some(&intent.consumer), holder].into_iter().flatten().filter(|member| !facts.acts(member));
    let reason = |member| Reason::new(ReasonCode::MemberSuspended, format!("`{member}` is suspended or frozen"));
    still.map(reason).collect()
}

/// Whether the query rests on the law: on no record at all, or on a recorded authority that is none of the subject's.
fn by_law(facts: &impl Facts, authority: &Authority) -> bool {
    match authority {
        Authority::Legal { .. } => true,
        Authority::Consent { id } => {
            facts.consent(id).is_some_and(|state| matches!(state.consent.kind, ConsentKind::LegalAuthority { .. }))
        }
    }
}

fn permit(
    intent: &Intent,
    query: Digest,
    dataset: &Dataset,
    state: &GrantState,
    policy: Digest,
    moment: &Moment,
) -> Permit {
    let grant = &state.grant;
    let masked = intent.fields.iter().filter(|name| dataset.field(name).is_some_and(|f| f.mask.is_some()));
    Permit {
        intent: intent.id,
        query,
        holder: dataset.holder.clone(),
        consumer: intent.consumer.clone(),
        dataset: dataset.id.clone(),
        dataset_revision: dataset.revision,
        mode: intent.mode,
        obligations: Obligations::plain(
            intent.fields.clone(),
            masked.cloned().collect(),
            grant.max_rows.min(dataset.max_rows),
            if dataset.grade == Grade::General { Release::AfterPermit } else { Release::AfterReceipt },
            grant.data_life_days,
        ),
        grant: grant.id,
        height: moment.height,
        expires_ms: moment.time_ms.saturating_add(moment.completion_ms),
        policy,
        epoch: None,
    }
}

fn yes(intent: &Intent, permit: Permit, reason: Reason, state: &GrantState, moment: &Moment) -> Terms {
    let window = window_start_ms(moment.time_ms, state.grant.quota.window_ms);
    let debit_consent = match &intent.authority {
        Authority::Consent { id } => Some(*id),
        Authority::Legal { .. } => None,
    };
    let rate = permit.obligations.rate_per_minute;
    Terms {
        debit_grant: Some((permit.grant, window)),
        debit_consent,
        debit_rate: rate.map(|_| (permit.grant, window_start_ms(moment.time_ms, obligation::MINUTE_MS))),
        decision: Decision {
            intent: intent.id,
            query: permit.query,
            policy: Some(permit.policy),
            outcome: Outcome::Permitted { permit },
            reasons: vec![reason],
        },
    }
}

fn no(intent: &Intent, query: Digest, reasons: Vec<Reason>, policy: Option<Digest>) -> Terms {
    let decision = Decision { intent: intent.id, query, outcome: Outcome::Refused, reasons, policy };
    Terms { decision, debit_grant: None, debit_consent: None, debit_rate: None }
}
