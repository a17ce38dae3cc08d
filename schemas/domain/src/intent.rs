//! The consumer's signed wish to query.

use covenant_canon::Digest;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{ConsentId, DatasetId, FieldName, IntentId, LookupClaim, MemberId, Mode, PurposeCode};

/// A compressed ristretto255 point, `C = P(id) + r·H`. Hides the subject perfectly.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Commitment(
    /// The 32 canonical bytes.
    #[cbor(with = "minicbor::bytes")]
    #[serde(with = "hex")]
    pub [u8; 32],
);

impl std::fmt::Debug for Commitment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Commitment({})", hex::encode(self.0).get(..8).unwrap_or_default())
    }
}

/// On what ground the consumer asks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Authority {
    /// The subject consented; the consent carries the commitment.
    #[n(0)]
    Consent {
        /// The consent.
        #[n(0)]
        id: ConsentId,
    },
    /// The law allows it without consent; the consumer commits to the subject itself.
    #[n(1)]
    Legal {
        /// `C = P(id) + r·H` made by the consumer.
        #[n(0)]
        commitment: Commitment,
        /// File or case number; demanded by some purposes.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<String>,
    },
}

/// A query before it is decided. It names no subject.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Id, version 7: its time decides whether the intent is fresh.
    #[n(0)]
    pub id: IntentId,
    /// Who asks; must be the author of the entry.
    #[n(1)]
    pub consumer: MemberId,
    /// About what.
    #[n(2)]
    pub dataset: DatasetId,
    /// Why.
    #[n(3)]
    pub purpose: PurposeCode,
    /// How.
    #[n(4)]
    pub mode: Mode,
    /// Fields to match or release, sorted, each once.
    #[n(5)]
    pub fields: Vec<FieldName>,
    /// On what ground.
    #[n(6)]
    pub authority: Authority,
    /// Digest of the sealed input that goes to the holder.
    #[n(7)]
    pub input: Digest,
    /// For mode `lookup`, and only there: the blinded subject with its proof. The input is then this claim itself.
    #[n(8)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<LookupClaim>,
}
