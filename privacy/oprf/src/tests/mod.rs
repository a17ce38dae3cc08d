//! The whole road, and each turn of it gone wrong.

mod frozen;
mod rfc9497;
mod road;
mod rows;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use covenant_canon::{Digest, Label};
use covenant_sigma::{Blinding, Claim, Context, EpochScope, Opening, SecretScalar, commit, prove_claim};

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

/// A consumer's claim for a subject.
fn claim(id: &str, seed: u8) -> (Claim, Blinding) {
    let mut rng = rng(seed);
    let opening = Opening::from_wide(&[seed; 64]);
    let key = SecretScalar::random(&mut rng).public().into();
    prove_claim(&context(), &commit(id, &opening), id, &opening, &key, &mut rng).unwrap()
}
