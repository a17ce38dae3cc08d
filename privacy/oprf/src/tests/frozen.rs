//! Outputs, tags and rows, frozen: a change orphans every sealed matrix.
//!
//! `cargo test -p covenant-oprf write_frozen -- --ignored` writes the file.

use covenant_canon::SuiteId;
use serde_json::{Value, json};

use super::*;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/oprf/v1/frozen.json");
const RECORD: &[u8] = b"record";
const WIDTH: usize = 32;

fn key() -> EpochKey {
    EpochKey::generate(&mut rng(42))
}

fn draft() -> Value {
    let place = RowContext::from(&context());
    let output = output_of(&key(), ID);
    let rows: Vec<Value> = [SuiteId::Sm, SuiteId::Intl]
        .into_iter()
        .map(|suite| {
            let (tag, sealer) = RowSecret::derive(suite, &output, &place).unwrap();
            let row = seal_row(sealer, &place, RECORD, WIDTH).unwrap();
            let mut altered = row.clone();
            altered[WIDTH] ^= 1;
            json!({
                "suite": suite.name(), "tag": hex::encode(tag), "row": hex::encode(row),
                "bad_rows": [hex::encode(&altered), hex::encode(&altered[1..]), ""],
            })
        })
        .collect();
    json!({
        "key": hex::encode(*key().to_bytes()), "public": hex::encode(key().public().to_bytes()), "subject": ID,
        "output": hex::encode(output.as_bytes()), "dataset": context().dataset, "epoch": context().epoch,
        "record": hex::encode(RECORD), "width": WIDTH, "rows": rows,
    })
}

#[test]
fn frozen_rows_hold() {
    let frozen: Value = serde_json::from_str(&std::fs::read_to_string(PATH).unwrap()).unwrap();
    let place = RowContext::from(&context());
    let output = output_of(&key(), ID);
    for v in frozen["rows"].as_array().unwrap() {
        let (tag, key) = RowSecret::derive(v["suite"].as_str().unwrap().parse().unwrap(), &output, &place).unwrap();
        assert_eq!(hex::encode(tag), v["tag"].as_str().unwrap());
        let row = hex::decode(v["row"].as_str().unwrap()).unwrap();
        assert_eq!(*open_row(&key, &place, &row).unwrap(), RECORD);
        for bad in v["bad_rows"].as_array().unwrap() {
            let bad = hex::decode(bad.as_str().unwrap()).unwrap();
            assert_eq!(open_row(&key, &place, &bad).unwrap_err(), OprfError::NoRecord);
        }
    }
    assert_eq!(frozen, draft());
}

#[test]
#[ignore = "writes the frozen vectors; run it by name for a new version"]
fn write_frozen() {
    std::fs::write(PATH, serde_json::to_string_pretty(&draft()).unwrap() + "\n").unwrap();
}
