//! Proposals and ballots: what a vote decides.

use covenant_canon::Digest;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{MemberId, ProposalId, RosterChange, RuleBook};

/// How the consortium votes; stands in the charter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct VoteRule {
    /// Yes votes that are needed, in percent of all who may vote; above 50.
    #[n(0)]
    pub quorum_percent: u8,
    /// How long a proposal stays open to objections, milliseconds of block time. One that everybody agreed to closes
    /// at once.
    #[n(1)]
    pub objection_ms: u64,
}

/// What is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProposalSubject {
    /// A holder's next rule book.
    #[n(0)]
    Policy {
        /// The rule book.
        #[n(0)]
        book: RuleBook,
        /// Digest of the review that its proposer has read (`covenant policy review`), so that voters can compare.
        #[n(1)]
        review: Digest,
    },
    /// A change of members, their keys or the charter; boxed for its size.
    #[n(1)]
    Roster {
        /// What changes.
        #[n(0)]
        change: Box<RosterChange>,
    },
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Id.
    #[n(0)]
    pub id: ProposalId,
    /// What.
    #[n(1)]
    pub subject: ProposalSubject,
    /// Why, for the voters.
    #[n(2)]
    pub reason: String,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// Agrees.
    #[n(0)]
    Yes,
    /// Objects.
    #[n(1)]
    No,
}

/// One member's vote; final.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Ballot {
    /// On what.
    #[n(0)]
    pub proposal: ProposalId,
    /// How.
    #[n(1)]
    pub vote: Vote,
    /// Why; demanded of an objection.
    #[n(2)]
    pub reason: String,
}

/// How a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum ProposalStatus {
    /// Open to votes.
    #[n(0)]
    Open,
    /// Accepted, and in force.
    #[n(1)]
    Accepted,
    /// Too many objections.
    #[n(2)]
    Rejected,
    /// Not enough votes in time.
    #[n(3)]
    Expired,
    /// Accepted, but something else has taken its place meanwhile.
    #[n(4)]
    Overtaken,
}

/// A vote that was cast.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct CastBallot {
    /// By whom.
    #[n(0)]
    pub member: MemberId,
    /// How.
    #[n(1)]
    pub vote: Vote,
    /// Why.
    #[n(2)]
    pub reason: String,
}

/// A proposal with its votes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct ProposalState {
    /// The proposal.
    #[n(0)]
    pub proposal: Proposal,
    /// Who made it; counts as a yes.
    #[n(1)]
    pub proposer: MemberId,
    /// When, block time in milliseconds.
    #[n(2)]
    pub opened_ms: u64,
    /// When it closes.
    #[n(3)]
    pub closes_ms: u64,
    /// How it stands.
    #[n(4)]
    pub status: ProposalStatus,
    /// Members that may vote, sorted.
    #[n(5)]
    pub voters: Vec<MemberId>,
    /// Votes so far, sorted by member.
    #[n(6)]
    pub ballots: Vec<CastBallot>,
}

/// The outcome of a proposal; derived, never submitted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct ProposalClosed {
    /// The proposal.
    #[n(0)]
    pub proposal: ProposalId,
    /// How it ended.
    #[n(1)]
    pub status: ProposalStatus,
}
