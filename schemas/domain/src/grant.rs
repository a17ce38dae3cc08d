//! Grants: what a holder allows a consumer.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{DatasetId, FieldName, GrantId, MemberId, Mode, PurposeCode};

/// How many queries fit into a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Quota {
    /// Queries per window.
    #[n(0)]
    pub limit: u64,
    /// Length of the window in milliseconds; windows start at multiples of it.
    #[n(1)]
    pub window_ms: u64,
}

/// A grant between a holder and a consumer for one dataset and one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Id.
    #[n(0)]
    pub id: GrantId,
    /// Who allows.
    #[n(1)]
    pub holder: MemberId,
    /// Who may ask.
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
    pub modes: Vec<Mode>,
    /// Which fields may be matched or released.
    #[n(6)]
    pub fields: Vec<FieldName>,
    /// How often.
    #[n(7)]
    pub quota: Quota,
    /// From when, milliseconds since 1970.
    #[n(8)]
    pub valid_from_ms: u64,
    /// Until when, exclusive.
    #[n(9)]
    pub valid_until_ms: u64,
    /// How long the consumer may keep an answer, in days.
    #[n(10)]
    pub data_life_days: u32,
    /// Most records one answer may carry; the dataset's own limit holds too.
    #[n(11)]
    pub max_rows: u32,
    /// The grant it takes the place of: renewed or changed. That one ends when this one is issued.
    #[n(12)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<GrantId>,
}

/// A grant with both parties' signatures over its digest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct SignedGrant {
    /// The grant.
    #[n(0)]
    pub grant: Grant,
    /// The consumer's signature over the grant's digest, text form of `privacy/suite`. The holder signs by being
    /// the author of the entry.
    #[n(1)]
    pub consumer_signature: String,
}

/// What happens to a grant after it was issued. `suspended` and `valid` alternate; `revoked` is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum GrantChange {
    /// The author of the entry stops use until it resumes.
    #[n(0)]
    Suspended,
    /// The author lifts its own suspension.
    #[n(1)]
    Resumed,
    /// Ended for good.
    #[n(2)]
    Revoked,
}
