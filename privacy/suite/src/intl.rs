//! Ed25519 (RFC 8032) for signatures, HPKE base mode over X25519 (RFC 9180) for encapsulation.

use covenant_canon::{Label, SuiteId};
use ed25519_dalek::Signer;
use hpke::aead::ExportOnlyAead;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core as rand_core_09;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::secret::SecretBytes;
use crate::suite::label_head;
use crate::{Encapsulation, SealingKey, SharedSecret, SuiteError};

/// X25519 secret; clears itself.
pub(crate) type Private = <X25519HkdfSha256 as Kem>::PrivateKey;
type Public = <X25519HkdfSha256 as Kem>::PublicKey;
type Encapped = <X25519HkdfSha256 as Kem>::EncappedKey;

/// Refuses points of small order: under them some signatures fit many messages.
pub(crate) fn parse_verifying(bytes: &[u8]) -> Result<ed25519_dalek::VerifyingKey, SuiteError> {
    let malformed = |reason: &str| SuiteError::malformed("verifying key", reason);
    let key = ed25519_dalek::VerifyingKey::try_from(bytes).map_err(|_| malformed("not a point of edwards25519"))?;
    if key.is_weak() { Err(malformed("point of small order")) } else { Ok(key) }
}

/// Every 32 bytes are an X25519 public key; those of small order are refused when encapsulating.
pub(crate) fn parse_sealing(bytes: &[u8]) -> Result<Public, SuiteError> {
    Public::from_bytes(bytes).map_err(|_| SuiteError::malformed("sealing key", "not an X25519 public key"))
}

pub(crate) fn parse_opening(seed: &SecretBytes) -> Result<(Private, SealingKey), SuiteError> {
    let key = Private::from_bytes(seed.as_slice())
        .map_err(|_| SuiteError::malformed("opening key", "not an X25519 secret"))?;
    let public = X25519HkdfSha256::sk_to_pk(&key).to_bytes();
    Ok((key, SealingKey::trusted(SuiteId::Intl, &public)))
}

pub(crate) fn secret_bytes(key: &Private) -> SecretBytes {
    let mut bytes = SecretBytes::default();
    key.write_exact(bytes.as_mut_slice());
    bytes
}

pub(crate) fn sign(key: &ed25519_dalek::SigningKey, label: Label, message: &[u8]) -> [u8; 64] {
    key.sign(&preimage(label, message)).to_bytes()
}

/// Strict verification: s below the group order, neither R nor the key of small order.
pub(crate) fn verify(
    key: &ed25519_dalek::VerifyingKey,
    label: Label,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SuiteError> {
    verify_bare(key, &preimage(label, message), signature)
}

pub(crate) fn verify_bare(
    key: &ed25519_dalek::VerifyingKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SuiteError> {
    let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| SuiteError::Signature)?;
    key.verify_strict(message, &signature).map_err(|_| SuiteError::Signature)
}

fn preimage(label: Label, message: &[u8]) -> Vec<u8> {
    let mut preimage = label_head(label);
    preimage.extend_from_slice(message);
    preimage
}

pub(crate) fn encapsulate(
    to: &SealingKey,
    label: Label,
    rng: &mut dyn CryptoRng,
) -> Result<(Encapsulation, SharedSecret), SuiteError> {
    let (encapsulation, bytes) = send(to, label.as_bytes(), rng).map_err(|()| SuiteError::Encapsulate)?;
    Ok((encapsulation, SharedSecret::new(SuiteId::Intl, label, bytes)))
}

pub(crate) fn decapsulate(
    key: &Private,
    label: Label,
    encapsulation: &Encapsulation,
) -> Result<SharedSecret, SuiteError> {
    let bytes = receive(key, label.as_bytes(), encapsulation).map_err(|()| SuiteError::Open)?;
    Ok(SharedSecret::new(SuiteId::Intl, label, bytes))
}

/// `SetupBaseS(pkR, info)` and `Export("", 32)`, with the export-only AEAD (RFC 9180, 5.3 and 7.3).
pub(crate) fn send(to: &SealingKey, info: &[u8], rng: &mut dyn CryptoRng) -> Result<(Encapsulation, SecretBytes), ()> {
    let key = Public::from_bytes(to.as_bytes()).map_err(drop)?;
    let (encapped, context) = hpke::setup_sender::<ExportOnlyAead, HkdfSha256, X25519HkdfSha256, _>(
        &OpModeS::Base,
        &key,
        info,
        &mut Bridge(rng),
    )
    .map_err(drop)?;
    let mut secret = SecretBytes::default();
    context.export(&[], secret.as_mut_slice()).map_err(drop)?;
    Ok((Encapsulation::trusted(SuiteId::Intl, &encapped.to_bytes()), secret))
}

/// `SetupBaseR(enc, skR, info)` and `Export("", 32)`.
pub(crate) fn receive(key: &Private, info: &[u8], encapsulation: &Encapsulation) -> Result<SecretBytes, ()> {
    let encapped = Encapped::from_bytes(encapsulation.as_bytes()).map_err(drop)?;
    let context =
        hpke::setup_receiver::<ExportOnlyAead, HkdfSha256, X25519HkdfSha256>(&OpModeR::Base, key, &encapped, info)
            .map_err(drop)?;
    let mut secret = Zeroizing::new([0; 32]);
    context.export(&[], secret.as_mut_slice()).map_err(drop)?;
    Ok(secret)
}

/// `hpke` takes its randomness through the traits of rand_core 0.9.
struct Bridge<'a>(&'a mut dyn CryptoRng);

impl rand_core_09::RngCore for Bridge<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, dst: &mut [u8]) {
        self.0.fill_bytes(dst);
    }
}

impl rand_core_09::CryptoRng for Bridge<'_> {}
