use proptest::prelude::*;

use super::*;
use crate::{Locator, PirError};

fn tags(count: usize, seed: u8) -> Vec<[u8; 16]> {
    let mut rng = rng(seed);
    let tag = |_| {
        let mut tag = [0; 16];
        rng.fill_bytes(&mut tag);
        tag
    };
    (0..count).map(tag).collect()
}

fn assert_bijection(locator: &Locator, tags: &[[u8; 16]]) {
    let mut rows: Vec<u64> = tags.iter().map(|tag| locator.row(tag)).collect();
    rows.sort_unstable();
    assert!(rows.into_iter().eq(0..tags.len() as u64));
}

#[test]
fn small_and_large_sets_map_onto_their_rows() {
    for count in (1..300).chain([2047, 2048, 2049, 4097, 30_000]) {
        let tags = tags(count, 1);
        let locator = Locator::build(&tags, &Seed([2; 32])).unwrap();
        assert_bijection(&locator, &tags);
        assert_eq!(Locator::from_bytes(&locator.to_bytes()).unwrap(), locator, "{count}");
    }
}

#[test]
fn unknown_tags_spread_like_known_ones() {
    let locator = Locator::build(&tags(1000, 1), &Seed([2; 32])).unwrap();
    let mut hits = vec![0_u32; 1000];
    for tag in tags(100_000, 3) {
        hits[usize::try_from(locator.row(&tag)).unwrap()] += 1;
    }
    // 100 expected for each row; every row is hit, none is favoured.
    assert!(hits.iter().all(|hits| (40..180).contains(hits)));
}

#[test]
fn order_does_not_matter_and_the_seed_does() {
    let mut tags = tags(5000, 4);
    let build = |tags: &[[u8; 16]], seed| Locator::build(tags, &Seed([seed; 32])).unwrap().to_bytes();
    let bytes = build(&tags, 1);
    assert_ne!(bytes, build(&tags, 2));
    tags.reverse();
    assert_eq!(bytes, build(&tags, 1));
    // Half a byte for each tag.
    assert!(bytes.len() < 5000 / 2 + 50);
}

#[test]
fn what_cannot_be_located_is_named() {
    assert_eq!(Locator::build(&[], &Seed([0; 32])), Err(PirError::EmptyTable));
    let mut twice = tags(3000, 5);
    twice[2999] = twice[17];
    assert_eq!(Locator::build(&twice, &Seed([0; 32])), Err(PirError::DuplicateTags { first: 17, second: 2999 }));
    let many = vec![[7; 16]; 10_000];
    assert!(matches!(Locator::build(&many, &Seed([0; 32])), Err(PirError::DuplicateTags { .. })));
}

proptest! {
    #[test]
    fn every_seed_finds_an_arrangement(count in 1_usize..60, seed in any::<[u8; 32]>(), sample in any::<u8>()) {
        let tags = tags(count, sample);
        assert_bijection(&Locator::build(&tags, &Seed(seed)).unwrap(), &tags);
    }
}
