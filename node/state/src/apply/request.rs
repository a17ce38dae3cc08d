//! Access requests: submitted, returned, checked, approved by all who must, rejected or withdrawn; each step on a clock.

use covenant_domain::{
    AccessRequest, Body, Clock, MAX_STEPS, MAX_WORDS, MemberId, Power, RequestEvent, RequestId, RequestState,
    RequestStatus, RequestStep, Role, RuleApplied,
};
use covenant_engine::{Facts, GrantState};

use super::{Rejection, delegation, demand_role, grant};
use crate::draft::Draft;
use crate::object::{Key, Object};
use crate::objects::Kind;

/// Most requests of one consumer that wait for somebody at a time.
const MAX_OPEN: usize = 200;

/// A consumer, or who acts for it, asks for a grant.
pub(super) fn submitted(draft: &mut Draft<'_>, author: &MemberId, request: &AccessRequest) -> Result<(), Rejection> {
    if draft.request(&request.id).is_some() {
        return Err(format!("request {} exists already", request.id));
    }
    check(draft, author, request)?;
    let consumer = &request.grant.grant.consumer;
    let waits = |o: &&Object| matches!(o, Object::Request(r) if r.clock.is_some() && &r.request.grant.grant.consumer == consumer);
    if draft.all(Kind::Request).filter(waits).count() >= MAX_OPEN {
        return Err(format!("`{consumer}` has {MAX_OPEN} requests waiting: withdraw some, or wait"));
    }
    let mut state = RequestState {
        request: request.clone(),
        status: RequestStatus::Submitted,
        events: Vec::new(),
        clock: None,
        approvals: Vec::new(),
        approvers: grant::signers(draft, &request.grant.grant),
        rule: None,
    };
    note(draft, author, &request.grant.grant.consumer, &mut state, "submitted", "");
    enter(draft, state);
    Ok(())
}

/// What is asked must be something the holder could grant today.
fn check(draft: &Draft<'_>, author: &MemberId, request: &AccessRequest) -> Result<(), Rejection> {
    let asked = &request.grant.grant;
    demand_role(draft, &asked.consumer, Role::Consumer)?;
    if !delegation::acts_for(draft, author, &asked.consumer, Power::RequestAccess, &asked.dataset) {
        return Err(format!("request {} is `{}`'s to submit", request.id, asked.consumer));
    }
    request.check().map_err(|fault| format!("request {}: {fault}", request.id))?;
    grant::check_new(draft, asked)?;
    grant::check_signature(draft, &request.grant, author)?;
    let revision = draft.dataset(&asked.dataset).map_or(0, |d| d.revision);
    if request.dataset_revision != revision {
        return Err(format!(
            "request {} was written for revision {} of dataset `{}`, {revision} is in force: read it again",
            request.id, request.dataset_revision, asked.dataset
        ));
    }
    Ok(())
}

/// A request enters the queue of whoever must look at it first: the platform, where there is one.
fn enter(draft: &mut Draft<'_>, mut state: RequestState) {
    state.status = RequestStatus::Submitted;
    state.approvals.clear();
    match draft.base.members().find(|m| m.has(Role::Platform)).map(|m| m.id.clone()) {
        Some(platform) => {
            let days = draft.calendar().clocks.check_days;
            start(draft, &mut state, platform, days);
            put(draft, state);
        }
        None => forward(draft, state),
    }
}

/// To the holder: approved at once where one of its rules says so, else on the holder's clock.
fn forward(draft: &mut Draft<'_>, mut state: RequestState) {
    let holder = state.request.grant.grant.holder.clone();
    if state.approvers.len() == 1
        && let Some(rule) = draft.auto_approval(&holder, &state.request)
        && issue(draft, &mut state).is_ok()
    {
        state.rule = Some(rule.clone());
        let words = format!("by rule `{rule}` of `{holder}`");
        note(draft, &holder, &holder, &mut state, "approved", &words);
        draft.derive(Body::RequestAutoApproved(RuleApplied { request: state.request.id, rule }));
        put(draft, state);
        return;
    }
    let days = draft.calendar().clocks.decide_days;
    start(draft, &mut state, holder, days);
    put(draft, state);
}

/// The next step of a request.
pub(super) fn stepped(
    draft: &mut Draft<'_>,
    author: &MemberId,
    id: &RequestId,
    step: &RequestStep,
) -> Result<(), Rejection> {
    let Some(state) = draft.request(id) else { return Err(format!("no request {id} is on the ledger")) };
    let mut state = state.clone();
    let principal = principal(draft, author, &state, step)?;
    if step.words().chars().count() > MAX_WORDS || (needs_words(step) && step.words().trim().is_empty()) {
        return Err(format!("request {id}: `{}` needs a reason of 1 to {MAX_WORDS} characters", step.name()));
    }
    if state.events.len() >= MAX_STEPS && !matches!(step, RequestStep::Rejected { .. } | RequestStep::Withdrawn) {
        return Err(format!("request {id} has taken {MAX_STEPS} steps: reject or withdraw it, and begin anew"));
    }
    note(draft, author, &principal, &mut state, step.name(), step.words());
    match step {
        RequestStep::Returned { .. } => {
            (state.status, state.clock) = (RequestStatus::Returned, None);
            state.approvals.clear();
            put(draft, state);
        }
        RequestStep::Amended { request } => {
            amended(draft, author, &mut state, request)?;
            enter(draft, state);
        }
        RequestStep::Checked { .. } => {
            state.status = RequestStatus::Checked;
            forward(draft, state);
        }
        RequestStep::Approved { .. } => approved(draft, &principal, state)?,
        RequestStep::Rejected { .. } => {
            (state.status, state.clock) = (RequestStatus::Rejected, None);
            put(draft, state);
        }
        RequestStep::Withdrawn => {
            (state.status, state.clock) = (RequestStatus::Withdrawn, None);
            put(draft, state);
        }
    }
    Ok(())
}

fn needs_words(step: &RequestStep) -> bool {
    matches!(step, RequestStep::Returned { .. } | RequestStep::Rejected { .. })
}

/// In whose name the author takes the step, if it may take it now.
fn principal(
    draft: &Draft<'_>,
    author: &MemberId,
    state: &RequestState,
    step: &RequestStep,
) -> Result<MemberId, Rejection> {
    use RequestStatus::{Checked, Returned, Submitted};
    let (id, grant) = (state.request.id, &state.request.grant.grant);
    let platform = draft.base.members().any(|m| m.has(Role::Platform));
    // The holder's turn comes after the platform's check, or at once where no platform is.
    let before_holder = platform && state.status == Submitted;
    let open: &[RequestStatus] = match step {
        RequestStep::Amended { .. } => &[Returned],
        RequestStep::Checked { .. } => &[Submitted],
        RequestStep::Returned { .. } | RequestStep::Approved { .. } | RequestStep::Rejected { .. } => {
            &[Submitted, Checked]
        }
        RequestStep::Withdrawn => &[Submitted, Returned, Checked],
    };
    if !open.contains(&state.status) {
        return Err(format!("request {id} is {:?} and cannot be {}", state.status, step.name()).to_lowercase());
    }
    let is_platform = draft.member(author).is_some_and(|m| m.has(Role::Platform));
    let found = match step {
        RequestStep::Amended { .. } | RequestStep::Withdrawn => {
            let acts = delegation::acts_for(draft, author, &grant.consumer, Power::RequestAccess, &grant.dataset);
            acts.then(|| grant.consumer.clone())
        }
        RequestStep::Checked { .. } => is_platform.then(|| author.clone()),
        RequestStep::Returned { .. } if before_holder => is_platform.then(|| author.clone()),
        RequestStep::Returned { .. } | RequestStep::Approved { .. } | RequestStep::Rejected { .. } => {
            if before_holder {
                return Err(format!("request {id} waits for the platform's check first"));
            }
            let acts = |m: &&MemberId| delegation::acts_for(draft, author, m, Power::DecideRequests, &grant.dataset);
            state.approvers.iter().filter(|m| !state.approvals.contains(m)).find(acts).cloned()
        }
    };
    found.ok_or_else(|| format!("request {id} is not `{author}`'s to be {} now", step.name()))
}

/// The consumer's better text. Parties and dataset stay; all else may change, the grant's id included.
fn amended(
    draft: &Draft<'_>,
    author: &MemberId,
    state: &mut RequestState,
    request: &AccessRequest,
) -> Result<(), Rejection> {
    let (old, new) = (&state.request.grant.grant, &request.grant.grant);
    if request.id != state.request.id || old.consumer != new.consumer || old.dataset != new.dataset {
        return Err(format!("request {}: an amendment keeps id, consumer and dataset", state.request.id));
    }
    check(draft, author, request)?;
    state.request = request.clone();
    Ok(())
}

/// One more approval; the last one issues the grant.
fn approved(draft: &mut Draft<'_>, principal: &MemberId, mut state: RequestState) -> Result<(), Rejection> {
    state.approvals.push(principal.clone());
    state.approvals.sort();
    match state.approvers.iter().find(|m| !state.approvals.contains(m)).cloned() {
        Some(next) => {
            state.status = RequestStatus::Checked;
            let days = draft.calendar().clocks.decide_days;
            start(draft, &mut state, next, days);
        }
        None => issue(draft, &mut state)?,
    }
    put(draft, state);
    Ok(())
}

/// Puts the grant in force, word for word as it was asked for. What has changed since it was asked is looked at again.
fn issue(draft: &mut Draft<'_>, state: &mut RequestState) -> Result<(), Rejection> {
    let asked = state.request.grant.grant.clone();
    grant::check_new(draft, &asked)?;
    (state.status, state.clock) = (RequestStatus::Approved, None);
    let mut signed_by = state.approvers.clone();
    signed_by.push(asked.consumer.clone());
    let mut issued = GrantState::new(asked, signed_by);
    issued.request = Some(state.request.id);
    grant::put_new(draft, issued);
    Ok(())
}

fn start(draft: &Draft<'_>, state: &mut RequestState, member: MemberId, days: u16) {
    let started_ms = draft.moment.time_ms;
    let due_ms = draft.calendar().due_ms(started_ms, days);
    state.clock = Some(Clock { member, started_ms, due_ms, overdue: false });
}

fn note(draft: &Draft<'_>, by: &MemberId, principal: &MemberId, state: &mut RequestState, step: &str, words: &str) {
    let at_ms = draft.moment.time_ms;
    state.events.push(RequestEvent {
        by: by.clone(),
        on_behalf_of: (by != principal).then(|| principal.clone()),
        at_ms,
        step: step.to_owned(),
        words: words.to_owned(),
        late_ms: state.clock.as_ref().map_or(0, |c| at_ms.saturating_sub(c.due_ms)),
    });
}

fn put(draft: &mut Draft<'_>, state: RequestState) {
    draft.put(Key::Request(state.request.id), Object::Request(Box::new(state)));
}
