//! What past queries would have been told under another rule book.

use covenant_canon::Digest;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{DatasetId, IntentId, MemberId, Mode, Obligations, PurposeCode, Reason};

/// A past query that would have been told something else.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Simulated {
    /// The query.
    #[n(0)]
    pub intent: IntentId,
    /// Height of its block.
    #[n(1)]
    pub height: u64,
    /// Who asked.
    #[n(2)]
    pub consumer: MemberId,
    /// About what.
    #[n(3)]
    pub dataset: DatasetId,
    /// Why.
    #[n(4)]
    pub purpose: PurposeCode,
    /// How.
    #[n(5)]
    pub mode: Mode,
    /// What the holder had to observe; absent when it was refused.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Obligations>,
    /// What the holder would have had to observe; absent when it would have been refused.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would: Option<Obligations>,
    /// The reasons of the other decision.
    #[n(8)]
    pub reasons: Vec<Reason>,
}

/// A rule book tried on past queries. Each was decided at its own moment on the ledger as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Simulation {
    /// Digest of the book that was tried.
    #[n(0)]
    pub book: Digest,
    /// Height of the newest block looked at.
    #[n(1)]
    pub height: u64,
    /// Queries to the holder's datasets that were decided twice.
    #[n(2)]
    pub compared: u64,
    /// Those of them that differ, the oldest first.
    #[n(3)]
    pub changed: Vec<Simulated>,
}
