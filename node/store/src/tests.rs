//! What needs the writing connection itself.

use covenant_canon::Digest;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::table::TABLES;
use crate::{Commit, Store, StoreError};

fn block(height: u64, len: usize) -> Commit {
    Commit {
        height,
        block: Digest([height as u8; 32]),
        time_ms: height,
        bytes: vec![7; len],
        certificate: vec![],
        entries: vec![],
        seen: vec![],
        rows: vec![],
        tiles: vec![],
        log_size: 0,
        included: vec![],
        evidence: vec![],
    }
}

async fn pragma(store: &Store, name: &str) -> i64 {
    let sql = format!("PRAGMA {name}");
    let row = store.writer().query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_full_disk_is_told_and_leaves_the_former_height() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/node.db", folder.path().display())).await.unwrap();
    store.commit(&block(1, 1000)).await.unwrap();
    let pages = pragma(&store, "page_count").await;
    pragma(&store, &format!("max_page_count = {}", pages + 20)).await;
    let error = store.commit(&block(2, 200_000)).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { step: "commit a block", .. }), "{error}");
    assert!(error.to_string().contains("free disk space"), "{error}");
    assert_eq!((store.tip().await.unwrap().unwrap().height, store.block(2).await.unwrap()), (1, None));
    pragma(&store, "max_page_count = 100000").await;
    assert!(store.commit(&block(2, 200_000)).await.unwrap());
}

#[tokio::test]
async fn commits_are_on_disk_when_they_return() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/node.db", folder.path().display())).await.unwrap();
    assert_eq!((pragma(&store, "synchronous").await, pragma(&store, "foreign_keys").await), (2, 1));
    let reads = |sql: &str| Statement::from_string(DbBackend::Sqlite, sql.to_owned());
    assert!(store.reader().execute_raw(reads("DELETE FROM tip")).await.is_err(), "readers must not write");
}

/// A table or column that is not named would be missing in every backup.
#[tokio::test]
async fn backups_know_every_table_and_column() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let sql = "SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c \
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'seaql_migrations' ORDER BY 1";
    let found = store.writer().query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
    let found: Vec<String> = found.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    let mut known: Vec<String> =
        TABLES.iter().flat_map(|t| t.names().into_iter().map(move |c| format!("{}.{c}", t.name))).collect();
    known.sort();
    assert_eq!(found, known);
}

/// A node runs them as tasks; a future that cannot move between threads would not compile here.
#[tokio::test(flavor = "multi_thread")]
async fn long_work_can_be_done_in_a_task() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let task = tokio::spawn(async move {
        store.commit(&block(1, 100)).await.unwrap();
        let (out, _) = store.dump(Vec::new(), |_| {}).await.unwrap();
        let (copy, _) = Store::load_dump("sqlite::memory:", std::io::Cursor::new(out), &[], |_| {}).await.unwrap();
        let seed = copy.snapshot_parts(0, 1).await.unwrap().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let copy = copy.with_archives(folder.path());
        copy.archive_range(1..=1, folder.path(), |_| {}).await.unwrap();
        copy.strip(1, |bytes| Ok(bytes.to_vec())).await.unwrap();
        let mut rewrite = copy.rewrite().await.unwrap();
        rewrite.push(block(1, 100)).await.unwrap();
        rewrite.finish().await.unwrap();
        (seed.tip.height, copy.block(1).await.unwrap().unwrap().bytes.len())
    });
    assert_eq!(task.await.unwrap(), (1, 100));
}
