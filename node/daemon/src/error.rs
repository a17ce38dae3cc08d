//! Errors of a node.

use covenant_canon::{CanonError, Digest};
use covenant_consensus::ConsensusError;
use covenant_domain::MemberId;
use covenant_ledger::{BatchError, BlockError, GenesisError};
use covenant_state::{Inadmissible, StateError};
use covenant_store::StoreError;

/// Why a node cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The store failed.
    #[error("the ledger store failed")]
    Store(#[from] StoreError),
    /// Stored rows make no state.
    #[error(
        "the stored state cannot be used: restore the database from a backup, or remove it and let the node catch up from its peers"
    )]
    State(#[from] StateError),
    /// The genesis is not usable.
    #[error("the genesis is not usable")]
    Genesis(#[from] GenesisError),
    /// A stored block cannot be read.
    #[error("block {height} on disk cannot be read: restore the database from a backup or another node")]
    Block {
        /// Its height.
        height: u64,
        /// What is wrong with it.
        #[source]
        source: BlockError,
    },
    /// The body of a block is in an archive that is not at hand, or was never here.
    #[error(
        "block {height} is kept by its header alone: bring its archive file to the folder of archives, or ask a node that has it"
    )]
    HeaderOnly {
        /// Its height.
        height: u64,
    },
    /// Stored bytes cannot be read.
    #[error("stored bytes cannot be read")]
    Canon(#[from] CanonError),
    /// A stored batch does not verify.
    #[error("block {height} on disk holds a batch that does not verify")]
    Batch {
        /// The block's height.
        height: u64,
        /// What is wrong.
        #[source]
        source: BatchError,
    },
    /// Executing the ledger again gave another result than the one recorded: the database was altered, or this build
    /// is not deterministic. The node must not go on.
    #[error("block {height}: executing it again gives {what} {found}, recorded is {recorded}; the node halts")]
    Diverged {
        /// The block's height.
        height: u64,
        /// What differs.
        what: &'static str,
        /// Result now.
        found: Digest,
        /// Result on record.
        recorded: Digest,
    },
    /// A block that was agreed on cannot be executed here.
    #[error("block {height} was agreed on but cannot be executed: {reason}; the node halts")]
    Unexecutable {
        /// The block's height.
        height: u64,
        /// Why.
        reason: String,
    },
    /// Consensus failed.
    #[error("consensus failed")]
    Consensus(#[from] ConsensusError),
    /// The node's member is not in the genesis, or its keys are not the ones recorded there.
    #[error("`{member}`: {reason}")]
    Identity {
        /// The member.
        member: MemberId,
        /// What is wrong.
        reason: &'static str,
    },
    /// A task of the node is gone; the process is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Its author is unknown, its signature or an entry is wrong.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// It cannot stand in the next block.
    #[error(transparent)]
    Inadmissible(#[from] Inadmissible),
    /// It is too large for a block.
    #[error("batch of {size} bytes does not fit into a block of {limit} bytes: split it")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The member has too much waiting.
    #[error("`{member}` has {waiting} entries waiting for a block, {limit} are allowed: try again shortly")]
    Busy {
        /// The member.
        member: MemberId,
        /// Entries waiting.
        waiting: usize,
        /// The charter's limit.
        limit: usize,
    },
    /// The node failed.
    #[error("the node cannot take it now")]
    Node(#[from] NodeError),
}
