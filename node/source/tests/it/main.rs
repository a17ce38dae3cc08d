//! Imports and live tables, on SQLite and PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]
#![allow(clippy::print_stdout, reason = "SKIPPED is said by name")]

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod interrupted;
mod live;
mod tables;
mod vault;
