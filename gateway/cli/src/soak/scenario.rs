//! The faults.

use std::time::Duration;

use clap::ValueEnum;
use covenant_mesh::proxy::Conditions;
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::cluster::Cluster;
use super::load::Load;
use crate::error::CliError;

/// Entries that show that a quorum goes on.
const PROGRESS: u64 = 100;
/// How long that may take.
const WITHIN: Duration = Duration::from_secs(60);

/// A fault with its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Scenario {
    /// One node is killed under load, and comes back
    KillOne,
    /// All nodes are killed at once, and come back
    KillAll,
    /// One node loses its disk, follows until it has caught up, and then votes again
    Wipe,
    /// The network falls in halves: nothing is agreed on until it heals
    Halves,
    /// One node is cut off: the others go on, and it comes back
    CutOne,
    /// All links are slow and lossy
    Lossy,
    /// One node's process is stopped for a while, as a machine that hangs
    Hang,
    /// Connections stay and carry nothing, as when a switch dies
    Freeze,
}

fn soak(error: CliError) -> String {
    error.causes().join(": ")
}

impl Scenario {
    /// The name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::KillOne => "kill-one",
            Self::KillAll => "kill-all",
            Self::Wipe => "wipe",
            Self::Halves => "halves",
            Self::CutOne => "cut-one",
            Self::Lossy => "lossy",
            Self::Hang => "hang",
            Self::Freeze => "freeze",
        }
    }

    /// One of those that make sense with so many validators.
    pub(super) fn random(dice: &mut StdRng, validators: u16) -> Self {
        let all = Self::value_variants();
        let fit = |s: &&Self| match s {
            Self::KillAll | Self::Lossy => true,
            Self::Halves => validators >= 2,
            _ => validators >= 4,
        };
        let fitting: Vec<&Self> = all.iter().filter(fit).collect();
        fitting.get(dice.random_range(0..fitting.len())).map_or(Self::KillAll, |s| **s)
    }

    /// Makes the fault and ends it. What must hold meanwhile is checked here, what must hold afterwards elsewhere.
    pub(super) async fn run(self, cluster: &mut Cluster, load: &Load, dice: &mut StdRng) -> Result<(), String> {
        let one = dice.random_range(0..cluster.nodes.len());
        let others: Vec<usize> = (0..cluster.nodes.len()).filter(|n| *n != one).collect();
        load.more(PROGRESS, WITHIN).await?;
        match self {
            Self::KillOne => {
                cluster.kill(one).await;
                load.more(PROGRESS, WITHIN).await?;
                cluster.start(one).map_err(soak)?;
            }
            Self::KillAll => {
                for number in 0..cluster.nodes.len() {
                    cluster.kill(number).await;
                }
                for number in 0..cluster.nodes.len() {
                    cluster.start(number).map_err(soak)?;
                }
                load.more(PROGRESS, WITHIN).await?;
            }
            Self::Wipe => {
                cluster.kill(one).await;
                cluster.wipe(one).map_err(soak)?;
                // It may have voted before, and does not remember how: it must not vote on those heights again.
                cluster.observe(one, true).map_err(soak)?;
                cluster.start(one).map_err(soak)?;
                load.more(PROGRESS, WITHIN).await?;
                caught_up(cluster, one).await?;
                cluster.kill(one).await;
                cluster.observe(one, false).map_err(soak)?;
                cluster.start(one).map_err(soak)?;
            }
            Self::Halves => {
                let half = cluster.nodes.len() / 2;
                let (a, b): (Vec<usize>, Vec<usize>) = (0..cluster.nodes.len()).partition(|n| *n < half);
                cluster.between(&a, &b).for_each(covenant_mesh::proxy::FaultProxy::cut);
                stands_still(cluster).await?;
                cluster.between(&a, &b).for_each(covenant_mesh::proxy::FaultProxy::heal);
            }
            Self::CutOne => {
                cluster.between(&[one], &others).for_each(covenant_mesh::proxy::FaultProxy::cut);
                load.more(PROGRESS, WITHIN).await?;
                cluster.between(&[one], &others).for_each(covenant_mesh::proxy::FaultProxy::heal);
            }
            Self::Freeze => {
                cluster.between(&[one], &others).for_each(covenant_mesh::proxy::FaultProxy::freeze);
                load.more(PROGRESS, WITHIN).await?;
                cluster.between(&[one], &others).for_each(covenant_mesh::proxy::FaultProxy::heal);
            }
            Self::Lossy => {
                let bad = Conditions { delay_ms: 20, jitter_ms: 40, loss_permille: 20, bytes_per_s: 4 << 20 };
                cluster.links().for_each(|link| link.set(bad));
                let slow = load.more(PROGRESS, WITHIN).await;
                cluster.links().for_each(|link| link.set(Conditions::default()));
                slow?;
            }
            Self::Hang => {
                cluster.signal(one, "STOP").await;
                let went_on = load.more(PROGRESS, WITHIN).await;
                cluster.signal(one, "CONT").await;
                went_on?;
            }
        }
        cluster.ready().await.map_err(soak)?;
        load.more(PROGRESS, WITHIN).await
    }
}

/// Whether a node has reached what the others had when this was asked.
async fn caught_up(cluster: &Cluster, one: usize) -> Result<(), String> {
    let tip = |number: usize| cluster.nodes.get(number).map(|node| node.port.clone());
    let other = tip(if one == 0 { 1 } else { 0 }).ok_or("no other node")?;
    let wanted = other.tip().await.map_err(|e| e.to_string())?.height;
    let node = tip(one).ok_or("no such node")?;
    let until = tokio::time::Instant::now() + WITHIN;
    loop {
        // It answers once it has started.
        if node.tip().await.is_ok_and(|tip| tip.height >= wanted) {
            return Ok(());
        }
        if tokio::time::Instant::now() > until {
            return Err(format!("a node with an empty disk did not reach height {wanted}"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Nothing may be agreed on without a quorum.
async fn stands_still(cluster: &Cluster) -> Result<(), String> {
    // What was decided when the network fell apart may still be committed.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let mut before = Vec::new();
    for node in &cluster.nodes {
        before.push(node.port.tip().await.map_err(|e| e.to_string())?.height);
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    for (node, before) in cluster.nodes.iter().zip(before) {
        let now = node.port.tip().await.map_err(|e| e.to_string())?.height;
        if now > before {
            return Err(format!("`{}` went from height {before} to {now} without a quorum", node.member));
        }
    }
    Ok(())
}
