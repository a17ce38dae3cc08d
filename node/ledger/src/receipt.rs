//! The receipt of one entry: that it stands on the ledger, who signed it, and that it took effect.

use covenant_canon::Digest;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Anchor, Authored, Handover, LeafProof};

/// Most leaves behind the entry that a receipt shows.
pub const MAX_FOLLOWING: u64 = 128;

/// What proves one entry: a revocation for example. Holds nothing that the ledger does not.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct EntryReceipt {
    /// Format version, 1.
    #[n(0)]
    pub version: u32,
    /// Digest of the genesis that the verifier must trust.
    #[n(1)]
    pub consortium: Digest,
    /// The entry with its author's signature.
    #[n(2)]
    pub entry: Authored,
    /// Every leaf behind it up to the end of its block, so that a rejection could not hide; absent when there are more
    /// than [`MAX_FOLLOWING`]. Execution derives its entries behind those it executes, in the same block.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub following: Option<Vec<LeafProof>>,
    /// The block.
    #[n(4)]
    pub anchor: Anchor,
    /// How the members of the block follow from those of the genesis; absent where they are the same.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handovers: Option<Vec<Handover>>,
}
