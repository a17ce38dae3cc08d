//! Killed processes and damaged files.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use covenant_canon::HashAlgorithm;
use covenant_ledger::Tile;
use covenant_store::{EntryRow, Loaded, Store, StoreError, StoredBlock};
use support::blocks::Chain;
use support::{Site, sites, sqlite};

const CHILD: &str = "COVENANT_STORE_CHILD";

/// Not a test of its own: the process that `a_killed_node_finds_the_height_it_had` kills.
#[tokio::test]
async fn child_commits_until_it_is_killed() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let store = Store::open(&url).await.unwrap();
    let mut chain = Chain::default();
    loop {
        let commit = chain.next(300);
        store.commit(&commit).await.unwrap();
        println!("\ncommitted {}", commit.height);
    }
}

/// Runs the child, kills it (SIGKILL) soon after it told of a height, and returns that height.
fn kill_after(url: &str, heights: u64, delay_us: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_commits_until_it_is_killed", "--nocapture"])
        .env(CHILD, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines.map_while(Result::ok).filter_map(|l| l.strip_prefix("committed ")?.parse().ok());
    let last = told.take_while(|h: &u64| *h <= heights).find(|h| *h == heights).unwrap();
    std::thread::sleep(std::time::Duration::from_micros(delay_us));
    child.kill().unwrap();
    child.wait().unwrap();
    last
}

#[tokio::test]
async fn a_killed_node_finds_the_height_it_had() {
    for delay_us in [0, 3_000, 9_000] {
        for site in sites("a_killed_node_finds_the_height_it_had") {
            let told = kill_after(&site.url, 5, delay_us);
            let store = Store::open(&site.url).await.unwrap();
            let height = store.tip().await.unwrap().unwrap().height;
            assert!(height >= told, "{height} < {told}");
            let (twin, mut chain) = (Store::open("sqlite::memory:").await.unwrap(), Chain::default());
            for _ in 0..height {
                twin.commit(&chain.next(300)).await.unwrap();
            }
            assert_eq!(store.load(0).await.unwrap(), twin.load(0).await.unwrap());
            assert_eq!(store.entries(0, u32::MAX).await.unwrap(), twin.entries(0, u32::MAX).await.unwrap());
            assert!(store.commit(&chain.next(300)).await.unwrap());
        }
    }
}

/// A closed replica of ten blocks and its file.
async fn replica() -> (Site, PathBuf, Chain) {
    let (site, mut chain) = (sqlite(), Chain::default());
    let store = Store::open(&site.url).await.unwrap();
    for _ in 0..10 {
        store.commit(&chain.next(200)).await.unwrap();
    }
    store.close().await;
    let path = PathBuf::from(site.url.trim_start_matches("sqlite://"));
    assert!(!path.with_extension("db-wal").exists(), "the log is folded in when the store is closed");
    (site, path, chain)
}

async fn open_fails(url: &str) {
    let error = Store::open(url).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupted { .. }), "{error}: {error:?}");
    assert!(error.to_string().contains("node.db") && error.to_string().contains("restore"), "{error}");
}

#[tokio::test]
async fn a_shortened_file_is_told_on_opening() {
    let (site, path, _) = replica().await;
    let whole = fs::read(&path).unwrap();
    for part in [whole.len() / 2, whole.len() - 4096, 5000, 50] {
        fs::write(&path, &whole[..part]).unwrap();
        open_fails(&site.url).await;
    }
    fs::write(&path, b"this is not a database, it is a text that was put in its place ".repeat(100)).unwrap();
    open_fails(&site.url).await;
    fs::write(&path, whole).unwrap();
    assert_eq!(Store::open(&site.url).await.unwrap().tip().await.unwrap().unwrap().height, 10);
}

/// Every row of the replica.
type Everything = (Loaded, Vec<EntryRow>, Vec<Option<StoredBlock>>, Vec<Option<Tile>>);

async fn read_all(store: &Store) -> Result<Everything, StoreError> {
    let (mut blocks, mut tiles) = (Vec::new(), Vec::new());
    for height in 1..=10 {
        blocks.push(store.block(height).await?);
    }
    for algorithm in [HashAlgorithm::Sm3, HashAlgorithm::Sha256] {
        for index in 0..8 {
            tiles.push(store.tile(algorithm, 0, index).await?);
        }
    }
    Ok((store.load(0).await?, store.entries(0, u32::MAX).await?, blocks, tiles))
}

#[tokio::test]
async fn a_page_of_rubbish_is_told_on_opening_or_reading() {
    let (site, path, _) = replica().await;
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    let store = Store::open(&site.url).await.unwrap();
    let sound = read_all(&store).await.unwrap();
    store.close().await;
    let (mut opening, mut reading) = (0, 0);
    for page in (0..pages).step_by((pages / 60) | 1) {
        let mut broken = whole.clone();
        // Now the whole page, now bytes in its middle.
        let damage = if page % 2 == 0 { 0..4096 } else { 2000..2064 };
        broken[page * 4096..][damage].iter_mut().for_each(|byte| *byte ^= 0xa5);
        fs::write(&path, &broken).unwrap();
        match Store::open(&site.url).await {
            Err(StoreError::Corrupted { .. }) => opening += 1,
            Err(other) => panic!("page {page}: {other:?}"),
            Ok(store) => {
                // The inside of a long value, which the database itself does not look at, or a free page.
                match read_all(&store).await {
                    Err(StoreError::Corrupted { .. }) => reading += 1,
                    Err(other) => panic!("page {page}: {other:?}"),
                    Ok(found) => assert!(found == sound, "page {page}"),
                }
                store.close().await;
            }
        }
    }
    assert!(opening > 0 && reading > 0, "{opening} {reading}");
}

#[tokio::test]
async fn a_flipped_bit_in_a_block_is_told_on_reading() {
    let (site, path, mut chain) = replica().await;
    let mut file = fs::read(&path).unwrap();
    let sought = Chain::default().next(200).bytes[..64].to_vec();
    // A page that was split keeps a stale copy of the beginning.
    for at in (0..file.len() - 64).filter(|at| file[*at..].starts_with(&sought)).collect::<Vec<_>>() {
        file[at + 20] ^= 1;
    }
    fs::write(&path, file).unwrap();
    let store = Store::open(&site.url).await.unwrap();
    let error = store.block(1).await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupted { detail, .. } if detail.contains("`blocks`")), "{error}");
    assert!(store.block(2).await.is_ok() && store.commit(&chain.next(1)).await.unwrap());
}
