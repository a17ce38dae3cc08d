//! Authorisation artefacts (protocols.md section 1).

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Commitment, ConsentId, DatasetId, FieldName, MemberId, Mode, PurposeCode};

/// One dataset a consent covers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct ConsentScope {
    /// The dataset.
    #[n(0)]
    pub dataset: DatasetId,
    /// The fields that may be used.
    #[n(1)]
    pub fields: Vec<FieldName>,
}

/// What a citizen or company allowed, as the authorisation service signs it. It names nobody: the subject is hidden in
/// the commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Id.
    #[n(0)]
    pub id: ConsentId,
    /// Who may ask.
    #[n(1)]
    pub consumer: MemberId,
    /// Why.
    #[n(2)]
    pub purpose: PurposeCode,
    /// About what.
    #[n(3)]
    pub scopes: Vec<ConsentScope>,
    /// How.
    #[n(4)]
    pub modes: Vec<Mode>,
    /// `C = P(id) + r·H`.
    #[n(5)]
    pub commitment: Commitment,
    /// From when, milliseconds since 1970.
    #[n(6)]
    pub valid_from_ms: u64,
    /// Until when, exclusive.
    #[n(7)]
    pub valid_until_ms: u64,
    /// Queries it allows in all.
    #[n(8)]
    pub max_uses: u32,
    /// How long an answer may be kept, in days.
    #[n(9)]
    pub data_life_days: u32,
}

/// What the subject does with a consent after giving it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum ConsentChange {
    /// No use until resumed.
    #[n(0)]
    Paused,
    /// Use again.
    #[n(1)]
    Resumed,
    /// Ended for good.
    #[n(2)]
    Revoked,
}

/// State of a consent on the ledger; `expired` follows from its dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum ConsentStatus {
    /// May be used.
    #[n(0)]
    Active,
    /// Paused by the subject.
    #[n(1)]
    Paused,
    /// Revoked by the subject.
    #[n(2)]
    Revoked,
    /// All uses spent.
    #[n(3)]
    Exhausted,
}
