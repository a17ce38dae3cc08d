//! RFC 9497 appendix A.1, base and verifiable mode: by the `voprf` crate in full, and by our own code in what it shares
//! with the RFC: unblinding, evaluation and Finalize.

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use serde_json::Value;
use voprf::{OprfClient, OprfServer, Ristretto255, VoprfClient, VoprfServer};

use super::*;

fn mode(name: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/oprf/v1/rfc9497.json");
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    all["modes"].as_array().unwrap().iter().find(|m| m["mode"] == name).unwrap().clone()
}

/// The items of one field of one vector; more than one in a batch.
fn items(vector: &Value, field: &str) -> Vec<Vec<u8>> {
    vector[field].as_array().unwrap().iter().map(|v| hex::decode(v.as_str().unwrap()).unwrap()).collect()
}

fn point(bytes: &[u8]) -> RistrettoPoint {
    CompressedRistretto::from_slice(bytes).unwrap().decompress().unwrap()
}

fn scalar(bytes: &[u8]) -> Scalar {
    Scalar::from_canonical_bytes(bytes.try_into().unwrap()).unwrap()
}

#[test]
fn our_evaluation_and_finalize_are_the_rfcs() {
    let mut seen = 0;
    for name in ["OPRF", "VOPRF"] {
        let mode = mode(name);
        let key = hex::decode(mode["skSm"].as_str().unwrap()).unwrap();
        let key = EpochKey::from_bytes(&key.try_into().unwrap()).unwrap();
        for vector in mode["vectors"].as_array().unwrap() {
            let [input, blind, blinded, evaluated, output] =
                ["Input", "Blind", "BlindedElement", "EvaluationElement", "Output"].map(|f| items(vector, f));
            for i in 0..input.len() {
                let ours = evaluate(&key, &context(), &blinded[i].clone().try_into().unwrap(), &mut rng(1)).unwrap();
                assert_eq!(ours.z.as_slice(), evaluated[i]);
                let unblinded = point(&ours.z) * scalar(&blind[i]).invert();
                assert_eq!(Output::finalize(&input[i], &unblinded).as_bytes().as_slice(), output[i]);
                seen += 1;
            }
        }
        if let Some(public) = mode["pkSm"].as_str() {
            assert_eq!(hex::encode(key.public().to_bytes()), public);
        }
    }
    assert_eq!(seen, 6);
}

#[test]
fn base_mode_of_the_library() {
    let mode = mode("OPRF");
    let key = hex::decode(mode["skSm"].as_str().unwrap()).unwrap();
    let server = OprfServer::<Ristretto255>::new_with_key(&key).unwrap();
    for vector in mode["vectors"].as_array().unwrap() {
        let [input, output, evaluated] = ["Input", "Output", "EvaluationElement"].map(|f| items(vector, f).remove(0));
        assert_eq!(server.evaluate(&input).unwrap().as_slice(), output);
        let client = OprfClient::<Ristretto255>::deserialize(&items(vector, "Blind")[0]).unwrap();
        let element = voprf::EvaluationElement::deserialize(&evaluated).unwrap();
        assert_eq!(client.finalize(&input, &element).unwrap().as_slice(), output);
    }
}

#[test]
fn verifiable_mode_of_the_library() {
    let mode = mode("VOPRF");
    let public = point(&hex::decode(mode["pkSm"].as_str().unwrap()).unwrap());
    let key = hex::decode(mode["skSm"].as_str().unwrap()).unwrap();
    let server = VoprfServer::<Ristretto255>::new_with_key(&key).unwrap();
    for vector in mode["vectors"].as_array().unwrap() {
        let [input, blind, blinded, evaluated, output] =
            ["Input", "Blind", "BlindedElement", "EvaluationElement", "Output"].map(|f| items(vector, f));
        let proof = voprf::Proof::deserialize(&items(vector, "Proof")[0]).unwrap();
        for (input, output) in input.iter().zip(&output) {
            assert_eq!(server.evaluate(input).unwrap().as_slice(), output);
        }
        if input.len() == 1 {
            let client =
                VoprfClient::<Ristretto255>::deserialize(&[blind[0].as_slice(), &blinded[0]].concat()).unwrap();
            let element = voprf::EvaluationElement::deserialize(&evaluated[0]).unwrap();
            assert_eq!(client.finalize(&input[0], &element, &proof, public).unwrap().as_slice(), output[0]);
        }
    }
}
