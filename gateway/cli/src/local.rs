//! The member's own node, asked by its administrator through the node's own door.

use std::path::Path;
use std::sync::Arc;

use covenant_app::port::NodePort as _;
use covenant_daemon::rpc::RemoteNode;
use covenant_daemon::service::{Dialer, Home, NodeFile, Secrets};
use covenant_ledger::{Membership, Trust};

use crate::error::CliError;

/// A way to the member's own node, if it runs.
pub(crate) struct OwnNode {
    /// Its configuration.
    pub(crate) file: NodeFile,
    /// The node.
    pub(crate) node: RemoteNode,
    /// The member's keys.
    pub(crate) secrets: Secrets,
    trust: Trust,
    dialer: Dialer,
}

impl OwnNode {
    /// Reads the configuration, and makes ready to call.
    pub(crate) fn open(config: &Path) -> Result<Self, CliError> {
        let file = NodeFile::read(config)?;
        let home = Home::open(file.home())?;
        let guarded = home.guarded()?;
        let mut at = file.listen;
        if at.ip().is_unspecified() {
            at.set_ip(if at.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
        }
        let dialer = Dialer::new(guarded, file.member.clone(), at.to_string());
        let node = dialer.clone().node();
        let Home { trust, secrets, .. } = home;
        Ok(Self { file, node, secrets, trust, dialer })
    }

    /// The newest roster, followed from the genesis.
    pub(crate) async fn roster(&self) -> Result<Arc<Membership>, String> {
        let mut trust = self.trust.clone();
        let newer = self.node.handovers(trust.latest().roster().number).await.map_err(|e| e.to_string())?;
        trust.follow(&newer).map_err(|e| e.to_string())?;
        Ok(trust.latest().clone())
    }

    /// Whether the node answers; why not, otherwise.
    pub(crate) async fn runs(&self) -> Result<(), String> {
        self.dialer.dial().await.map(drop).map_err(|e| e.to_string())
    }
}
