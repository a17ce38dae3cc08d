//! The evidence bundle: one query's whole record in one file that verifies offline.

use covenant_canon::Digest;
use covenant_domain::Entry;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{BatchProof, Certificate, Handover, Header};

/// An entry with its audit paths in both profiles.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct LeafProof {
    /// The entry.
    #[n(0)]
    pub entry: Entry,
    /// Leaf number in the log.
    #[n(1)]
    pub index: u64,
    /// Audit path in the SM3 tree of the anchoring block.
    #[n(2)]
    pub path_sm3: Vec<Digest>,
    /// Audit path in the SHA-256 tree of the anchoring block.
    #[n(3)]
    pub path_sha256: Vec<Digest>,
}

/// An entry that a member signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Authored {
    /// The entry in the log.
    #[n(0)]
    pub leaf: LeafProof,
    /// Its author's signature.
    #[n(1)]
    pub signed: BatchProof,
}

/// A block header with the certificate that made it final.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Anchor {
    /// The header.
    #[n(0)]
    pub header: Header,
    /// Signatures of more than two thirds of the validators.
    #[n(1)]
    pub certificate: Certificate,
}

/// How the query ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "closure", rename_all = "snake_case")]
pub enum Closure {
    /// It was refused.
    #[n(0)]
    Refused,
    /// It is permitted and not yet closed.
    #[n(1)]
    Open,
    /// The holder completed it, or voided it before anything left; boxed for size.
    #[n(2)]
    Completed {
        /// The completion, or the holder's entry that voids the permit.
        #[n(0)]
        completion: Box<Authored>,
        /// The block that holds it.
        #[n(1)]
        anchor: Box<Anchor>,
        /// Proof that the SM3 log of this block extends that of the intent's block.
        #[n(2)]
        consistency_sm3: Vec<Digest>,
        /// The same in the SHA-256 profile.
        #[n(3)]
        consistency_sha256: Vec<Digest>,
    },
    /// It lapsed without completion.
    #[n(3)]
    Lapsed {
        /// The lapse.
        #[n(0)]
        lapse: Box<LeafProof>,
        /// The block that holds it.
        #[n(1)]
        anchor: Box<Anchor>,
        /// As for completion.
        #[n(2)]
        consistency_sm3: Vec<Digest>,
        /// As for completion.
        #[n(3)]
        consistency_sha256: Vec<Digest>,
    },
}

/// The whole record of one query. Holds no personal data and opens no answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Bundle {
    /// Format version, 1.
    #[n(0)]
    pub version: u32,
    /// Digest of the genesis that the verifier must trust.
    #[n(1)]
    pub consortium: Digest,
    /// The query.
    #[n(2)]
    pub intent: Authored,
    /// The decision on it, in the same block.
    #[n(3)]
    pub decision: LeafProof,
    /// The block of both.
    #[n(4)]
    pub anchor: Anchor,
    /// How it ended.
    #[n(5)]
    pub closure: Closure,
    /// How the members of these blocks follow from those of the genesis; absent where they are the same.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handovers: Option<Vec<Handover>>,
}
