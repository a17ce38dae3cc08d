//! The end of a permitted query: done, or lapsed.

use covenant_canon::Digest;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{IntentId, LookupRecord};

/// The holder's record that it has answered. Says nothing of hit or miss.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Completion {
    /// The intent.
    #[n(0)]
    pub intent: IntentId,
    /// Digest of the permit it used.
    #[n(1)]
    pub permit: Digest,
    /// Digest of the sealed answer.
    #[n(2)]
    pub answer: Digest,
    /// Root over the salted commitments of all fields, released and withheld.
    #[n(3)]
    pub fields_root: Digest,
    /// For mode `lookup`, and only there: what the answer was computed from. The fields root is then the digest of what
    /// was retrieved.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<LookupRecord>,
}

/// The holder's word that it cannot answer and that nothing has left: it holds no key of the epoch any more, for example.
/// Whether the debited use comes back is the charter's to say.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Voided {
    /// The intent.
    #[n(0)]
    pub intent: IntentId,
    /// Digest of the permit it did not use.
    #[n(1)]
    pub permit: Digest,
    /// Why, in words that tell nothing of any subject.
    #[n(2)]
    pub reason: String,
}

/// A permit whose completion did not come in time; the query is closed without an answer on record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Lapse {
    /// The intent.
    #[n(0)]
    pub intent: IntentId,
    /// When the completion was due, block time in milliseconds.
    #[n(1)]
    pub due_ms: u64,
}
