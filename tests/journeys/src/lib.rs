//! Whole-system journeys: one per user story, each on a whole consortium in this process.
//!
//! This library is what they share: a running city, a consortium whose nodes can be stopped and started again, a caller
//! that does not keep to the rules, and a PostgreSQL server. It is no part of the product.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test support: a failure here is the test's"
)]

mod asking;
mod city;
mod dice;
mod postgres;
mod raw;
mod town;

pub use asking::{Desk, codes, dataset, fields, ledger_bytes, settled, until};
pub use city::{replace_charter, running_city};
pub use dice::Dice;
pub use postgres::{Server as Postgres, skipped};
pub use raw::{Raw, Told};
pub use town::Town;

/// Milliseconds since 1970 by this machine's clock.
pub fn now_ms() -> u64 {
    covenant_daemon::Clock::now_ms(&covenant_daemon::SystemClock)
}
