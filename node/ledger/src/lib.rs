//! The evidence log as bytes: a Merkle log (RFC 6962) in two hash profiles, signed batches of entries, blocks, commit
//! certificates, and the self-contained evidence bundle with its offline verifier.
//!
//! Pure: nothing here opens a file or a socket, reads a clock or knows the consensus engine. What entries *mean* is
//! `node/state`; how blocks are agreed is `node/consensus`; where they lie is `node/store`.
#![deny(missing_docs)]

mod answer;
mod batch;
mod block;
mod bundle;
mod certificate;
mod genesis;
mod log;
mod membership;
mod merkle;
mod receipt;
mod statement;
mod verify;

pub use batch::{BatchError, BatchProof, CheckedBatch, MAX_BATCH, SignedBatch, entry_id};
pub use block::{Block, BlockError, Header, MAX_BLOCK_BYTES};
pub use bundle::{Anchor, Authored, Bundle, Closure, LeafProof};
pub use certificate::*;
pub use covenant_domain::Charter;
pub use genesis::{Genesis, GenesisError, MemberKeys};
pub use log::{LogTail, Roots, TILE, Tile};
pub use membership::{Handover, HandoverError, MAX_SEATS, Membership, RosterError, Trust, parse_keys, roster_digest};
pub use merkle::{
    NodeId, consistency_path, inclusion_path, leaf_hash, merkle_root, verify_consistency, verify_inclusion,
};
pub use receipt::{EntryReceipt, MAX_FOLLOWING};
pub use statement::{Statement, check_equivocation};
pub use verify::{Report, Step, StepResult, verify_answer, verify_bundle, verify_evidence, verify_receipt};
