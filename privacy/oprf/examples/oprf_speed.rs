//! Microseconds of every step of a private lookup before retrieval, on this machine, in this run.
//!
//! `cargo run --release -p covenant-oprf --example oprf_speed`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints, and stops at the first surprise"
)]

use std::hint::black_box;
use std::time::Instant;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use covenant_canon::{Digest, Label, SuiteId};
use covenant_oprf::{
    EpochKey, RowContext, RowKey, RowSecret, evaluate, finalize, open_row, output_of, outputs, seal_row,
};
use covenant_sigma::{
    Claim, Context, EscrowKey, Opening, SecretScalar, Subjects, Submission, commit, prove_claim, verify_claim,
    verify_claims,
};
use curve25519_dalek::scalar::Scalar;

const ID: &str = "resident:11010519491231002X";
const BATCH: usize = 64;
const ITEMS: usize = 20_000;
const WIDTH: usize = 256;

/// Microseconds per call: the least of seven passes, so that a busy neighbour counts less.
fn best(calls: usize, mut call: impl FnMut(usize)) -> f64 {
    let pass = |call: &mut dyn FnMut(usize)| {
        let start = Instant::now();
        (0..calls).for_each(call);
        start.elapsed().as_secs_f64() * 1e6 / calls as f64
    };
    (0..7).map(|_| pass(&mut call)).fold(f64::INFINITY, f64::min)
}

fn line(what: &str, micros: f64) {
    println!("{what:<46} {micros:>9.2} µs");
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

fn main() {
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    claims(&mut rng);
    evaluations(&mut rng);
    many(&mut rng);
    for suite in [SuiteId::Sm, SuiteId::Intl] {
        rows(suite, &mut rng);
    }
}

fn claims(rng: &mut ChaCha20Rng) {
    let (context, key) = (context(), EscrowKey::from(SecretScalar::random(rng).public()));
    let opening = Opening::from_wide(&[3; 64]);
    let commitment = commit(ID, &opening);
    line("claim: prove", best(200, |_| drop(prove_claim(&context, &commitment, ID, &opening, &key, rng).unwrap())));
    let made: Vec<([u8; 32], Claim)> = (0..BATCH)
        .map(|_| (commitment, prove_claim(&context, &commitment, ID, &opening, &key, rng).unwrap().0))
        .collect();
    let (_, claim) = made.first().unwrap();
    line("claim: verify one", best(200, |_| verify_claim(&context, &commitment, &key, claim).unwrap()));
    let batch: Vec<_> =
        made.iter().map(|(commitment, claim)| Submission { context: &context, commitment, claim }).collect();
    let each = best(10, |_| assert!(verify_claims(&key, &batch).iter().all(Result::is_ok))) / BATCH as f64;
    line(&format!("claim: verify, each of {BATCH}"), each);
    println!("{:<46} {:>9} bytes", "claim: proof", claim.proof.len());
}

fn evaluations(rng: &mut ChaCha20Rng) {
    let (context, key) = (context(), EpochKey::generate(rng));
    let escrow = EscrowKey::from(SecretScalar::random(rng).public());
    let opening = Opening::from_wide(&[3; 64]);
    let commitment = commit(ID, &opening);
    let calls = 200;
    let mut made: Vec<_> = (0..calls * 7)
        .map(|_| {
            let (claim, blinding) = prove_claim(&context, &commitment, ID, &opening, &escrow, rng).unwrap();
            (evaluate(&key, &context, &claim.blinded, rng).unwrap(), claim, blinding)
        })
        .collect();
    let blinded = made.first().unwrap().1.blinded;
    line("evaluate, with proof", best(calls, |_| drop(evaluate(&key, &context, &blinded, rng).unwrap())));
    let finish = best(calls, |_| {
        let (evaluation, claim, blinding) = made.pop().unwrap();
        black_box(finalize(&context, key.public(), &claim.blinded, &evaluation, blinding, ID).unwrap());
    });
    line("finalize, with verification", finish);
}

fn many(rng: &mut ChaCha20Rng) {
    let key = EpochKey::generate(rng);
    let ids: Vec<String> = (0..ITEMS).map(|i| format!("resident:{:018}", i * 7919)).collect();
    let scalar = Scalar::from_bytes_mod_order(*key.to_bytes());
    let plain = best(2_000, |i| {
        black_box((Subjects::point(&ids[i]) * scalar).compress());
    });
    line("hash to group, multiply, compress", plain);
    line("output, one at a time", best(2_000, |i| drop(output_of(&key, &ids[i]))));
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let each = best(1, |_| drop(pool.install(|| outputs(&key, &ids)))) / ITEMS as f64;
        line(&format!("outputs, each of {ITEMS}, {threads} thread(s)"), each);
        println!("{:<46} {:>9.2} of the plain way", "", each / plain);
    }
}

fn rows(suite: SuiteId, rng: &mut ChaCha20Rng) {
    let output = output_of(&EpochKey::generate(rng), ID);
    let place = RowContext::from(&context());
    let derive = || -> RowKey { RowSecret::derive(suite, &output, &place).unwrap().1 };
    line(&format!("row: derive tag and key, {suite}"), best(1_000, |_| drop(derive())));
    let record = vec![7; 200];
    let mut keys: Vec<RowKey> = (0..7_000).map(|_| derive()).collect();
    let seal = best(1_000, |_| drop(black_box(seal_row(keys.pop().unwrap(), &place, &record, WIDTH).unwrap())));
    line(&format!("row: seal {WIDTH} bytes, {suite}"), seal);
    let row = seal_row(derive(), &place, &record, WIDTH).unwrap();
    let key = derive();
    line(&format!("row: open {WIDTH} bytes, {suite}"), best(1_000, |_| drop(open_row(&key, &place, &row).unwrap())));
}
