//! Blocks: ordered batches under a header that also commits to what their execution derived.

use covenant_canon::{CanonError, Digest, Label, SuiteId, from_bytes, to_bytes};
use covenant_domain::MemberId;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{CheckedBatch, Roots, SignedBatch};

/// Longest encoded block, in bytes.
pub const MAX_BLOCK_BYTES: usize = 512 * 1024;

/// What validators vote on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Header {
    /// Format version, 1.
    #[n(0)]
    pub version: u32,
    /// Digest of the genesis.
    #[n(1)]
    pub consortium: Digest,
    /// Height, from 1.
    #[n(2)]
    pub height: u64,
    /// Id of the block below; zero at height 1.
    #[n(3)]
    pub parent: Digest,
    /// Block time, milliseconds since 1970; never before the parent's.
    #[n(4)]
    pub time_ms: u64,
    /// Who proposed it.
    #[n(5)]
    pub proposer: MemberId,
    /// Digest over the batches.
    #[n(6)]
    pub payload: Digest,
    /// Roots of the log after this block: its entries and everything its execution derived.
    #[n(7)]
    pub log: Roots,
    /// Digest of the state before this block.
    #[n(8)]
    pub state: Digest,
    /// Suite of the id and of all signatures.
    #[n(9)]
    pub suite: SuiteId,
    /// Validators whose precommits on the parent the proposer has seen, sorted; from these lists alone every node derives
    /// who is taken for live when proposers are chosen. It has no weight in a quorum.
    #[n(10)]
    pub parent_signers: Vec<MemberId>,
    /// Digest of the roster that holds from the next height on, where it is another than that of this height.
    #[n(11)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_roster: Option<Digest>,
}

impl Header {
    /// The block's id.
    pub fn id(&self) -> Digest {
        Digest::of(self.suite, Label::BLOCK, &to_bytes(self))
    }
}

/// A block as it travels and is stored.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Block {
    /// Header.
    #[n(0)]
    pub header: Header,
    /// Batches in their order.
    #[n(1)]
    pub batches: Vec<SignedBatch>,
}

/// Why bytes are not a block.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// Too long.
    #[error("block of {length} bytes exceeds the limit of {MAX_BLOCK_BYTES}")]
    TooLong {
        /// Length found.
        length: usize,
    },
    /// Not canonical.
    #[error("block cannot be read")]
    Canon(#[from] CanonError),
    /// Header and batches do not belong together.
    #[error("payload digest of block {height} does not cover its batches")]
    Payload {
        /// Height in the header.
        height: u64,
    },
    /// A later format.
    #[error("block {height} has format version {version}, this build reads version 1")]
    Version {
        /// Height in the header.
        height: u64,
        /// Version in the header.
        version: u32,
    },
}

impl Block {
    /// Digest over the ids of batches, in order.
    pub fn payload(suite: SuiteId, ids: impl IntoIterator<Item = Digest>) -> Digest {
        let ids: Vec<u8> = ids.into_iter().flat_map(|id| id.0).collect();
        Digest::of(suite, Label::PAYLOAD, &ids)
    }

    /// Reads a block. Whether its header covers its batches is seen when they are checked: their ids come out then, see
    /// [`Header::covers`].
    ///
    /// # Errors
    /// [`BlockError`].
    pub fn read(bytes: &[u8]) -> Result<Self, BlockError> {
        if bytes.len() > MAX_BLOCK_BYTES {
            return Err(BlockError::TooLong { length: bytes.len() });
        }
        let block: Self = from_bytes(bytes)?;
        let Header { height, version, .. } = block.header;
        if version == 1 { Ok(block) } else { Err(BlockError::Version { height, version }) }
    }
}

impl Header {
    /// Whether the header covers these batches.
    ///
    /// # Errors
    /// [`BlockError::Payload`].
    pub fn covers(&self, batches: &[CheckedBatch]) -> Result<(), BlockError> {
        let payload = Block::payload(self.suite, batches.iter().map(CheckedBatch::id));
        if payload == self.payload { Ok(()) } else { Err(BlockError::Payload { height: self.height }) }
    }
}
