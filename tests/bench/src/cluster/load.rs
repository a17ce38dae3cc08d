//! Load over the nodes' RPC.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use covenant_app::port::NodePort;
use covenant_ledger::SignedBatch;

use super::city::City;
use crate::figure::Failure;

/// How long a batch may take until it is final.
const PATIENCE: Duration = Duration::from_secs(30);

/// A batch that is final.
#[derive(Clone, Copy)]
pub(super) struct Done {
    pub(super) at: Instant,
    pub(super) took_ms: f64,
    pub(super) entries: usize,
}

/// What a load came to.
pub(super) struct Flow {
    /// Until all is final at every node that was loaded.
    pub(super) per_second: f64,
    pub(super) per_block: f64,
    /// Processors that the nodes kept busy.
    pub(super) cores: f64,
    pub(super) done: Vec<Done>,
}

/// Records one batch and demands that all of it takes effect.
async fn record(way: &dyn NodePort, batch: SignedBatch) -> Result<Done, Failure> {
    let started = Instant::now();
    let outcomes = way.record(batch, PATIENCE).await?;
    let done = Done { at: Instant::now(), took_ms: started.elapsed().as_secs_f64() * 1e3, entries: outcomes.len() };
    match outcomes.into_iter().find_map(|o| o.rejected) {
        Some(reason) => Err(reason.into()),
        None => Ok(done),
    }
}

/// One batch after the other, with a pause between them; milliseconds until each is final where it was submitted.
pub(super) async fn one_by_one(city: &City, batches: Vec<SignedBatch>, pause: Duration) -> Result<Vec<f64>, Failure> {
    let mut took = Vec::with_capacity(batches.len());
    for (i, batch) in batches.into_iter().enumerate() {
        let way = city.ways.get(i % city.ways.len()).ok_or("no node")?;
        took.push(record(way.as_ref(), batch).await?.took_ms);
        tokio::time::sleep(pause).await;
    }
    Ok(took)
}

/// So many batches under way at once, handed to the first `nodes` nodes in turn.
pub(super) async fn flow(city: &City, nodes: usize, batches: Vec<SignedBatch>, ahead: usize) -> Result<Flow, Failure> {
    let (before, cpu) = (city.tip(0).await?, city.cpu_s()?);
    let entries: usize = batches.iter().map(|b| b.entries.len()).sum();
    let queue = Arc::new(Mutex::new(VecDeque::from(batches)));
    let started = Instant::now();
    let mut workers = Vec::new();
    for i in 0..ahead {
        let (way, queue) = (city.ways.get(i % nodes).ok_or("no node")?.clone(), queue.clone());
        workers.push(tokio::spawn(async move {
            let mut done = Vec::new();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(batch) = next else { return Ok::<_, Failure>(done) };
                done.push(record(way.as_ref(), batch).await?);
            }
        }));
    }
    let mut done = Vec::new();
    for worker in workers {
        done.extend(worker.await??);
    }
    let all = before.leaves + entries as u64;
    for at in 0..nodes {
        while city.tip(at).await?.leaves < all {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    let (seconds, after) = (started.elapsed().as_secs_f64(), city.tip(0).await?);
    done.sort_by_key(|d| d.at);
    let blocks = after.height.saturating_sub(before.height).max(1);
    Ok(Flow {
        per_second: entries as f64 / seconds,
        per_block: entries as f64 / blocks as f64,
        cores: (city.cpu_s()? - cpu) / seconds,
        done,
    })
}

/// Seconds between one batch's end and the next, at most.
pub(super) fn longest_gap_s(done: &[Done], since: Instant) -> f64 {
    let mut last = since;
    let mut longest = Duration::ZERO;
    for done in done.iter().filter(|d| d.at > since) {
        longest = longest.max(done.at.duration_since(last));
        last = done.at;
    }
    longest.as_secs_f64()
}

/// Entries per second that became final between two moments.
pub(super) fn rate_between(done: &[Done], from: Instant, to: Instant) -> f64 {
    let entries: usize = done.iter().filter(|d| d.at > from && d.at <= to).map(|d| d.entries).sum();
    entries as f64 / to.duration_since(from).as_secs_f64()
}
