//! No byte of a good bundle can be changed with the bundle still verifying, and no bytes make the verifier panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use covenant_canon::{SuiteId, to_bytes};
use covenant_ledger::*;
use proptest::prelude::*;
use support::*;

fn good(suite: SuiteId, ending: Ending) -> (World, Vec<u8>) {
    let world = World::new(suite);
    let bytes = to_bytes(&Story::new(&world, ending).bundle(&world));
    (world, bytes)
}

#[test]
fn every_bit_of_a_completed_bundle_counts() {
    let (world, bytes) = good(SuiteId::Intl, Ending::Completed);
    assert!(verdict_of(&world.genesis, &bytes).is_ok());
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(verdict_of(&world.genesis, &changed).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn every_byte_of_every_ending_counts_in_both_suites() {
    for suite in [SuiteId::Sm, SuiteId::Intl] {
        for ending in Ending::ALL {
            let (world, bytes) = good(suite, ending);
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << (at % 8);
                assert!(verdict_of(&world.genesis, &changed).is_err(), "{suite} {ending:?}: byte {at}");
            }
        }
    }
}

#[test]
fn a_bundle_cut_short_or_prolonged_is_refused() {
    let (world, bytes) = good(SuiteId::Sm, Ending::Lapsed);
    for length in 0..bytes.len() {
        assert_eq!(verdict_of(&world.genesis, &bytes[..length]), Err(Step::Format), "{length}");
    }
    let mut long = bytes;
    long.push(0);
    assert_eq!(verdict_of(&world.genesis, &long), Err(Step::Format));
    assert_eq!(verdict_of(&world.genesis, &vec![0; 5 * 1024 * 1024]), Err(Step::Format));
}

/// The one freedom there is: which quorum's signatures a file carries, and in which order, is not part of what they
/// sign. Two files that differ in nothing else prove the same.
#[test]
fn any_quorum_of_signatures_serves_in_any_order() {
    let world = World::new(SuiteId::Intl);
    let mut bundle = Story::new(&world, Ending::Open).bundle(&world);
    let header = bundle.anchor.header.clone();
    for signers in [&["tax", "bank", "regulator"][..], &["housing", "regulator", "tax"], &VALIDATORS] {
        bundle.anchor.certificate = world.certify(&header, signers);
        assert!(verdict(&world, &bundle).is_ok());
    }
}

#[test]
fn every_bit_of_a_genesis_file_counts() {
    let (world, bytes) = good(SuiteId::Intl, Ending::Open);
    let text = serde_json::to_vec(&world.genesis).unwrap();
    for at in 0..text.len() {
        let mut changed = text.clone();
        changed[at] ^= 1 << (at % 7);
        if let Ok(other) = serde_json::from_slice::<Genesis>(&changed)
            && other != world.genesis
        {
            assert_eq!(verdict_of(&other, &bytes), Err(Step::TrustRoot), "byte {at}");
        }
    }
}

#[derive(Debug, Clone)]
enum Edit {
    Set(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Copy(prop::sample::Index, prop::sample::Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    use prop::sample::Index;
    prop_oneof![
        any::<(Index, u8)>().prop_map(|(at, byte)| Edit::Set(at, byte)),
        (any::<Index>(), 1usize..80).prop_map(|(at, n)| Edit::Remove(at, n)),
        (any::<Index>(), prop::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, new)| Edit::Insert(at, new)),
        (any::<Index>(), any::<Index>(), 1usize..120).prop_map(|(from, to, n)| Edit::Copy(from, to, n)),
    ]
}

fn apply(bytes: &mut Vec<u8>, edit: &Edit) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    let end = |at: usize, n: usize| (at + n).min(length);
    match edit {
        Edit::Set(at, byte) => bytes[at.index(length)] = *byte,
        Edit::Remove(at, n) => drop(bytes.drain(at.index(length)..end(at.index(length), *n))),
        Edit::Insert(at, new) => drop(bytes.splice(at.index(length)..at.index(length), new.iter().copied())),
        Edit::Copy(from, to, n) => {
            let piece = bytes[from.index(length)..end(from.index(length), *n)].to_vec();
            let to = to.index(length);
            let stop = end(to, piece.len());
            drop(bytes.splice(to..stop, piece));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_never_verify(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert_eq!(verdict_of(&World::new(SuiteId::Intl).genesis, &bytes), Err(Step::Format));
    }

    #[test]
    fn random_mutations_never_verify(edits in prop::collection::vec(edit(), 1..4), ending in 0usize..4) {
        let (world, bytes) = good(SuiteId::Intl, Ending::ALL[ending]);
        let mut changed = bytes.clone();
        edits.iter().for_each(|e| apply(&mut changed, e));
        prop_assert!(changed == bytes || verdict_of(&world.genesis, &changed).is_err());
    }

    /// Numbers anywhere in the file, at their extremes.
    #[test]
    fn extreme_numbers_never_panic(index: u64, count: u64, size: u64, height: u64, times in any::<[u64; 2]>()) {
        let world = World::new(SuiteId::Intl);
        let mut bundle = Story::new(&world, Ending::Completed).bundle(&world);
        bundle.anchor.header.log.size = size;
        (bundle.anchor.header.height, bundle.anchor.header.time_ms) = (height, times[0]);
        bundle.anchor.certificate = world.certify(&bundle.anchor.header, &VALIDATORS);
        bundle.intent.leaf.index = index;
        (bundle.intent.signed.index, bundle.intent.signed.count) = (index, count);
        prop_assert!(verdict(&world, &bundle).is_err());
        if let Closure::Completed { anchor, .. } = &mut bundle.closure {
            anchor.header.log.size = size;
            anchor.header.time_ms = times[1];
            anchor.certificate = world.certify(&anchor.header, &VALIDATORS);
        }
        let fresh = Story::new(&world, Ending::Completed).bundle(&world);
        let closed = Bundle { closure: bundle.closure, ..fresh };
        prop_assert!(verdict(&world, &closed).is_err());
    }
}
