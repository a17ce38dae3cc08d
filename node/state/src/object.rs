//! What the state is made of: objects under keys.

use covenant_domain::{
    Calendar, Case, CaseNumber, Ceremony, ConsentId, Dataset, DatasetId, DatasetStatus, Delegation, DelegationId,
    DisputeId, DisputeState, Equivocation, GrantId, Intent, IntentId, MemberId, Notice, Permit, Point, ProposalId,
    ProposalState, ProposalStatus, Purpose, PurposeCode, RequestId, RequestState, RightId, RightState, Roster,
    RuleBook, Tariff, Usage,
};
use covenant_engine::{ConsentState, EpochState, GrantState};
use minicbor::{Decode, Encode};

/// Names one object. Keys of one kind lie together and in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Key {
    /// A purpose.
    #[n(0)]
    Purpose(#[n(0)] PurposeCode),
    /// A dataset's revision in force.
    #[n(1)]
    Dataset(#[n(0)] DatasetId),
    /// A holder's rule book in force.
    #[n(2)]
    Policy(#[n(0)] MemberId),
    /// A grant.
    #[n(3)]
    Grant(#[n(0)] GrantId),
    /// How much of a grant's current window is spent.
    #[n(4)]
    GrantUse(#[n(0)] GrantId),
    /// A consent.
    #[n(5)]
    Consent(#[n(0)] ConsentId),
    /// A permitted query that awaits its completion.
    #[n(6)]
    Open(#[n(0)] IntentId),
    /// A dataset's epoch in force.
    #[n(7)]
    Epoch(#[n(0)] DatasetId),
    /// A key ceremony of the trustees.
    #[n(8)]
    Ceremony(#[n(0)] u32),
    /// The escrow key in force.
    #[n(9)]
    Escrow,
    /// A regulator's case.
    #[n(10)]
    Case(#[n(0)] CaseNumber),
    /// An access request.
    #[n(11)]
    Request(#[n(0)] RequestId),
    /// A delegation.
    #[n(12)]
    Delegation(#[n(0)] DelegationId),
    /// The calendar in force.
    #[n(13)]
    Calendar,
    /// A proposal.
    #[n(14)]
    Proposal(#[n(0)] ProposalId),
    /// A dispute.
    #[n(15)]
    Dispute(#[n(0)] DisputeId),
    /// Counters of one month, consumer and dataset.
    #[n(16)]
    Usage {
        /// Year and month as one number.
        #[n(0)]
        month: u32,
        /// Who asked.
        #[n(1)]
        consumer: MemberId,
        /// About what.
        #[n(2)]
        dataset: DatasetId,
    },
    /// The newest notice text of a purpose.
    #[n(17)]
    Notice(#[n(0)] PurposeCode),
    /// What answers are worth.
    #[n(18)]
    Tariff,
    /// How much of a consent's current window is spent.
    #[n(19)]
    ConsentUse(#[n(0)] ConsentId),
    /// Queries of a grant in its newest minute, where guard rules limit the rate.
    #[n(30)]
    Rate(#[n(0)] GrantId),
    /// What happened to a dataset since it was published.
    #[n(20)]
    DatasetStatus(#[n(0)] DatasetId),
    /// A change of a right.
    #[n(22)]
    Right(#[n(0)] RightId),
    /// A roster, by its number.
    #[n(31)]
    Roster(#[n(0)] u32),
    /// A revoked transport certificate.
    #[n(32)]
    Revoked {
        /// Whose.
        #[n(0)]
        member: MemberId,
        /// Serial number, hex.
        #[n(1)]
        serial: String,
    },
    /// A validator that contradicted itself.
    #[n(33)]
    Equivocation {
        /// Who.
        #[n(0)]
        validator: MemberId,
        /// At which height.
        #[n(1)]
        height: u64,
    },
}

/// One object of the state.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Object {
    /// A purpose.
    #[n(0)]
    Purpose(#[n(0)] Purpose),
    /// A dataset.
    #[n(1)]
    Dataset(#[n(0)] Dataset),
    /// A rule book.
    #[n(2)]
    Policy(#[n(0)] RuleBook),
    /// A grant.
    #[n(3)]
    Grant(#[n(0)] GrantState),
    /// A quota counter.
    #[n(4)]
    GrantUse(#[n(0)] WindowUse),
    /// A consent.
    #[n(5)]
    Consent(#[n(0)] ConsentState),
    /// An open query.
    #[n(6)]
    Open(#[n(0)] OpenQuery),
    /// An epoch.
    #[n(7)]
    Epoch(#[n(0)] EpochState),
    /// A ceremony.
    #[n(8)]
    Ceremony(#[n(0)] Ceremony),
    /// An escrow key.
    #[n(9)]
    Escrow(#[n(0)] EscrowInForce),
    /// A case.
    #[n(10)]
    Case(#[n(0)] Case),
    /// An access request; boxed for its size.
    #[n(11)]
    Request(#[n(0)] Box<RequestState>),
    /// A delegation.
    #[n(12)]
    Delegation(#[n(0)] Delegation),
    /// A calendar.
    #[n(13)]
    Calendar(#[n(0)] Calendar),
    /// A proposal; boxed for its size.
    #[n(14)]
    Proposal(#[n(0)] Box<ProposalState>),
    /// A dispute.
    #[n(15)]
    Dispute(#[n(0)] DisputeState),
    /// Counters.
    #[n(16)]
    Usage(#[n(0)] Usage),
    /// A notice text.
    #[n(17)]
    Notice(#[n(0)] Notice),
    /// A tariff.
    #[n(18)]
    Tariff(#[n(0)] Tariff),
    /// A counter of uses.
    #[n(19)]
    ConsentUse(#[n(0)] WindowUse),
    /// A rate counter.
    #[n(30)]
    Rate(#[n(0)] WindowUse),
    /// A dataset's status.
    #[n(20)]
    DatasetStatus(#[n(0)] DatasetStatus),
    /// A change of a right with its signatures.
    #[n(22)]
    Right(#[n(0)] RightState),
    /// A roster; boxed for its size.
    #[n(31)]
    Roster(#[n(0)] Box<Roster>),
    /// A revoked transport certificate.
    #[n(32)]
    Revoked(#[n(0)] Revoked),
    /// Two contradicting statements; boxed for their size.
    #[n(33)]
    Equivocation(#[n(0)] Box<Equivocation>),
}

/// A transport certificate that must not be used any more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Revoked {
    /// Whose.
    #[n(0)]
    pub member: MemberId,
    /// Serial number, hex.
    #[n(1)]
    pub serial: String,
    /// When it ends by itself, milliseconds since 1970.
    #[n(2)]
    pub not_after_ms: u64,
}

impl Object {
    /// When something happens to it by itself: block time in milliseconds.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        match self {
            Self::Open(query) => Some(query.permit.expires_ms),
            Self::Grant(state) => state.deletion_due_ms.filter(|_| !state.deletion_overdue),
            Self::Request(state) => state.clock.as_ref().filter(|c| !c.overdue).map(|c| c.due_ms),
            Self::Dispute(state) => (state.answer.is_none() && !state.clock.overdue).then_some(state.clock.due_ms),
            Self::Revoked(revoked) => Some(revoked.not_after_ms),
            Self::Proposal(state) => (state.status == ProposalStatus::Open).then_some(state.closes_ms),
            _ => None,
        }
    }
}

/// The escrow key that lookups must use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EscrowInForce {
    /// Number of the ceremony that made it.
    #[n(0)]
    pub ceremony: u32,
    /// `Y`.
    #[n(1)]
    pub key: Point,
}

/// What was debited from a grant or a consent in its newest window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct WindowUse {
    /// Start of the window, milliseconds since 1970.
    #[n(0)]
    pub window_start_ms: u64,
    /// Queries debited in it.
    #[n(1)]
    pub used: u64,
}

/// A permitted query that awaits its completion.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OpenQuery {
    /// What was asked.
    #[n(0)]
    pub intent: Intent,
    /// What was permitted.
    #[n(1)]
    pub permit: Permit,
}
