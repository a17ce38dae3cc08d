//! The `openssl` command (3.0) as a second implementation.

use std::path::Path;
use std::process::Command;

use covenant_canon::{Label, SuiteId, to_bytes};
use sm2::elliptic_curve::pkcs8::{EncodePrivateKey, EncodePublicKey};
use sm2::pke::{Cipher, DecryptingKey, EncryptingKey, Mode};
use tempfile::TempDir;

use super::{BOTH, keys, preimage, rng};
use crate::{OpeningKey, Sealer, SealingKey, Signature, SigningKey, VerifyingKey, gcm, sm, suite};

/// A folder of files and the command run in it.
struct OpenSsl(TempDir);

impl OpenSsl {
    /// `None` where there is no `openssl`: the test says so, or fails where everything is required.
    fn find(test: &str) -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_ok_and(|o| o.status.success()) {
            return Some(Self(TempDir::new().unwrap()));
        }
        let required = std::env::var("COVENANT_REQUIRE_ALL").is_ok_and(|v| v == "1");
        assert!(!required, "{test} needs the `openssl` command");
        eprintln!("SKIPPED {test}: no `openssl` command");
        None
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    fn get(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join(Path::new(name))).unwrap()
    }

    /// Arguments are words separated by blanks. Whether the command succeeded, and what it printed.
    fn run(&self, arguments: &str) -> (bool, Vec<u8>) {
        let output =
            Command::new("openssl").args(arguments.split_whitespace()).current_dir(self.0.path()).output().unwrap();
        (output.status.success(), [output.stdout, output.stderr].concat())
    }

    fn must(&self, arguments: &str) -> Vec<u8> {
        let (ok, printed) = self.run(arguments);
        assert!(ok, "openssl {arguments}: {}", String::from_utf8_lossy(&printed));
        printed
    }
}

/// RFC 8410: PKCS#8 and SubjectPublicKeyInfo of an Edwards or Montgomery key; `kind` is 0x70 for Ed25519, 0x6e for
/// X25519.
fn rfc8410(kind: u8, secret: &[u8], public: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let private = [&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, kind, 4, 0x22, 4, 0x20], secret].concat();
    (private, [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, kind, 3, 0x21, 0], public].concat())
}

fn sm2_der(secret: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let secret = sm2::SecretKey::from_slice(secret).unwrap();
    let public = secret.public_key().to_public_key_der().unwrap();
    (secret.to_pkcs8_der().unwrap().as_bytes().to_vec(), public.into_vec())
}

fn put_signing(openssl: &OpenSsl, key: &SigningKey) {
    let (private, public) = match key.suite() {
        SuiteId::Sm => sm2_der(&key.secret_bytes()[..]),
        SuiteId::Intl => rfc8410(0x70, &key.secret_bytes()[..], key.verifying_key().as_bytes()),
    };
    openssl.put("private.der", &private);
    openssl.put("public.der", &public);
}

fn put_opening(openssl: &OpenSsl, key: &OpeningKey) {
    let (private, public) = match key.suite() {
        SuiteId::Sm => sm2_der(&key.secret_bytes()[..]),
        SuiteId::Intl => rfc8410(0x6e, &key.secret_bytes()[..], key.sealing_key().as_bytes()),
    };
    openssl.put("private.der", &private);
    openssl.put("public.der", &public);
}

/// How each suite's raw signature is told to `openssl pkeyutl`.
fn digest_options(id: SuiteId) -> &'static str {
    match id {
        SuiteId::Sm => "-rawin -digest sm3 -pkeyopt distid:1234567812345678",
        SuiteId::Intl => "-rawin",
    }
}

fn to_foreign(signature: &Signature) -> Vec<u8> {
    match signature.suite() {
        SuiteId::Sm => sm2::dsa::Signature::from_slice(signature.as_bytes()).unwrap().to_der().as_ref().to_vec(),
        SuiteId::Intl => signature.as_bytes().to_vec(),
    }
}

fn from_foreign(id: SuiteId, bytes: &[u8]) -> Signature {
    match id {
        SuiteId::Sm => Signature::from_bytes(id, &sm2::dsa::Signature::from_der(bytes).unwrap().to_bytes()).unwrap(),
        SuiteId::Intl => Signature::from_bytes(id, bytes).unwrap(),
    }
}

#[test]
fn signatures_agree_both_ways() {
    let Some(openssl) = OpenSsl::find("openssl::signatures_agree_both_ways") else { return };
    for id in BOTH {
        let (key, options) = (keys(id, 60).signing, digest_options(id));
        put_signing(&openssl, &key);
        openssl.put("message", &preimage(Label::VOTE, b"height 7"));
        let ours = suite(id).sign(&key, Label::VOTE, b"height 7").unwrap();
        openssl.put("signature", &to_foreign(&ours));
        let verify =
            format!("pkeyutl -verify -pubin -keyform DER -inkey public.der -in message -sigfile signature {options}");
        openssl.must(&verify);
        openssl.put("message", &preimage(Label::VOTE, b"height 8"));
        assert!(!openssl.run(&verify).0, "{id}: openssl accepted another message");

        openssl.must(&format!("pkeyutl -sign -keyform DER -inkey private.der -in message -out theirs {options}"));
        let theirs = from_foreign(id, &openssl.get("theirs"));
        suite(id).verify(key.verifying_key(), Label::VOTE, b"height 8", &theirs).unwrap();
        suite(id).verify(key.verifying_key(), Label::VOTE, b"height 7", &theirs).unwrap_err();
    }
}

#[test]
fn public_halves_agree() {
    let Some(openssl) = OpenSsl::find("openssl::public_halves_agree") else { return };
    for id in BOTH {
        let keys = keys(id, 61);
        put_signing(&openssl, &keys.signing);
        openssl.must("pkey -inform DER -in private.der -pubout -outform DER -out theirs.der");
        let tail = openssl.get("theirs.der");
        let public = &tail[tail.len() - VerifyingKey::length(id)..];
        assert_eq!(public, keys.signing.verifying_key().as_bytes());

        put_opening(&openssl, &keys.opening);
        openssl.must("pkey -inform DER -in private.der -pubout -outform DER -out theirs.der");
        let tail = openssl.get("theirs.der");
        let public = &tail[tail.len() - SealingKey::length(id)..];
        assert_eq!(public, keys.opening.sealing_key().as_bytes());
    }
}

#[test]
fn sm3_agrees() {
    let Some(openssl) = OpenSsl::find("openssl::sm3_agrees") else { return };
    let label = Label::BATCH;
    openssl.put("message", &preimage(label, b"entry"));
    let printed = String::from_utf8(openssl.must("dgst -sm3 -r message")).unwrap();
    let ours = covenant_canon::Digest::of(SuiteId::Sm, label, b"entry").to_string();
    assert!(printed.starts_with(&ours), "{printed}");
}

/// OpenSSL 3.0 has no SM4-GCM, but GCM encrypts as CTR from block 2 on (NIST SP 800-38D, 7.1).
#[test]
fn sm4_keystream_agrees() {
    let Some(openssl) = OpenSsl::find("openssl::sm4_keystream_agrees") else { return };
    let key = keys(SuiteId::Sm, 62).opening;
    let (_, secret) = suite(SuiteId::Sm).encapsulate(key.sealing_key(), Label::SEAL_INPUT, &mut rng(63)).unwrap();
    let text = [0x5a; 100];
    let sealed = suite(SuiteId::Sm).seal_with(&secret, b"intent", b"aad", &text).unwrap();

    let mut okm = [0; 28];
    let info = preimage(Label::SEAL_INPUT, b"intent");
    gcm::expand(SuiteId::Sm, &secret.secret_bytes()[..], &[&info], &mut okm).unwrap();
    openssl.put("text", &text);
    let (key, nonce) = (hex::encode(&okm[..16]), hex::encode(&okm[16..]));
    openssl.must(&format!("enc -sm4-ctr -K {key} -iv {nonce}00000002 -in text -out theirs"));
    assert_eq!(openssl.get("theirs"), sealed[..100]);
}

#[test]
fn sm2_encryption_agrees_both_ways() {
    let Some(openssl) = OpenSsl::find("openssl::sm2_encryption_agrees_both_ways") else { return };
    let key = keys(SuiteId::Sm, 64).opening;
    put_opening(&openssl, &key);
    let public = EncryptingKey::from_sec1_bytes(key.sealing_key().as_bytes()).unwrap();
    openssl.put("ours", &public.encrypt_der(&mut rng(65), b"thirty-two bytes of a secret ...").unwrap());
    openssl.must("pkeyutl -decrypt -keyform DER -inkey private.der -in ours -out text");
    assert_eq!(openssl.get("text"), b"thirty-two bytes of a secret ...");

    openssl.must("pkeyutl -encrypt -pubin -keyform DER -inkey public.der -in text -out theirs");
    let secret = sm2::NonZeroScalar::try_from(&key.secret_bytes()[..]).unwrap();
    let raw = DecryptingKey::new_with_mode(secret, Mode::C1C3C2).decrypt_der(&openssl.get("theirs")).unwrap();
    assert_eq!(raw, b"thirty-two bytes of a secret ...");
    // The same ciphertext in our layout is an encapsulation that opens.
    let theirs = openssl.get("theirs");
    let cipher: Cipher<'_> = sm2::pkcs8::der::Decode::from_der(&theirs).unwrap();
    let bytes = cipher.to_vec(Mode::C1C3C2, false).unwrap();
    let encapsulation = crate::Encapsulation::from_bytes(SuiteId::Sm, &bytes).unwrap();
    suite(SuiteId::Sm).decapsulate(&key, Label::SEAL_INPUT, &encapsulation).unwrap();
}

/// OpenSSL does X25519; DHKEM, key schedule and exporter (RFC 9180, 4.1, 5.1 and 5.3) are written here a second time.
#[test]
fn hpke_agrees() {
    let Some(openssl) = OpenSsl::find("openssl::hpke_agrees") else { return };
    let key = keys(SuiteId::Intl, 66).opening;
    let to = key.sealing_key().as_bytes();
    let (encapsulation, secret) =
        suite(SuiteId::Intl).encapsulate(key.sealing_key(), Label::SEAL_ANSWER, &mut rng(67)).unwrap();
    put_opening(&openssl, &key);
    openssl.put("peer.der", &rfc8410(0x6e, &[], encapsulation.as_bytes()).1);
    openssl.must("pkeyutl -derive -keyform DER -inkey private.der -peerform DER -peerkey peer.der -out dh");

    let (kem, hpke) = (b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\xff\xff");
    let extract = |suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]| {
        hkdf::Hkdf::<sha2_11::Sha256>::extract(Some(salt), &[b"HPKE-v1", suite, label, ikm].concat()).0.to_vec()
    };
    let expand = |suite: &[u8], prk: &[u8], label: &[u8], info: &[u8]| {
        let mut out = [0; 32];
        let info = [&[0, 32], &b"HPKE-v1"[..], suite, label, info].concat();
        hkdf::Hkdf::<sha2_11::Sha256>::from_prk(prk).unwrap().expand(&info, &mut out).unwrap();
        out
    };
    let eae_prk = extract(kem, b"", b"eae_prk", &openssl.get("dh"));
    let shared = expand(kem, &eae_prk, b"shared_secret", &[encapsulation.as_bytes(), to].concat());
    let psk_id_hash = extract(hpke, b"", b"psk_id_hash", b"");
    let info_hash = extract(hpke, b"", b"info_hash", Label::SEAL_ANSWER.as_bytes());
    let schedule = extract(hpke, &shared, b"secret", b"");
    let exporter = expand(hpke, &schedule, b"exp", &[&[0], &psk_id_hash[..], &info_hash].concat());
    assert_eq!(expand(hpke, &exporter, b"sec", b""), secret.secret_bytes()[..]);
}

/// The keys above parse as ours, and what a sealer makes for them has the documented lengths.
#[test]
fn lengths_are_those_of_the_documents() {
    for id in BOTH {
        let keys = keys(id, 68);
        let sealer = Sealer::new(keys.opening.sealing_key(), Label::SEAL_ANSWER, &mut rng(69)).unwrap();
        let sealed = sealer.seal(b"c", b"", b"12345").unwrap();
        assert_eq!(sealed.ciphertext.len(), 5 + 16);
        let expected = if id == SuiteId::Sm { (65, 129) } else { (32, 32) };
        assert_eq!((keys.opening.sealing_key().as_bytes().len(), sealed.encapsulation.as_bytes().len()), expected);
        let extra = to_bytes(&sealed).len() - 21 - sealed.encapsulation.as_bytes().len();
        assert!(extra < 16, "{extra} bytes of framing");
    }
    assert_eq!(sm::DISTINGUISHING_ID, "1234567812345678");
}
