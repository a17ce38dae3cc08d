//! Proposals and votes: how a rule book comes into force where the charter wants a vote, and how members, keys and the
//! charter change.

use covenant_domain::{
    Ballot, Body, CastBallot, MAX_WORDS, MemberId, Proposal, ProposalClosed, ProposalState, ProposalStatus,
    ProposalSubject, RosterChange, Vote, VoteRule,
};

use super::{Rejection, policy, roster};
use crate::draft::Draft;
use crate::object::{Key, Object};
use crate::objects::Kind;

/// Most proposals of one member that are open at a time.
const MAX_OPEN: usize = 8;

/// A voter proposes. What could not come into force is not voted on.
pub(super) fn opened(draft: &mut Draft<'_>, author: &MemberId, proposal: &Proposal) -> Result<(), Rejection> {
    let id = proposal.id;
    let Some(rule) = rule_of(draft, &proposal.subject) else {
        return Err(match &proposal.subject {
            ProposalSubject::Policy { .. } => "the charter has no vote on rule books: adopt it directly".into(),
            ProposalSubject::Roster { .. } => "the charter has no vote on members".into(),
        });
    };
    let voters = voters_on(draft, &proposal.subject);
    if !voters.contains(author) {
        return Err(format!("`{author}` does not vote, so it cannot propose"));
    }
    if draft.proposal(&id).is_some() {
        return Err(format!("proposal {id} exists already"));
    }
    if proposal.reason.trim().is_empty() || proposal.reason.chars().count() > MAX_WORDS {
        return Err(format!("proposal {id} needs a reason of 1 to {MAX_WORDS} characters"));
    }
    let own_open =
        |o: &&Object| matches!(o, Object::Proposal(p) if &p.proposer == author && p.status == ProposalStatus::Open);
    if draft.all(Kind::Proposal).filter(own_open).count() >= MAX_OPEN {
        return Err(format!("`{author}` has {MAX_OPEN} open proposals: wait for one of them to close"));
    }
    match &proposal.subject {
        ProposalSubject::Policy { book, .. } => drop(policy::check_next(draft, author, book)?),
        ProposalSubject::Roster { change } => drop(roster::check(draft, change)?),
    }
    let opened_ms = draft.moment.time_ms;
    let own = CastBallot { member: author.clone(), vote: Vote::Yes, reason: "proposer".into() };
    let state = ProposalState {
        proposal: proposal.clone(),
        proposer: author.clone(),
        opened_ms,
        closes_ms: opened_ms.saturating_add(rule.objection_ms),
        status: ProposalStatus::Open,
        voters,
        ballots: vec![own],
    };
    weigh(draft, state);
    Ok(())
}

/// The charter's rule for votes on this.
fn rule_of(draft: &Draft<'_>, subject: &ProposalSubject) -> Option<VoteRule> {
    let charter = draft.base.charter();
    match subject {
        ProposalSubject::Policy { .. } => charter.policy_vote,
        ProposalSubject::Roster { .. } => charter.member_vote,
    }
}

/// Who votes: all who may, but for the one against whom it goes.
fn voters_on(draft: &Draft<'_>, subject: &ProposalSubject) -> Vec<MemberId> {
    let against = match subject {
        ProposalSubject::Roster { change } => match &**change {
            RosterChange::Remove { member } | RosterChange::Suspend { member } | RosterChange::Lock { member } => {
                Some(member)
            }
            _ => None,
        },
        ProposalSubject::Policy { .. } => None,
    };
    let seats = draft.base.membership().roster().seats.iter().filter(|seat| seat.votes());
    seats.map(|seat| seat.member.id.clone()).filter(|id| Some(id) != against).collect()
}

/// A voter votes, once.
pub(super) fn voted(draft: &mut Draft<'_>, author: &MemberId, ballot: &Ballot) -> Result<(), Rejection> {
    let id = ballot.proposal;
    let Some(state) = draft.proposal(&id) else { return Err(format!("no proposal {id} is on the ledger")) };
    let mut state = state.clone();
    if state.status != ProposalStatus::Open || draft.moment.time_ms >= state.closes_ms {
        return Err(format!("proposal {id} is closed"));
    }
    if !state.voters.contains(author) {
        return Err(format!("`{author}` does not vote on proposal {id}"));
    }
    let words = ballot.reason.trim();
    if words.chars().count() > MAX_WORDS || (ballot.vote == Vote::No && words.is_empty()) {
        return Err(format!("an objection to proposal {id} needs a reason of 1 to {MAX_WORDS} characters"));
    }
    match state.ballots.binary_search_by(|b| b.member.cmp(author)) {
        Ok(_) => return Err(format!("`{author}` has voted on proposal {id} already")),
        Err(at) => {
            let cast = CastBallot { member: author.clone(), vote: ballot.vote, reason: ballot.reason.clone() };
            state.ballots.insert(at, cast);
        }
    }
    weigh(draft, state);
    Ok(())
}

/// Closes before its time what no further vote or objection can change.
fn weigh(draft: &mut Draft<'_>, state: ProposalState) {
    let no = state.ballots.iter().filter(|b| b.vote == Vote::No).count();
    let everybody = state.ballots.len() == state.voters.len();
    let lost = !reaches(draft, &state, state.voters.len() - no);
    if everybody || lost {
        close(draft, state);
    } else {
        draft.put(Key::Proposal(state.proposal.id), Object::Proposal(Box::new(state)));
    }
}

/// Whether so many votes are the charter's quorum.
fn reaches(draft: &Draft<'_>, state: &ProposalState, votes: usize) -> bool {
    let rule = rule_of(draft, &state.proposal.subject);
    votes * 100 >= rule.map_or(101, |rule| usize::from(rule.quorum_percent)) * state.voters.len()
}

/// Counts the votes, and puts in force what they accept.
pub(super) fn close(draft: &mut Draft<'_>, mut state: ProposalState) {
    let yes = state.ballots.iter().filter(|b| b.vote == Vote::Yes).count();
    let objected = state.ballots.iter().any(|b| b.vote == Vote::No);
    state.status = if reaches(draft, &state, yes) {
        let put = match &state.proposal.subject {
            ProposalSubject::Policy { book, .. } => policy::put_next(draft, &state.proposer, book),
            ProposalSubject::Roster { change } => roster::put(draft, change),
        };
        match put {
            Ok(()) => ProposalStatus::Accepted,
            Err(_) => ProposalStatus::Overtaken,
        }
    } else if objected {
        ProposalStatus::Rejected
    } else {
        ProposalStatus::Expired
    };
    draft.derive(Body::ProposalClosed(ProposalClosed { proposal: state.proposal.id, status: state.status }));
    draft.put(Key::Proposal(state.proposal.id), Object::Proposal(Box::new(state)));
}
