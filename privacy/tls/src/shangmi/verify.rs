//! SM2 signatures of others. What a key signs in a handshake and in a certificate carries another signer id.

use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use sm2::dsa::signature::Verifier;
use sm2::dsa::{Signature, VerifyingKey};

/// RFC 8998, 3.2.1: the id of whoever signs a CertificateVerify.
pub(super) const TLS_ID: &str = "TLSv1.3+GM+Cipher+Suite";
/// GM/T 0009, section 10: the id in certificates.
pub(super) const X509_ID: &str = "1234567812345678";

/// id-ecPublicKey with the curve 1.2.156.10197.1.301, without the SEQUENCE around them.
pub(super) const SM2_KEY: AlgorithmIdentifier = AlgorithmIdentifier::from_slice(&[
    0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01, 0x82, 0x2D,
]);
/// SM2-with-SM3, 1.2.156.10197.1.501.
const SM2_WITH_SM3: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(&[0x06, 0x08, 0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01, 0x83, 0x75]);

/// Verifies signatures over handshakes.
pub(super) static HANDSHAKES: Sm2Signatures = Sm2Signatures(TLS_ID);
/// Verifies signatures over certificates.
pub(super) static CERTIFICATES: Sm2Signatures = Sm2Signatures(X509_ID);

#[derive(Debug)]
pub(super) struct Sm2Signatures(&'static str);

impl SignatureVerificationAlgorithm for Sm2Signatures {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(self.0, public_key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        SM2_KEY
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        SM2_WITH_SM3
    }
}
