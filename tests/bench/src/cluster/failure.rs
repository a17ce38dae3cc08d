//! One of four validators is killed, and comes back with nothing.

use std::time::{Duration, Instant};

use covenant_canon::SuiteId;

use super::city::{City, Plan, answering};
use super::entries::batches;
use super::load::{Flow, flow, longest_gap_s, rate_between};
use super::{AHEAD, HUNDRED, plain};
use crate::figure::{Failure, Figure};

/// Who is killed; the others are loaded.
const VICTIM: usize = 3;
/// Length of the load before the kill, and at least after it.
const BEFORE: Duration = Duration::from_secs(5);
const AFTER: Duration = Duration::from_secs(12);

pub(super) async fn run() -> Result<Vec<Figure>, Failure> {
    let mut city = City::start(&Plan::of(4, SuiteId::Sm)).await?;
    let warm = flow(&city, VICTIM, batches(&city, 40, HUNDRED)?, AHEAD).await?;
    let seconds = (BEFORE + AFTER).as_secs_f64();
    let count = (warm.per_second * seconds * 1.2) as usize / HUNDRED;
    let load = batches(&city, count, HUNDRED)?;
    let mut victim = city.processes.pop().ok_or("no fourth node")?;
    let started = Instant::now();
    let killing = async {
        tokio::time::sleep(BEFORE).await;
        victim.kill()?;
        Ok::<_, Failure>(Instant::now())
    };
    let (flowed, killed) = tokio::join!(flow(&city, VICTIM, load, AHEAD), killing);
    let (Flow { done, .. }, killed) = (flowed?, killed?);
    let end = done.last().map_or(killed, |d| d.at);
    let before = rate_between(&done, started, killed);
    let (after, settled) =
        (rate_between(&done, killed, end), rate_between(&done, killed + Duration::from_secs(6), end));
    let gap = longest_gap_s(&done, killed);
    println!(
        "one of four killed: {before:.0} entries/s before, {after:.0} in the {:.1} s after, {settled:.0} from 6 s after on",
        end.duration_since(killed).as_secs_f64()
    );
    city.processes.push(victim);
    let caught = catch_up(&mut city).await?;
    Ok(vec![
        plain("one of four killed: throughput lost", (1.0 - after / before) * 100.0, "%", 30.0),
        plain("one of four killed: lost once settled", (1.0 - settled / before) * 100.0, "%", 30.0),
        plain("one of four killed: longest gap", gap, "s", 1.0),
        plain("wiped node catches up", caught, "entries/s", 20_000.0),
    ])
}

/// Entries per second from the first that a wiped node has until it has all.
async fn catch_up(city: &mut City) -> Result<f64, Failure> {
    let all = city.tip(0).await?.leaves;
    let started = Instant::now();
    city.restart_wiped(VICTIM)?;
    answering(city.ways.get(VICTIM).ok_or("no fourth node")?.as_ref()).await?;
    let until = started + Duration::from_secs(120);
    let mut first = None;
    loop {
        let (leaves, now) = (city.tip(VICTIM).await?.leaves, Instant::now());
        if leaves > 0 && first.is_none() {
            first = Some((leaves, now));
        }
        if let Some((had, since)) = first.filter(|_| leaves >= all) {
            println!("a wiped node has all {all} entries {:.1} s after its start", started.elapsed().as_secs_f64());
            return Ok((all - had) as f64 / now.duration_since(since).as_secs_f64());
        }
        if now > until {
            return Err(format!("a wiped node has {leaves} of {all} entries after 120 s").into());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
