//! Signatures over certificate bodies.

use covenant_canon::Label;
use proptest::prelude::*;

use super::{BOTH, keys, preimage};
use crate::{Signature, SuiteError, suite};

/// A DER SEQUENCE around `length` bytes.
fn body(length: usize) -> Vec<u8> {
    let head = match length {
        0..0x80 => vec![0x30, length as u8],
        0x80..0x100 => vec![0x30, 0x81, length as u8],
        _ => vec![0x30, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, vec![7; length]].concat()
}

#[test]
fn a_certificate_body_is_signed_as_it_stands() {
    for id in BOTH {
        let key = keys(id, 80).signing;
        for length in [128, 255, 256, 700, 65535] {
            let signature = key.sign_certificate(&body(length)).unwrap();
            key.verifying_key().verify_certificate(&body(length), &signature).unwrap();
            let mut other = body(length);
            *other.last_mut().unwrap() ^= 1;
            let error = key.verifying_key().verify_certificate(&other, &signature).unwrap_err();
            assert_eq!(error, SuiteError::Signature);
            let foreign = keys(id, 81).signing.verifying_key().verify_certificate(&body(length), &signature);
            assert_eq!(foreign.unwrap_err(), SuiteError::Signature);
        }
    }
}

#[test]
fn nothing_but_a_long_der_sequence_is_signed() {
    for id in BOTH {
        let key = keys(id, 82).signing;
        let signature = key.sign_certificate(&body(300)).unwrap();
        let short = body(127);
        let (mut longer, cut) = (body(300), &body(300)[..303]);
        longer.push(0);
        let padded = [&[0x30, 0x82, 0, 200], &[7; 200][..]].concat();
        for bad in [&[][..], &[0x30], &short, &longer, cut, &padded, b"covenant"] {
            assert!(matches!(key.sign_certificate(bad), Err(SuiteError::Malformed { .. })), "{bad:?}");
            let verified = key.verifying_key().verify_certificate(bad, &signature);
            assert!(matches!(verified, Err(SuiteError::Malformed { .. })), "{bad:?}");
        }
    }
}

proptest! {
    /// Whatever the message: what a label precedes is never signed as a certificate, and its signature never passes for
    /// one.
    #[test]
    fn a_labelled_message_is_no_certificate_body(message in proptest::collection::vec(any::<u8>(), 0..400)) {
        let key = &keys(BOTH[1], 83).signing;
        for label in [Label::VOTE, Label::BATCH, Label::GRANT, Label::CONSENT_REQUEST] {
            prop_assert!(key.sign_certificate(&preimage(label, &message)).is_err());
            let labelled: Signature = suite(BOTH[1]).sign(key, label, &message).unwrap();
            prop_assert!(key.verifying_key().verify_certificate(&body(300), &labelled).is_err());
        }
    }
}
