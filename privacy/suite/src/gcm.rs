//! Derivation and authenticated encryption: HKDF, then SM4-GCM or AES-256-GCM.

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, Key, KeyInit, Nonce, Payload};
use aes_gcm::{Aes256Gcm, AesGcm};
use covenant_canon::{Label, SuiteId};
use hkdf::Hkdf;
use sha2_11::Sha256;
use sm3::Sm3;
use sm4::Sm4;
use zeroize::Zeroizing;

use crate::seal::MAX_CIPHERTEXT;
use crate::suite::label_head;
use crate::{SharedSecret, SuiteError};

/// RFC 8998, 3.2: 16-byte key, 12-byte nonce, 16-byte tag.
pub(crate) type Sm4Gcm = AesGcm<Sm4, U12>;

/// Length of the tag at the end of a ciphertext.
pub(crate) const TAG: usize = 16;

/// HKDF (RFC 5869) over the suite's hash, without salt. `info` is the concatenation of its parts.
pub(crate) fn expand(suite: SuiteId, ikm: &[u8], info: &[&[u8]], okm: &mut [u8]) -> Result<(), SuiteError> {
    match suite {
        SuiteId::Sm => Hkdf::<Sm3>::new(None, ikm).expand_multi_info(info, okm),
        SuiteId::Intl => Hkdf::<Sha256>::new(None, ikm).expand_multi_info(info, okm),
    }
    .map_err(|_| SuiteError::Open)
}

/// Derives secrets from a secret: HKDF (RFC 5869) of the suite, without salt, `info = len(label) ‖ label ‖ context`.
///
/// The input must be uniform or of high entropy: this stretches nothing.
///
/// # Errors
/// [`SuiteError::TooLong`] for more output than 255 hashes.
pub fn derive(
    suite: SuiteId,
    label: Label,
    secret: &[u8],
    context: &[u8],
    output: &mut [u8],
) -> Result<(), SuiteError> {
    let (length, limit) = (output.len(), 255 * 32);
    expand(suite, secret, &[&label_head(label), context], output).map_err(|_| SuiteError::TooLong { length, limit })
}

pub(crate) fn seal(secret: &SharedSecret, context: &[u8], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SuiteError> {
    let (length, limit) = (plaintext.len(), MAX_CIPHERTEXT - TAG);
    if length > limit {
        return Err(SuiteError::TooLong { length, limit });
    }
    let payload = Payload { msg: plaintext, aad };
    match secret.suite() {
        SuiteId::Sm => {
            let (cipher, nonce) = keyed::<Sm4Gcm, 28>(secret, context)?;
            cipher.encrypt(&nonce, payload)
        }
        SuiteId::Intl => {
            let (cipher, nonce) = keyed::<Aes256Gcm, 44>(secret, context)?;
            cipher.encrypt(&nonce, payload)
        }
    }
    .map_err(|_| SuiteError::Open)
}

pub(crate) fn open(
    secret: &SharedSecret,
    context: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SuiteError> {
    let payload = Payload { msg: ciphertext, aad };
    match secret.suite() {
        SuiteId::Sm => {
            let (cipher, nonce) = keyed::<Sm4Gcm, 28>(secret, context)?;
            cipher.decrypt(&nonce, payload)
        }
        SuiteId::Intl => {
            let (cipher, nonce) = keyed::<Aes256Gcm, 44>(secret, context)?;
            cipher.decrypt(&nonce, payload)
        }
    }
    .map(Zeroizing::new)
    .map_err(|_| SuiteError::Open)
}

/// key ‖ nonce = HKDF(secret, info = len(label) ‖ label ‖ context), `LENGTH` bytes in all.
fn keyed<C: Aead + KeyInit, const LENGTH: usize>(
    secret: &SharedSecret,
    context: &[u8],
) -> Result<(C, Nonce<C>), SuiteError> {
    let mut okm = Zeroizing::new([0; LENGTH]);
    let info = [&label_head(secret.label()), context];
    expand(secret.suite(), secret.secret_bytes().as_slice(), &info, okm.as_mut_slice())?;
    let (key, nonce) = okm.split_at_checked(C::key_size()).ok_or(SuiteError::Open)?;
    let key = <&Key<C>>::try_from(key).map_err(|_| SuiteError::Open)?;
    let nonce = Nonce::<C>::try_from(nonce).map_err(|_| SuiteError::Open)?;
    Ok((C::new(key), nonce))
}
