//! Epochs built from a source in memory and served to a consumer who does its part honestly, or does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use std::ops::ControlFlow;
use std::sync::Arc;

use covenant_canon::{Digest, Label, from_bytes, to_bytes};
use covenant_domain::*;
use covenant_pir::{Matrix, Params};
use covenant_suite::{Opener, Sealed, SigningKey};
use covenant_worker::lookup::*;
use covenant_worker::*;
use support::lookup::*;
use support::*;

#[tokio::test(flavor = "multi_thread")]
async fn every_subject_is_found_and_an_absent_one_looks_the_same() {
    let house = house(300).await;
    let overlay = house.epoch.overlay.clone();
    assert_eq!(house.epoch.fields, [field("area_cm2"), field("remark")], "what is open to lookups, sorted");
    let subjects: Vec<(u8, u64)> = (0..40).map(|n| (n, 1 + u64::from(n) * 13)).collect();
    let asked = subjects.iter().map(|(n, row)| ask_for(&house, *n, &number(*row), 0, &overlay)).collect();
    let (rows, sizes) = house.answers(asked, &overlay).await;
    assert!(sizes.windows(2).all(|pair| pair[0] == pair[1]), "hit and miss have one length: {sizes:?}");
    assert_eq!(rows.len(), 40);
    for ((_, row), found) in subjects.iter().zip(rows) {
        let masked = (900_000 + i64::try_from(*row).unwrap()) / 1_000 * 1_000;
        let expected = LookupRow { records: vec![vec![Value::Integer(masked), text("-")]] };
        assert_eq!(found, (*row <= 300).then_some(expected), "row {row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_on_disk_answers_as_one_in_memory_and_a_restart_changes_nothing() {
    let source = source(200);
    let house = house_with(&source, 0).await;
    let overlay = house.epoch.overlay.clone();
    let again = Shelf::new(house.shelf.files().clone(), 1 << 30);
    again.load(&dataset_id()).unwrap();
    let asked = vec![ask_for(&house, 1, &number(7), 0, &overlay)];
    let House { dir, shelf, epoch } = house;
    let (from_disk, _) =
        House { dir: tempfile::tempdir().unwrap(), shelf, epoch: epoch.clone() }.answers(asked, &overlay).await;
    let restarted = House { dir, shelf: again, epoch };
    let asked = vec![ask_for(&restarted, 2, &number(7), 0, &overlay)];
    let (in_memory, _) = restarted.answers(asked, &overlay).await;
    assert!(from_disk[0].is_some());
    assert_eq!(from_disk, in_memory);
}

#[tokio::test(flavor = "multi_thread")]
async fn retrievals_that_do_not_fit_are_refused_by_name() {
    let house = house(20).await;
    let (intent, permit, _) = house.permitted(1, &number(3));
    let verifying = signing().verifying_key().prepare().unwrap();
    let params = |t: &LookupTable| Params::new(t.rows, t.row_bytes, t.columns).unwrap();
    let sizes = [&house.epoch.table, &house.epoch.overlay].map(|t| usize::try_from(params(t).query_bytes()).unwrap());
    let good = || Retrieval {
        intent: intent.id,
        overlay: 0,
        table_query: vec![0; sizes[0]],
        overlay_query: vec![0; sizes[1]],
    };
    let admit = |retrieval: Retrieval, by: &SigningKey| {
        house.shelf.admit(SUITE, &checked(&intent, &permit), &signed(retrieval, by), &verifying)
    };
    assert_eq!(admit(good(), &signing()), Ok(()));
    let stranger = SigningKey::from_bytes(SUITE, &[8; 32]).unwrap();
    assert!(matches!(admit(good(), &stranger), Err(RetrieveError::Signature { .. })));
    let other = Retrieval { intent: IntentId::from_parts(6, &[6; 10]), ..good() };
    assert!(matches!(admit(other, &signing()), Err(RetrieveError::Signature { .. })), "another query's");
    let short = Retrieval { table_query: vec![0; sizes[0] - 1], ..good() };
    assert!(matches!(admit(short, &signing()), Err(RetrieveError::Length { .. })));
    let long = Retrieval { overlay_query: vec![0; sizes[1] + 4], ..good() };
    assert!(matches!(admit(long, &signing()), Err(RetrieveError::Length { .. })));
    let stale = Retrieval { overlay: 3, ..good() };
    assert!(matches!(admit(stale, &signing()), Err(RetrieveError::OverlayGone { newest: 0, .. })));
    let mut altered = signed(good(), &signing());
    altered.retrieval.table_query[5] ^= 1;
    let refused = house.shelf.admit(SUITE, &checked(&intent, &permit), &altered, &verifying);
    assert!(matches!(refused, Err(RetrieveError::Signature { .. })));
    house.shelf.retire(&dataset_id(), 1);
    assert!(matches!(admit(good(), &signing()), Err(RetrieveError::EpochGone { .. })));
    assert!(house.shelf.evaluate(CONSORTIUM, &checked(&intent, &permit)).is_err());
    let left: Vec<_> = walk(house.dir.path());
    assert!(left.is_empty(), "the key and the table of a retired epoch are gone: {left:?}");
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_carries_what_has_changed_and_only_that() {
    let mut source = source(50);
    let house = house_with(&source, 1 << 30).await;
    source.records.insert(number(5), vec![made(5, "+")]);
    source.records.insert(number(60), vec![made(60, "new")]);
    let overlay = house.shelf.build_overlay(&described(), 1, 1, &source).await.unwrap();
    assert_eq!(overlay.table.rows, house.epoch.overlay.rows, "its size does not tell how much changed");
    house.shelf.put_overlay(&overlay).unwrap();
    let asked = [5, 6, 60, 61].map(|row| ask_for(&house, u8::try_from(row).unwrap(), &number(row), 1, &overlay.table));
    let (rows, _) = house.answers(asked.into(), &overlay.table).await;
    let remarks: Vec<Option<String>> = rows.into_iter().map(|r| r.map(|r| r.records[0][1].to_text())).collect();
    assert_eq!(remarks, [Some("+".into()), Some("-".into()), Some("new".into()), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_overlay_cannot_carry_asks_for_a_new_epoch() {
    let mut source = source(50);
    let house = house_with(&source, 1 << 30).await;
    let build = async |source: &Memory, dataset: &Dataset| house.shelf.build_overlay(dataset, 1, 1, source).await;
    let gone = source.records.remove(&number(9)).unwrap();
    assert!(matches!(build(&source, &described()).await, Err(BuildError::Deleted { gone: 1 })));
    source.records.insert(number(9), gone);
    let revised = Dataset { revision: 2, ..described() };
    assert!(matches!(build(&source, &revised).await, Err(BuildError::Revised { epoch: 1 })));
    source.records.insert(number(9), vec![made(9, &"long ".repeat(40))]);
    assert!(matches!(build(&source, &described()).await, Err(BuildError::OverlayWide)));
    source.records.insert(number(9), vec![made(9, "-"), made(9, "-")]);
    assert!(build(&source, &described()).await.is_err(), "more records than a row may carry");
    source.records = (1..=5_000).map(|row| (number(row), vec![made(row, "-")])).collect();
    assert!(matches!(build(&source, &described()).await, Err(BuildError::OverlayFull { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_cannot_be_built_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let files = EpochFiles::new(dir.path().to_owned(), SUITE, key(1));
    let empty = plan(1).build(&source(0), &files, watch()).await;
    assert!(matches!(empty, Err(BuildError::Empty)));
    let mut closed = plan(1);
    closed.dataset = Dataset { fields: dataset().fields, ..described() };
    closed.dataset.fields.iter_mut().for_each(|f| f.modes = vec![Mode::Detail]);
    assert!(matches!(closed.build(&source(1), &files, watch()).await, Err(BuildError::NoFields)));
    let mut wide = source(2);
    wide.records.insert(number(1), vec![made(1, &"x".repeat(5_000))]);
    assert!(matches!(plan(1).build(&wide, &files, watch()).await, Err(BuildError::TooWide { .. })));
    let stopped: Watch = Arc::new(|_, _, _| ControlFlow::Break(()));
    assert!(matches!(plan(1).build(&source(3), &files, stopped).await, Err(BuildError::Stopped)));
    assert!(walk(dir.path()).is_empty(), "nothing is left of what failed");
    let one = plan(1).build(&source(1), &files, watch()).await.unwrap();
    assert!(one.table.rows >= 1_024, "made-up rows hide how few there are");
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_files_are_named_and_others_keys_do_not_open() {
    let house = house(5).await;
    let fresh = |own: u8| Shelf::new(EpochFiles::new(house.dir.path().to_owned(), SUITE, key(own)), 1 << 30);
    assert!(fresh(1).load(&dataset_id()).is_ok());
    assert!(matches!(fresh(3).load(&dataset_id()), Err(FileError::Damaged { .. })), "another member's key");
    let matrix = house.shelf.files().path(&dataset_id(), 1, None, Part::Matrix);
    let bytes = std::fs::read(&matrix).unwrap();
    std::fs::write(&matrix, &bytes[1..]).unwrap();
    assert!(matches!(fresh(1).load(&dataset_id()), Err(FileError::Damaged { path }) if path == matrix));
    let mut flipped = bytes.clone();
    flipped[100] ^= 1;
    std::fs::write(&matrix, flipped).unwrap();
    assert!(matches!(fresh(1).load(&dataset_id()), Err(FileError::Damaged { path }) if path == matrix), "one byte");
    std::fs::write(&matrix, &bytes).unwrap();
    let sealed = matrix.parent().unwrap().join("key.sealed");
    let key_bytes = std::fs::read(&sealed).unwrap();
    let mut flipped = key_bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    std::fs::write(&sealed, flipped).unwrap();
    assert!(matches!(fresh(1).load(&dataset_id()), Err(FileError::Damaged { .. })));
}

/// A holder that answers from another table than it published: the consumer finds nothing, and whoever has a copy of the
/// published one sees that the holder signed something else than it gives.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_from_another_table_convicts_its_holder() {
    let source = source(100);
    let house = house_with(&source, 0).await;
    let overlay = house.epoch.overlay.clone();
    let path = house.shelf.files().path(&dataset_id(), 1, None, Part::Matrix);
    let published = std::fs::read(&path).unwrap();
    let asked = ask_for(&house, 1, &number(7), 0, &overlay);
    std::fs::write(&path, vec![0; published.len()]).unwrap();
    let params = Params::new(house.epoch.table.rows, house.epoch.table.row_bytes, house.epoch.table.columns).unwrap();
    let copy = Matrix::from_bytes(params, published).unwrap();
    let query = covenant_pir::Query::from_bytes(&params, &asked.job.retrieval.table_query).unwrap();
    let honest = copy.answer(&[query]).unwrap()[0].to_bytes();
    let House { dir, shelf, epoch } = house;
    let worker = Worker::new(SUITE, key(1), vec![]).serving(Arc::new(shelf));
    let done = worker.retrieve(CONSORTIUM, vec![asked.job]).await.unwrap().remove(0);
    let sealed = Sealed::from_bytes(&done.sealed).unwrap();
    let plain = Opener::new(key(2), Label::SEAL_ANSWER);
    let plain = plain.open(done.intent.as_bytes(), done.intent.as_bytes(), &sealed).unwrap();
    let given: Retrieved = from_bytes(&plain).unwrap();
    let expected = Retrieved { table_answer: honest, ..given };
    let record = done.completion.lookup.unwrap();
    assert_eq!(record.table, epoch.table.digest(SUITE), "it claims the published table");
    assert_ne!(record.retrieved, Digest::of(SUITE, Label::LOOKUP_RETRIEVED, &to_bytes(&expected)));
    drop(dir);
}
