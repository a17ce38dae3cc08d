//! Our own frozen vectors: the good ones verify and open, each bad one fails with the error it names.
//!
//! Once released the file does not change: a new layout gets a new version. `cargo test -p covenant-suite write_frozen --
//! --ignored` writes a draft of it.

use std::sync::Arc;

use covenant_canon::{Label, SuiteId};
use serde::{Deserialize, Serialize};

use super::{BOTH, Hex, keys, label, rng, vector_path, vectors};
use crate::{
    KdfCost, KeyFile, Opener, OpeningKey, Sealed, Sealer, SealingKey, Signature, SigningKey, SuiteError, VerifyingKey,
    suite,
};

#[derive(Default, Deserialize, Serialize)]
struct Frozen {
    signatures: Vec<Signed>,
    sealed: Vec<Locked>,
    words: Vec<Word>,
    key_files: Vec<Kept>,
}

/// `error` is absent from good vectors and begins the error of bad ones.
#[derive(Clone, Deserialize, Serialize)]
struct Signed {
    case: String,
    secret: Hex,
    suite: SuiteId,
    label: String,
    message: Hex,
    key: String,
    signature: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Clone, Deserialize, Serialize)]
struct Locked {
    case: String,
    suite: SuiteId,
    secret: Hex,
    label: String,
    context: Hex,
    aad: Hex,
    plaintext: Hex,
    sealed: Hex,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Public keys that must not parse.
#[derive(Deserialize, Serialize)]
struct Word {
    case: String,
    text: String,
    error: String,
}

#[derive(Deserialize, Serialize)]
struct Kept {
    passphrase: String,
    signing: Hex,
    opening: Hex,
    file: KeyFile,
}

fn expect<T: std::fmt::Debug>(case: &str, error: Option<&String>, result: Result<T, String>) {
    match (error, result) {
        (None, Ok(_)) => {}
        (Some(error), Err(met)) if met.starts_with(error.as_str()) => {}
        (expected, met) => panic!("{case}: expected {expected:?}, met {met:?}"),
    }
}

fn verify(v: &Signed) -> Result<(), SuiteError> {
    let key: VerifyingKey = v.key.parse()?;
    suite(v.suite).verify(&key, label(&v.label), &v.message, &v.signature.parse()?)
}

fn open(v: &Locked) -> Result<(), String> {
    let key = OpeningKey::from_bytes(v.suite, &v.secret).map_err(|e| e.to_string())?;
    let sealed = Sealed::from_bytes(&v.sealed).map_err(|e| e.to_string())?;
    let opened = Opener::new(Arc::new(key), label(&v.label)).open(&v.context, &v.aad, &sealed);
    assert_eq!(opened.map_err(|e| e.to_string())?[..], v.plaintext[..], "{}", v.case);
    Ok(())
}

#[test]
fn signatures() {
    for v in vectors::<Frozen>("frozen.json").signatures {
        expect(&v.case, v.error.as_ref(), verify(&v).map_err(|e| e.to_string()));
        if v.error.is_none() {
            let key = SigningKey::from_bytes(v.suite, &v.secret).unwrap();
            assert_eq!(key.verifying_key().to_string(), v.key);
            assert_eq!(suite(v.suite).sign(&key, label(&v.label), &v.message).unwrap().to_string(), v.signature);
        }
    }
}

#[test]
fn sealed() {
    for v in vectors::<Frozen>("frozen.json").sealed {
        expect(&v.case, v.error.as_ref(), open(&v));
    }
}

#[test]
fn words() {
    for v in vectors::<Frozen>("frozen.json").words {
        let text = &v.text;
        let result = match v.case.split(':').next() {
            Some("verifying key") => text.parse::<VerifyingKey>().map(drop),
            Some("sealing key") => text.parse::<SealingKey>().map(drop),
            _ => text.parse::<Signature>().map(drop),
        };
        expect(&v.case, Some(&v.error), result.map_err(|e| e.to_string()));
    }
}

#[test]
fn key_files() {
    for v in vectors::<Frozen>("frozen.json").key_files {
        let keys = v.file.open(&v.passphrase).unwrap();
        assert_eq!(keys.signing.secret_bytes()[..], v.signing[..]);
        assert_eq!(keys.opening.secret_bytes()[..], v.opening[..]);
    }
}

const FAILS: &str = "signature does not verify";
const SM2_ORDER: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
const ED25519_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

#[test]
#[ignore = "writes the vector file"]
fn write_frozen() {
    let mut frozen = Frozen::default();
    for id in BOTH {
        frozen.signatures.extend(draft_signatures(id));
        frozen.sealed.extend(draft_sealed(id));
        let keys = keys(id, 40);
        let file = KeyFile::seal("correct horse", "housing", 1_790_000_000_000, &keys, KdfCost::MINIMUM, &mut rng(41));
        frozen.key_files.push(Kept {
            passphrase: "correct horse".into(),
            signing: Hex(keys.signing.secret_bytes().to_vec()),
            opening: Hex(keys.opening.secret_bytes().to_vec()),
            file: file.unwrap(),
        });
    }
    frozen.words = draft_words();
    let text = serde_json::to_string_pretty(&frozen).unwrap();
    std::fs::write(vector_path("frozen.json"), text + "\n").unwrap();
}

fn draft_signatures(id: SuiteId) -> Vec<Signed> {
    let key = keys(id, 30).signing;
    let signature = suite(id).sign(&key, Label::BATCH, b"a batch root").unwrap();
    let good = Signed {
        case: format!("{id}: good"),
        secret: Hex(key.secret_bytes().to_vec()),
        suite: id,
        label: Label::BATCH.as_str().into(),
        message: Hex(b"a batch root".to_vec()),
        key: key.verifying_key().to_string(),
        signature: signature.to_string(),
        error: None,
    };
    let mut all = vec![good.clone()];
    let mut bad = |case: &str, error: &str, change: &dyn Fn(&mut Signed)| {
        let mut vector = good.clone();
        vector.case = format!("{id}: {case}");
        vector.error = Some(error.into());
        change(&mut vector);
        all.push(vector);
    };
    let put = |bytes: &[u8]| format!("{id}:{}", hex::encode(bytes));
    let (first, second) = signature.as_bytes().split_at(32);
    for at in [0, 31, 32, 63] {
        let mut flipped = signature.as_bytes().to_vec();
        flipped[at] ^= 1;
        bad(&format!("bit of byte {at} flipped"), FAILS, &|v| v.signature = put(&flipped));
    }
    bad("wrong label", FAILS, &|v| v.label = Label::VOTE.as_str().into());
    bad("wrong message", FAILS, &|v| v.message = Hex(b"a batch rooT".to_vec()));
    bad("wrong key", FAILS, &|v| v.key = keys(id, 31).signing.verifying_key().to_string());
    bad("halves exchanged", FAILS, &|v| v.signature = put(&[second, first].concat()));
    bad("all zero", FAILS, &|v| v.signature = put(&[0; 64]));
    bad("one byte short", "malformed signature: 63 bytes", &|v| v.signature = put(&signature.as_bytes()[..63]));
    let other = BOTH.into_iter().find(|o| *o != id).unwrap();
    bad("named after the other suite", "signature belongs to suite", &|v| {
        v.signature = format!("{other}:{}", hex::encode(signature.as_bytes()));
    });
    match id {
        SuiteId::Sm => {
            let order = hex::decode(SM2_ORDER).unwrap();
            let mut last = order.clone();
            last[31] -= 1;
            let one = [&[0; 31][..], &[1]].concat();
            let past = add_big_endian(second, &order);
            bad("s plus the group order", "malformed signature", &|v| v.signature = put(&[first, &past].concat()));
            bad("s is the group order", FAILS, &|v| v.signature = put(&[first, &order].concat()));
            bad("r is the group order", FAILS, &|v| v.signature = put(&[&order, second].concat()));
            bad("s is zero", FAILS, &|v| v.signature = put(&[first, &[0; 32]].concat()));
            bad("r is zero", FAILS, &|v| v.signature = put(&[&[0; 32], second].concat()));
            bad("r + s is the group order", FAILS, &|v| v.signature = put(&[&one[..], &last].concat()));
        }
        SuiteId::Intl => {
            let mut past = add_big_endian(
                &second.iter().rev().copied().collect::<Vec<_>>(),
                &hex::decode(ED25519_ORDER).unwrap().into_iter().rev().collect::<Vec<_>>(),
            );
            past.reverse();
            bad("s plus the group order", FAILS, &|v| v.signature = put(&[first, &past].concat()));
            let identity = [&[1][..], &[0; 31]].concat();
            bad("R is of small order", FAILS, &|v| v.signature = put(&[&identity[..], second].concat()));
        }
    }
    all
}

/// Sum of two 32-byte numbers, with a 33rd byte where they need one.
fn add_big_endian(a: &[u8], b: &[u8]) -> Vec<u8> {
    let (mut sum, mut carry) = (Vec::new(), 0);
    for (x, y) in a.iter().rev().zip(b.iter().rev()) {
        let digit = u16::from(*x) + u16::from(*y) + carry;
        sum.push(digit as u8);
        carry = digit >> 8;
    }
    if carry > 0 {
        sum.push(carry as u8);
    }
    sum.reverse();
    sum
}

fn draft_sealed(id: SuiteId) -> Vec<Locked> {
    let key = keys(id, 32).opening;
    let sealer = Sealer::new(key.sealing_key(), Label::SEAL_ANSWER, &mut rng(33)).unwrap();
    let (context, aad, plaintext) = (b"intent-0001", b"query digest", b"owner: none; liens: 0");
    let sealed = sealer.seal(context, aad, plaintext).unwrap();
    let good = Locked {
        case: format!("{id}: good"),
        suite: id,
        secret: Hex(key.secret_bytes().to_vec()),
        label: Label::SEAL_ANSWER.as_str().into(),
        context: Hex(context.to_vec()),
        aad: Hex(aad.to_vec()),
        plaintext: Hex(plaintext.to_vec()),
        sealed: Hex(sealed.to_bytes()),
        error: None,
    };
    let mut all = vec![good.clone()];
    let mut bad = |case: &str, error: &str, change: &dyn Fn(&mut Locked)| {
        let mut vector = good.clone();
        vector.case = format!("{id}: {case}");
        vector.error = Some(error.into());
        change(&mut vector);
        all.push(vector);
    };
    // The ciphertext stands last in the encoding, its tag last in it; the encapsulation's bytes start after six of CBOR.
    let flip = |v: &mut Locked, at: usize| v.sealed.0[at] ^= 1;
    let end = good.sealed.len() - 1;
    let head = good.sealed.windows(4).position(|w| w == &sealed.encapsulation.as_bytes()[..4]).unwrap();
    bad("tag flipped", "could not open", &|v| flip(v, end));
    bad("ciphertext flipped", "could not open", &|v| flip(v, end - 16));
    bad("encapsulation flipped", "could not open", &|v| flip(v, head + 20));
    bad("wrong context", "could not open", &|v| v.context = Hex(b"intent-0002".to_vec()));
    bad("wrong associated data", "could not open", &|v| v.aad = Hex(vec![]));
    bad("wrong label", "could not open", &|v| v.label = Label::SEAL_INPUT.as_str().into());
    bad("wrong key", "could not open", &|v| v.secret = Hex(keys(id, 34).opening.secret_bytes().to_vec()));
    bad("bytes truncated", "not a `Sealed`", &|v| v.sealed.0.truncate(end));
    bad("trailing byte", "not the canonical encoding", &|v| v.sealed.0.push(0));
    let mut short = sealed.clone();
    short.ciphertext.pop();
    bad("ciphertext truncated", "could not open", &|v| v.sealed = Hex(short.to_bytes()));
    let mut short = sealed.clone();
    short.ciphertext.truncate(15);
    bad("shorter than a tag", "could not open", &|v| v.sealed = Hex(short.to_bytes()));
    let other = BOTH.into_iter().find(|o| *o != id).unwrap();
    bad("to a key of the other suite", "encapsulation belongs to suite", &|v| v.suite = other);
    if id == SuiteId::Sm {
        bad("C3 flipped", "could not open", &|v| flip(v, head + 65));
        bad("C2 flipped", "could not open", &|v| flip(v, head + 97));
        bad("C1 off the curve", "could not open", &|v| flip(v, head + 64));
        bad("C1 tagged as compressed", "could not open", &|v| v.sealed.0[head] = 2);
    }
    all
}

fn draft_words() -> Vec<Word> {
    let word = |case: &str, text: String, error: &str| Word { case: case.into(), text, error: error.into() };
    let sm = keys(SuiteId::Sm, 35).signing.verifying_key().to_string();
    let flipped = |text: &str| match text.strip_suffix('0') {
        Some(head) => format!("{head}1"),
        None => format!("{}0", &text[..text.len() - 1]),
    };
    let point = "not an uncompressed point of the SM2 curve";
    vec![
        word("verifying key: off the curve", flipped(&sm), &format!("malformed verifying key: {point}")),
        word("sealing key: off the curve", flipped(&sm), &format!("malformed sealing key: {point}")),
        word("verifying key: compressed tag", sm.replace("sm:04", "sm:02"), "malformed verifying key"),
        word("verifying key: coordinates above p", format!("sm:04{}", "ff".repeat(64)), "malformed verifying key"),
        word("verifying key: infinity", format!("sm:{}", "00".repeat(65)), "malformed verifying key"),
        word("verifying key: compressed", format!("sm:02{}", &sm[5..69]), "malformed verifying key: 33 bytes"),
        word("verifying key: of the other suite", sm.replace("sm:", "intl:"), "malformed verifying key: 65 bytes"),
        word("verifying key: unknown suite", sm.replace("sm:", "rsa:"), "malformed verifying key: unknown suite"),
        word("verifying key: no suite", sm.replace("sm:", ""), "malformed verifying key: expected"),
        word("verifying key: too long", format!("{sm}00"), "malformed verifying key: longer than 65"),
        word("verifying key: no hex", format!("sm:{}", "zz".repeat(65)), "malformed verifying key"),
        word("verifying key: small order", format!("intl:01{}", "00".repeat(31)), "malformed verifying key: point of"),
        word("verifying key: no point", format!("intl:02{}", "00".repeat(31)), "malformed verifying key: not a point"),
        word("sealing key: short", format!("intl:{}", "00".repeat(31)), "malformed sealing key: 31 bytes"),
        word("signature: empty", "sm:".into(), "malformed signature: 0 bytes"),
    ]
}
