//! Runs a query mode for a permit, beside the department's data.
//!
//! The worker trusts nobody's word: the permit comes from its own replica as a [`CheckedPermit`], the sealed input must
//! have the digest that the intent names, and the subject must open the commitment in the consent. What it returns is
//! sealed to the consumer and must not leave before its record is final; that is `node/daemon`'s duty.
#![deny(missing_docs)]

mod answer;
mod job;
pub mod lookup;
mod worker;

pub use job::{CheckedPermit, Job, PermitError};
pub use worker::{Done, RunError, Worker};
