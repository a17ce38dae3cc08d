//! Heights: written whole, once, in order; read back the same from SQLite and PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod support;

use std::time::Duration;

use covenant_canon::{Digest, HashAlgorithm};
use covenant_store::{Commit, EntryRow, Loaded, Migrator, Store, StoreError};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use sea_orm_migration::{MigratorTrait, SchemaManager};
use support::blocks::{Chain, START_MS, bytes, digest, intent};
use support::{sites, sqlite};

fn chain(entries: &[u64]) -> Vec<Commit> {
    let mut chain = Chain::default();
    entries.iter().map(|n| chain.next(*n)).collect()
}

async fn commit_all(store: &Store, chain: &[Commit]) {
    for commit in chain {
        assert!(store.commit(commit).await.unwrap());
    }
}

#[tokio::test]
async fn migrations_walk_up_and_down() {
    for site in sites("migrations_walk_up_and_down") {
        Store::open(&site.url).await.unwrap().close().await;
        let db = Database::connect(&site.url).await.unwrap();
        let steps = u32::try_from(Migrator::migrations().len()).unwrap();
        for _ in 0..2 {
            for left in (0..steps).rev() {
                Migrator::down(&db, Some(1)).await.unwrap();
                assert_eq!(Migrator::get_applied_migrations(&db).await.unwrap().len(), left as usize);
            }
            let kept = ["blocks", "entries", "state", "tiles", "tip", "marks", "remembered"];
            for table in kept.into_iter().chain(["pending", "undecided", "inputs", "answers"]) {
                assert!(!SchemaManager::new(&db).has_table(table).await.unwrap(), "{table}");
            }
            for _ in 0..steps {
                Migrator::up(&db, Some(1)).await.unwrap();
            }
        }
        db.close().await.unwrap();
        let store = Store::open(&site.url).await.unwrap();
        assert!(store.commit(&Chain::default().next(3)).await.unwrap());
    }
}

/// The three youngest steps over rows that were written without them.
#[tokio::test]
async fn rows_of_an_older_build_are_taken_over() {
    for site in sites("rows_of_an_older_build_are_taken_over") {
        let store = Store::open(&site.url).await.unwrap();
        commit_all(&store, &chain(&[10, 30])).await;
        let (loaded, block) = (store.load(0).await.unwrap(), store.block(2).await.unwrap());
        store.close().await;
        let db = Database::connect(&site.url).await.unwrap();
        Migrator::down(&db, Some(3)).await.unwrap();
        assert!(!SchemaManager::new(&db).has_column("blocks", "archived").await.unwrap());
        db.close().await.unwrap();
        let store = Store::open(&site.url).await.unwrap();
        assert_eq!((store.load(0).await.unwrap(), store.block(2).await.unwrap()), (loaded, block));
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    for site in sites("a_newer_schema_is_refused") {
        Store::open(&site.url).await.unwrap().close().await;
        let db = Database::connect(&site.url).await.unwrap();
        db.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m9999_future', 0)").await.unwrap();
        db.close().await.unwrap();
        let error = Store::open(&site.url).await.unwrap_err();
        assert!(matches!(&error, StoreError::Schema { found, .. } if found == "m9999_future"), "{error}");
    }
}

#[tokio::test]
async fn heights_are_in_order_and_written_once() {
    for site in sites("heights_are_in_order_and_written_once") {
        let store = Store::open(&site.url).await.unwrap();
        let mut blocks = chain(&[10, 0, 700]);
        blocks[1].evidence = vec![b"two".to_vec(), b"votes".to_vec()];
        assert_eq!(store.load(0).await.unwrap(), Loaded::default());
        let gap = store.commit(&blocks[1]).await;
        assert!(matches!(gap, Err(StoreError::Gap { height: 2, next: 1 })), "{gap:?}");
        commit_all(&store, &blocks).await;
        let before = store.load(0).await.unwrap();
        for block in &blocks {
            assert!(!store.commit(block).await.unwrap());
        }
        let mut other = blocks[1].clone();
        other.block = digest(77);
        let fork = store.commit(&other).await.unwrap_err();
        let StoreError::Fork { height, stored, offered } = &fork else { panic!("{fork}") };
        assert_eq!((*height, *stored, *offered), (2, blocks[1].block, digest(77)));
        assert_eq!(store.load(0).await.unwrap(), before);
        store.close().await;

        let store = Store::open(&site.url).await.unwrap();
        let tip = store.tip().await.unwrap().unwrap();
        assert_eq!((tip.height, tip.block, tip.log_size, tip.time_ms), (3, blocks[2].block, 710, START_MS + 3000));
        let block = store.block(3).await.unwrap().unwrap();
        assert_eq!((&block.bytes, &block.certificate), (&blocks[2].bytes, &blocks[2].certificate));
        assert_eq!((block.height, block.id, block.time_ms), (3, blocks[2].block, START_MS + 3000));
        assert_eq!(store.block(4).await.unwrap(), None);
        assert_eq!(store.evidence(2).await.unwrap(), blocks[1].evidence);
        assert_eq!(store.load(0).await.unwrap(), before);
    }
}

#[tokio::test]
async fn entries_are_found_by_index() {
    for site in sites("entries_are_found_by_index") {
        let store = Store::open(&site.url).await.unwrap();
        let mut blocks = chain(&[10, 20, 2000]);
        blocks[2].entries[1000].about = intent(12).to_string();
        commit_all(&store, &blocks).await;
        let all: Vec<EntryRow> = blocks.iter().flat_map(|b| b.entries.clone()).collect();
        assert_eq!(store.entries(0, 5000).await.unwrap(), all);
        assert_eq!(store.entries(8, 4).await.unwrap(), all[8..12]);
        let about = store.entries_about(&intent(12).to_string()).await.unwrap();
        assert_eq!(about, [all[12].clone(), all[1030].clone()]);
        assert_eq!(store.entries_about("nothing").await.unwrap(), []);
        assert_eq!(store.entry_by_digest(&all[17].digest).await.unwrap().as_ref(), Some(&all[17]));
        let mut near = all[17].digest;
        near.0[31] ^= 1;
        assert_eq!(store.entry_by_digest(&near).await.unwrap(), None);
        assert_eq!(store.count_kind("intent").await.unwrap(), 1015);
        assert_eq!(store.count_kind("consent_issued").await.unwrap(), 0);
    }
}

#[tokio::test]
async fn what_was_seen_is_remembered_within_the_window() {
    for site in sites("what_was_seen_is_remembered_within_the_window") {
        let store = Store::open(&site.url).await.unwrap();
        let mut blocks = chain(&[6, 6, 6]);
        blocks[1].seen[1].intent = None;
        commit_all(&store, &blocks).await;
        let since = blocks[1].seen[0].fresh_ms;
        let expected: Vec<_> = blocks[1..].iter().flat_map(|b| b.seen.clone()).collect();
        assert_eq!(store.load(since).await.unwrap().seen, expected);
        assert_eq!(store.load(since + 1).await.unwrap().seen, blocks[2].seen);

        let mut next = Chain::default();
        let mut wrong = (0..4).map(|_| next.next(6)).last().unwrap();
        wrong.seen[0].fresh_ms += 1;
        assert!(matches!(store.commit(&wrong).await, Err(StoreError::Unindexed { height: 4, .. })));
        wrong.seen[0].entry = Digest::ZERO;
        assert!(matches!(store.commit(&wrong).await, Err(StoreError::Unindexed { height: 4, .. })));
        wrong.seen.clear();
        wrong.time_ms = u64::MAX;
        assert!(matches!(store.commit(&wrong).await, Err(StoreError::Range { what: "block time", .. })));
        assert_eq!(store.tip().await.unwrap().unwrap().height, 3);
    }
}

/// Invariant I9 as far as the store goes.
#[tokio::test]
async fn both_databases_return_the_same() {
    let sites = sites("both_databases_return_the_same");
    let blocks = chain(&[1, 0, 300, 500, 90, 700]);
    let mut stores = Vec::new();
    for site in &sites {
        let store = Store::open(&site.url).await.unwrap();
        commit_all(&store, &blocks).await;
        stores.push(store);
    }
    let [sqlite, postgres] = stores.as_slice() else { return };
    for since in [0, START_MS + 4000] {
        let loaded = sqlite.load(since).await.unwrap();
        assert_eq!(loaded, postgres.load(since).await.unwrap());
        assert!(loaded.rows.is_sorted_by(|a, b| a.key < b.key) && loaded.rows.len() > 1000);
        assert_eq!(loaded.tiles.len(), 4);
    }
    for algorithm in [HashAlgorithm::Sm3, HashAlgorithm::Sha256] {
        for (level, index) in [(0, 0), (0, 5), (0, 6), (1, 0), (1, 1), (2, 0)] {
            let tile = sqlite.tile(algorithm, level, index).await.unwrap();
            assert_eq!(tile, postgres.tile(algorithm, level, index).await.unwrap());
        }
    }
    for entry in &blocks[3].entries {
        assert_eq!(
            sqlite.entries_about(&entry.about).await.unwrap(),
            postgres.entries_about(&entry.about).await.unwrap()
        );
    }
    assert_eq!(sqlite.entries(0, u32::MAX).await.unwrap(), postgres.entries(0, u32::MAX).await.unwrap());
}

/// A duplicate key in the last of the rows undoes all that came before it.
#[tokio::test]
async fn a_failed_commit_leaves_nothing() {
    for site in sites("a_failed_commit_leaves_nothing") {
        let store = Store::open(&site.url).await.unwrap();
        let blocks = chain(&[10, 400]);
        commit_all(&store, &blocks[..1]).await;
        let before = store.load(0).await.unwrap();
        let mut double = blocks[1].clone();
        double.entries.last_mut().unwrap().leaf = 3;
        let error = store.commit(&double).await.unwrap_err();
        assert!(matches!(error, StoreError::Database { step: "commit a block", .. }), "{error}");
        assert_eq!(store.load(0).await.unwrap(), before);
        assert_eq!((store.block(2).await.unwrap(), store.count_kind("intent").await.unwrap()), (None, 5));
        assert!(store.commit(&blocks[1]).await.unwrap());
    }
}

/// Broken off after ever longer times, a height is there whole or not at all, and the next attempt succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_commit_leaves_all_or_nothing() {
    for site in sites("a_dropped_commit_leaves_all_or_nothing") {
        let store = Store::open(&site.url).await.unwrap();
        let mut chain = Chain::default();
        let mut broken_off = 0;
        for n in 0..30 {
            let commit = chain.next(400);
            let before = store.load(0).await.unwrap();
            let whole = tokio::time::timeout(Duration::from_micros(n * 500), store.commit(&commit)).await.is_ok();
            let found = store.load(0).await.unwrap();
            let height = found.tip.map_or(0, |tip| tip.height);
            if height + 1 == commit.height {
                assert!(!whole && found == before);
                // False when the database had begun to commit and was done after all.
                broken_off += u32::from(store.commit(&commit).await.unwrap());
            }
            assert!(!store.commit(&commit).await.unwrap());
            assert_eq!(store.tip().await.unwrap().unwrap().height, commit.height);
        }
        assert!(broken_off > 0);
    }
}

/// State, tiles and tip that are loaded while blocks are committed belong to one height.
#[tokio::test(flavor = "multi_thread")]
async fn loading_beside_commits_sees_one_height() {
    for site in sites("loading_beside_commits_sees_one_height") {
        let store = Store::open(&site.url).await.unwrap();
        let writer = store.clone();
        let commits = tokio::spawn(async move { commit_all(&writer, &chain(&[50; 40])).await });
        while !commits.is_finished() {
            let loaded = store.load(0).await.unwrap();
            let size = loaded.tip.map_or(0, |tip| tip.log_size);
            assert_eq!(loaded.seen.len() as u64, size / 2);
            assert_eq!(loaded.tiles.is_empty(), size == 0);
        }
        commits.await.unwrap();
        assert_eq!(store.load(0).await.unwrap().tip.unwrap().log_size, 2000);
    }
}

#[tokio::test]
async fn one_node_writes_to_a_database() {
    for site in sites("one_node_writes_to_a_database") {
        let store = Store::open(&site.url).await.unwrap();
        let second = Store::open(&site.url).await.unwrap_err();
        assert!(matches!(second, StoreError::Locked { .. }), "{second}");
        assert!(store.commit(&Chain::default().next(5)).await.unwrap());
        drop(store);
        assert_eq!(Store::open(&site.url).await.unwrap().tip().await.unwrap().unwrap().height, 1);
    }
}

#[tokio::test]
async fn memory_serves_and_urls_are_checked() {
    let (one, two) = (Store::open("sqlite::memory:").await.unwrap(), Store::open("sqlite::memory:").await.unwrap());
    commit_all(&one, &chain(&[700, 3])).await;
    assert_eq!(one.load(0).await.unwrap().tip.unwrap().log_size, 703);
    assert_eq!(two.tip().await.unwrap(), None);
    let error = Store::open("mysql://root:s3cret@db/node").await.unwrap_err().to_string();
    assert!(error.contains("mysql://root@db/node") && error.contains("sqlite::memory:"), "{error}");
    let error = Store::open("sqlite:///no/such/folder/node.db").await.unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    let error = Store::open("postgres://node:s3cret@127.0.0.1:1/node").await.unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }) && !format!("{error} {error:?}").contains("s3cret"), "{error}");
}

#[tokio::test]
async fn values_are_never_shown() {
    let commit = Chain::default().next(4);
    let secret = String::from_utf8_lossy(&bytes(9, 40)).into_owned();
    let shown = format!("{commit:?} {:?}", commit.entries);
    assert!(!shown.contains(&secret) && shown.contains("bytes: 1400 bytes") && shown.len() < 2000, "{shown}");
    let site = sqlite();
    let store = Store::open(&site.url).await.unwrap();
    commit_all(&store, &[commit]).await;
    store.close().await;
    let db = Database::connect(&site.url).await.unwrap();
    let mode = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, "PRAGMA journal_mode")).await.unwrap();
    assert_eq!(mode.unwrap().try_get_by_index::<String>(0).unwrap(), "wal");
}
