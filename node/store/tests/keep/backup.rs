//! Backups that come back whole, from either database into either.

use covenant_store::{DumpSummary, Progress, Store, StoreError, Unfinished};
use tokio::sync::oneshot;

use crate::support::blocks::Chain;
use crate::support::{Site, sites, sqlite};
use crate::{chain, commit_all, everything, fill};

/// A backup in memory.
pub(crate) async fn dump(store: &Store) -> (Vec<u8>, DumpSummary) {
    store.dump(Vec::new(), |_| {}).await.unwrap()
}

pub(crate) async fn load(url: &str, backup: &[u8]) -> Result<Store, StoreError> {
    Store::load_dump(url, std::io::Cursor::new(backup.to_vec()), &[], |_| {}).await.map(|(store, _)| store)
}

const TEST: &str = "a_backup_holds_everything_for_either_database";

#[tokio::test]
async fn a_backup_holds_everything_for_either_database() {
    for from in sites(TEST) {
        let source = Store::open(&from.url).await.unwrap();
        fill(&source, &[10, 0, 700, 90]).await;
        let before = everything(&source).await.unwrap();
        let (backup, summary) = dump(&source).await;
        assert_eq!((summary.bytes, summary.rows["entries"], summary.rows["tip"]), (backup.len() as u64, 800, 1));
        for to in sites(TEST) {
            let (mut calls, mut newest) = (0, Progress { table: "", rows: 0, bytes: 0 });
            let told = |progress: Progress| (calls, newest) = (calls + 1, progress);
            let marks: [(&str, &[u8]); 2] = [("restored", b"yes"), ("a mark", b"third")];
            let input = std::io::Cursor::new(backup.clone());
            let (store, read) = Store::load_dump(&to.url, input, &marks, told).await.unwrap();
            assert_eq!((&read, newest.rows), (&summary, summary.rows.values().sum::<u64>()));
            assert!(calls > 20 && newest.bytes < summary.bytes);
            assert_eq!(store.mark("restored").await.unwrap().as_deref(), Some(b"yes".as_slice()));
            store.clear_mark("restored").await.unwrap();
            store.set_mark("a mark", b"second").await.unwrap();
            assert_eq!(everything(&store).await.unwrap(), before);
            store.close().await;
            goes_on(&to, &before.pending).await;
        }
    }
}

/// The restored replica takes batches behind those that it has, and blocks.
async fn goes_on(site: &Site, pending: &[covenant_store::Pending]) {
    let store = Store::open(&site.url).await.unwrap();
    let newer = covenant_store::Pending { id: crate::digest(500), ..pending[0].clone() };
    store.put_pending(std::slice::from_ref(&newer)).await.unwrap();
    assert_eq!(store.pending().await.unwrap(), [pending, &[newer]].concat());
    assert!(store.commit(&chain(&[10, 0, 700, 90, 5])[4]).await.unwrap());
}

#[tokio::test]
async fn a_backup_of_a_backup_has_the_same_bytes() {
    let (one, two) = (sqlite(), sqlite());
    let store = Store::open(&one.url).await.unwrap();
    fill(&store, &[10, 700]).await;
    let (first, _) = dump(&store).await;
    let (again, _) = dump(&load(&two.url, &first).await.unwrap()).await;
    assert!(first == again && first.starts_with(b"covenant-backup\n"));
}

/// A backup that is made while blocks are committed is of one height.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_commits_is_of_one_height() {
    for site in sites("a_backup_beside_commits_is_of_one_height") {
        let store = Store::open(&site.url).await.unwrap();
        commit_all(&store, &chain(&[60])).await;
        let writer = store.clone();
        let commits = tokio::spawn(async move { commit_all(&writer, &chain(&[60; 30])[1..]).await });
        while !commits.is_finished() {
            let copy = load("sqlite::memory:", &dump(&store).await.0).await.unwrap();
            let tip = copy.tip().await.unwrap().unwrap();
            assert_eq!(tip.log_size, 60 * tip.height);
            assert_eq!(copy.entries(0, u32::MAX).await.unwrap().len() as u64, tip.log_size);
            assert!(copy.block(tip.height).await.unwrap().is_some());
            assert_eq!(copy.newest_block().await.unwrap(), tip.height);
        }
        commits.await.unwrap();
    }
}

#[tokio::test]
async fn only_an_empty_database_is_restored_into() {
    for site in sites("only_an_empty_database_is_restored_into") {
        let store = Store::open(&site.url).await.unwrap();
        commit_all(&store, &chain(&[3])).await;
        let (backup, _) = dump(&store).await;
        let before = everything(&store).await.unwrap();
        store.close().await;
        let error = load(&site.url, &backup).await.unwrap_err();
        assert!(matches!(error, StoreError::NotEmpty { table: "blocks", .. }), "{error}");
        let store = Store::open(&site.url).await.unwrap();
        assert_eq!(everything(&store).await.unwrap(), before);
        let error = load(&site.url, &backup).await.unwrap_err();
        assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    }
}

/// Broken off between two pages, as by a killed process: nobody takes half a replica for a whole one.
#[tokio::test]
async fn a_restore_that_was_broken_off_is_recognised() {
    let source = Store::open("sqlite::memory:").await.unwrap();
    commit_all(&source, &chain(&[600, 600])).await;
    let (backup, _) = dump(&source).await;
    for site in sites("a_restore_that_was_broken_off_is_recognised") {
        let (tell, told) = oneshot::channel();
        let mut tell = Some(tell);
        let stop = move |progress: Progress| {
            if progress.rows > 600
                && let Some(tell) = tell.take()
            {
                tell.send(()).unwrap();
            }
        };
        let input = std::io::Cursor::new(backup.clone());
        tokio::select! {
            biased;
            told = told => told.unwrap(),
            done = Store::load_dump(&site.url, input, &[], stop) => panic!("{done:?}"),
        }
        for _ in 0..2 {
            let error = Store::open(&site.url).await.unwrap_err();
            assert!(matches!(error, StoreError::Unfinished { work: Unfinished::Restore, .. }), "{error}");
            assert!(error.to_string().contains("unfinished restore: remove it and restore again"), "{error}");
        }
        let error = Store::open_to_rewrite(&site.url).await.unwrap_err();
        assert!(matches!(error, StoreError::Unfinished { .. }), "{error}");
        let error = load(&site.url, &backup).await.unwrap_err();
        assert!(matches!(error, StoreError::Unfinished { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_empty_replica_has_a_backup_too() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let copy = load("sqlite::memory:", &dump(&store).await.0).await.unwrap();
    assert_eq!(everything(&copy).await.unwrap(), everything(&store).await.unwrap());
    assert!(copy.commit(&Chain::default().next(3)).await.unwrap());
}
