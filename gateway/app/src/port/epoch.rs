//! What nodes say of private lookup.

pub use covenant_api::{EpochPart, FileChunk};
use covenant_canon::Digest;
use covenant_domain::Point;
use covenant_engine::EpochState;
use minicbor::{Decode, Encode};

/// The public side of a dataset's private lookup.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EpochView {
    /// The epoch in force, with its newest overlay.
    #[n(0)]
    pub state: EpochState,
    /// Digest of the holder's rule book in force.
    #[n(1)]
    pub policy: Digest,
    /// The escrow key in force.
    #[n(2)]
    pub escrow: Option<EscrowView>,
}

/// The escrow key in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EscrowView {
    /// Number of the ceremony that made it.
    #[n(0)]
    pub ceremony: u32,
    /// `Y`.
    #[n(1)]
    pub key: Point,
}

/// How the newest build of a dataset stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum BuildState {
    /// Nothing was built since the node started.
    #[n(0)]
    Idle,
    /// Under way.
    #[n(1)]
    Running {
        /// What is being done.
        #[n(0)]
        step: String,
        /// How much of it is done.
        #[n(1)]
        done: u64,
        /// Of how much.
        #[n(2)]
        total: u64,
    },
    /// Published.
    #[n(2)]
    Done {
        /// The epoch.
        #[n(0)]
        epoch: u32,
    },
    /// Given up; the former epoch stays in force.
    #[n(3)]
    Failed {
        /// Why, in words that name no subject.
        #[n(0)]
        reason: String,
    },
}
