//! What a private lookup puts on the ledger and sends to the holder (protocols.md section 2).

use covenant_canon::Digest;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{IntentId, Point, Proof, Value};

/// The consumer's claim in an intent: what is to be evaluated stands for the subject of the commitment, which is escrowed.
/// It tells nobody who that is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct LookupClaim {
    /// The epoch.
    #[n(0)]
    pub epoch: u32,
    /// Number of the escrow key, which is that of the ceremony that made it.
    #[n(1)]
    pub ceremony: u32,
    /// `B = b·P`, the blinded subject.
    #[n(2)]
    pub blinded: Point,
    /// `A = s·G`, first half of the escrow.
    #[n(3)]
    pub escrow_a: Point,
    /// `D = P + s·Y`, second half.
    #[n(4)]
    pub escrow_d: Point,
    /// Proof that `B`, `A`, `D` and the commitment belong to one subject, bound to the intent.
    #[n(5)]
    pub proof: Proof,
}

/// The holder's evaluation of a blinded subject under its epoch key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The intent.
    #[n(0)]
    pub intent: IntentId,
    /// `Z = k·B`.
    #[n(1)]
    pub evaluated: Point,
    /// Proof that `k` is the epoch's key, bound to the intent.
    #[n(2)]
    pub proof: Proof,
}

/// The consumer's encrypted question to both tables of the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Retrieval {
    /// The intent.
    #[n(0)]
    pub intent: IntentId,
    /// Revision of the overlay it is made for.
    #[n(1)]
    pub overlay: u32,
    /// Query to the table: one LWE sample per column.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub table_query: Vec<u8>,
    /// Query to the overlay.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub overlay_query: Vec<u8>,
}

/// A retrieval with the consumer's signature over its digest, so that nobody on the way can ask something else.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedRetrieval {
    /// The retrieval.
    #[n(0)]
    pub retrieval: Retrieval,
    /// Signature over its digest, text form of `privacy/suite`.
    #[n(1)]
    pub signature: String,
}

/// What the holder answers to a retrieval; it travels sealed to the consumer. The same length for hit and miss.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Retrieved {
    /// The intent.
    #[n(0)]
    pub intent: IntentId,
    /// Answer of the table.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub table_answer: Vec<u8>,
    /// Answer of the overlay.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub overlay_answer: Vec<u8>,
}

/// What the completion of a lookup says beside the digest of the sealed answer: enough to compute the answer again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct LookupRecord {
    /// Digest of the evaluation.
    #[n(0)]
    pub evaluation: Digest,
    /// Digest of the retrieval.
    #[n(1)]
    pub retrieval: Digest,
    /// Digest of the description of the table that was asked.
    #[n(2)]
    pub table: Digest,
    /// The same of the overlay.
    #[n(3)]
    pub overlay: Digest,
    /// Digest of what was retrieved, before sealing.
    #[n(4)]
    pub retrieved: Digest,
}

/// The content of one sealed row: values in the order of the epoch's fields, one list for each record of the subject.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LookupRow {
    /// The records.
    #[n(0)]
    pub records: Vec<Vec<Value>>,
}
