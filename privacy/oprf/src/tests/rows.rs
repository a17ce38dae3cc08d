use covenant_canon::SuiteId;
use proptest::prelude::*;

use super::*;

const SUITES: [SuiteId; 2] = [SuiteId::Sm, SuiteId::Intl];

fn keys(suite: SuiteId, id: &str, place: &RowContext) -> (Tag, RowKey) {
    RowSecret::derive(suite, &output_of(&EpochKey::generate(&mut rng(1)), id), place).unwrap()
}

#[test]
fn one_length_for_every_record() {
    for suite in SUITES {
        let place = RowContext::new("marriages", 7);
        for length in [0, 1, 63, 64] {
            let record = vec![7; length];
            let row = seal_row(keys(suite, ID, &place).1, &place, &record, 64).unwrap();
            assert_eq!(row.len(), 64 + ROW_OVERHEAD);
            assert_eq!(*open_row(&keys(suite, ID, &place).1, &place, &row).unwrap(), record);
        }
    }
}

#[test]
fn records_and_widths_have_limits() {
    let place = RowContext::new("marriages", 7);
    let seal = |record: &[u8], width| seal_row(keys(SuiteId::Sm, ID, &place).1, &place, record, width);
    let error = seal(&[0; 65], 64).unwrap_err();
    assert_eq!(error, OprfError::TooWide { length: 65, width: 64 });
    assert_eq!(error.to_string(), "record of 65 bytes exceeds the row width of 64");
    assert!(matches!(seal(&[], 0), Err(OprfError::Width { .. })));
    assert!(matches!(seal(&[], MAX_ROW_WIDTH + 1), Err(OprfError::Width { .. })));
    assert_eq!(seal(&[1], MAX_ROW_WIDTH).unwrap().len(), MAX_ROW_WIDTH + ROW_OVERHEAD);
}

#[test]
fn nothing_else_opens_a_row() {
    for suite in SUITES {
        let place = RowContext::new("marriages", 7);
        let (tag, sealer) = keys(suite, ID, &place);
        let row = seal_row(sealer, &place, b"record", 64).unwrap();
        let none = |key: &RowKey, at: &RowContext, row: &[u8]| {
            assert_eq!(open_row(key, at, row).unwrap_err(), OprfError::NoRecord);
        };
        for other in [RowContext::new("divorces", 7), RowContext::new("marriages", 8)] {
            let (other_tag, other_key) = keys(suite, ID, &other);
            assert_ne!(tag, other_tag);
            none(&other_key, &other, &row);
            none(&other_key, &place, &row);
            none(&keys(suite, ID, &place).1, &other, &row);
        }
        none(&keys(suite, OTHER, &place).1, &place, &row);
        let key = keys(suite, ID, &place).1;
        for at in 0..row.len() {
            let mut broken = row.clone();
            broken[at] ^= 1;
            none(&key, &place, &broken);
        }
        none(&key, &place, &row[1..]);
        none(&key, &place, &[]);
        none(&key, &place, &[row.as_slice(), &[0]].concat());
    }
    let place = RowContext::new("marriages", 7);
    assert_ne!(keys(SuiteId::Sm, ID, &place).0, keys(SuiteId::Intl, ID, &place).0);
}

proptest! {
    #[test]
    fn round_trips(record in prop::collection::vec(any::<u8>(), 0..300), slack in 1usize..50, dataset: String, epoch: u32) {
        let place = RowContext::new(&dataset, epoch);
        let width = record.len() + slack;
        let row = seal_row(keys(SuiteId::Intl, ID, &place).1, &place, &record, width).unwrap();
        prop_assert_eq!(&*open_row(&keys(SuiteId::Intl, ID, &place).1, &place, &row).unwrap(), &record);
    }

    #[test]
    fn never_panics(row: Vec<u8>) {
        let place = RowContext::new("d", 1);
        prop_assert!(open_row(&keys(SuiteId::Sm, ID, &place).1, &place, &row).is_err());
    }
}
