//! The service through its sockets, before a ledger that fits in memory and a provider of this machine.

#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test crate; its helpers are test code too"
)]

mod access;
mod consent;
mod guardian;
mod law;
mod login;
mod request;
mod rest;
mod support;
