//! Byzantine agreement on blocks: the engine behind our own small traits.
//!
//! The engine is Malachite (Tendermint family: more than two thirds of the power decide, finality at once). Only this
//! crate names it. The replica stands behind [`Application`], the suite behind [`VoteSigner`] and [`VoteVerifier`], the
//! wire behind [`Link`]; one validator or many run the same path.
//!
//! No block is made without a reason: an idle consortium sends nothing but a status now and then.
//!
//! This crate does not store blocks, know what is in them, keep a mempool, or open sockets.

mod adapter;
mod app;
mod assembly;
mod codec;
mod config;
mod context;
mod engine;
mod error;
mod evidence;
mod pulse;
mod rest;
mod signing;
mod transport;

pub use app::{AppError, Application, Committed, Evidence, Proposal, Statement, Undecided, Verdict};
pub use config::{Config, MAX_BLOCK_BYTES};
pub use engine::{Engine, start};
pub use error::ConsensusError;
pub use signing::{RememberingVerifier, SignError, VoteSigner, VoteVerifier};
pub use transport::{Conditions, Link, LinkEvent, MemoryHub, Network};
