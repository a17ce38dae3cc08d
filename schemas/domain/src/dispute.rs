//! Disputes about the quality of a record, and what became of them.

use covenant_canon::Digest;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Clock, DatasetId, DisputeId, FieldName, IntentId, MemberId};

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum DisputeKind {
    /// A value is wrong.
    #[n(0)]
    Wrong,
    /// A value or the record is missing.
    #[n(1)]
    Missing,
    /// It is out of date.
    #[n(2)]
    Outdated,
    /// It belongs to somebody else, or stands there twice.
    #[n(3)]
    Mistaken,
}

/// A consumer's doubt about what it was answered. The values stay out of it: the holder knows the record by the intent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// Id.
    #[n(0)]
    pub id: DisputeId,
    /// The answered query.
    #[n(1)]
    pub intent: IntentId,
    /// The dataset it was about.
    #[n(2)]
    pub dataset: DatasetId,
    /// Fields in doubt, sorted; fields of that query.
    #[n(3)]
    pub fields: Vec<FieldName>,
    /// What is wrong.
    #[n(4)]
    pub kind: DisputeKind,
    /// Salted digest of the grounds, which go to the holder on another way.
    #[n(5)]
    pub grounds: Digest,
}

/// What the holder says to a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum DisputeAnswer {
    /// The record was wrong and is corrected.
    #[n(0)]
    Corrected {
        /// What was done, without values.
        #[n(0)]
        note: String,
    },
    /// The record stands.
    #[n(1)]
    Refused {
        /// Why.
        #[n(0)]
        reason: String,
    },
}

/// A dispute with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct DisputeState {
    /// The dispute.
    #[n(0)]
    pub dispute: Dispute,
    /// Who disputes.
    #[n(1)]
    pub consumer: MemberId,
    /// Whose record.
    #[n(2)]
    pub holder: MemberId,
    /// The holder's clock; its answer stops it.
    #[n(3)]
    pub clock: Clock,
    /// The holder's answer, if it is there.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<DisputeAnswer>,
    /// When it was answered, block time in milliseconds; zero while it is open.
    #[n(5)]
    pub answered_ms: u64,
}
