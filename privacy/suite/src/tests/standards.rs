//! Vectors of the standards.

use std::convert::Infallible;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Nonce, Payload};
use covenant_canon::{Hasher, SuiteId};
use rand_core::{TryCryptoRng, TryRng};
use serde::Deserialize;
use sm2::NonZeroScalar;
use sm2::dsa::signature::MultipartVerifier;
use sm2::pke::{DecryptingKey, Mode};
use sm4::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt};

use super::{Hex, vectors};
use crate::gcm::Sm4Gcm;
use crate::{Encapsulation, OpeningKey, SealingKey, SigningKey, intl, sm};

#[derive(Deserialize)]
struct Standards {
    sm3: Sm3,
    sm4: Cipher,
    gcm: Vec<Gcm>,
    sm2_signature: Signed,
    sm2_encryption: Cipher2,
    ed25519: Signed,
    hpke: Hpke,
}

#[derive(Deserialize)]
struct Sm3 {
    cases: Vec<Hashed>,
}

#[derive(Deserialize)]
struct Hashed {
    message: Hex,
    digest: String,
}

#[derive(Deserialize)]
struct Cipher {
    key: Hex,
    plaintext: Hex,
    ciphertext: Hex,
}

#[derive(Deserialize)]
struct Cipher2 {
    secret: Hex,
    plaintext: Hex,
    ciphertext: Hex,
}

#[derive(Deserialize)]
struct Gcm {
    suite: SuiteId,
    key: Hex,
    nonce: Hex,
    aad: Hex,
    plaintext: Hex,
    ciphertext: Hex,
    tag: Hex,
}

#[derive(Deserialize)]
struct Signed {
    secret: Hex,
    public: Hex,
    message: Hex,
    signature: Hex,
}

#[derive(Deserialize)]
struct Hpke {
    secret: Hex,
    public: Hex,
    ephemeral_ikm: Hex,
    info: Hex,
    enc: Hex,
    exported: Hex,
}

fn standards() -> Standards {
    vectors("standards.json")
}

#[test]
fn sm3_hashes() {
    for case in standards().sm3.cases {
        let mut hasher = Hasher::new(SuiteId::Sm.hash());
        hasher.update(&case.message);
        assert_eq!(hasher.finish().to_string(), case.digest);
    }
}

#[test]
fn sm4_encrypts_a_block() {
    let case = standards().sm4;
    let cipher = sm4::Sm4::new_from_slice(&case.key).unwrap();
    let mut block = Block::<sm4::Sm4>::try_from(&case.plaintext[..]).unwrap();
    cipher.encrypt_block(&mut block);
    assert_eq!(block[..], case.ciphertext[..]);
    cipher.decrypt_block(&mut block);
    assert_eq!(block[..], case.plaintext[..]);
}

#[test]
fn gcm_seals() {
    fn run<C: Aead + KeyInit>(case: &Gcm) {
        let cipher = C::new_from_slice(&case.key).unwrap();
        let nonce = Nonce::<C>::try_from(&case.nonce[..]).unwrap();
        let sealed = cipher.encrypt(&nonce, Payload { msg: &case.plaintext, aad: &case.aad }).unwrap();
        assert_eq!(sealed, [&case.ciphertext[..], &case.tag].concat());
        let opened = cipher.decrypt(&nonce, Payload { msg: &sealed, aad: &case.aad }).unwrap();
        assert_eq!(opened, case.plaintext.0);
    }
    for case in standards().gcm {
        match case.suite {
            SuiteId::Sm => run::<Sm4Gcm>(&case),
            SuiteId::Intl => run::<Aes256Gcm>(&case),
        }
    }
}

/// The standard signs the bare message, so this goes below the label: same key, same id, same parser.
#[test]
fn sm2_verifies_the_example() {
    let case = standards().sm2_signature;
    let key = SigningKey::from_bytes(SuiteId::Sm, &case.secret).unwrap();
    assert_eq!(key.verifying_key().as_bytes(), &case.public[..]);
    let public = sm::parse_verifying(&case.public).unwrap();
    let signature = sm2::dsa::Signature::from_slice(&case.signature).unwrap();
    public.multipart_verify(&[&case.message], &signature).unwrap();
    public.multipart_verify(&[b"another"], &signature).unwrap_err();
}

#[test]
fn sm2_decrypts_the_example() {
    let case = standards().sm2_encryption;
    let secret = NonZeroScalar::try_from(&case.secret[..]).unwrap();
    let key = DecryptingKey::new_with_mode(secret, Mode::C1C3C2);
    assert_eq!(key.decrypt(&case.ciphertext).unwrap(), case.plaintext.0);
}

#[test]
fn ed25519_signs_the_example() {
    use ed25519_dalek::Signer;
    let case = standards().ed25519;
    let key = SigningKey::from_bytes(SuiteId::Intl, &case.secret).unwrap();
    assert_eq!(key.verifying_key().as_bytes(), &case.public[..]);
    let seed: [u8; 32] = case.secret.0.clone().try_into().unwrap();
    let signature = ed25519_dalek::SigningKey::from_bytes(&seed).sign(&case.message);
    assert_eq!(signature.to_bytes()[..], case.signature[..]);
    intl::parse_verifying(&case.public).unwrap().verify_strict(&case.message, &signature).unwrap();
}

/// Gives out fixed bytes.
struct Fixed(Vec<u8>);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("hpke draws bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("hpke draws bytes")
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.copy_from_slice(&self.0.drain(..dst.len()).collect::<Vec<_>>());
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

#[test]
fn hpke_exports_the_example_at_both_ends() {
    let case = standards().hpke;
    let enc = Encapsulation::from_bytes(SuiteId::Intl, &case.enc).unwrap();
    let key = OpeningKey::from_bytes(SuiteId::Intl, &case.secret).unwrap();
    assert_eq!(key.sealing_key().as_bytes(), &case.public[..]);

    let (private, _) = intl::parse_opening(&key.secret_bytes()).unwrap();
    assert_eq!(intl::receive(&private, &case.info, &enc).unwrap()[..], case.exported[..]);

    let to = SealingKey::from_bytes(SuiteId::Intl, &case.public).unwrap();
    let (sent, exported) = intl::send(&to, &case.info, &mut Fixed(case.ephemeral_ikm.0)).unwrap();
    assert_eq!((sent, &exported[..]), (enc, &case.exported[..]));
}
