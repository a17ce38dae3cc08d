use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;
use crate::{Answer, PirError, Prepared, Query, SECRET_WORDS, Scan};

/// Every row of the table, asked in batches; returns how many rows were opened.
fn retrieve_all(table: &Table, seed: u8) -> usize {
    let params = *table.matrix.params();
    let mut rng = rng(seed);
    let mut opened = 0;
    for rows in table.rows.chunks(251) {
        let mut asked = Vec::new();
        for index in (opened as u64..).take(rows.len()) {
            asked.push(Prepared::new(&params, &table.public, &mut rng).unwrap().query(index).unwrap());
        }
        let (queries, pending): (Vec<Query>, Vec<_>) = asked.into_iter().unzip();
        let answers = table.matrix.answer(&queries).unwrap();
        for ((pending, answer), row) in pending.into_iter().zip(&answers).zip(rows) {
            assert_eq!(*pending.open(answer, &table.hint.view()).unwrap(), *row);
        }
        opened += rows.len();
    }
    opened
}

#[test]
fn hundred_thousand_rows_open() {
    let shapes = [(40_000, 2, 32), (40_000, 1, 64), (20_000, 3, 256), (500, 250, 1024)];
    let opened = shapes.iter().zip(1..).map(|((records, row_bytes, columns), seed)| {
        retrieve_all(&table(Params::new(*records, *row_bytes, *columns).unwrap(), seed), seed)
    });
    assert_eq!(opened.sum::<usize>(), 100_500);
}

#[test]
fn extreme_tables_and_the_widest_matrix() {
    for byte in [0, 127, 128, 255] {
        let params = Params::new(20, 3, 4096).unwrap();
        let rows = vec![vec![byte; 3]; 20];
        // All cells, not only those of records.
        let matrix = Matrix::from_bytes(params, vec![byte; 3 * 4096]).unwrap();
        let public = PublicMatrix::expand(&params, &Seed([byte; 32]));
        let hint = hint(&matrix, &public);
        retrieve_all(&Table { rows, matrix, public, hint }, byte);
    }
    let params = Params::new(70_000, 2, 1 << 16).unwrap();
    let table = table(params, 8);
    for index in [0, 65_535, 65_536, 69_999] {
        let (query, pending) = Prepared::new(&params, &table.public, &mut rng(9)).unwrap().query(index).unwrap();
        let answer = &table.matrix.answer(&[query]).unwrap()[0];
        assert_eq!(*pending.open(answer, &table.hint.view()).unwrap(), table.rows[usize::try_from(index).unwrap()]);
    }
}

#[test]
fn hint_equals_the_triple_loop() {
    let Table { matrix, public, hint, .. } = table(Params::new(90, 9, 32).unwrap(), 4);
    for (row, line) in matrix.bytes().chunks(32).zip(hint.bytes().chunks(4 * SECRET_WORDS)) {
        let mut words = vec![0_u32; SECRET_WORDS];
        for (column, byte) in row.iter().enumerate() {
            let centred = u32::from(*byte).wrapping_sub(128);
            words.iter_mut().zip(public.row(column)).for_each(|(word, a)| {
                *word = word.wrapping_add(centred.wrapping_mul(a));
            });
        }
        assert_eq!(line, words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>());
    }
}

#[test]
fn amended_hint_equals_a_new_one() {
    let mut table = table(Params::new(500, 12, 64).unwrap(), 6);
    let fresh = random_rows(table.matrix.params(), 7);
    let indices = [0_usize, 63, 64, 250, 499, 250, 1];
    let changes: Vec<_> = indices.iter().zip(&fresh).map(|(index, row)| (*index as u64, row.clone())).collect();
    table.hint.amend(&mut table.matrix, &table.public, &changes).unwrap();
    for (index, row) in &changes {
        table.rows[usize::try_from(*index).unwrap()].clone_from(row);
    }
    let again = Matrix::build(*table.matrix.params(), &table.rows).unwrap();
    assert_eq!(table.matrix, again);
    assert!(table.hint == hint(&again, &table.public));

    let before = table.hint.clone();
    let bad = [(0, fresh[0].clone()), (500, fresh[1].clone())];
    let refused = table.hint.amend(&mut table.matrix, &table.public, &bad);
    assert_eq!(refused, Err(PirError::RowIndex { index: 500, records: 500 }));
    assert!(table.hint.amend(&mut table.matrix, &table.public, &[(0, [0; 11])]).is_err());
    assert!(table.hint == before && table.matrix == again);
}

#[test]
fn progress_is_told_and_may_stop() {
    let Table { matrix, public, .. } = table(Params::new(3000, 10, 64).unwrap(), 2);
    let (calls, last) = (AtomicU64::new(0), AtomicU64::new(0));
    Hint::build(&matrix, &public, &|done, total| {
        assert_eq!(total, 470);
        calls.fetch_add(1, Ordering::Relaxed);
        last.fetch_max(done, Ordering::Relaxed);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!((calls.into_inner(), last.into_inner()), (4, 470));
    assert!(matches!(Hint::build(&matrix, &public, &|_, _| ControlFlow::Break(())), Err(PirError::Stopped)));
}

#[test]
fn parts_of_other_tables_are_refused() {
    let (one, other) = (table(Params::new(40, 4, 8).unwrap(), 1), table(Params::new(40, 4, 16).unwrap(), 1));
    let params = one.matrix.params();
    assert!(matches!(Prepared::new(params, &other.public, &mut rng(1)), Err(PirError::OtherTable)));
    let never = |_, _| ControlFlow::Continue(());
    assert!(matches!(Hint::build(&one.matrix, &other.public, &never), Err(PirError::OtherTable)));
    let prepared = |seed| Prepared::new(params, &one.public, &mut rng(seed)).unwrap();
    assert!(matches!(prepared(1).query(40), Err(PirError::RowIndex { index: 40, records: 40 })));
    let (query, pending) = prepared(2).query(39).unwrap();
    assert!(matches!(other.matrix.answer(std::slice::from_ref(&query)), Err(PirError::Length { .. })));
    let answer = one.matrix.answer(&[query]).unwrap().remove(0);
    assert_eq!(pending.open(&answer, &other.hint.view()), Err(PirError::OtherTable));
    let (_, pending) = prepared(3).query(0).unwrap();
    assert!(matches!(pending.open(&Answer(vec![0; 3]), &one.hint.view()), Err(PirError::Length { .. })));
}

#[test]
fn scans_must_see_every_row_once() {
    let table = table(Params::new(40, 4, 8).unwrap(), 1);
    let bytes = table.matrix.bytes();
    let queries = [Query(vec![1; 8])];
    let mut scan = Scan::new(table.matrix.params(), &queries).unwrap();
    assert!(scan.band(&bytes[..7]).is_err());
    scan.band(&bytes[..80]).unwrap();
    assert!(scan.band(bytes).is_err());
    assert!(matches!(scan.finish(), Err(PirError::UnfinishedScan { row: 10, height: 20 })));
    assert_eq!(table.matrix.answer(&[]).unwrap(), []);
}

#[test]
fn queries_look_alike() {
    // Same size for every row; bytes spread evenly, at the asked column as elsewhere.
    let params = Params::new(256, 1, 256).unwrap();
    let public = PublicMatrix::expand(&params, &Seed([1; 32]));
    let mut rng = rng(3);
    let mut buckets = [[0_u32; 16]; 2];
    for index in 0..256 {
        let (query, _) = Prepared::new(&params, &public, &mut rng).unwrap().query(index).unwrap();
        assert_eq!(query.to_bytes().len() as u64, params.query_bytes());
        for (at, word) in query.0.iter().enumerate() {
            buckets[usize::from(at as u64 == index)][(word >> 28) as usize] += 1;
        }
    }
    for (counts, total) in buckets.iter().zip([65_280.0, 256.0]) {
        let expected: f64 = total / 16.0;
        let chi: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        // 15 degrees of freedom: above 45 once in 10⁴ seeds.
        assert!(chi < 45.0, "{chi} {counts:?}");
    }
    let first = Prepared::new(&params, &public, &mut rng).unwrap().query(7).unwrap().0;
    let second = Prepared::new(&params, &public, &mut rng).unwrap().query(7).unwrap().0;
    assert!(first.0.iter().zip(&second.0).filter(|(one, other)| one == other).count() < 5);
}

#[test]
fn secrets_are_silent() {
    let params = Params::new(4, 1, 4).unwrap();
    let public = PublicMatrix::expand(&params, &Seed([1; 32]));
    let prepared = Prepared::new(&params, &public, &mut rng(1)).unwrap();
    assert_eq!(format!("{prepared:?}"), "Prepared(…)");
    assert_eq!(format!("{:?}", prepared.query(1).unwrap().1), "Pending(…)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_tables_open_exactly(records in 1_u64..60, row_bytes in 1_u32..40, log in 0_u32..8, seed in 0_u8..=255) {
        retrieve_all(&table(Params::new(records, row_bytes, 1 << log).unwrap(), seed), seed);
    }

    #[test]
    fn bands_and_batches_change_nothing(
        records in 1_u64..300,
        row_bytes in 1_u32..20,
        log in 0_u32..8,
        count in 1_usize..10,
        cuts in prop::collection::vec(1_usize..50, 1..20),
    ) {
        let params = Params::new(records, row_bytes, 1 << log).unwrap();
        let matrix = Matrix::build(params, random_rows(&params, 5)).unwrap();
        let mut rng = rng(6);
        let queries: Vec<Query> =
            (0..count).map(|_| Query((0..params.width()).map(|_| rng.next_u32()).collect())).collect();
        let whole = matrix.answer(&queries).unwrap();
        for (query, answer) in queries.iter().zip(&whole) {
            prop_assert_eq!(&matrix.answer(std::slice::from_ref(query)).unwrap()[0], answer);
        }
        let mut scan = Scan::new(&params, &queries).unwrap();
        let mut rest = matrix.bytes();
        for rows in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (band, after) = rest.split_at((rows * params.width()).min(rest.len()));
            scan.band(band).unwrap();
            rest = after;
        }
        prop_assert_eq!(scan.finish().unwrap(), whole);
    }
}
