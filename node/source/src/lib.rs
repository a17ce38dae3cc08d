//! A department's own records: CSV files imported by a mapping file, and live SQLite or PostgreSQL tables.
//!
//! A [`Mapping`] says how columns become the fields of a dataset. A [`Vault`] keeps imported records; [`live`] reads a
//! table of the department where it stands, by key only. Both are asked through [`Source`].
//!
//! This crate decides nothing about access: it hands out whole records, and only a worker that holds a permit may ask.
//! Records at rest are not encrypted here; the vault belongs to the department and is guarded as its other databases are.
#![deny(missing_docs)]

mod cell;
mod database;
mod error;
mod import;
mod intake;
mod live;
mod mapping;
mod migration;
mod number;
mod plan;
mod pushdown;
mod quotes;
mod rejects;
mod source;
mod synthetic;
mod table;
#[cfg(test)]
mod tests;
mod vault;

pub use cell::CellFault;
pub use error::SourceError;
pub use import::{ImportOptions, ImportReport, Progress, RecordCheck};
pub use live::live;
pub use mapping::{Conversion, FieldRule, KeyKind, Mapping, Origin};
pub use rejects::Reject;
pub use source::{Source, SubjectPage};
pub use synthetic::synthetic_subject;
pub use vault::Vault;
