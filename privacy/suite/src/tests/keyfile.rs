//! Key files: round trip, refusals, limits.

use serde_json::{Value, json};

use super::{BOTH, keys, rng};
use crate::{KdfCost, KeyFile, MAX_KEY_FILE, SuiteError, SuiteId};

fn file(id: SuiteId) -> KeyFile {
    KeyFile::seal("passphrase", "housing", 1_700_000_000_000, &keys(id, 1), KdfCost::MINIMUM, &mut rng(2)).unwrap()
}

#[test]
fn opens_with_its_passphrase_only() {
    for id in BOTH {
        let read = KeyFile::from_json(file(id).to_json().as_bytes()).unwrap();
        assert_eq!((read.member(), read.suite(), read.created_ms()), ("housing", id, 1_700_000_000_000));
        assert_eq!(read.verifying_key(), keys(id, 1).signing.verifying_key());
        assert_eq!(read.sealing_key(), keys(id, 1).opening.sealing_key());
        assert_eq!(read.open("passphrase").unwrap(), keys(id, 1));
        let wrong = read.open("Passphrase").unwrap_err();
        assert_eq!(wrong.to_string(), "wrong passphrase for the key file of `housing`, or the file was altered");
        assert_eq!(read.open("").unwrap_err(), SuiteError::EmptyPassphrase);
    }
}

#[test]
fn no_secret_stands_in_the_file() {
    let text = file(SuiteId::Sm).to_json();
    assert!(!text.contains(&hex::encode(keys(SuiteId::Sm, 1).signing.secret_bytes())));
    assert!(!text.contains(&hex::encode(keys(SuiteId::Sm, 1).opening.secret_bytes())));
}

#[test]
fn altered_header_does_not_open() {
    let other = keys(SuiteId::Sm, 9);
    let changes = [
        ("member", json!("tax")),
        ("created_ms", json!(1)),
        ("salt", json!("00".repeat(32))),
        ("verifying_key", json!(other.signing.verifying_key())),
        ("sealing_key", json!(other.opening.sealing_key())),
        ("argon2id", json!({"memory_kib": 19_456, "passes": 3, "lanes": 1})),
    ];
    for (field, value) in changes {
        let mut json: Value = serde_json::from_str(&file(SuiteId::Sm).to_json()).unwrap();
        json["header"][field] = value;
        let altered = KeyFile::from_json(json.to_string().as_bytes()).unwrap();
        assert!(matches!(altered.open("passphrase"), Err(SuiteError::Passphrase { .. })), "{field}");
    }
}

#[test]
fn refuses_costs_out_of_range_before_spending_them() {
    for (field, value) in [
        ("memory_kib", 1024_u32),
        ("memory_kib", u32::MAX),
        ("passes", 1),
        ("passes", 1_000_000),
        ("lanes", 0),
        ("lanes", 64),
    ] {
        let mut json: Value = serde_json::from_str(&file(SuiteId::Intl).to_json()).unwrap();
        json["header"]["argon2id"][field] = json!(value);
        let error = KeyFile::from_json(json.to_string().as_bytes()).unwrap_err();
        assert!(matches!(&error, SuiteError::Cost { reason } if reason.starts_with(field)), "{error}");
    }
}

#[test]
fn refuses_other_shapes() {
    let good: Value = serde_json::from_str(&file(SuiteId::Intl).to_json()).unwrap();
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut json = good.clone();
        change(&mut json);
        KeyFile::from_json(json.to_string().as_bytes()).unwrap_err().to_string()
    };
    assert_eq!(broken(&|j| j["header"]["version"] = json!(2)), "malformed key file: version 2 is not 1");
    assert_eq!(broken(&|j| j["header"]["suite"] = json!("sm")), "verifying key belongs to suite `intl`, expected `sm`");
    assert_eq!(broken(&|j| j["ciphertext"] = json!("00")), "malformed key file: ciphertext of 1 bytes");
    assert!(broken(&|j| j["header"]["extra"] = json!(1)).starts_with("malformed key file: unknown field `extra`"));
    assert!(broken(&|j| j["header"]["member"] = json!("x".repeat(257))).contains("member name longer"));
    let long = vec![b' '; MAX_KEY_FILE + 1];
    assert!(matches!(KeyFile::from_json(&long), Err(SuiteError::TooLong { .. })));
}
