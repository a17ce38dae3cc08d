//! What nodes say of private lookup.

pub use covenant_api::{EpochPart, FileChunk};
use covenant_canon::Digest;
use covenant_domain::Point;
use covenant_engine::EpochState;

/// The public side of a dataset's private lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochView {
    /// The epoch in force, with its newest overlay.
    pub state: EpochState,
    /// Digest of the holder's rule book in force.
    pub policy: Digest,
    /// The escrow key in force.
    pub escrow: Option<EscrowView>,
}

/// The escrow key in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EscrowView {
    /// Number of the ceremony that made it.
    pub ceremony: u32,
    /// `Y`.
    pub key: Point,
}

/// How the newest build of a dataset stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildState {
    /// Nothing was built since the node started.
    Idle,
    /// Under way.
    Running {
        /// What is being done.
        step: String,
        /// How much of it is done.
        done: u64,
        /// Of how much.
        total: u64,
    },
    /// Published.
    Done {
        /// The epoch.
        epoch: u32,
    },
    /// Given up; the former epoch stays in force.
    Failed {
        /// Why, in words that name no subject.
        reason: String,
    },
}
