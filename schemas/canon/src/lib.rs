//! Canonical bytes and labelled digests: the one way in which this house turns a value into bytes that are signed,
//! hashed or compared between nodes.
//!
//! *Bytes* are deterministic CBOR (RFC 8949 section 4.2) with integer keys, written by `minicbor` derives. Decoding is
//! strict: whatever does not re-encode to the same bytes is refused, so a value has exactly one encoding.
//!
//! *Digests* are SM3 (GB/T 32905) or SHA-256 (FIPS 180-4) over a registered [`Label`] and the bytes, so that a digest
//! made for one purpose never passes for another.
//!
//! This crate does not sign, encrypt or talk JSON.
#![deny(missing_docs)]

mod bytes;
mod digest;
mod label;
mod suite_id;

pub use bytes::{CanonError, MAX_BYTES, from_bytes, to_bytes};
pub use digest::{Digest, HashAlgorithm, Hasher};
pub use label::Label;
pub use suite_id::SuiteId;
