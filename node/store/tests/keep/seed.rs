//! Replicas that begin at a height.

use covenant_store::{Body, Seed, Store, StoreError};

use crate::support::sites;
use crate::{chain, commit_all, fill};

#[tokio::test]
async fn a_seeded_replica_is_as_if_it_had_come_that_far() {
    let chain = chain(&[300, 6, 0, 40, 8, 6, 300, 5]);
    let since = chain[3].seen[0].fresh_ms;
    let source = Store::open("sqlite::memory:").await.unwrap();
    commit_all(&source, &chain[..6]).await;
    let seed = source.snapshot_parts(since, 3).await.unwrap().unwrap();
    assert_eq!(seed.blocks.iter().map(|b| b.height).collect::<Vec<_>>(), [4, 5, 6]);
    assert!(seed.seen.len() == 27 && seed.tip.height == 6);
    for site in sites("a_seeded_replica_is_as_if_it_had_come_that_far") {
        let store = Store::open(&site.url).await.unwrap();
        store.seed(&seed, &[("seeded", b"6")]).await.unwrap();
        store.close().await;
        let store = Store::open(&site.url).await.unwrap();
        assert_eq!(store.mark("seeded").await.unwrap().unwrap(), b"6");
        assert_eq!(store.load(since).await.unwrap(), source.load(since).await.unwrap());
        assert_eq!(store.load(since + 1).await.unwrap(), source.load(since + 1).await.unwrap());
        assert_eq!(store.tip().await.unwrap(), Some(seed.tip));
        assert_eq!(store.block(3).await.unwrap(), None);
        for height in 4..=6 {
            assert_eq!(store.block(height).await.unwrap(), source.block(height).await.unwrap());
        }
        assert_eq!(store.entries(0, 10).await.unwrap(), []);
        assert_eq!((store.oldest_block().await.unwrap(), store.newest_block().await.unwrap()), (4, 6));
        // Its tables could not be written again, so they stay.
        let error = store.rewrite().await.unwrap_err();
        assert!(matches!(error, StoreError::Seeded { first: 4, .. }), "{error}");
        assert_eq!(store.snapshot_parts(since, 3).await.unwrap().as_ref(), Some(&seed));
    }
}

#[tokio::test]
async fn a_seeded_replica_goes_on() {
    let mut chain = chain(&[300, 6, 0, 40, 8, 6, 300, 5]);
    // As fresh as what the seed remembers: the order among equals must stay that of the leaves.
    let (fresh_ms, at) = (chain[5].seen[0].fresh_ms, chain[6].seen[0].entry);
    chain[6].seen[0].fresh_ms = fresh_ms;
    chain[6].entries.iter_mut().filter(|e| e.digest == at).for_each(|e| e.fresh_ms = fresh_ms);
    for site in sites("a_seeded_replica_goes_on") {
        let source = Store::open("sqlite::memory:").await.unwrap();
        commit_all(&source, &chain[..6]).await;
        let store = Store::open(&site.url).await.unwrap();
        store.seed(&source.snapshot_parts(0, 1).await.unwrap().unwrap(), &[]).await.unwrap();
        for next in &chain[6..] {
            assert!(store.commit(next).await.unwrap() && source.commit(next).await.unwrap());
            assert_eq!(store.load(fresh_ms).await.unwrap(), source.load(fresh_ms).await.unwrap());
            assert_eq!(store.load(0).await.unwrap(), source.load(0).await.unwrap());
        }
        assert_eq!(store.entries(360, 500).await.unwrap(), source.entries(360, 500).await.unwrap());
        let first = &chain[6].entries[0].digest;
        assert_eq!(store.entry_by_digest(first).await.unwrap(), source.entry_by_digest(first).await.unwrap());
        assert_eq!(store.snapshot_parts(0, 2).await.unwrap(), source.snapshot_parts(0, 2).await.unwrap());
    }
}

#[tokio::test]
async fn blocks_of_a_seed_may_be_headers() {
    for site in sites("blocks_of_a_seed_may_be_headers") {
        let source = Store::open("sqlite::memory:").await.unwrap();
        commit_all(&source, &chain(&[5, 5, 5])).await;
        let mut seed = source.snapshot_parts(0, 2).await.unwrap().unwrap();
        (seed.blocks[0].bytes, seed.blocks[0].body) = (b"header".to_vec(), Body::Header);
        let store = Store::open(&site.url).await.unwrap().with_archives("/nowhere");
        store.seed(&seed, &[]).await.unwrap();
        for found in [store.block(2).await.unwrap(), store.block_here(2).await.unwrap()] {
            assert_eq!(found.as_ref(), Some(&seed.blocks[0]));
        }
        let error = store.archived_block(2).await.unwrap_err();
        assert!(matches!(error, StoreError::HeaderOnly { height: 2 }), "{error}");
        assert!(store.archived_block(3).await.unwrap().is_some());
        let copied = crate::backup::load("sqlite::memory:", &crate::backup::dump(&store).await.0).await.unwrap();
        assert_eq!(copied.snapshot_parts(0, 2).await.unwrap(), Some(seed));
    }
}

#[tokio::test]
async fn a_seed_is_refused_where_it_does_not_fit() {
    for site in sites("a_seed_is_refused_where_it_does_not_fit") {
        let source = Store::open("sqlite::memory:").await.unwrap();
        assert_eq!(source.snapshot_parts(0, 3).await.unwrap(), None);
        fill(&source, &[5, 5, 5]).await;
        let seed = source.snapshot_parts(0, 3).await.unwrap().unwrap();
        let store = Store::open(&site.url).await.unwrap();
        let wrong: [fn(&mut Seed); 5] = [
            |seed| seed.tip.height += 1,
            |seed| drop(seed.blocks.pop()),
            |seed| drop(seed.blocks.remove(1)),
            |seed| seed.blocks.clear(),
            |seed| seed.rows[3].value = None,
        ];
        for change in wrong {
            let mut changed = seed.clone();
            change(&mut changed);
            assert!(matches!(store.seed(&changed, &[]).await, Err(StoreError::Seed { .. })));
        }
        assert!(matches!(store.seed(&seed, &[("store/x", b"")]).await, Err(StoreError::MarkName { .. })));
        assert_eq!((store.tip().await.unwrap(), store.block(3).await.unwrap()), (None, None));
        store.set_mark("before", b"").await.unwrap();
        assert!(matches!(store.seed(&seed, &[]).await, Err(StoreError::NotEmpty { table: "marks", .. })));
        store.clear_mark("before").await.unwrap();
        store.seed(&seed, &[]).await.unwrap();
        assert!(matches!(store.seed(&seed, &[]).await, Err(StoreError::NotEmpty { table: "blocks", .. })));
    }
}
