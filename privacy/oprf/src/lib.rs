//! Oblivious evaluation under epoch keys, and the rows sealed under its outputs. protocols.md section 2.
//!
//! - [`EpochKey`], [`EpochPublicKey`], [`KeyPart`]: the holder's key of one dataset and epoch, whole or in two parts;
//! - [`evaluate`], [`finalize`]: one evaluation, bound to its query, of what `covenant_sigma::prove_claim` blinded;
//! - [`output_of`], [`outputs`]: the holder's own way to the outputs, to seal its rows;
//! - [`RowSecret`], [`seal_row`], [`open_row`]: rows of one length under those outputs.
//!
//! The function is that of RFC 9497 in base mode with `P(id)` of `covenant_sigma` for its hash to the group; its published
//! vectors are met by what the two have in common. Randomness is an argument.
//!
//! This crate does not decide who may evaluate (the ledger does), does not find rows by tag or retrieve them
//! (`privacy/pir`), and keeps no files.
#![deny(missing_docs)]

mod error;
mod evaluation;
mod key;
mod naming;
mod output;
mod row;

#[cfg(test)]
mod tests;

pub use error::OprfError;
pub use evaluation::{Evaluation, evaluate, evaluate_part, finalize, finalize_split};
pub use key::{EpochKey, EpochPublicKey, KeyPart};
pub use naming::{claim_of, epoch_scope, lookup_context, table_context};
pub use output::{Output, output_of, outputs};
pub use row::{MAX_ROW_WIDTH, ROW_OVERHEAD, RowContext, RowKey, RowSecret, Tag, open_row, seal_row};
