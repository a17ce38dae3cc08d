//! What a member's own administrator has its running node do: backup, snapshot, archive.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use covenant_app::port::{ArchiveView, BackupView, PeerView, PortError};
use covenant_store::{FileError, Seed};
use tokio::sync::Mutex;

use crate::node::Node;
use crate::replica::{Replica, earliest_body};
use crate::stored::{anchor_of, keep_header};

/// Blocks in one archive file.
const PER_ARCHIVE: u64 = 10_000;
/// Longest wait for the block after a snapshot.
const WITNESS: Duration = Duration::from_secs(30);

/// Tells who is connected.
pub type Peers = Arc<dyn Fn() -> Vec<PeerView> + Send + Sync>;

/// Where administration writes, and whom it asks.
pub struct Admin {
    backups: PathBuf,
    archives: Option<PathBuf>,
    peers: Peers,
    /// One thing at a time.
    busy: Mutex<()>,
}

fn failed(what: &str, error: &(dyn std::error::Error + 'static)) -> PortError {
    let causes = std::iter::successors(error.source(), |e| e.source()).map(|e| format!(": {e}"));
    let reason: String = std::iter::once(format!("{what}: {error}")).chain(causes).collect();
    PortError::unavailable(reason)
}

impl Admin {
    /// Backups and snapshots go to one folder, archives to another; without it bodies stay in the database.
    pub fn new(backups: PathBuf, archives: Option<PathBuf>, peers: Peers) -> Self {
        Self { backups, archives, peers, busy: Mutex::new(()) }
    }

    pub(crate) fn peers(&self) -> Vec<PeerView> {
        (self.peers)()
    }

    /// Writes the whole database beside it, all of one moment, while the node goes on.
    pub(crate) async fn backup(&self, node: &Node) -> Result<BackupView, PortError> {
        let _alone = self.busy.lock().await;
        let replica = &node.replica;
        let height = replica.tip_now().height;
        let path = self.backups.join(format!("backup-{height}-{}.covb", replica.clock.now_ms()));
        let part = path.with_extension("part");
        let out = create(&part).map_err(|e| failed("the backup cannot be written", &e))?;
        let (out, summary) =
            replica.store.dump(out, |_| {}).await.map_err(|e| failed("the backup was not written", &e))?;
        settle(out, &part, &path).map_err(|e| failed("the backup cannot be kept", &e))?;
        Ok(BackupView { path: path.display().to_string(), bytes: summary.bytes, height })
    }

    /// Moves bodies to archives, in whole files of ten thousand blocks, but for the newest `keep`.
    pub(crate) async fn archive(&self, node: &Node, keep: u64) -> Result<ArchiveView, PortError> {
        let _alone = self.busy.lock().await;
        let replica = &node.replica;
        let Some(folder) = &self.archives else {
            let reason = "the configuration names no folder under `archives`".into();
            return Err(PortError::Refused { code: "no-archives".into(), reason });
        };
        std::fs::create_dir_all(folder).map_err(|e| failed("the folder of archives cannot be made", &e))?;
        let mut files = Vec::new();
        loop {
            let from = replica.archived_below.load(Ordering::Acquire);
            let until = from.saturating_add(PER_ARCHIVE - 1);
            if until.saturating_add(keep) > replica.tip_now().height {
                return Ok(ArchiveView { files, from_height: from });
            }
            let archived = replica.store.archive_range(from..=until, folder, |_| {}).await;
            let path = archived.map_err(|e| failed("the archive was not written", &e))?;
            let stripped = replica.store.strip(until, keep_header).await;
            stripped.map_err(|e| failed("archived bodies were not taken away", &e))?;
            replica.archived_below.store(until.saturating_add(1), Ordering::Release);
            let earliest = earliest_body(&replica.store, replica.tip_now().height).await;
            replica.earliest.store(earliest.map_err(|e| failed("archives", &e))?, Ordering::Release);
            files.push(path.display().to_string());
        }
    }

    /// Writes what another replica can begin with, proven by the block after it.
    pub(crate) async fn snapshot(&self, node: &Node) -> Result<BackupView, PortError> {
        let _alone = self.busy.lock().await;
        let replica = &node.replica;
        let (fresh_after, window) = {
            let chain = replica.chain.read();
            let height = chain.state.height();
            let window = height.saturating_add(1).saturating_sub(chain.window().min(height)).max(1);
            (chain.state.time_ms().saturating_sub(chain.state.charter().freshness_ms), window)
        };
        let parts = replica.store.snapshot_parts(fresh_after, window).await;
        let parts = parts.map_err(|e| failed("the snapshot cannot be read", &e))?;
        let Some(seed) = parts else {
            let reason = "the ledger has no block yet".into();
            return Err(PortError::Refused { code: "ledger-empty".into(), reason });
        };
        let witness = witness(replica, seed.tip.height.saturating_add(1)).await?;
        let handovers = replica.handovers_to(seed.tip.height.saturating_add(1)).unwrap_or_default();
        let height = seed.tip.height;
        let path = self.backups.join(format!("snapshot-{height}.covs"));
        let part = path.with_extension("part");
        let consortium = replica.consortium;
        let write = move |seed: Seed| -> Result<(PathBuf, u64), FileError> {
            let io = |source| FileError::Io { offset: 0, source };
            let out = crate::snapshot::write(create(&part).map_err(io)?, consortium, handovers, witness, &seed)?;
            settle(out, &part, &path).map_err(io)?;
            let bytes = std::fs::metadata(&path).map_err(io)?.len();
            Ok((path, bytes))
        };
        let written = tokio::task::spawn_blocking(move || write(seed)).await;
        let written = written.map_err(|e| failed("the snapshot was not written", &e))?;
        let (path, bytes) = written.map_err(|e| failed("the snapshot cannot be written", &e))?;
        Ok(BackupView { path: path.display().to_string(), bytes, height })
    }
}

/// The block that names the state of the one before it; made for the purpose where nothing else is on its way.
async fn witness(replica: &Arc<Replica>, height: u64) -> Result<covenant_ledger::Anchor, PortError> {
    let until = tokio::time::Instant::now() + WITNESS;
    loop {
        let found = replica.store.block(height).await.map_err(|e| failed("the snapshot cannot be proven", &e))?;
        if let Some(stored) = found {
            return anchor_of(&stored).map_err(|e| failed("the snapshot cannot be proven", &e));
        }
        replica.wished.store(true, Ordering::Release);
        replica.mempool.arrived.notify_waiters();
        if tokio::time::Instant::now() > until {
            let reason =
                format!("block {height}, which proves the snapshot, did not come: the consortium makes no blocks");
            return Err(PortError::unavailable(reason));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn create(path: &Path) -> std::io::Result<BufWriter<File>> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(BufWriter::new(options.open(path)?))
}

/// On disk, then under its name.
fn settle(out: BufWriter<File>, part: &Path, path: &Path) -> std::io::Result<()> {
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(part, path)
}
