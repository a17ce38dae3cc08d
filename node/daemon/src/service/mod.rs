//! A node as a process of its own: configuration, keys, transport, replica, RPC.

mod config;
mod directory;
mod home;
mod links;
mod secrets;
mod security;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use covenant_domain::Dataset;
use covenant_ledger::{Genesis, GenesisError, Handover, HandoverError, Trust};
use covenant_mesh::{Mesh, MeshConfig, MeshError, PeerInfo, Side};
use covenant_source::{Mapping, Source, SourceError, Vault, live};
use covenant_tls::TlsError;
use futures::StreamExt as _;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio_stream::wrappers::ReceiverStream;

use covenant_app::port::PeerView;

use crate::admin::Admin;
use crate::clock::SystemClock;
use crate::error::NodeError;
use crate::lookup::EpochSettings;
use crate::node::{Node, NodeConfig};
use crate::port::LocalNode;
use crate::rpc::{self, PeerStream};
use crate::steps::Steps;

pub use config::{CONFIG_FORMAT, NodeFile, SourceFile, TlsFiles, database, read_toml};
pub use directory::Circle;
pub use home::{Home, HomeFiles};
pub use secrets::{Certificates, Secrets, passphrase};
pub use security::{Dialer, Guarded};

/// Name of the protocol of RPC connections in the handshake.
pub const RPC: &[u8] = b"h2";

/// Why a process does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A configuration cannot be used.
    #[error("configuration `{}`: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file of secrets cannot be used.
    #[error("secret `{}`: {reason}", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No passphrase.
    #[error("no passphrase: set `passphrase_file` in the configuration or COVENANT_PASSPHRASE")]
    Passphrase,
    /// The founding document does not hold.
    #[error("the genesis does not hold")]
    Genesis(#[from] GenesisError),
    /// Handovers do not follow from the genesis.
    #[error("the file of handovers does not follow from the genesis")]
    Handover(#[from] HandoverError),
    /// The transport certificate.
    #[error("the transport certificate cannot be used")]
    Tls(#[from] TlsError),
    /// Connections.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// The department's records.
    #[error("dataset `{dataset}` cannot be served")]
    Source {
        /// Which.
        dataset: String,
        /// Why.
        #[source]
        source: Box<SourceError>,
    },
    /// The replica.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// Milliseconds since 1970 by this machine's clock.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Reads the founding document and what is trusted beside it.
///
/// # Errors
/// [`ServiceError::Config`], [`ServiceError::Genesis`] or [`ServiceError::Handover`].
pub fn read_trust(genesis: &PathBuf, handovers: Option<&PathBuf>) -> Result<(Arc<Genesis>, Trust), ServiceError> {
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|e| ServiceError::Config { path: path.clone(), reason: e.to_string() })
    };
    let parsed: Genesis = serde_json::from_slice(&read(genesis)?).map_err(|e| ServiceError::Config {
        path: genesis.clone(),
        reason: format!("it is no genesis document: {e}"),
    })?;
    let mut trust = Trust::new(&parsed)?;
    if let Some(path) = handovers {
        let wrong = |e| ServiceError::Config { path: path.clone(), reason: format!("it holds no handovers: {e}") };
        let all: Vec<Handover> = covenant_canon::from_bytes(&read(path)?).map_err(wrong)?;
        trust.follow(&all)?;
    }
    Ok((Arc::new(parsed), trust))
}

/// A running node process.
pub struct Service {
    /// The node.
    pub node: Arc<Node>,
    /// Its connections.
    pub mesh: Arc<Mesh>,
    circle: Arc<Circle>,
    calls: JoinHandle<()>,
    stop_calls: oneshot::Sender<()>,
    /// Aborted when dropped.
    tasks: JoinSet<()>,
}

impl Service {
    /// Starts a node with everything that its configuration names.
    ///
    /// # Errors
    /// [`ServiceError`] naming what cannot be used; nothing runs then.
    pub async fn start(file: NodeFile, steps: Steps) -> Result<Self, ServiceError> {
        let home = Home::open(file.home())?;
        home.certificates.renew()?;
        let sources = sources(&file).await?;
        let security = home.guarded()?;
        let Home { genesis, secrets, circle, certificates, .. } = home;
        let certificates = Arc::new(certificates);
        let (me, addresses) = (file.member.clone(), file.addresses.clone());
        let config = MeshConfig::new(me, genesis.digest(), file.listen, security, addresses);
        let (mesh, events, visits) = Mesh::start(config).await?;
        let mesh = Arc::new(mesh);
        let (network, gossip) = links::split(&mesh, events);
        let config = NodeConfig {
            member: file.member.clone(),
            genesis,
            keyring: secrets.keyring,
            opening: secrets.opening,
            store_url: file.store,
            wal_dir: file.data.join("consensus"),
            sources,
            epochs: EpochSettings { dir: file.data.join("epochs"), memory: file.epoch_memory_mib << 20 },
            archives: file.archives.clone(),
            network,
            gossip,
            clock: Arc::new(SystemClock),
            steps,
            observe: file.observe,
        };
        let node = Arc::new(Node::start(config).await?);
        circle.ask(&node);
        mesh.review();
        let mut tasks = JoinSet::new();
        tasks.spawn(certificates.clone().keep());
        tasks.spawn(review(node.clone(), mesh.clone(), certificates));
        let (stop_calls, stopped) = oneshot::channel::<()>();
        let visits = ReceiverStream::new(visits).map(|visit| Ok(PeerStream { member: visit.member, io: visit.stream }));
        let asked = mesh.clone();
        let peers = Arc::new(move || asked.peers().into_iter().map(peer_view).collect());
        let admin = Admin::new(file.data.join("backups"), file.archives.clone(), peers);
        let port = Arc::new(LocalNode::administered(node.clone(), Arc::new(admin)));
        let calls = tokio::spawn(rpc::serve(port, visits, rpc::by_role(&node), async move {
            // A sender that is gone stops it too.
            let _either = stopped.await;
        }));
        tracing::info!(member = %file.member, listen = %mesh.local_addr(), height = node.tip().height, "node runs");
        Ok(Self { node, mesh, circle, tasks, calls, stop_calls })
    }

    /// Who is connected, and who was refused and why.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.mesh.peers()
    }

    /// The members as this process knows them.
    pub fn circle(&self) -> &Arc<Circle> {
        &self.circle
    }

    /// Stops taking part. Nothing that was promised is lost.
    pub async fn stop(mut self) {
        drop(self.stop_calls);
        if let Err(error) = self.calls.await {
            tracing::error!(%error, "calls ended badly");
        }
        self.tasks.shutdown().await;
        self.mesh.stop().await;
        if let Ok(node) = Arc::try_unwrap(self.node) {
            node.stop().await;
        }
    }
}

/// After a change of members or certificates, connections that are admitted no more are closed, and the own certificate
/// is renewed where the ledger names another key.
async fn review(node: Arc<Node>, mesh: Arc<Mesh>, certificates: Arc<Certificates>) {
    let mut events = node.subscribe();
    drop(node);
    loop {
        match events.recv().await {
            Ok(block) => {
                let revokes =
                    |e: &covenant_domain::Entry| matches!(e.body, covenant_domain::Body::CertificateRevoked(_));
                let revoked = block.batches.iter().flat_map(|b| b.entries()).any(revokes);
                if block.header.next_roster.is_none() && !revoked {
                    continue;
                }
            }
            Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
            Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
        }
        if let Err(error) = certificates.renew() {
            tracing::error!(%error, "the transport certificate cannot be renewed");
        }
        mesh.review();
    }
}

fn peer_view(peer: PeerInfo) -> PeerView {
    let PeerInfo { member, address, connected, refusal, trouble, counts, .. } = peer;
    let refusal = refusal.map(|(side, refusal)| match side {
        Side::Us => format!("refused here: {refusal}"),
        Side::Them => format!("refused there: {refusal}"),
    });
    let connected = connected.is_some();
    let lost_frames = counts.dropped_consensus.saturating_add(counts.dropped_gossip);
    PeerView { member, address, connected, refusal: refusal.or(trouble).filter(|_| !connected), lost_frames }
}

/// The department's records, as the configuration names them.
async fn sources(file: &NodeFile) -> Result<Vec<Arc<dyn Source>>, ServiceError> {
    let mut sources: Vec<Arc<dyn Source>> = Vec::new();
    for SourceFile { dataset: path, vault, live: table, mapping } in &file.sources {
        let wrong = |reason: String| ServiceError::Config { path: path.clone(), reason };
        let dataset: Dataset = if path.extension().is_some_and(|e| e == "toml") {
            read_toml(path)?
        } else {
            let text = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
            serde_json::from_slice(&text).map_err(|e| wrong(e.to_string()))?
        };
        dataset.check().map_err(|e| wrong(e.to_string()))?;
        if dataset.holder != file.member {
            return Err(wrong(format!("it is held by `{}`, not by `{}`", dataset.holder, file.member)));
        }
        let failed =
            |source: SourceError| ServiceError::Source { dataset: dataset.id.to_string(), source: Box::new(source) };
        sources.push(match (vault, table, mapping) {
            (Some(url), None, None) => Vault::open(url).await.map_err(failed)?.source(&dataset),
            (None, Some(url), Some(mapping)) => {
                let mapping = Mapping::load(mapping).map_err(failed)?;
                live(url, &dataset, &mapping).await.map_err(failed)?
            }
            _ => return Err(wrong("a source names a `vault`, or a `live` database with its `mapping`".into())),
        });
    }
    Ok(sources)
}
