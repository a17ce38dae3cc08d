//! What this machine can do at best.

use std::io::Write;
use std::time::Instant;

use covenant_canon::{Digest, Label, SuiteId};
use covenant_domain::GrantId;
use covenant_state::Row;
use covenant_store::{Commit, EntryRow, Store};
use covenant_suite::suite;

use crate::figure::Failure;

/// Milliseconds for one append of 4 KiB with fsync.
pub(crate) fn fsync_ms() -> Result<f64, Failure> {
    let mut file = tempfile::tempfile()?;
    let started = Instant::now();
    for _ in 0..100 {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
    }
    Ok(started.elapsed().as_secs_f64() * 10.0)
}

/// Milliseconds for one SM2 verification.
pub(crate) fn verification_ms() -> Result<f64, Failure> {
    let words = suite(SuiteId::Sm);
    let key = words.generate_signing_key(&mut rand::rng());
    let signature = words.sign(&key, Label::REQUEST, b"bench")?;
    let prepared = key.verifying_key().prepare()?;
    let started = Instant::now();
    for _ in 0..400 {
        prepared.verify(Label::REQUEST, b"bench", &signature)?;
    }
    Ok(started.elapsed().as_secs_f64() * 2.5)
}

/// Entries per second that four replicas on this machine can write and sync, without consensus, execution or proofs:
/// each entry with its index row, one state row, and its share of a block of `bytes` bytes per entry.
pub(crate) async fn rows_per_second(bytes: usize) -> Result<f64, Failure> {
    replicas_per_second(4, 512, bytes).await
}

/// The same for so many replicas and so many entries per block.
pub(crate) async fn replicas_per_second(replicas: usize, entries: u64, bytes: usize) -> Result<f64, Failure> {
    const BLOCKS: u64 = 40;
    let dir = tempfile::tempdir()?;
    let mut stores = Vec::new();
    for i in 0..replicas {
        stores.push(Store::open(&format!("sqlite://{}", dir.path().join(format!("{i}.db")).display())).await?);
    }
    let started = Instant::now();
    let writing = stores.into_iter().map(|store| {
        tokio::spawn(async move {
            for height in 1..=BLOCKS {
                store.commit(&block(height, entries, bytes)).await?;
            }
            Ok::<_, covenant_store::StoreError>(())
        })
    });
    for done in futures::future::join_all(writing).await {
        done??;
    }
    Ok((BLOCKS * entries) as f64 / started.elapsed().as_secs_f64())
}

fn block(height: u64, entries: u64, bytes: usize) -> Commit {
    let row = |position: u64| {
        let leaf = (height - 1) * entries + position;
        let digest = Digest::of(SuiteId::Intl, Label::GRANT, &leaf.to_be_bytes());
        EntryRow {
            leaf,
            height,
            batch: Some(0),
            position: u32::try_from(position).unwrap_or(u32::MAX),
            digest,
            author: None,
            kind: "consent_issued".into(),
            about: GrantId::from_parts(leaf, &[0; 10]).to_string(),
            under: Vec::new(),
            fresh_ms: height,
            derived: None,
        }
    };
    let state = |position: u64| Row {
        key: Digest::of(SuiteId::Intl, Label::STATE_KEY, &(height * entries + position).to_be_bytes()).0.to_vec(),
        value: Some(vec![7; 200]),
    };
    Commit {
        height,
        block: Digest::of(SuiteId::Intl, Label::BLOCK, &height.to_be_bytes()),
        time_ms: height,
        bytes: vec![1; bytes * usize::try_from(entries).unwrap_or_default()],
        certificate: vec![2; 300],
        entries: (0..entries).map(row).collect(),
        seen: Vec::new(),
        rows: (0..entries).map(state).collect(),
        tiles: Vec::new(),
        log_size: height * entries,
        included: Vec::new(),
        evidence: Vec::new(),
    }
}
