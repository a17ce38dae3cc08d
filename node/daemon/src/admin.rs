//! What a member's own administrator has its running node do: backup, snapshot, archive.

use std::path::PathBuf;
use std::sync::Arc;

use covenant_app::port::{ArchiveView, BackupView, PeerView, PortError};

use crate::node::Node;

/// Tells who is connected.
pub type Peers = Arc<dyn Fn() -> Vec<PeerView> + Send + Sync>;

/// Where administration writes, and whom it asks.
pub struct Admin {
    /// Folder of backups and snapshots.
    pub backups: PathBuf,
    /// Folder of archives; absent where bodies stay in the database.
    pub archives: Option<PathBuf>,
    /// Who is connected.
    pub peers: Peers,
}

impl Admin {
    pub(crate) fn peers(&self) -> Vec<PeerView> {
        (self.peers)()
    }

    pub(crate) async fn backup(&self, _node: &Node) -> Result<BackupView, PortError> {
        Err(PortError::unavailable("wip"))
    }

    pub(crate) async fn archive(&self, _node: &Node, _keep: u64) -> Result<ArchiveView, PortError> {
        Err(PortError::unavailable("wip"))
    }

    pub(crate) async fn snapshot(&self, _node: &Node) -> Result<BackupView, PortError> {
        Err(PortError::unavailable("wip"))
    }
}
