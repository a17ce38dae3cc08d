//! The two profiles, and what each lets rustls use.

use std::sync::{Arc, LazyLock};

use covenant_canon::SuiteId;
use rustls::SignatureScheme;
use rustls::crypto::ring as provided;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};

use crate::shangmi;

/// Which algorithms a connection and its certificates are made of. The two never meet in one handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// TLS 1.3 as RFC 8446 has it: AES-GCM or ChaCha20-Poly1305, X25519 or P-256, P-256 or Ed25519 transport keys.
    Standard,
    /// TLS 1.3 with ShangMi algorithms, RFC 8998: SM4-GCM, SM3, curveSM2, SM2 transport keys.
    ShangMi,
}

impl Profile {
    /// The suite of the ledger keys that issue certificates of this profile.
    pub fn suite(self) -> SuiteId {
        match self {
            Self::Standard => SuiteId::Intl,
            Self::ShangMi => SuiteId::Sm,
        }
    }
}

impl From<SuiteId> for Profile {
    fn from(suite: SuiteId) -> Self {
        match suite {
            SuiteId::Intl => Self::Standard,
            SuiteId::Sm => Self::ShangMi,
        }
    }
}

impl std::fmt::Display for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Standard => "standard",
            Self::ShangMi => "shangmi",
        })
    }
}

static STANDARD_ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[webpki::ring::ED25519, webpki::ring::ECDSA_P256_SHA256],
    mapping: &[
        (SignatureScheme::ECDSA_NISTP256_SHA256, &[webpki::ring::ECDSA_P256_SHA256]),
        (SignatureScheme::ED25519, &[webpki::ring::ED25519]),
    ],
};

static STANDARD: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    Arc::new(CryptoProvider {
        cipher_suites: vec![
            provided::cipher_suite::TLS13_AES_256_GCM_SHA384,
            provided::cipher_suite::TLS13_AES_128_GCM_SHA256,
            provided::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![provided::kx_group::X25519, provided::kx_group::SECP256R1],
        signature_verification_algorithms: STANDARD_ALGORITHMS,
        ..provided::default_provider()
    })
});

static SHANGMI: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(shangmi::provider()));

/// What rustls computes with in a profile. Nothing is installed for the process: hand it to a config's builder.
pub fn provider(profile: Profile) -> Arc<CryptoProvider> {
    match profile {
        Profile::Standard => STANDARD.clone(),
        Profile::ShangMi => SHANGMI.clone(),
    }
}
