//! Whole engines over the memory hub, with a replica that knows nothing but chains of entries.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests, which fail by panicking"
)]

mod cluster;
mod evidence;
mod faults;
mod idle;
mod progress;
mod replica;
mod restart;
mod simulation;
