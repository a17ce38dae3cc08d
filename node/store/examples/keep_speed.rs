//! How fast a replica is backed up, restored, archived, stripped and compacted.
//!
//! `cargo run --release -p covenant-store --example keep_speed -- [folder] [blocks] [entries]`
#![allow(clippy::print_stdout, unreachable_pub, reason = "it prints a report and shares the tests' chain")]

#[path = "../tests/support/blocks.rs"]
mod blocks;

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::time::Instant;

use covenant_store::Store;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| args.get(at).map_or(Ok(default), |n| n.parse());
    let (count, entries) = (number(1, 200)?, number(2, 500)?);
    let folder = tempfile::tempdir_in(args.first().map_or("/tmp", String::as_str))?;
    let store = Store::open(&url(folder.path(), "node")).await?.with_archives(folder.path());
    let mut chain = blocks::Chain::default();
    for _ in 0..count {
        store.commit(&chain.next(entries)).await?;
    }
    println!("{count} blocks, {} entries, {} MB", count * entries, store.size().await?.total / 1_000_000);

    let (backup, start) = (folder.path().join("backup"), Instant::now());
    let (out, summary) = store.dump(BufWriter::new(File::create(&backup)?), |_| {}).await?;
    out.into_inner()?.sync_all()?;
    report("backup", start, summary.bytes);
    let start = Instant::now();
    let input = BufReader::new(File::open(&backup)?);
    let (copy, _) = Store::load_dump(&url(folder.path(), "copy"), input, &[], |_| {}).await?;
    report("restore", start, summary.bytes);
    copy.close().await;

    let start = Instant::now();
    let archive = store.archive_range(1..=count, folder.path(), |_| {}).await?;
    report("archive", start, archive.metadata()?.len());
    let start = Instant::now();
    let taken = store.strip(count, |bytes| Ok(bytes.iter().copied().take(600).collect())).await?;
    report("strip", start, taken.bytes);
    let start = Instant::now();
    store.compact().await?;
    report("compact", start, store.size().await?.total);
    let start = Instant::now();
    for height in (1..=count).step_by(7) {
        store.block(height).await?;
    }
    println!("block from an archive: {:?}", start.elapsed() / u32::try_from(count.div_ceil(7))?);
    Ok(())
}

fn url(folder: &Path, name: &str) -> String {
    format!("sqlite://{}/{name}.db", folder.display())
}

fn report(step: &str, start: Instant, bytes: u64) {
    let (seconds, mb) = (start.elapsed().as_secs_f64(), bytes as f64 / 1e6);
    println!("{step}: {seconds:.2} s, {mb:.0} MB, {:.0} MB/s", mb / seconds);
}
