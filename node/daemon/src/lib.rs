//! One member's node: replica, consensus and worker wired together.
//!
//! [`Node::start`] opens the store, rebuilds the state, joins consensus and begins to answer permits for its own
//! datasets. The same code runs one validator or many; how nodes reach each other is given by the caller.
#![deny(missing_docs)]

mod admin;
mod catalogue;
mod chain;
mod changes;
mod check;
mod clock;
mod error;
mod evidence;
mod gossip;
mod handover;
mod holder;
mod keyring;
mod lookup;
mod mempool;
mod metrics;
mod node;
mod port;
mod private;
mod replay;
mod replica;
pub mod rpc;
pub mod service;
mod snapshot;
mod steps;
mod stored;
mod tasks;
mod track;
mod votes;

pub use admin::{Admin, Peers};
pub use catalogue::PublishedRevision;
pub use check::{Checked, check_chain, rewrite};
pub use clock::{Clock, SystemClock};
pub use covenant_consensus::ConsensusError;
pub use covenant_state::Inadmissible;
pub use error::{NodeError, SubmitError};
pub use gossip::{Gossip, GossipHub, Offer};
pub use keyring::{KeySearch, Keyring};
pub use lookup::{BuildState, EpochSettings, LookupError};
pub use node::{Node, NodeConfig, Outcome, RESTORED, RecordedEntry};
pub use port::LocalNode;
pub use replay::{Rebuilt, rebuild, simulate};
pub use replica::{CommittedBlock, Tip};
pub use snapshot::{SnapshotError, begin_with, read_snapshot};
pub use steps::{StepHook, Steps};
pub use track::{QueryState, Released};
