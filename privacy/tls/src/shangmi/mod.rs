//! RFC 8998: `TLS_SM4_GCM_SM3` over curveSM2, handshakes signed with `sm2sig_sm3`.
//!
//! The code points are written out because rustls 0.23 has no names for them; it carries unknown ones through.

mod exchange;
mod hash;
mod record;
mod sign;
mod verify;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use rustls::crypto::tls13::HkdfUsingHmac;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::{CipherSuite, CipherSuiteCommon, NamedGroup, SignatureScheme, SupportedCipherSuite, Tls13CipherSuite};

pub(crate) use sign::Sm2Key;

/// `TLS_SM4_GCM_SM3`, RFC 8998 section 2.
pub(crate) const SM4_GCM_SM3: CipherSuite = CipherSuite::Unknown(0x00C6);
/// `curveSM2`, RFC 8998 section 2.
pub(crate) const CURVE_SM2: NamedGroup = NamedGroup::Unknown(41);
/// `sm2sig_sm3`, RFC 8998 section 2.
pub(crate) const SM2SIG_SM3: SignatureScheme = SignatureScheme::Unknown(0x0708);

static SUITE: Tls13CipherSuite = Tls13CipherSuite {
    common: CipherSuiteCommon {
        suite: SM4_GCM_SM3,
        hash_provider: &hash::Sm3Hash,
        // The bound of RFC 8446, 5.5 for a block cipher of 128 bits in GCM.
        confidentiality_limit: 1 << 24,
    },
    hkdf_provider: &HkdfUsingHmac(&hash::Sm3Hmac),
    aead_alg: &record::Sm4GcmRecords,
    quic: None,
};

static ALGORITHMS: WebPkiSupportedAlgorithms =
    WebPkiSupportedAlgorithms { all: &[&verify::CERTIFICATES], mapping: &[(SM2SIG_SM3, &[&verify::HANDSHAKES])] };

static PROVIDER: LazyLock<CryptoProvider> = LazyLock::new(|| CryptoProvider {
    cipher_suites: vec![SupportedCipherSuite::Tls13(&SUITE)],
    kx_groups: vec![&exchange::CurveSm2],
    signature_verification_algorithms: ALGORITHMS,
    secure_random: rustls::crypto::ring::default_provider().secure_random,
    key_provider: &sign::Sm2Keys,
});

pub(crate) fn provider() -> CryptoProvider {
    PROVIDER.clone()
}
