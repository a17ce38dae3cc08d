//! Who may use what, why, how and how often: `plan` advises, `decide` rules, both read one rule book.
//!
//! Both are pure functions of the query, a snapshot of [`Facts`] and block time. Grants live in an index of the caller;
//! casbin evaluates the few guard rules of a holder's own domain and nothing else: no amount, count or time in
//! milliseconds ever reaches it, since its integers are 32 bits wide and wrap.
//!
//! This crate stores nothing and debits nothing; `node/state` does both with what `decide` returns.
#![deny(missing_docs)]

mod approve;
mod consent;
mod dataset;
mod decide;
mod facts;
mod grant;
mod guard;
mod lookup;
mod obligation;
mod plan;

pub use approve::auto_approval;
pub use decide::{Terms, decide};
pub use facts::{ConsentState, EpochState, Facts, GrantState, Moment, RecentTables};
pub use grant::window_start_ms;
pub use guard::{Guard, GuardError, GuardQuestion, GuardVerdict};
pub use plan::{Need, Plan, Wish, plan};
