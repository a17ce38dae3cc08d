//! Changes of a right that two bureaus sign: registration, pledge, transfer.

use covenant_canon::Digest;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{DatasetId, MemberId, RightId};

/// What happens to a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RightKind {
    /// First entry in the register (首次登记).
    #[n(0)]
    Registration,
    /// Mortgage or pledge (抵押登记).
    #[n(1)]
    Pledge,
    /// Another owner (转移登记).
    #[n(2)]
    Transfer,
}

/// A change of a right. The record itself stays at its holder; the ledger carries a salted digest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RightChange {
    /// Id.
    #[n(0)]
    pub id: RightId,
    /// The register, a dataset with co-signers.
    #[n(1)]
    pub dataset: DatasetId,
    /// What happens.
    #[n(2)]
    pub kind: RightKind,
    /// Salted digest of the record as it will be.
    #[n(3)]
    pub record: Digest,
    /// The change this one follows; absent for a registration only.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<RightId>,
}

/// A change with the signatures it has.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct RightState {
    /// The change.
    #[n(0)]
    pub change: RightChange,
    /// Members that signed, sorted.
    #[n(1)]
    pub signed: Vec<MemberId>,
    /// Members whose signatures it takes, sorted.
    #[n(2)]
    pub signers: Vec<MemberId>,
    /// When the last signature came, block time in milliseconds; zero before.
    #[n(3)]
    pub effective_ms: u64,
    /// The change that followed it.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed_by: Option<RightId>,
}
