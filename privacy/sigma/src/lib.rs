//! Statements on ristretto255 that consents and queries rest on. So far: the commitment to a subject.
//!
//! The group, its second base and the map of identifiers follow protocols.md: base `G`, `H = HashToGroup(label)`,
//! `P(id) = HashToGroup(label ‖ canonical id)`. Knows nothing of ledgers, consents or transports.
#![deny(missing_docs)]

mod commitment;

pub use commitment::{CommitmentError, Opening, Subjects, commit, opens};
