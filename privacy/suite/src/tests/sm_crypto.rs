//! The crate `sm-crypto` as an oracle on honest values, and why it is nothing more.

use covenant_canon::{Hasher, Label, SuiteId};
use sm_crypto::sm2::{Decrypt, Encrypt, Sign, Verify};
use sm_crypto::sm4::CryptSM4ECB;
use sm2::dsa::signature::MultipartVerifier;
use sm2::elliptic_curve::Group;
use sm2::elliptic_curve::ops::Reduce;
use sm2::elliptic_curve::point::AffineCoordinates;
use sm2::pke::{DecryptingKey, Mode};
use sm2::{FieldBytes, NonZeroScalar, ProjectivePoint, Scalar};
use sm4::cipher::{Block, BlockCipherEncrypt, KeyInit};

use super::{keys, preimage, rng};
use crate::{Encapsulation, OpeningKey, Signature, SuiteError, VerifyingKey, gcm, sm, suite};

const ID: SuiteId = SuiteId::Sm;

/// Public key as `sm-crypto` wants it: hex without the tag of the point.
fn untagged(key: &[u8]) -> String {
    hex::encode(&key[1..])
}

fn decrypting(key: &OpeningKey) -> DecryptingKey {
    let secret = NonZeroScalar::try_from(&key.secret_bytes()[..]).unwrap();
    DecryptingKey::new_with_mode(secret, Mode::C1C3C2)
}

#[test]
fn signatures_agree_both_ways() {
    for seed in 50..53 {
        let key = keys(ID, seed).signing;
        let (secret, public) = (hex::encode(key.secret_bytes()), untagged(key.verifying_key().as_bytes()));
        let signed = preimage(Label::BATCH, &[seed; 40]);

        let ours = suite(ID).sign(&key, Label::BATCH, &[seed; 40]).unwrap();
        let der = sm2::dsa::Signature::from_slice(ours.as_bytes()).unwrap().to_der();
        assert!(Verify::new(&public).verify_der(&signed, der.as_ref(), true));

        let theirs = sm2::dsa::Signature::from_der(&Sign::new(&secret).sign_der(&signed, true)).unwrap();
        let theirs = Signature::from_bytes(ID, &theirs.to_bytes()).unwrap();
        suite(ID).verify(key.verifying_key(), Label::BATCH, &[seed; 40], &theirs).unwrap();
    }
}

#[test]
fn hashes_and_blocks_agree() {
    for length in [0, 1, 55, 56, 63, 64, 65, 1000] {
        let message = vec![0xa5; length];
        let mut hasher = Hasher::new(ID.hash());
        hasher.update(&message);
        assert_eq!(hasher.finish().to_string(), sm_crypto::sm3::sm3_hash(&message), "{length}");
    }
    let key = [7; 16];
    let mut block = Block::<sm4::Sm4>::from([9; 16]);
    let theirs = CryptSM4ECB::new(&key).encrypt_ecb(&block);
    sm4::Sm4::new(&key.into()).encrypt_block(&mut block);
    assert_eq!(theirs[..16], block[..]);
}

/// Encapsulations hold 32 bytes encrypted by SM2; the derivation on top of them is written here a second time.
#[test]
fn encapsulations_agree_both_ways() {
    let key = keys(ID, 54).opening;
    let derive = |sent: &[u8], encapsulation: &Encapsulation| {
        let info = [&preimage(Label::SEAL_INPUT, b""), key.sealing_key().as_bytes(), encapsulation.as_bytes()].concat();
        let mut secret = [0; 32];
        gcm::expand(ID, sent, &[&info], &mut secret).unwrap();
        secret
    };

    let theirs = Encrypt::new(&untagged(key.sealing_key().as_bytes())).encrypt(&[5; 32]);
    let theirs = Encapsulation::from_bytes(ID, &[&[4], &theirs[..]].concat()).unwrap();
    let secret = suite(ID).decapsulate(&key, Label::SEAL_INPUT, &theirs).unwrap();
    assert_eq!(secret.secret_bytes()[..], derive(&[5; 32], &theirs)[..]);

    let (ours, secret) = suite(ID).encapsulate(key.sealing_key(), Label::SEAL_INPUT, &mut rng(55)).unwrap();
    let sent = Decrypt::new(&hex::encode(key.secret_bytes())).decrypt(&ours.as_bytes()[1..]);
    assert_eq!(secret.secret_bytes()[..], derive(&sent, &ours)[..]);
}

/// A signature on a message nobody signed, from the public key alone. `sm-crypto` adds s modulo n without checking its
/// range and multiplies the base point by its low 256 bits only: with s' = s + j·2²⁵⁶ both uses are free.
///
/// Choose s and t, let (x, _) = \[s\]G + \[t\]P, r = e + x; then r + s' = t needs j = (t − r − s)/2²⁵⁶.
fn forge(key: &VerifyingKey, message: &[u8]) -> (Scalar, Scalar, Scalar) {
    let parsed = sm::parse_verifying(key.as_bytes()).unwrap();
    let public = ProjectivePoint::from(*parsed.as_affine());
    let (s, t) = (Scalar::from(12_345_u64), Scalar::from(67_890_u64));
    let x = (ProjectivePoint::generator() * s + public * t).to_affine().x();
    let r = Scalar::reduce(&challenge(key, message)) + Scalar::reduce(&x);
    let two_256 = (0..256).fold(Scalar::ONE, |power, _| power + power);
    (r, s, (t - r - s) * two_256.invert().unwrap())
}

/// e = SM3(Z ‖ M), GB/T 32918.2, 5.5 and 6.1.
fn challenge(key: &VerifyingKey, message: &[u8]) -> FieldBytes {
    const A: &str = "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc";
    const B: &str = "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93";
    const G: &str = "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7\
                     bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0";
    let curve = hex::decode(format!("{A}{B}{G}")).unwrap();
    let z = sm3(&[&[0, 128], sm::DISTINGUISHING_ID.as_bytes(), &curve, &key.as_bytes()[1..]]);
    FieldBytes::from(sm3(&[&z, message]))
}

fn sm3(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Hasher::new(ID.hash());
    parts.iter().for_each(|part| hasher.update(part));
    *hasher.finish().as_bytes()
}

/// A DER INTEGER: no superfluous leading zero, and a zero before a set highest bit.
fn der_integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len() - 1);
    let bytes = &bytes[start..];
    let sign = if bytes[0] & 0x80 == 0 { &[][..] } else { &[0] };
    [&[2, (bytes.len() + sign.len()) as u8], sign, bytes].concat()
}

#[test]
fn sm_crypto_accepts_a_forgery_that_we_refuse() {
    let key = keys(ID, 56).signing.verifying_key().clone();
    let message = preimage(Label::BATCH, b"never signed");
    let (r, s, j) = forge(&key, &message);
    let (r, s, j) = (r.to_bytes(), s.to_bytes(), j.to_bytes());
    let body = [der_integer(&r), der_integer(&[&j[..], &s].concat())].concat();
    let der = [&[0x30, body.len() as u8], &body[..]].concat();
    assert!(Verify::new(&untagged(key.as_bytes())).verify_der(&message, &der, true));

    assert!(sm2::dsa::Signature::from_der(&der).is_err());
    assert!(Signature::from_bytes(ID, &[&r[..], &j, &s].concat()).is_err());
    for half in [&s, &j] {
        let signature = Signature::from_bytes(ID, &[&r[..], half].concat()).unwrap();
        let verified = suite(ID).verify(&key, Label::BATCH, b"never signed", &signature);
        assert_eq!(verified, Err(SuiteError::Signature));
    }
    // The challenge above is the standard's: an honest signature verifies over it.
    let honest = suite(ID).sign(&keys(ID, 56).signing, Label::BATCH, b"never signed").unwrap();
    let honest = sm2::dsa::Signature::from_slice(honest.as_bytes()).unwrap();
    sm::parse_verifying(key.as_bytes()).unwrap().multipart_verify(&[&message], &honest).unwrap();
}

#[test]
fn sm_crypto_ignores_c3_and_we_do_not() {
    let key = keys(ID, 57).opening;
    let mut bytes = Encrypt::new(&untagged(key.sealing_key().as_bytes())).encrypt(b"a message that matters, 32 bytes");
    bytes[64] ^= 1;
    let opened = Decrypt::new(&hex::encode(key.secret_bytes())).decrypt(&bytes);
    assert_eq!(opened, b"a message that matters, 32 bytes");
    let tampered = Encapsulation::from_bytes(ID, &[&[4], &bytes[..]].concat()).unwrap();
    assert_eq!(suite(ID).decapsulate(&key, Label::SEAL_INPUT, &tampered).unwrap_err(), SuiteError::Open);
}

#[test]
fn sm_crypto_loses_leading_zeros_and_we_do_not() {
    let key = keys(ID, 58).opening;
    let bytes = Encrypt::new(&untagged(key.sealing_key().as_bytes())).encrypt(&[0, 0, 7, 9, 1]);
    assert_eq!(Decrypt::new(&hex::encode(key.secret_bytes())).decrypt(&bytes), [7, 9, 1]);
    assert_eq!(decrypting(&key).decrypt(&[&[4], &bytes[..]].concat()).unwrap(), [0, 0, 7, 9, 1]);
}
