//! SM2 (GB/T 32918) for signatures and encapsulation.

use std::hint::black_box;
use std::sync::LazyLock;

use covenant_canon::{Label, SuiteId};
use rand_core::CryptoRng;
use sm2::dsa::signature::{MultipartSigner, MultipartVerifier};
use sm2::pke::{DecryptingKey, EncryptingKey, Mode};
use sm2::{NonZeroScalar, Scalar};
use zeroize::Zeroizing;

use crate::secret::SecretBytes;
use crate::suite::label_head;
use crate::{Encapsulation, SealingKey, SharedSecret, SuiteError, VerifyingKey, gcm};

/// The default distinguishing identifier of a signer, GM/T 0009 section 10.
pub(crate) const DISTINGUISHING_ID: &str = "1234567812345678";

/// First byte of an uncompressed point.
const UNCOMPRESSED: u8 = 4;

pub(crate) fn parse_verifying(bytes: &[u8]) -> Result<sm2::dsa::VerifyingKey, SuiteError> {
    let not_a_point = || SuiteError::malformed("verifying key", "not an uncompressed point of the SM2 curve");
    if bytes.first() != Some(&UNCOMPRESSED) {
        return Err(not_a_point());
    }
    sm2::dsa::VerifyingKey::from_sec1_bytes(DISTINGUISHING_ID, bytes).map_err(|_| not_a_point())
}

pub(crate) fn parse_sealing(bytes: &[u8]) -> Result<EncryptingKey, SuiteError> {
    let not_a_point = || SuiteError::malformed("sealing key", "not an uncompressed point of the SM2 curve");
    if bytes.first() != Some(&UNCOMPRESSED) {
        return Err(not_a_point());
    }
    EncryptingKey::from_sec1_bytes(bytes).map_err(|_| not_a_point())
}

/// GB/T 32918.2, 7.1. Ranges of r and s are checked by the parser of the signature.
pub(crate) fn verify(
    key: &sm2::dsa::VerifyingKey,
    label: Label,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SuiteError> {
    verify_parts(key, &[&label_head(label), message], signature)
}

pub(crate) fn verify_parts(key: &sm2::dsa::VerifyingKey, parts: &[&[u8]], signature: &[u8]) -> Result<(), SuiteError> {
    let signature = sm2::dsa::Signature::from_slice(signature).map_err(|_| SuiteError::Signature)?;
    key.multipart_verify(parts, &signature).map_err(|_| SuiteError::Signature)
}

/// A parsed SM2 signing key on the heap, overwritten on drop.
pub(crate) struct Signing(Box<sm2::dsa::SigningKey>);

impl Signing {
    pub(crate) fn parse(bytes: &SecretBytes) -> Result<Self, SuiteError> {
        let key = sm2::dsa::SigningKey::from_nonzero_scalar(DISTINGUISHING_ID, *scalar("signing key", bytes)?);
        key.map(|key| Self(Box::new(key))).map_err(|_| SuiteError::malformed("signing key", "no SM2 scalar"))
    }

    pub(crate) fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey::trusted(SuiteId::Sm, &self.0.verifying_key().to_sec1_bytes())
    }

    /// GB/T 32918.2, 6.1, with the nonce of RFC 6979 over SM3.
    pub(crate) fn sign(&self, label: Label, message: &[u8]) -> Result<[u8; 64], SuiteError> {
        self.sign_parts(&[&label_head(label), message])
    }

    pub(crate) fn sign_parts(&self, parts: &[&[u8]]) -> Result<[u8; 64], SuiteError> {
        let signature = self.0.try_multipart_sign(parts).map_err(|_| SuiteError::Signing)?;
        Ok(signature.to_bytes().into())
    }

    pub(crate) fn secret_bytes(&self) -> SecretBytes {
        Zeroizing::new(self.0.to_bytes().into())
    }
}

/// A parsed SM2 decryption key on the heap, overwritten on drop.
pub(crate) struct Opening(Box<DecryptingKey>);

impl Opening {
    pub(crate) fn parse(bytes: &SecretBytes) -> Result<Self, SuiteError> {
        let scalar = scalar("opening key", bytes)?;
        Ok(Self(Box::new(DecryptingKey::new_with_mode(*scalar, Mode::C1C3C2))))
    }

    pub(crate) fn sealing_key(&self) -> SealingKey {
        SealingKey::trusted(SuiteId::Sm, &self.0.encrypting_key().to_sec1_bytes())
    }

    /// GB/T 32918.4, 7.1: C1 on the curve, C3 equal; then the derivation of [`encapsulate`].
    pub(crate) fn decapsulate(
        &self,
        label: Label,
        encapsulation: &Encapsulation,
        own: &SealingKey,
    ) -> Result<SharedSecret, SuiteError> {
        let bytes = encapsulation.as_bytes();
        // A compressed C1 would be a second encoding of the same encapsulation.
        if bytes.first() != Some(&UNCOMPRESSED) {
            return Err(SuiteError::Open);
        }
        let sent = Zeroizing::new(self.0.decrypt(bytes).map_err(|_| SuiteError::Open)?);
        shared(&sent, label, own, encapsulation).map_err(|_| SuiteError::Open)
    }

    pub(crate) fn secret_bytes(&self) -> SecretBytes {
        Zeroizing::new(self.0.to_bytes().into())
    }
}

/// Encrypts 32 random bytes (GB/T 32918.4, 6.1) and derives the shared secret from them.
pub(crate) fn encapsulate(
    to: &SealingKey,
    label: Label,
    mut rng: &mut dyn CryptoRng,
) -> Result<(Encapsulation, SharedSecret), SuiteError> {
    let mut sent = SecretBytes::default();
    rng.fill_bytes(sent.as_mut_slice());
    let key = parse_sealing(to.as_bytes())?;
    let bytes = key.encrypt(&mut rng, sent.as_slice()).map_err(|_| SuiteError::Encapsulate)?;
    let encapsulation = Encapsulation::from_bytes(SuiteId::Sm, &bytes).map_err(|_| SuiteError::Encapsulate)?;
    let secret = shared(sent.as_slice(), label, to, &encapsulation).map_err(|_| SuiteError::Encapsulate)?;
    Ok((encapsulation, secret))
}

/// HKDF-SM3(ikm = sent bytes, no salt, info = len(label) ‖ label ‖ sealing key ‖ encapsulation): what HPKE binds too
/// (RFC 9180, `kem_context`).
fn shared(
    sent: &[u8],
    label: Label,
    to: &SealingKey,
    encapsulation: &Encapsulation,
) -> Result<SharedSecret, SuiteError> {
    let mut bytes = SecretBytes::default();
    let info = [&label_head(label), to.as_bytes(), encapsulation.as_bytes()];
    gcm::expand(SuiteId::Sm, sent, &info, bytes.as_mut_slice())?;
    Ok(SharedSecret::new(SuiteId::Sm, label, bytes))
}

/// d in [1, n−2]: for d = n−1 no signature exists.
fn scalar(what: &'static str, bytes: &SecretBytes) -> Result<Zeroizing<NonZeroScalar>, SuiteError> {
    let outside = || SuiteError::malformed(what, "outside the range of SM2 private keys");
    let scalar = Zeroizing::new(NonZeroScalar::try_from(bytes.as_slice()).map_err(|_| outside())?);
    let is_last = **scalar == -Scalar::ONE;
    if is_last { Err(outside()) } else { Ok(scalar) }
}

// The keys of `sm2` do not clear themselves. Their secrets are overwritten with those of a public dummy key; the barrier
// keeps the store.

static DUMMY: LazyLock<Option<(sm2::dsa::SigningKey, DecryptingKey)>> = LazyLock::new(|| {
    let one = NonZeroScalar::new(Scalar::ONE).into_option()?;
    let signing = sm2::dsa::SigningKey::from_nonzero_scalar(DISTINGUISHING_ID, one).ok()?;
    Some((signing, DecryptingKey::new_with_mode(one, Mode::C1C3C2)))
});

impl Drop for Signing {
    fn drop(&mut self) {
        if let Some((dummy, _)) = &*DUMMY {
            *self.0 = dummy.clone();
            black_box(&self.0);
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some((_, dummy)) = &*DUMMY {
            *self.0 = dummy.clone();
            black_box(&self.0);
        }
    }
}
