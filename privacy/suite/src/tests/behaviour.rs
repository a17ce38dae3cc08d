//! What callers rely on.

use std::sync::Arc;

use covenant_canon::{Label, SuiteId, from_bytes, to_bytes};
use proptest::prelude::*;

use super::{BOTH, keys, preimage, rng};
use crate::{
    Encapsulation, MAX_CIPHERTEXT, Opener, OpeningKey, Sealed, Sealer, SealingKey, Signature, SigningKey, SuiteError,
    VerifyingKey, suite,
};

const LABEL: Label = Label::SEAL_ANSWER;

fn pair(id: SuiteId, seed: u8) -> (Sealer, Opener) {
    let keys = keys(id, seed);
    let sealer = Sealer::new(keys.opening.sealing_key(), LABEL, &mut rng(seed + 1)).unwrap();
    (sealer, Opener::new(Arc::new(keys.opening), LABEL))
}

#[test]
fn mixing_suites_is_an_error() {
    let (sm, intl) = (keys(SuiteId::Sm, 1), keys(SuiteId::Intl, 1));
    let mismatch = |what: &'static str| SuiteError::SuiteMismatch { what, expected: SuiteId::Sm, found: SuiteId::Intl };
    let us = suite(SuiteId::Sm);
    let signature = suite(SuiteId::Intl).sign(&intl.signing, Label::BATCH, b"m").unwrap();
    assert_eq!(us.sign(&intl.signing, Label::BATCH, b"m").unwrap_err(), mismatch("signing key"));
    let verified = us.verify(intl.signing.verifying_key(), Label::BATCH, b"m", &signature);
    assert_eq!(verified.unwrap_err(), mismatch("verifying key"));
    let verified = us.verify(sm.signing.verifying_key(), Label::BATCH, b"m", &signature);
    assert_eq!(verified.unwrap_err(), mismatch("signature"));

    let to = intl.opening.sealing_key();
    assert_eq!(us.encapsulate(to, LABEL, &mut rng(2)).unwrap_err(), mismatch("sealing key"));
    let (encapsulation, secret) = suite(SuiteId::Intl).encapsulate(to, LABEL, &mut rng(2)).unwrap();
    assert_eq!(us.decapsulate(&intl.opening, LABEL, &encapsulation).unwrap_err(), mismatch("opening key"));
    assert_eq!(us.decapsulate(&sm.opening, LABEL, &encapsulation).unwrap_err(), mismatch("encapsulation"));
    assert_eq!(us.seal_with(&secret, b"", b"", b"").unwrap_err(), mismatch("shared secret"));
    assert_eq!(us.open_with(&secret, b"", b"", b"").unwrap_err(), mismatch("shared secret"));
}

#[test]
fn a_signature_covers_label_and_message_and_not_the_bare_message() {
    for id in BOTH {
        let key = keys(id, 3).signing;
        let signature = suite(id).sign(&key, Label::BATCH, b"message").unwrap();
        let prepared = key.verifying_key().prepare().unwrap();
        prepared.verify(Label::BATCH, b"message", &signature).unwrap();
        assert_eq!(prepared.verify(Label::VOTE, b"message", &signature), Err(SuiteError::Signature));
        assert_eq!(prepared.verify(Label::BATCH, b"messagf", &signature), Err(SuiteError::Signature));
        // Moving the boundary between label and message changes the bytes.
        let longer = [&Label::BATCH.as_bytes()[1..], b"message"].concat();
        assert_eq!(prepared.verify(Label::BATCH, &longer, &signature), Err(SuiteError::Signature));
        let head = preimage(Label::BATCH, b"");
        assert_eq!((usize::from(head[0]), &head[1..]), (Label::BATCH.as_bytes().len(), Label::BATCH.as_bytes()));
    }
}

#[test]
fn both_ends_of_an_encapsulation_share_a_secret_bound_to_its_label() {
    for id in BOTH {
        let key = keys(id, 5).opening;
        let (encapsulation, secret) = suite(id).encapsulate(key.sealing_key(), LABEL, &mut rng(6)).unwrap();
        assert!(suite(id).decapsulate(&key, LABEL, &encapsulation).unwrap() == secret);
        assert!(suite(id).decapsulate(&key, Label::SEAL_INPUT, &encapsulation).unwrap() != secret);
        let (again, _) = suite(id).encapsulate(key.sealing_key(), LABEL, &mut rng(7)).unwrap();
        assert_ne!(again, encapsulation);
    }
}

#[test]
fn an_x25519_key_of_small_order_is_refused_at_encapsulation() {
    let zero = SealingKey::from_bytes(SuiteId::Intl, &[0; 32]).unwrap();
    assert_eq!(Sealer::new(&zero, LABEL, &mut rng(1)).unwrap_err(), SuiteError::Encapsulate);
}

#[test]
fn a_batch_of_512_costs_one_decapsulation() {
    for id in BOTH {
        let (sealer, opener) = pair(id, 7);
        for n in 0..512_u32 {
            let (context, text) = (n.to_be_bytes(), format!("answer {n}"));
            let sealed = sealer.seal(&context, b"aad", text.as_bytes()).unwrap();
            assert_eq!(opener.open(&context, b"aad", &sealed).unwrap().as_slice(), text.as_bytes());
        }
        assert_eq!(opener.remembered(), 1);
    }
}

#[test]
fn an_opener_forgets_the_least_recently_used() {
    let key = Arc::new(keys(SuiteId::Intl, 8).opening);
    let opener = Opener::new(Arc::clone(&key), LABEL);
    for n in 0..80 {
        let sealer = Sealer::new(key.sealing_key(), LABEL, &mut rng(n)).unwrap();
        opener.open(b"c", b"", &sealer.seal(b"c", b"", b"text").unwrap()).unwrap();
    }
    assert_eq!(opener.remembered(), 64);
}

#[test]
fn a_context_seals_once() {
    for id in BOTH {
        let (sealer, _) = pair(id, 9);
        let first = sealer.seal(b"one", b"", b"text").unwrap();
        assert_eq!(sealer.seal(b"one", b"", b"other").unwrap_err(), SuiteError::ContextReused);
        let long = vec![0; MAX_CIPHERTEXT];
        assert!(matches!(sealer.seal(b"three", b"", &long), Err(SuiteError::TooLong { .. })));
        sealer.seal(b"three", b"", b"a message that failed used nothing up").unwrap();
        // Another context, another key: equal texts do not look alike.
        assert_ne!(sealer.seal(b"two", b"", b"text").unwrap().ciphertext, first.ciphertext);
    }
}

#[test]
fn the_longest_message_fits_the_canonical_limit_and_one_more_byte_does_not() {
    let (sealer, _) = pair(SuiteId::Intl, 10);
    let longest = vec![0; MAX_CIPHERTEXT - 16];
    let sealed = sealer.seal(b"a", b"", &longest).unwrap();
    assert_eq!(Sealed::from_bytes(&sealed.to_bytes()).unwrap(), sealed);
    let over = sealer.seal(b"b", b"", &[longest, vec![0]].concat());
    assert!(matches!(over, Err(SuiteError::TooLong { .. })));
}

#[test]
fn secrets_are_silent() {
    for id in BOTH {
        let keys = keys(id, 11);
        let (_, secret) = suite(id).encapsulate(keys.opening.sealing_key(), LABEL, &mut rng(1)).unwrap();
        let shown = format!("{keys:?} {secret:?} {:?}", pair(id, 11));
        for bytes in [keys.signing.secret_bytes(), keys.opening.secret_bytes()] {
            assert!(!shown.contains(&hex::encode(&bytes[..4])), "{shown}");
        }
        let name = id.name();
        assert!(shown.starts_with(&format!("KeyPairSet {{ signing: SigningKey({name}, ..)")), "{shown}");
    }
}

#[test]
fn secrets_compare_by_value_and_suite() {
    let bytes = keys(SuiteId::Sm, 12).signing.secret_bytes();
    let sm = SigningKey::from_bytes(SuiteId::Sm, &bytes[..]).unwrap();
    assert_eq!(sm, SigningKey::from_bytes(SuiteId::Sm, &bytes[..]).unwrap());
    assert_ne!(sm, keys(SuiteId::Sm, 13).signing);
    assert_ne!(sm, SigningKey::from_bytes(SuiteId::Intl, &bytes[..]).unwrap());
}

#[test]
fn sm2_private_keys_end_at_n_minus_2() {
    let order = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d541";
    for (last, good) in [("21", true), ("22", false), ("23", false), ("24", false)] {
        let bytes = hex::decode(format!("{order}{last}")).unwrap();
        assert_eq!(SigningKey::from_bytes(SuiteId::Sm, &bytes).is_ok(), good, "{last}");
        assert_eq!(OpeningKey::from_bytes(SuiteId::Sm, &bytes).is_ok(), good, "{last}");
    }
    assert!(SigningKey::from_bytes(SuiteId::Sm, &[0; 32]).is_err());
    assert!(SigningKey::from_bytes(SuiteId::Intl, &[0; 31]).is_err());
}

fn any_suite() -> impl Strategy<Value = SuiteId> {
    prop_oneof![Just(SuiteId::Sm), Just(SuiteId::Intl)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn seal_open_round_trip(
        id in any_suite(), seed in 0..200_u8, context: Vec<u8>, aad: Vec<u8>, text: Vec<u8>, flip: prop::sample::Index,
    ) {
        let (sealer, opener) = pair(id, seed);
        let sealed = sealer.seal(&context, &aad, &text).unwrap();
        let read = Sealed::from_bytes(&sealed.to_bytes()).unwrap();
        let opened = opener.open(&context, &aad, &read).unwrap();
        prop_assert_eq!(opened.as_slice(), &text[..]);

        let mut altered = read.clone();
        let at = flip.index(altered.ciphertext.len());
        altered.ciphertext[at] ^= 1;
        prop_assert_eq!(opener.open(&context, &aad, &altered).unwrap_err(), SuiteError::Open);
        let other = [&context[..], b"."].concat();
        prop_assert_eq!(opener.open(&other, &aad, &read).unwrap_err(), SuiteError::Open);
        let other = [&aad[..], b"."].concat();
        prop_assert_eq!(opener.open(&context, &other, &read).unwrap_err(), SuiteError::Open);
    }

    #[test]
    fn signatures_round_trip_through_text_json_and_cbor(id in any_suite(), seed in 0..200_u8, message: Vec<u8>) {
        let key = keys(id, seed).signing;
        let signature = suite(id).sign(&key, Label::VOTE, &message).unwrap();
        prop_assert_eq!(&signature.to_string().parse::<Signature>().unwrap(), &signature);
        prop_assert_eq!(&from_bytes::<Signature>(&to_bytes(&signature)).unwrap(), &signature);
        let json = serde_json::to_string(key.verifying_key()).unwrap();
        let public: VerifyingKey = serde_json::from_str(&json).unwrap();
        suite(id).verify(&public, Label::VOTE, &message, &signature).unwrap();
    }

    #[test]
    fn decoders_never_panic(bytes: Vec<u8>, text: String, id in any_suite()) {
        let _any = (from_bytes::<Signature>(&bytes), from_bytes::<Encapsulation>(&bytes), Sealed::from_bytes(&bytes));
        let _any = (from_bytes::<VerifyingKey>(&bytes), from_bytes::<SealingKey>(&bytes));
        let _any = (text.parse::<VerifyingKey>(), format!("sm:{text}").parse::<Signature>());
        let _any = (SigningKey::from_bytes(id, &bytes), OpeningKey::from_bytes(id, &bytes));
        let _any = crate::KeyFile::from_json(&bytes);
    }

    #[test]
    fn arbitrary_values_of_the_right_length_are_refused(
        id in any_suite(), long in prop::collection::vec(any::<u8>(), 129), ciphertext: Vec<u8>,
    ) {
        let keys = keys(id, 14);
        let signature = Signature::from_bytes(id, &long[..Signature::length(id)]).unwrap();
        let verified = suite(id).verify(keys.signing.verifying_key(), Label::VOTE, b"m", &signature);
        prop_assert_eq!(verified, Err(SuiteError::Signature));
        let encapsulation = Encapsulation::from_bytes(id, &long[..Encapsulation::length(id)]).unwrap();
        let opener = Opener::new(Arc::new(keys.opening), LABEL);
        let opened = opener.open(b"", b"", &Sealed { encapsulation, ciphertext });
        prop_assert_eq!(opened.unwrap_err(), SuiteError::Open);
    }
}
