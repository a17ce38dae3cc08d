use proptest::prelude::*;

use super::*;
use crate::{MAX_COLUMNS, MAX_ROW_BYTES, Part, PirError};

#[test]
fn bounds_are_named() {
    assert_eq!(Params::new(0, 1, 1), Err(PirError::EmptyTable));
    assert_eq!(Params::for_table(0, 16), Err(PirError::EmptyTable));
    for row_bytes in [0, MAX_ROW_BYTES + 1, u32::MAX] {
        assert_eq!(Params::new(1, row_bytes, 1), Err(PirError::RowBytes { row_bytes, max: MAX_ROW_BYTES }));
    }
    for columns in [0, 3, 1000, MAX_COLUMNS * 2, u32::MAX] {
        assert_eq!(Params::new(1, 1, columns), Err(PirError::Columns { columns, max: MAX_COLUMNS }));
    }
    assert!(matches!(Params::new(u64::MAX, MAX_ROW_BYTES, 1), Err(PirError::TooLarge { .. })));
    assert!(matches!(Params::new(1 << 20, MAX_ROW_BYTES, 1), Err(PirError::TooLarge { .. })));
    assert!(Params::new(1, MAX_ROW_BYTES, MAX_COLUMNS).is_ok());
}

#[test]
fn columns_of_the_documented_tables() {
    let columns = |records| Params::for_table(records, 272).unwrap().columns();
    assert_eq!([100_000, 1_000_000, 10_000_000].map(columns), [1 << 12, 1 << 14, 1 << 16]);
    assert_eq!(Params::for_table(1, 1).unwrap().columns(), 1);
    assert_eq!(Params::balanced_columns(u64::MAX, u32::MAX), MAX_COLUMNS);
    let million = Params::for_table(1_000_000, 272).unwrap();
    assert_eq!((million.height(), million.query_bytes(), million.answer_bytes()), (16_864, 65_536, 33_728));
    assert_eq!(million.hint_bytes(), 69_074_944);
}

#[test]
fn failure_bits_of_the_documented_table() {
    let bits = |log: u32| Params::new(1, 1, 1 << log).unwrap().failure_bits();
    let documented = [73284, 36641, 18320, 9159, 4579, 2289, 1144, 571, 285, 142, 70];
    assert_eq!((10..=20).map(bits).collect::<Vec<_>>(), documented);
    assert_eq!(Params::new(1, 4096, MAX_COLUMNS).unwrap().failure_bits(), 58);
    // The same in floating point.
    let t = f64::from((1 << 23) - (1 << 15));
    for log in 10..=20 {
        let nats = t * t / (2.0 * 6.4 * 6.4 * 2.0_f64.powi(14 + log));
        let exact = nats / std::f64::consts::LN_2 - 1.0;
        let got = f64::from(bits(log.cast_unsigned()));
        assert!(got <= exact && exact - got < 1.0 + exact * 1e-4, "{log}: {got} {exact}");
    }
}

#[test]
fn rows_are_counted_and_measured() {
    let params = Params::new(5, 4, 2).unwrap();
    let rows = random_rows(&params, 1);
    let short = Matrix::build(params, &rows[..3]).unwrap();
    assert_eq!(short.row(3).unwrap(), [0; 4]);
    let many = rows.iter().chain(&rows);
    assert_eq!(Matrix::build(params, many), Err(PirError::TooManyRows { records: 5 }));
    let wrong = |got| Err(PirError::Length { part: Part::Row, got, expected: 4 });
    assert_eq!(Matrix::build(params, [vec![0; 5]]), wrong(5));
    assert_eq!(Matrix::build(params, [vec![0; 3]]), wrong(3));
    assert_eq!(short.row(5), Err(PirError::RowIndex { index: 5, records: 5 }));
}

#[test]
fn public_matrix_does_not_depend_on_threads() {
    let params = Params::new(1000, 8, 64).unwrap();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let single = one.install(|| PublicMatrix::expand(&params, &Seed([9; 32])));
    let many = PublicMatrix::expand(&params, &Seed([9; 32]));
    assert!((0..64).all(|column| single.row(column).eq(many.row(column))));
    let sums: Vec<u32> = (0..64).fold(vec![0; 1024], |sums: Vec<u32>, column| {
        sums.iter().zip(many.row(column)).map(|(sum, word)| sum.wrapping_add(word)).collect()
    });
    assert_eq!(many.row_sum(), sums);
}

proptest! {
    #[test]
    fn records_stand_where_the_layout_says(records in 1_u64..400, row_bytes in 1_u32..40, log in 0_u32..9) {
        let params = Params::new(records, row_bytes, 1 << log).unwrap();
        let rows = random_rows(&params, 3);
        let matrix = Matrix::build(params, &rows).unwrap();
        let columns = params.width();
        for (i, row) in rows.iter().enumerate() {
            prop_assert_eq!(&matrix.row(i as u64).unwrap(), row);
            for (k, byte) in row.iter().enumerate() {
                prop_assert_eq!(matrix.bytes()[(i / columns * row.len() + k) * columns + i % columns], *byte);
            }
        }
        let cells: usize = matrix.bytes().iter().map(|byte| usize::from(*byte)).sum();
        prop_assert_eq!(cells, rows.iter().flatten().map(|byte| usize::from(*byte)).sum::<usize>());
    }
}
