//! Members that lie, keep silent or flood, against three nodes as they are run. Each mock has its member's real key. After
//! each: one state and one log on the honest, every acknowledged entry in it once, all receipts good offline.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "helpers of tests are tests"
)]

mod ear;
mod equivocating;
mod flood;
mod malformed;
mod mouth;
mod restored;
mod silent;
mod skewed;
mod square;
mod stale;
mod tampered;
mod validators;
mod wire;
