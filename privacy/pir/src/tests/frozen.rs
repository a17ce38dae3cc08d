//! Frozen bytes: `tests/vectors/pir/v1/frozen.json`. `COVENANT_BLESS=1` writes them anew; do so only with a new format
//! version, since they are what clients and regulators recompute.

use std::path::PathBuf;

use serde_json::{Value, json};
use sha2_11::{Digest, Sha256};

use super::*;
use crate::{Answer, HintView, Locator, Prepared, Query};

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/pir/v1/frozen.json")
}

fn good(records: u64, row_bytes: u32, columns: u32, index: u64, seed: u8) -> Value {
    let params = Params::new(records, row_bytes, columns).unwrap();
    let table = table(params, seed);
    let public: Vec<u8> =
        (0..params.width()).flat_map(|column| table.public.row(column)).flat_map(u32::to_le_bytes).collect();
    let (query, pending) = Prepared::new(&params, &table.public, &mut rng(seed)).unwrap().query(index).unwrap();
    let answer = table.matrix.answer(std::slice::from_ref(&query)).unwrap().remove(0);
    let row = pending.open(&answer, &table.hint.view()).unwrap();
    assert_eq!(*row, table.rows[usize::try_from(index).unwrap()]);
    json!({
        "records": records, "row_bytes": row_bytes, "columns": columns, "index": index, "seed": seed,
        "matrix_sha256": digest(table.matrix.bytes()),
        "public_sha256": digest(&public),
        "hint_sha256": digest(table.hint.bytes()),
        "query_sha256": digest(&query.to_bytes()),
        "answer": hex::encode(answer.to_bytes()),
        "row": hex::encode(&*row),
    })
}

fn locator(count: u128, seed: u8) -> Value {
    let tags: Vec<[u8; 16]> =
        (0..count).map(|tag| (tag * 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f11).to_le_bytes()).collect();
    let locator = Locator::build(&tags, &Seed([seed; 32])).unwrap();
    let rows: Vec<u64> = tags.iter().take(8).map(|tag| locator.row(tag)).collect();
    json!({
        "tags": u64::try_from(count).unwrap(), "seed": seed,
        "bytes_sha256": digest(&locator.to_bytes()),
        "first_rows": rows,
        "row_of_absent": locator.row(&[0xee; 16]),
    })
}

/// Bytes that must be refused, with the words of the refusal.
fn bad() -> Value {
    let params = Params::new(6, 3, 4).unwrap();
    let sized = |length: usize| hex::encode(vec![0x5a; length]);
    let case = |kind: &str, bytes: String| {
        let raw = hex::decode(&bytes).unwrap();
        let refused = match kind {
            "query" => Query::from_bytes(&params, &raw).map(|_| ()),
            "answer" => Answer::from_bytes(&params, &raw).map(|_| ()),
            "hint" => HintView::new(params, &raw).map(|_| ()),
            _ => Locator::from_bytes(&raw).map(|_| ()),
        };
        json!({ "kind": kind, "bytes": bytes, "error": refused.unwrap_err().to_string() })
    };
    json!([
        case("query", sized(15)),
        case("query", sized(17)),
        case("query", String::new()),
        case("answer", sized(11)),
        case("answer", sized(13)),
        case("hint", sized(40)),
        case("locator", sized(11)),
        case("locator", "00000000".to_owned() + &sized(10)),
        case("locator", "ffffffff".to_owned() + &sized(10)),
        case("locator", "04000000".to_owned() + &"00".repeat(8) + "0300" + "0000"),
        case("locator", "04000000".to_owned() + &"00".repeat(8) + "0400" + "000000"),
        case("locator", "04000000".to_owned() + &"00".repeat(8) + "0400"),
    ])
}

#[test]
fn bytes_are_frozen() {
    let now = json!({
        "shape": "records 0.. are ChaCha20 output under seed repeated 32 times; public matrix and query randomness too",
        "good": [good(6, 3, 4, 5, 1), good(100, 16, 16, 37, 2), good(1000, 5, 512, 999, 3)],
        "locators": [locator(1, 1), locator(50, 2), locator(6000, 3)],
        "bad": bad(),
    });
    if std::env::var_os("COVENANT_BLESS").is_some() {
        std::fs::create_dir_all(path().parent().unwrap()).unwrap();
        std::fs::write(path(), serde_json::to_string_pretty(&now).unwrap() + "\n").unwrap();
    }
    let frozen: Value = serde_json::from_slice(&std::fs::read(path()).unwrap()).unwrap();
    assert_eq!(now, frozen);
}
