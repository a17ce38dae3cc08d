//! How many entries per second several replicas commit side by side, with everything on disk.
//!
//! `cargo run --release -p covenant-store --example commit_speed -- [folder or postgres url] [blocks] [entries] [stores]`
//!
//! Given a PostgreSQL url, one store is measured, and its database should be empty.
#![allow(clippy::print_stdout, unreachable_pub, reason = "it prints a report and shares the tests' chain")]

#[path = "../tests/support/blocks.rs"]
mod blocks;

use std::error::Error;
use std::time::{Duration, Instant};

use covenant_store::{Commit, Store};

type Report = Result<Vec<Duration>, covenant_store::StoreError>;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| args.get(at).map_or(Ok(default), |n| n.parse());
    let place = args.first().map_or("/tmp", String::as_str);
    let (count, entries, stores) = (number(1, 100)?, number(2, 500)?, number(3, 4)?);
    let folder = tempfile::tempdir_in(if place.contains("://") { "/tmp" } else { place })?;
    let url = |n| match place.contains("://") {
        true => place.to_owned(),
        false => format!("sqlite://{}/{n}.db", folder.path().display()),
    };
    let mut chain = blocks::Chain::default();
    let chain: &'static [Commit] = (0..count).map(|_| chain.next(entries)).collect::<Vec<_>>().leak();
    let mut running = Vec::new();
    for n in 0..if place.contains("://") { 1 } else { stores } {
        running.push((Store::open(&url(n)).await?, chain));
    }
    let start = Instant::now();
    let tasks: Vec<_> = running.into_iter().map(|(store, chain)| tokio::spawn(commit_all(store, chain))).collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    report(start.elapsed(), times, chain);
    Ok(())
}

async fn commit_all(store: Store, chain: &[Commit]) -> Report {
    let mut times = Vec::with_capacity(chain.len());
    for commit in chain {
        let start = Instant::now();
        store.commit(commit).await?;
        times.push(start.elapsed());
    }
    store.close().await;
    Ok(times)
}

fn report(wall: Duration, mut times: Vec<Duration>, chain: &[Commit]) {
    times.sort();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    let entries: usize = chain.iter().map(|c| c.entries.len()).sum();
    let rows: usize = chain.iter().map(|c| c.entries.len() + c.rows.len()).sum();
    let stores = times.len() / chain.len().max(1);
    let per_second = |n: usize| n as f64 / wall.as_secs_f64();
    println!("{stores} stores, {} blocks, {entries} entries, {rows} entry and state rows each", chain.len());
    println!(
        "{:.0} entries/s, {:.0} rows/s of the chain (every store has them all)",
        per_second(entries),
        per_second(rows)
    );
    println!("{:.0} rows/s over all stores; commit p50 {:?}, p99 {:?}", per_second(rows * stores), at(50), at(99));
}
