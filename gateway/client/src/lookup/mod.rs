//! Private lookups (protocols.md section 2): the holder learns neither the subject nor whether there is a record.
//!
//! Claim, evaluation, retrieval and opening are computed here; the gateway carries points, proofs and LWE samples. What it
//! says is checked: the escrow key against the trustees' signatures, the evaluation against the epoch's key, the fetched
//! files against their digests, and in the end all of it against the receipt that the holder signed.

mod ask;
mod escrow;
mod fetch;
mod row;

pub use ask::{Found, LookupQuestion};
pub(crate) use escrow::checked_group;
pub(crate) use fetch::Epochs;
