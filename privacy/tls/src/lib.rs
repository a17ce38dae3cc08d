//! TLS 1.3 between the members of a consortium, in two profiles, and the certificates for it.
//!
//! | | [`Profile::Standard`] | [`Profile::ShangMi`], RFC 8998 |
//! |---|---|---|
//! | records | AES-256-GCM, AES-128-GCM, ChaCha20-Poly1305 | SM4-GCM |
//! | hash, derivation | SHA-384, SHA-256 | SM3 |
//! | key exchange | X25519, P-256 | curveSM2 |
//! | transport key | P-256, Ed25519 | SM2, signer id `TLSv1.3+GM+Cipher+Suite` |
//! | ledger key that issues | Ed25519 | SM2, signer id `1234567812345678` |
//!
//! There is no central authority. A member's *ledger key* signs its own transport certificates, and a [`Directory`], which
//! the ledger's state answers, says at every handshake which keys are whose and what is revoked. Rotation, suspension and
//! removal on the ledger therefore govern connections too.
//!
//! [`Credentials`] are issued, saved and loaded; [`server_config`], [`gateway_config`] and [`client_config`] make rustls
//! configs of them; [`Rotating`] ones change under a running server. A refusal says its reason to its own side
//! ([`explain`]) and an alert to the other.
//!
//! This crate opens no socket and follows no chain. It does not do TLCP (GB/T 38636), TLS 1.2, QUIC or resumption. The
//! SM4 of RustCrypto looks up tables by secret bytes: it is not safe against an attacker who shares the processor's cache.

#![deny(missing_docs)]

mod certificate;
mod check;
mod config;
mod credentials;
mod error;
mod files;
mod issue;
mod profile;
mod rotating;
mod shangmi;
mod verifier;
mod x509;

pub use certificate::{CertificateInfo, inspect, internal_name};
pub use check::{Directory, check};
pub use config::{Clock, client_config, gateway_config, peer_member, server_config};
pub use credentials::Credentials;
pub use error::{TlsError, explain, explain_io};
pub use files::{Existing, inspect_pem, save_certificate};
pub use issue::{Request, authority_certificate};
pub use profile::{Profile, provider};
pub use rotating::{Identity, Rotating};
