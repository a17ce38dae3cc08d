//! The gateway through its sockets, before a consortium that fits in memory.

#![allow(
    unreachable_pub,
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test crate; its helpers are test code too, and two crates share them"
)]

mod catalogue;
mod documents;
mod epoch;
mod equal;
mod escrow;
mod evidence;
mod identify;
mod limits;
mod lookup;
mod policy;
mod query;
mod quiet;
mod record;
mod register;
mod support;
