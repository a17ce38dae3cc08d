use proptest::prelude::*;

use super::*;
use crate::{Answer, HintView, Locator, Part, PirError, Query};

fn params() -> Params {
    Params::new(40, 4, 8).unwrap()
}

#[test]
fn round_trips() {
    let query = Query((0..8).map(|word| word * 0x0102_0304).collect());
    assert_eq!(Query::from_bytes(&params(), &query.to_bytes()).unwrap(), query);
    assert_eq!(query.to_bytes()[4..8], [4, 3, 2, 1]);
    let answer = Answer((0..20).map(|word| word * 0x0102).collect());
    assert_eq!(Answer::from_bytes(&params(), &answer.to_bytes()).unwrap(), answer);
    let table = table(params(), 1);
    assert!(Hint::from_bytes(params(), table.hint.bytes().to_vec()).unwrap() == table.hint);
    assert_eq!(Matrix::from_bytes(params(), table.matrix.bytes().to_vec()).unwrap(), table.matrix);
}

#[test]
fn other_lengths_are_named() {
    let lengths = |expected: usize| [0, 1, expected - 1, expected + 1, 2 * expected];
    let wrong =
        |part, got: usize, expected: usize| PirError::Length { part, got: got as u64, expected: expected as u64 };
    for got in lengths(32) {
        assert_eq!(Query::from_bytes(&params(), &vec![0; got]), Err(wrong(Part::Query, got, 32)));
    }
    for got in lengths(40) {
        assert_eq!(Answer::from_bytes(&params(), &vec![0; got]), Err(wrong(Part::Answer, got, 40)));
    }
    for got in lengths(160) {
        assert_eq!(Matrix::from_bytes(params(), vec![0; got]), Err(wrong(Part::Matrix, got, 160)));
    }
    for got in lengths(20 * 4096) {
        let bytes = vec![0; got];
        assert_eq!(HintView::new(params(), &bytes).map(|_| ()), Err(wrong(Part::Hint, got, 20 * 4096)));
        assert_eq!(Hint::from_bytes(params(), bytes).map(|_| ()), Err(wrong(Part::Hint, got, 20 * 4096)));
    }
}

#[test]
fn errors_read_as_sentences() {
    let error = Query::from_bytes(&params(), &[0; 3]).unwrap_err().to_string();
    assert_eq!(error, "the query has `3` bytes: the parameters of this table ask for 32");
    let error = Params::new(1, 1, 3).unwrap_err().to_string();
    assert_eq!(error, "`3` columns are out of bounds: use a power of two up to 1048576");
}

#[test]
fn locators_cut_or_grown_are_refused() {
    let tags: Vec<[u8; 16]> = (0_u128..5000).map(u128::to_be_bytes).collect();
    let bytes = Locator::build(&tags, &Seed([1; 32])).unwrap().to_bytes();
    for length in (0..bytes.len()).step_by(7) {
        assert!(matches!(Locator::from_bytes(&bytes[..length]), Err(PirError::Length { part: Part::Locator, .. })));
    }
    let grown = [bytes.as_slice(), &[0]].concat();
    assert!(matches!(Locator::from_bytes(&grown), Err(PirError::Length { .. })));
    let mut rows = bytes.clone();
    rows[..4].fill(0);
    assert_eq!(Locator::from_bytes(&rows), Err(PirError::EmptyTable));
    // Claims 2³² − 1 rows: refused by length, before anything is allocated.
    rows[..4].fill(0xff);
    assert!(matches!(Locator::from_bytes(&rows), Err(PirError::Length { .. })));
    let mut sizes = bytes;
    sizes[12] ^= 1;
    assert_eq!(Locator::from_bytes(&sizes), Err(PirError::Locator));
}

proptest! {
    #[test]
    fn hostile_locators_stay_in_range(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        rows in 1_u32..200,
        tag in any::<[u8; 16]>(),
    ) {
        let _ = Locator::from_bytes(&bytes);
        // Well-formed lengths with arbitrary pilots and key.
        let mut shaped = bytes;
        shaped.resize(12 + 2 + 2 * rows.div_ceil(4) as usize, 0xa5);
        shaped[..4].copy_from_slice(&rows.to_le_bytes());
        shaped[12..14].copy_from_slice(&u16::try_from(rows).unwrap().to_le_bytes());
        let locator = Locator::from_bytes(&shaped).unwrap();
        prop_assert!(locator.row(&tag) < u64::from(rows));
        prop_assert_eq!(locator.to_bytes(), shaped);
    }
}
