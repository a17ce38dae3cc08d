//! Keeping a replica: backups, marks, seeds, archives, a mirror written anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod archive;
mod backup;
mod backup_damage;
mod rewrite;
mod seed;
#[path = "../support/mod.rs"]
mod support;

use covenant_canon::HashAlgorithm;
use covenant_ledger::Tile;
use covenant_store::{
    Commit, EntryRow, Input, Loaded, Pending, Size, Store, StoreError, StoredAnswer, StoredBlock, Undecided,
};
use support::blocks::{Chain, bytes, digest, intent, member};

/// Everything that a replica tells.
#[derive(Debug, PartialEq)]
struct Everything {
    loaded: Loaded,
    blocks: Vec<Option<StoredBlock>>,
    entries: Vec<EntryRow>,
    under: Vec<EntryRow>,
    counts: Vec<u64>,
    tiles: Vec<Option<Tile>>,
    evidence: Vec<Vec<Vec<u8>>>,
    undecided: Vec<Undecided>,
    pending: Vec<Pending>,
    inputs: Vec<Input>,
    answers: Vec<StoredAnswer>,
    mark: Option<Vec<u8>>,
}

async fn everything(store: &Store) -> Result<Everything, StoreError> {
    let (mut blocks, mut tiles, mut evidence) = (Vec::new(), Vec::new(), Vec::new());
    for height in 1..=14 {
        blocks.push(store.block(height).await?);
        evidence.push(store.evidence(height).await?);
    }
    for algorithm in [HashAlgorithm::Sm3, HashAlgorithm::Sha256] {
        for (level, index) in [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0)] {
            tiles.push(store.tile(algorithm, level, index).await?);
        }
    }
    let ids: Vec<_> = (0..40).map(intent).collect();
    Ok(Everything {
        loaded: store.load(0).await?,
        blocks,
        entries: store.entries(0, u32::MAX).await?,
        under: store.entries_under("consent", None, 1000).await?,
        counts: vec![store.count_kind("intent").await?, store.count_kind("decision").await?],
        tiles,
        evidence,
        undecided: store.undecided_all().await?,
        pending: store.pending().await?,
        inputs: store.inputs(&ids).await?,
        answers: store.answers(&ids).await?,
        mark: store.mark("a mark").await?,
    })
}

/// A chain that touches every table of the ledger.
fn chain(entries: &[u64]) -> Vec<Commit> {
    let mut chain = Chain::default();
    let mut commits: Vec<Commit> = entries.iter().map(|n| chain.next(*n)).collect();
    for commit in &mut commits {
        commit.evidence = vec![bytes(commit.height, 50)];
        for entry in commit.entries.iter_mut().step_by(3) {
            entry.under = vec!["consent".to_owned()];
        }
    }
    commits
}

async fn commit_all(store: &Store, chain: &[Commit]) {
    for commit in chain {
        assert!(store.commit(commit).await.unwrap());
    }
}

/// A replica with rows in every table but `remembered`.
async fn fill(store: &Store, entries: &[u64]) {
    let pending: Vec<Pending> =
        (0..40).map(|n| Pending { id: digest(n), author: member("bank"), bytes: bytes(n, 300) }).collect();
    store.put_pending(&pending).await.unwrap();
    let mut chain = chain(entries);
    chain[0].included = vec![digest(39), digest(3)];
    commit_all(store, &chain).await;
    let height = chain.len() as u64 + 1;
    let proposed = |round| Undecided { height, round, proposer: member("tax"), id: digest(9), bytes: bytes(9, 99) };
    for round in 0..3 {
        store.put_undecided(&proposed(round)).await.unwrap();
    }
    let consumer = || member("bank");
    let input = |n| Input { intent: intent(n), consumer: consumer(), sealed: bytes(n, 70), received_ms: n };
    let answer = |n| StoredAnswer {
        intent: intent(n),
        consumer: consumer(),
        sealed: bytes(n, 100),
        completion: bytes(n, 60),
        submitted: n % 2 == 0,
        created_ms: n,
    };
    store.put_inputs(&(0..30).map(input).collect::<Vec<_>>()).await.unwrap();
    store.put_answers(&(0..30).map(answer).collect::<Vec<_>>()).await.unwrap();
    store.set_mark("a mark", b"first").await.unwrap();
    store.set_mark("a mark", b"second").await.unwrap();
}

#[tokio::test]
async fn marks_are_kept_and_cleared() {
    for site in support::sites("marks_are_kept_and_cleared") {
        let store = Store::open(&site.url).await.unwrap();
        assert_eq!(store.mark("restored").await.unwrap(), None);
        store.set_mark("restored", b"on monday").await.unwrap();
        store.set_mark("restored", b"").await.unwrap();
        let own = store.set_mark("store/unfinished", b"restore").await.unwrap_err();
        assert!(matches!(own, StoreError::MarkName { .. }), "{own}");
        assert!(matches!(store.clear_mark("store/unfinished").await, Err(StoreError::MarkName { .. })));
        store.close().await;
        let store = Store::open(&site.url).await.unwrap();
        assert_eq!(store.mark("restored").await.unwrap(), Some(Vec::new()));
        store.clear_mark("restored").await.unwrap();
        store.clear_mark("restored").await.unwrap();
        assert_eq!(store.mark("restored").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_replica_tells_its_size() {
    for site in support::sites("a_replica_tells_its_size") {
        let store = Store::open(&site.url).await.unwrap();
        let before = store.size().await.unwrap();
        fill(&store, &[300, 300]).await;
        let after = store.size().await.unwrap();
        assert!(after.total > before.total + 100_000, "{before:?} {after:?}");
        let Size { total, tables, .. } = after;
        assert!(tables.is_empty() || (tables.len() == 14 && tables["entries"] > 50_000 && tables["entries"] < total));
    }
}
