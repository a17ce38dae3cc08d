//! Our own frozen vectors: made again from their seeds they are the same bytes; the good ones verify, the bad ones do not.
//!
//! Once released the file does not change: a new layout gets a new version. `cargo test -p covenant-sigma write_frozen --
//! --ignored` writes it.

use serde_json::{Value, json};

use super::*;
use crate::threshold::{GroupKey, PartialOpening, partial_open, verify_partial};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/sigma/v1/frozen.json");
const CASE: &[u8] = b"case 17";

fn scope() -> EpochScope {
    EpochScope { consortium: Digest([1; 32]), holder: "civil-affairs".into(), dataset: "marriages".into(), epoch: 7 }
}

/// One statement: its elements in the order of its equations, the intent it was proved for, and the verdict.
fn vector(statement: &str, name: &str, elements: &[&[u8]], proof: &[u8], valid: bool) -> Value {
    let elements: Vec<_> = elements.iter().map(hex::encode).collect();
    let intent = if name == "other intent" { [9; 16] } else { [2; 16] };
    json!({
        "statement": statement, "name": name, "intent": hex::encode(intent), "elements": elements,
        "proof": hex::encode(proof), "valid": valid,
    })
}

/// The good vector, and its bad siblings: another intent, each element replaced by the identity and by the next one,
/// a bit of the proof flipped at both ends, a byte more and less.
fn family(statement: &str, elements: &[&[u8]], proof: &[u8]) -> Vec<Value> {
    let mut out = vec![vector(statement, "good", elements, proof, true)];
    if ["claim", "evaluation", "equality"].contains(&statement) {
        out.push(vector(statement, "other intent", elements, proof, false));
    }
    let stand_in = Element::from_point(Subjects::point(OTHER)).unwrap().to_bytes();
    for (i, _) in elements.iter().enumerate().filter(|(_, e)| e.len() == 32) {
        for (name, bytes) in [("identity", [0; 32]), ("not canonical", [0xff; 32]), ("other element", stand_in)] {
            let mut changed = elements.to_vec();
            changed[i] = &bytes;
            out.push(vector(statement, &format!("{name} at {i}"), &changed, proof, false));
        }
    }
    for at in [0, proof.len() - 1] {
        let mut flipped = proof.to_vec();
        flipped[at] ^= 1;
        out.push(vector(statement, &format!("byte {at} flipped"), elements, &flipped, false));
    }
    out.push(vector(statement, "a byte short", elements, &proof[1..], false));
    out.push(vector(statement, "a byte long", elements, &[proof, &[0]].concat(), false));
    out
}

fn draft() -> Value {
    let mut rng = rng(42);
    let openings = [Opening::from_wide(&[1; 64]), Opening::from_wide(&[2; 64])];
    let [c1, c2] = openings.each_ref().map(|o| commit(ID, o));
    let (shares, group) = super::threshold::committee(2, 3);
    let y = group.escrow_key();
    let (claim, _) = prove_claim(&context(), &c1, ID, &openings[0], y, &mut rng).unwrap();
    let k = SecretScalar::random(&mut rng);
    let blinded = Element::from_bytes(&claim.blinded).unwrap();
    let (z, evaluation) = prove_evaluation(&context(), &k, &blinded, &mut rng).unwrap();
    let possession = prove_possession(&scope(), &k, &mut rng).unwrap();
    let equality = prove_equality(&context(), [&c1, &c2], openings.each_ref(), &mut rng).unwrap();
    let partial = partial_open(&shares[0], CASE, &claim.escrow_a, &mut rng).unwrap();

    let key = k.public().to_bytes();
    let claimed: [&[u8]; 5] = [&c1, &y.to_bytes(), &claim.blinded, &claim.escrow_a, &claim.escrow_d];
    let mut vectors = family("claim", &claimed, &claim.proof);
    vectors.extend(family("evaluation", &[&key, &claim.blinded, &z.to_bytes()], &evaluation));
    vectors.extend(family("possession", &[&key], &possession));
    vectors.extend(family("equality", &[&c1, &c2], &equality));
    let opened: [&[u8]; 3] = [&group.to_bytes(), &claim.escrow_a, &partial.point];
    vectors.extend(family("partial opening of member 1", &opened, &partial.proof));
    json!({
        "context": hex::encode(context().to_bytes()), "scope": hex::encode(scope().to_bytes()),
        "case": hex::encode(CASE), "vectors": vectors,
    })
}

/// The verdict of the verifier that the vector names.
fn verdict(v: &Value) -> bool {
    let bytes = |v: &Value| hex::decode(v.as_str().unwrap()).unwrap();
    let context = Context { intent: bytes(&v["intent"]).try_into().unwrap(), ..context() };
    let proof = bytes(&v["proof"]);
    let raw: Vec<Vec<u8>> = v["elements"].as_array().unwrap().iter().map(bytes).collect();
    let array = |i: usize| -> [u8; 32] { raw[i].clone().try_into().unwrap() };
    let element = |i: usize| Element::from_bytes(&array(i));
    match v["statement"].as_str().unwrap() {
        "claim" => {
            let claim = Claim { blinded: array(2), escrow_a: array(3), escrow_d: array(4), proof };
            EscrowKey::from_bytes(&array(1)).and_then(|y| verify_claim(&context, &array(0), &y, &claim)).is_ok()
        }
        "evaluation" => match (element(0), element(1), element(2)) {
            (Ok(k), Ok(b), Ok(z)) => verify_evaluation(&context, &k, &b, &z, &proof).is_ok(),
            _ => false,
        },
        "possession" => element(0).and_then(|k| verify_possession(&scope(), &k, &proof)).is_ok(),
        "equality" => verify_equality(&context, [&array(0), &array(1)], &proof).is_ok(),
        _ => {
            let partial = PartialOpening { index: 1, point: array(2), proof };
            GroupKey::from_bytes(&raw[0]).and_then(|g| verify_partial(&g, CASE, &array(1), &partial)).is_ok()
        }
    }
}

#[test]
fn frozen_vectors_hold() {
    let frozen: Value = serde_json::from_str(&std::fs::read_to_string(PATH).unwrap()).unwrap();
    let vectors = frozen["vectors"].as_array().unwrap();
    assert!(vectors.len() > 50);
    for v in vectors {
        assert_eq!(verdict(v), v["valid"].as_bool().unwrap(), "{v}");
    }
    assert_eq!(frozen, draft());
}

#[test]
#[ignore = "writes the frozen vectors; run it by name for a new version"]
fn write_frozen() {
    std::fs::write(PATH, serde_json::to_string_pretty(&draft()).unwrap() + "\n").unwrap();
}
