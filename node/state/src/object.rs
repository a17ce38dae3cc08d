//! What the state is made of: objects under keys.

use covenant_domain::{
    Case, CaseNumber, Ceremony, ConsentId, Dataset, DatasetId, GrantId, Intent, IntentId, MemberId, Permit, Point,
    Purpose, PurposeCode, RuleBook,
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
    GrantUse(#[n(0)] GrantUse),
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

/// Queries debited from a grant in its newest window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GrantUse {
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
