//! Members as processes on loopback: what operators do, what breaks, and what does not start.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    reason = "helpers of tests are tests"
)]

mod house;
mod operations;
#[path = "../../../../tests/journeys/src/postgres.rs"]
mod postgres;
mod soak;
mod wrong;
