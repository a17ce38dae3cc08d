//! Private lookup on a whole consortium: what comes back, what the ledger allows, and what everybody on the way may try.
//!
//! Most tests share one consortium, each through a gateway of its own, which may be hostile. Tests that change records,
//! files or nodes found another.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests are tests"
)]

mod carried;
mod cheating;
mod clear;
mod crash;
mod epoch;
mod escrow;
mod keys;
mod lapse;
mod overlay;
mod oversight;
mod sample;
mod smuggled;
mod spy;
mod uses;
mod world;
