//! The mirror beside the blocks, written anew.

use covenant_canon::Digest;
use covenant_store::{Commit, Store, StoreError, Unfinished};
use sea_orm::{ConnectionTrait, Database};

use crate::support::{Site, sites};
use crate::{chain, everything, fill};

const HEIGHTS: [u64; 4] = [10, 0, 700, 90];

/// What a caller recomputes: the bytes of blocks are not needed.
fn recomputed() -> Vec<Commit> {
    let mut chain = chain(&HEIGHTS);
    chain.iter_mut().for_each(|c| (c.bytes, c.certificate, c.evidence) = Default::default());
    chain
}

async fn damage(site: &Site) {
    let db = Database::connect(&site.url).await.unwrap();
    for sql in [
        "DELETE FROM entries WHERE leaf % 7 = 0",
        "UPDATE entries SET about = 'nothing' WHERE leaf % 5 = 0",
        "DELETE FROM links WHERE leaf > 100",
        "UPDATE kinds SET entries = 3",
        "UPDATE state SET checksum = 7",
        "DELETE FROM tiles WHERE level = 0",
        "UPDATE tip SET height = 2",
    ] {
        db.execute_unprepared(sql).await.unwrap();
    }
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_damaged_mirror_is_written_anew() {
    for site in sites("a_damaged_mirror_is_written_anew") {
        let store = Store::open(&site.url).await.unwrap();
        fill(&store, &HEIGHTS).await;
        let before = everything(&store).await.unwrap();
        store.close().await;
        damage(&site).await;
        let store = Store::open(&site.url).await.unwrap();
        assert!(everything(&store).await.is_err());
        assert_eq!(store.newest_block().await.unwrap(), 4);
        let mut rewrite = store.rewrite().await.unwrap();
        for commit in recomputed() {
            rewrite.push(commit).await.unwrap();
        }
        rewrite.finish().await.unwrap();
        store.close().await;
        let store = Store::open(&site.url).await.unwrap();
        assert_eq!(everything(&store).await.unwrap(), before);
        assert!(store.commit(&chain(&[10, 0, 700, 90, 4])[4]).await.unwrap());
    }
}

#[tokio::test]
async fn a_rebuild_that_was_broken_off_is_recognised_and_done_again() {
    for site in sites("a_rebuild_that_was_broken_off_is_recognised_and_done_again") {
        let store = Store::open(&site.url).await.unwrap();
        fill(&store, &HEIGHTS).await;
        let before = everything(&store).await.unwrap();
        for heights in 0..4 {
            let mut rewrite = store.rewrite().await.unwrap();
            for commit in recomputed().into_iter().take(heights) {
                rewrite.push(commit).await.unwrap();
            }
            drop(rewrite);
        }
        let error = store.dump(Vec::new(), |_| {}).await.map(|_| ()).unwrap_err();
        assert!(matches!(error, StoreError::Unfinished { .. }), "{error}");
        store.close().await;
        let error = Store::open(&site.url).await.unwrap_err();
        assert!(matches!(error, StoreError::Unfinished { work: Unfinished::Rebuild, .. }), "{error}");
        let told = "unfinished rebuild: run `covenant ledger rebuild --write` again";
        assert!(error.to_string().contains(told), "{error}");
        let store = Store::open_to_rewrite(&site.url).await.unwrap();
        let mut rewrite = store.rewrite().await.unwrap();
        for commit in recomputed() {
            rewrite.push(commit).await.unwrap();
        }
        rewrite.finish().await.unwrap();
        store.close().await;
        assert_eq!(everything(&Store::open(&site.url).await.unwrap()).await.unwrap(), before);
    }
}

/// More than one transaction's worth; the second part is never written.
#[tokio::test]
async fn a_rebuild_goes_to_disk_in_parts() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let chain = chain(&[3000, 3000, 3000]);
    crate::commit_all(&store, &chain).await;
    let mut rewrite = store.rewrite().await.unwrap();
    assert_eq!(store.tip().await.unwrap(), None);
    for commit in chain[..2].iter().cloned() {
        rewrite.push(commit).await.unwrap();
    }
    assert_eq!(store.tip().await.unwrap().unwrap().height, 2);
    drop(rewrite);
    assert_eq!(store.newest_block().await.unwrap(), 3);
}

#[tokio::test]
async fn a_rebuild_from_other_blocks_is_refused() {
    for site in sites("a_rebuild_from_other_blocks_is_refused") {
        let store = Store::open(&site.url).await.unwrap();
        fill(&store, &HEIGHTS).await;
        let given = recomputed();
        let mut rewrite = store.rewrite().await.unwrap();
        let error = rewrite.push(given[1].clone()).await.unwrap_err();
        assert!(matches!(error, StoreError::Gap { height: 2, next: 1 }), "{error}");
        for commit in given[..3].iter().cloned() {
            rewrite.push(commit).await.unwrap();
        }
        let error = rewrite.finish().await.unwrap_err();
        assert!(matches!(error, StoreError::Rebuild { height: 3, newest: 4 }), "{error}");
        let mut rewrite = store.rewrite().await.unwrap();
        for mut commit in given {
            commit.block = if commit.height == 3 { Digest::ZERO } else { commit.block };
            rewrite.push(commit).await.unwrap();
        }
        let error = rewrite.finish().await.unwrap_err();
        assert!(matches!(error, StoreError::Fork { height: 3, offered: Digest::ZERO, .. }), "{error}");
    }
}
