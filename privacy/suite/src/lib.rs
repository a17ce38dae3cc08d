//! Two cipher suites behind one trait: what a member signs with, seals to and keeps its keys in.
//!
//! | | [`SuiteId::Sm`] | [`SuiteId::Intl`] |
//! |---|---|---|
//! | signature | SM2, GB/T 32918.2, id `1234567812345678` | Ed25519, RFC 8032, strict verification |
//! | encapsulation | SM2 encryption of a random secret, GB/T 32918.4, C1C3C2 | HPKE base mode, RFC 9180, X25519 |
//! | hash, derivation | SM3, HKDF-SM3 | SHA-256, HKDF-SHA256 |
//! | sealing | SM4-GCM, RFC 8998 | AES-256-GCM |
//!
//! *Public words* ([`VerifyingKey`], [`SealingKey`], [`Signature`], [`Encapsulation`]) name their suite and are checked
//! when parsed: a key that exists is a point of its curve. *Secrets* ([`SigningKey`], [`OpeningKey`],
//! [`SharedSecret`]) are silent in `Debug`, cleared on drop and compared in constant time. Mixing suites is an error.
//!
//! A signature covers `len(label) ‖ label ‖ message`, never the bare message, so one made for one purpose does not pass
//! for another. The one exception, [`SigningKey::sign_certificate`], takes nothing that could be such a preimage. A failed
//! verification or opening says only that it failed.
//!
//! This crate does no input or output, has no clock and draws no randomness of its own. It does not do TLS
//! (`privacy/tls`), commitments or proofs (`privacy/sigma`). The SM4 of RustCrypto looks up tables by secret bytes: it is
//! not safe against an attacker who shares the processor's cache.

#![deny(missing_docs)]

mod certificate;
mod error;
mod gcm;
mod intl;
mod keyfile;
mod prepared;
mod public;
mod seal;
mod secret;
mod sm;
mod suite;

#[cfg(test)]
mod tests;

pub use covenant_canon::SuiteId;
pub use error::SuiteError;
pub use gcm::derive;
pub use keyfile::{KdfCost, KeyFile, KeyPairSet, MAX_KEY_FILE};
pub use prepared::PreparedKey;
pub use public::{Encapsulation, SealingKey, Signature, VerifyingKey};
pub use seal::{MAX_CIPHERTEXT, Opener, Sealed, Sealer};
pub use secret::{OpeningKey, SharedSecret, SigningKey};
pub use suite::{Intl, Sm, Suite, suite};
