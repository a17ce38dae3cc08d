//! Imports and live tables, on SQLite and PostgreSQL.
#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod interrupted;
mod live;
mod tables;
mod vault;
