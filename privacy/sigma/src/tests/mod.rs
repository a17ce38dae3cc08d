//! Each statement good, and with each clause broken once.

mod claim;
mod dleq;
mod equality;
mod frozen;
mod threshold;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use covenant_canon::{Digest, Label};

use crate::*;

const ID: &str = "resident:11010519491231002X";
const OTHER: &str = "resident:110105194912310038";

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn context() -> Context {
    Context {
        protocol: Label::PROTOCOL_LOOKUP,
        version: 1,
        consortium: Digest([1; 32]),
        intent: [2; 16],
        holder: "civil-affairs".into(),
        consumer: "bank".into(),
        dataset: "marriages".into(),
        epoch: 7,
        policy: Digest([3; 32]),
    }
}

/// The context with each field changed once.
fn other_contexts() -> Vec<Context> {
    let c = context();
    vec![
        Context { protocol: Label::PROTOCOL_LIST_MATCH, ..c.clone() },
        Context { version: 2, ..c.clone() },
        Context { consortium: Digest([9; 32]), ..c.clone() },
        Context { intent: [9; 16], ..c.clone() },
        Context { holder: "tax".into(), ..c.clone() },
        Context { consumer: "insurer".into(), ..c.clone() },
        Context { dataset: "divorces".into(), ..c.clone() },
        Context { epoch: 8, ..c.clone() },
        Context { policy: Digest([9; 32]), ..c },
    ]
}

/// The proof with one bit of each 16-byte region flipped, shortened, lengthened, emptied, and with a scalar not reduced.
fn broken_proofs(proof: &[u8]) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = (0..proof.len())
        .step_by(16)
        .map(|at| {
            let mut broken = proof.to_vec();
            broken[at + 7] ^= 0x10;
            broken
        })
        .collect();
    out.push(proof[..proof.len() - 1].to_vec());
    out.push(proof[..proof.len() - 32].to_vec());
    out.push([proof, &[0]].concat());
    out.push([proof, &[0; 32]].concat());
    out.push(vec![]);
    for at in (0..proof.len()).step_by(32) {
        let mut broken = proof.to_vec();
        broken[at..at + 32].fill(0xff);
        out.push(broken);
    }
    out
}

/// The identity, and encodings that no element has: a negative one, one above p.
const NOT_ELEMENTS: [[u8; 32]; 3] = [
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0xff; 32],
];

#[test]
fn elements_and_scalars_are_canonical() {
    for bad in NOT_ELEMENTS {
        assert_eq!(Element::from_bytes(&bad).unwrap_err(), ProofError::Element);
        assert_eq!(EscrowKey::from_bytes(&bad).unwrap_err(), ProofError::Element);
    }
    assert_eq!(SecretScalar::from_bytes(&[0; 32]).unwrap_err(), ProofError::Scalar);
    assert_eq!(SecretScalar::from_bytes(&[0xff; 32]).unwrap_err(), ProofError::Scalar);
    let k = SecretScalar::random(&mut rng(1));
    assert_eq!(SecretScalar::from_bytes(&k.to_bytes()).unwrap(), k);
    assert_eq!(Element::from_bytes(&k.public().to_bytes()).unwrap(), k.public());
    assert_eq!(format!("{k:?}"), "SecretScalar(…)");
}

#[test]
fn contexts_differ_in_every_field() {
    let mut all: Vec<_> = other_contexts().iter().map(Context::to_bytes).collect();
    all.push(context().to_bytes());
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 10);
}
