//! What must hold once a fault is over.

use std::collections::BTreeSet;
use std::time::Duration;

use covenant_app::port::{LedgerTip, NodePort};
use covenant_canon::to_bytes;
use covenant_ledger::verify_receipt;
use serde::Serialize;

use super::cluster::Cluster;
use super::load::{Acknowledged, Load};

/// Longest wait for nodes to be at one block.
const AGREE: Duration = Duration::from_secs(90);
/// Receipts that are fetched and verified after one fault, of those acknowledged; the newest, and some of all.
const RECEIPTS: usize = 40;

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Found {
    /// Height at which all nodes are.
    pub(super) height: u64,
    /// Its block: it names the state and the log.
    pub(super) block: String,
    /// Acknowledged entries whose receipts were verified at every node.
    pub(super) entries: usize,
}

/// Waits until all nodes are at one block; then every acknowledged entry must be recorded once, at the leaf that was told,
/// at every node, with a receipt that verifies from the genesis alone.
pub(super) async fn after(cluster: &Cluster, load: &Load) -> Result<Found, String> {
    load.pause().await;
    let tip = agree(cluster).await?;
    let all = load.entries();
    let leaves: BTreeSet<u64> = all.iter().map(|a| a.leaf).collect();
    let entries: BTreeSet<_> = all.iter().map(|a| a.entry).collect();
    if leaves.len() != all.len() || entries.len() != all.len() {
        return Err("an acknowledged entry was recorded twice".into());
    }
    let step = (all.len() / RECEIPTS).max(1);
    let newest = all.iter().rev().take(RECEIPTS / 2);
    let some: Vec<&Acknowledged> = all.iter().step_by(step).chain(newest).collect();
    for acknowledged in &some {
        for node in &cluster.nodes {
            present(cluster, &*node.port, acknowledged).await.map_err(|e| format!("node of `{}`: {e}", node.member))?;
        }
    }
    load.resume();
    Ok(Found { height: tip.height, block: tip.block.short(), entries: some.len() })
}

async fn present(cluster: &Cluster, node: &dyn NodePort, acknowledged: &Acknowledged) -> Result<(), String> {
    let Acknowledged { entry, leaf } = acknowledged;
    let receipt = node.receipt(*entry).await.map_err(|e| e.to_string())?;
    let receipt = receipt.ok_or_else(|| format!("acknowledged entry {entry} is lost"))?;
    if receipt.entry.leaf.index != *leaf {
        return Err(format!("entry {entry} is at leaf {}, was acknowledged at {leaf}", receipt.entry.leaf.index));
    }
    let report = verify_receipt(&to_bytes(&receipt), &cluster.genesis);
    match report.failed {
        // The load's consents break the rules of consents; that they are on record as rejected is what is proven then.
        None => Ok(()),
        Some(covenant_ledger::Step::EntryEffect) => Ok(()),
        Some(step) => Err(format!("receipt of entry {entry} does not verify: {}", step.name())),
    }
}

async fn agree(cluster: &Cluster) -> Result<LedgerTip, String> {
    let until = tokio::time::Instant::now() + AGREE;
    let mut seen: Option<LedgerTip> = None;
    loop {
        let mut tips = Vec::new();
        for node in &cluster.nodes {
            tips.push(node.port.tip().await.map_err(|e| format!("node of `{}`: {e}", node.member)));
        }
        let all: Result<Vec<LedgerTip>, String> = tips.into_iter().collect();
        if let Ok(all) = &all
            && let Some(first) = all.first()
            && all.iter().all(|tip| tip == first)
        {
            // Twice the same: nothing is on its way any more.
            if seen.as_ref() == Some(first) {
                return Ok(first.clone());
            }
            seen = Some(first.clone());
        }
        if tokio::time::Instant::now() > until {
            let told = all.map(|all| {
                all.iter().map(|t| format!("{} {}", t.height, t.block.short())).collect::<Vec<_>>().join(", ")
            });
            return Err(format!("nodes did not come to one block: {}", told.unwrap_or_else(|fault| fault)));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
