//! A consortium of real processes under load: `covenant node` times one to ten, TLS between them, fsync on.
//!
//! The load comes over the nodes' RPC from one member, as a gateway's would, and shares the machine with the nodes.
//! Entries are consents of 1 KiB that take effect. A block has room for about 490 of them; full batches have 450.

mod city;
mod entries;
mod failure;
mod load;
mod postgres;

use std::time::Duration;

use covenant_canon::SuiteId;

use crate::figure::{Failure, Figure, percentile};
use crate::limits;
use city::{City, Plan};
use entries::{ENTRY, FULL, batches};
use load::{Flow, flow, one_by_one};
use postgres::Server;

/// Entries in a batch of the first kind.
const HUNDRED: usize = 100;
/// Batches under way at once: one in a block, one on its way to the next.
const AHEAD: usize = 2;
const SQL: &str = "SQL rows on as many replicas, synced, without consensus";

/// What replicas on this machine could write at best, by entries per block.
struct Limits {
    hundred: f64,
    full: f64,
    fsync_ms: f64,
}

/// Everything; parts by `COVENANT_BENCH_CLUSTER`: `suites`, `failure`, `sizes`, `postgres`.
pub(crate) async fn run() -> Result<Vec<Figure>, Failure> {
    let wanted = std::env::var("COVENANT_BENCH_CLUSTER").unwrap_or_default();
    let wants = |part: &str| wanted.is_empty() || wanted.split(',').any(|w| w == part);
    let mut figures = Vec::new();
    if wants("suites") {
        figures.extend(suites().await?);
    }
    if wants("failure") {
        figures.extend(failure::run().await?);
    }
    if wants("sizes") {
        figures.extend(sizes().await?);
    }
    if wants("postgres") {
        figures.extend(on_postgres().await?);
    }
    Ok(figures)
}

async fn limits_of(replicas: usize) -> Result<Limits, Failure> {
    let hundred = limits::replicas_per_second(replicas, HUNDRED as u64, ENTRY).await?;
    let full = limits::replicas_per_second(replicas, FULL as u64, ENTRY).await?;
    Ok(Limits { hundred, full, fsync_ms: limits::fsync_ms()? })
}

fn plain(name: &'static str, value: f64, unit: &'static str, goal: f64) -> Figure {
    Figure { name, value, unit, goal, limit: None, limit_is: "" }
}

fn rate(name: &'static str, value: f64, goal: f64, limit: f64) -> Figure {
    Figure { name, value, unit: "entries/s", goal, limit: Some(limit), limit_is: SQL }
}

/// A flow beside its figure: how many entries a block had, how busy the nodes were.
fn told(name: &str, flow: &Flow) {
    let mut took: Vec<f64> = flow.done.iter().map(|d| d.took_ms).collect();
    println!(
        "{name}: {:.0} entries/s, {:.0} per block, {:.2} processors busy in nodes ({:.0} µs per entry in all), final in {:.1} ms (median)",
        flow.per_second,
        flow.per_block,
        flow.cores,
        flow.cores / flow.per_second * 1e6,
        percentile(&mut took, 500),
    );
}

/// Batches of a hundred, then full ones, on a city.
async fn both(city: &City, name: &str, entries: usize) -> Result<(f64, f64), Failure> {
    let nodes = city.ways.len();
    let hundred = flow(city, nodes, batches(city, entries / HUNDRED, HUNDRED)?, AHEAD).await?;
    told(&format!("{name}, 100 per batch"), &hundred);
    let full = flow(city, nodes, batches(city, entries / FULL, FULL)?, AHEAD).await?;
    told(&format!("{name}, {FULL} per batch"), &full);
    Ok((hundred.per_second, full.per_second))
}

/// Four validators: at rest, under single batches, under load; with each suite.
async fn suites() -> Result<Vec<Figure>, Failure> {
    let limits = limits_of(4).await?;
    let sm = City::start(&Plan::of(4, SuiteId::Sm)).await?;
    let mut figures = at_rest(&sm).await?;
    figures.extend(decided(&sm, &limits).await?);
    let (sm_hundred, sm_full) = both(&sm, "4 validators, sm", 20_000).await?;
    drop(sm);
    let intl = City::start(&Plan::of(4, SuiteId::Intl)).await?;
    let _same_before = decided(&intl, &limits).await?;
    let (intl_hundred, intl_full) = both(&intl, "4 validators, intl", 20_000).await?;
    let slower = |sm: f64, intl: f64| (1.0 - sm / intl) * 100.0;
    figures.extend([
        rate("4 processes, sm, 100 per batch", sm_hundred, 8_000.0, limits.hundred),
        rate("4 processes, sm, 450 per batch", sm_full, 15_000.0, limits.full),
        rate("4 processes, intl, 100 per batch", intl_hundred, 8_000.0, limits.hundred),
        rate("4 processes, intl, 450 per batch", intl_full, 15_000.0, limits.full),
        plain("sm slower than intl, 100 per batch", slower(sm_hundred, intl_hundred), "%", 20.0),
        plain("sm slower than intl, 450 per batch", slower(sm_full, intl_full), "%", 20.0),
    ]);
    Ok(figures)
}

/// What nodes without work take: memory, and writes within ten seconds.
async fn at_rest(city: &City) -> Result<Vec<Figure>, Failure> {
    tokio::time::sleep(Duration::from_secs(4)).await;
    let mut resident: Vec<f64> = city.processes.iter().map(|p| p.resident_mb()).collect::<Result<_, _>>()?;
    let (mut before, mut changed) = (Vec::new(), 0);
    for (at, process) in city.processes.iter().enumerate() {
        before.push((city.tip(at).await?.height, process.files()?));
    }
    let cpu = city.cpu_s()?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let busy = (city.cpu_s()? - cpu) / 10.0 / city.processes.len() as f64;
    for ((at, process), (height, files)) in city.processes.iter().enumerate().zip(before) {
        let blocks = city.tip(at).await?.height.saturating_sub(height);
        let now = process.files()?;
        let files = now.iter().filter(|file| !files.contains(file)).count();
        changed += usize::try_from(blocks)? + files;
    }
    println!("an idle node keeps {:.2} % of a processor busy", busy * 100.0);
    Ok(vec![
        plain("idle node, resident memory, largest of 4", percentile(&mut resident, 1000), "MB", 64.0),
        plain("idle chain, blocks and files changed in 10 s", changed as f64, "changes", 0.0),
    ])
}

/// From the submission of one batch until it is final there, with nothing else under way.
async fn decided(city: &City, limits: &Limits) -> Result<Vec<Figure>, Failure> {
    // The first are slower: connections open, caches fill.
    one_by_one(city, batches(city, 10, HUNDRED)?, Duration::from_millis(5)).await?;
    let mut took = one_by_one(city, batches(city, 120, HUNDRED)?, Duration::from_millis(5)).await?;
    let limit_is = "4 fsyncs: accepted, proposed, checked, committed";
    let figure =
        |name, value, goal| Figure { name, value, unit: "ms", goal, limit: Some(limits.fsync_ms * 4.0), limit_is };
    let figures = vec![
        figure("100 entries final, 4 processes, median", percentile(&mut took, 500), 10.0),
        figure("100 entries final, 4 processes, p95", percentile(&mut took, 950), 20.0),
    ];
    println!("{}: {:.1} ms median, {:.1} ms p95", city.suite, percentile(&mut took, 500), percentile(&mut took, 950));
    Ok(figures)
}

/// One, seven and ten validators.
async fn sizes() -> Result<Vec<Figure>, Failure> {
    let sizes = [
        (1, 20_000, ["1 process, sm, 100 per batch", "1 process, sm, 450 per batch"], [8_000.0, 15_000.0]),
        (7, 9_000, ["7 processes, sm, 100 per batch", "7 processes, sm, 450 per batch"], [2_000.0, 2_000.0]),
        (10, 9_000, ["10 processes, sm, 100 per batch", "10 processes, sm, 450 per batch"], [2_000.0, 2_000.0]),
    ];
    let mut figures = Vec::new();
    for (validators, entries, names, goals) in sizes {
        let limits = limits_of(validators).await?;
        let city = City::start(&Plan::of(validators, SuiteId::Sm)).await?;
        let (hundred, full) = both(&city, &format!("{validators} validators, sm"), entries).await?;
        let values = [(hundred, limits.hundred), (full, limits.full)];
        let lines = names.into_iter().zip(goals).zip(values);
        figures.extend(lines.map(|((name, goal), (value, limit))| rate(name, value, goal, limit)));
    }
    Ok(figures)
}

/// One table on one server, and nodes on PostgreSQL.
async fn on_postgres() -> Result<Vec<Figure>, Failure> {
    let Some(server) = Server::start()? else { return Ok(Vec::new()) };
    let hundred = server.plain_rows("plain_hundred", 200, HUNDRED).await?;
    let full = server.plain_rows("plain_full", 50, FULL).await?;
    println!("one PostgreSQL table: {hundred:.0} rows/s at 100, {full:.0} rows/s at {FULL} per synchronous commit");
    let stores = (0..4).map(|i| server.database(&format!("node_{i}"))).collect::<Result<_, _>>()?;
    let city = City::start(&Plan { validators: 4, suite: SuiteId::Sm, stores }).await?;
    let (nodes_hundred, nodes_full) = both(&city, "4 validators, sm, PostgreSQL", 9_000).await?;
    let limit_is = "rows of one table on one server, same batches and disk";
    let beside =
        |name, value, goal, limit| Figure { name, value, unit: "entries/s", goal, limit: Some(limit), limit_is };
    Ok(vec![
        beside("4 processes on PostgreSQL, 100 per batch", nodes_hundred, 8_000.0, hundred),
        beside("4 processes on PostgreSQL, 450 per batch", nodes_full, 15_000.0, full),
    ])
}
