//! Private lookup at the holder: epochs are built, kept on disk and served.
//!
//! Everything a consumer can make the holder do takes a permit: an evaluation of a blinded subject, and a scan of both
//! tables for an encrypted question. Neither tells the holder whom it is about, nor whether there is a record.

mod build;
mod files;
mod fingerprint;
mod serve;
mod shelf;
mod table;

pub use build::{BuildError, EpochPlan, Step, Watch};
pub use files::{EpochFiles, FileError, Part};
pub use serve::{RetrieveError, RetrieveJob};
pub use shelf::{Served, Shelf};
