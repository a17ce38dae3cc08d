//! Entries without end, and the memory of those that were acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use covenant_app::port::NodePort;
use covenant_canon::{Digest, to_bytes};
use covenant_client::{Identity, load_identity, ten_random_bytes};
use covenant_domain::{
    Body, Commitment, Consent, ConsentId, ConsentKind, ConsentScope, DatasetId, Entry, FieldName, MemberId, Mode,
    PurposeCode,
};
use covenant_ledger::{Genesis, SignedBatch, entry_id};
use parking_lot::Mutex;
use rand::Rng as _;
use tokio::task::JoinHandle;

use super::cluster::{Cluster, SERVICE};
use crate::error::CliError;
use crate::words;

/// Entries of one batch.
const BATCH: usize = 10;
/// How long an acknowledgement is awaited.
const WAIT: Duration = Duration::from_secs(5);

/// An entry that a node said was final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub(super) entry: Digest,
    pub(super) leaf: u64,
}

/// A load that goes on until it is stopped.
pub(super) struct Load {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    acknowledged: Mutex<Vec<Acknowledged>>,
    count: AtomicU64,
    stop: AtomicBool,
    paused: AtomicBool,
    /// Whether a batch is under way.
    busy: AtomicBool,
}

impl Load {
    /// Hands entries to the nodes in turn.
    pub(super) fn start(cluster: &Cluster) -> Result<Self, CliError> {
        let home = cluster.dir.join(SERVICE);
        let passphrase = crate::files::read_secret_line(&home.join("passphrase"), "a passphrase")?;
        let identity = load_identity(home.join("keys").join(format!("{SERVICE}.json")), &passphrase)?;
        let ports = cluster.nodes.iter().map(|node| node.port.clone()).collect();
        let shared = Arc::new(Shared {
            acknowledged: Mutex::default(),
            count: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            busy: AtomicBool::new(false),
        });
        let task = tokio::spawn(press(shared.clone(), cluster.genesis.clone(), identity, ports));
        Ok(Self { shared, task })
    }

    /// Entries acknowledged so far.
    pub(super) fn acknowledged(&self) -> u64 {
        self.shared.count.load(Ordering::Acquire)
    }

    /// All of them.
    pub(super) fn entries(&self) -> Vec<Acknowledged> {
        self.shared.acknowledged.lock().clone()
    }

    /// Hands in nothing until [`Load::resume`]; returns once nothing is under way.
    pub(super) async fn pause(&self) {
        self.shared.paused.store(true, Ordering::Release);
        while self.shared.busy.load(Ordering::Acquire) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Goes on.
    pub(super) fn resume(&self) {
        self.shared.paused.store(false, Ordering::Release);
    }

    /// Waits until so many more entries are acknowledged; says if that takes too long.
    pub(super) async fn more(&self, entries: u64, within: Duration) -> Result<(), String> {
        let (wanted, until) = (self.acknowledged() + entries, tokio::time::Instant::now() + within);
        while self.acknowledged() < wanted {
            if tokio::time::Instant::now() > until {
                return Err(format!("no progress: {entries} entries were not acknowledged within {within:?}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Ends; how many were acknowledged in all.
    pub(super) async fn stop(self) -> u64 {
        self.shared.stop.store(true, Ordering::Release);
        if self.task.await.is_err() {
            tracing::warn!("the load ended badly");
        }
        self.shared.count.load(Ordering::Acquire)
    }
}

async fn press(shared: Arc<Shared>, genesis: Arc<Genesis>, identity: Identity, ports: Vec<Arc<dyn NodePort>>) {
    let mut turn = 0_usize;
    while !shared.stop.load(Ordering::Acquire) {
        // Said before the pause is looked at, so that whoever pauses waits for what is begun.
        shared.busy.store(true, Ordering::Release);
        if shared.paused.load(Ordering::Acquire) {
            shared.busy.store(false, Ordering::Release);
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        turn += 1;
        let batch = batch(&genesis, &identity);
        if let (Some(batch), Some(port)) = (batch, ports.get(turn % ports.len().max(1))) {
            let ids: Vec<Digest> = batch.entries.iter().map(|e| entry_id(genesis.suite, e)).collect();
            // A node that is away costs a moment; what it may have taken all the same is not counted.
            match tokio::time::timeout(WAIT, port.record(batch, WAIT)).await {
                Ok(Ok(outcomes)) if outcomes.iter().map(|o| o.entry).eq(ids.iter().copied()) => {
                    let known = outcomes.iter().map(|o| Acknowledged { entry: o.entry, leaf: o.leaf });
                    shared.acknowledged.lock().extend(known);
                    shared.count.fetch_add(outcomes.len() as u64, Ordering::AcqRel);
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        shared.busy.store(false, Ordering::Release);
    }
}

fn batch(genesis: &Genesis, identity: &Identity) -> Option<SignedBatch> {
    let made_ms = words::now_ms();
    let entry = |_| {
        let body = Body::ConsentIssued(consent(made_ms)?);
        Some(Entry { author: Some(identity.member.clone()), made_ms, body })
    };
    let entries: Vec<Entry> = (0..BATCH).map(entry).collect::<Option<_>>()?;
    debug_assert!(entries.iter().all(|e| to_bytes(e).len() < 4096));
    SignedBatch::sign(&genesis.digest(), &identity.member, &entries, &identity.signing).ok()
}

/// A consent about nothing: recorded, and accepted or rejected by the rules, which is all the same here.
fn consent(now_ms: u64) -> Option<Consent> {
    let mut commitment = [0; 32];
    rand::rng().fill_bytes(&mut commitment);
    let fields = (0..20).filter_map(|n| FieldName::new(&format!("field_with_a_long_name_{n}")).ok()).collect();
    Some(Consent {
        id: ConsentId::from_parts(now_ms, &ten_random_bytes()),
        consumer: MemberId::new("bank").ok()?,
        purpose: PurposeCode::new("soak").ok()?,
        scopes: vec![ConsentScope { dataset: DatasetId::new("cov:soak/gov/node-0/registry/homes").ok()?, fields }],
        modes: vec![Mode::Detail],
        commitment: Commitment(commitment),
        valid_from_ms: now_ms,
        valid_until_ms: now_ms.saturating_add(1_000_000),
        max_uses: 1,
        data_life_days: 1,
        kind: ConsentKind::Consent,
        frequency: None,
        notice: None,
        representative: None,
        request: None,
    })
}
