//! A consortium whose nodes can be stopped and started one by one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use covenant_app::Nodes;
use covenant_canon::SuiteId;
use covenant_client::{Client, ClientConfig, Identity};
use covenant_consensus::MemoryHub;
use covenant_daemon::{EpochSettings, GossipHub, Keyring, LocalNode, Node, NodeConfig, NodeError, Steps, SystemClock};
use covenant_demo::city::City;
use covenant_demo::{Founding, MEMBERS, catalogue, import_city};
use covenant_domain::MemberId;
use covenant_server::{Running, ServerConfig, serve};
use covenant_source::Source;
use tokio::sync::oneshot;

use crate::{running_city, until};

/// The demo's city over nodes that come and go, with a gateway that stays.
pub struct Town {
    /// Keys and genesis.
    pub founding: Founding,
    /// Databases elsewhere than in the member's folder.
    pub stores: BTreeMap<MemberId, PathBuf>,
    sources: BTreeMap<MemberId, Vec<Arc<dyn Source>>>,
    nodes: BTreeMap<MemberId, Arc<Node>>,
    hub: MemoryHub,
    gossip: GossipHub,
    port: Arc<Nodes>,
    gateway: Running,
    _stop: oneshot::Sender<()>,
}

impl Town {
    /// A city whose rules are published, with all its nodes running.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn open(dir: &Path, city: &City) -> Self {
        running_city(dir, SuiteId::Sm, city, |_| {}).await.stop().await;
        let founding = Founding::open(dir, catalogue::CONSORTIUM, SuiteId::Sm, MEMBERS).unwrap();
        let (sources, _) = import_city(&founding, city, &catalogue::datasets().unwrap()).await.unwrap();
        let port = Arc::new(Nodes::new(founding.genesis.clone(), BTreeMap::new()));
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move {
            let _either = stopped.await;
        };
        let config = ServerConfig::at(SocketAddr::from(([127, 0, 0, 1], 0)));
        let gateway = serve(config, port.clone(), stopped).await.unwrap();
        let (hub, gossip, nodes, stores) = (MemoryHub::new(), GossipHub::new(), BTreeMap::new(), BTreeMap::new());
        let mut town = Self { founding, stores, sources, nodes, hub, gossip, port, gateway, _stop: stop };
        for member in town.founding.validators() {
            town.start(member.as_str()).await.unwrap();
        }
        town
    }

    /// A member's database.
    ///
    /// # Panics
    /// When its folder cannot be made.
    pub fn database(&self, member: &str) -> PathBuf {
        let member = MemberId::new(member).unwrap();
        let usual = || self.founding.member_dir(&member).unwrap().join("node.db");
        self.stores.get(&member).cloned().unwrap_or_else(usual)
    }

    /// Starts a member's node on its folders.
    ///
    /// # Errors
    /// [`NodeError`] when it does not start.
    ///
    /// # Panics
    /// When its keys are missing.
    pub async fn start(&mut self, member: &str) -> Result<(), NodeError> {
        let id = MemberId::new(member).unwrap();
        let Identity { signing, opening, .. } = self.founding.identity(member).unwrap();
        let config = NodeConfig {
            keyring: Arc::new(Keyring::of(id.clone(), signing)),
            opening,
            genesis: self.founding.genesis.clone(),
            store_url: format!("sqlite://{}", self.database(member).display()),
            wal_dir: self.founding.member_dir(&id).unwrap().join("consensus"),
            sources: self.sources.get(&id).cloned().unwrap_or_default(),
            epochs: EpochSettings { dir: self.founding.member_dir(&id).unwrap().join("epochs"), memory: 1 << 30 },
            archives: None,
            network: self.hub.join(&id),
            gossip: self.gossip.join(&id),
            clock: Arc::new(SystemClock),
            steps: Steps::default(),
            observe: false,
            member: id.clone(),
        };
        let node = Node::start(config).await?;
        let node = Arc::new(node);
        self.port.add(id.clone(), Arc::new(LocalNode::new(node.clone())));
        self.nodes.insert(id, node);
        Ok(())
    }

    /// Stops a member's node once no request uses it any more.
    ///
    /// # Panics
    /// When somebody holds on to it.
    pub async fn stop(&mut self, member: &str) {
        let member = MemberId::new(member).unwrap();
        let node = self.nodes.remove(&member).unwrap();
        drop(self.port.remove(&member));
        until("the node is let go of", async || (Arc::strong_count(&node) == 1).then_some(())).await;
        Arc::into_inner(node).unwrap().stop().await;
    }

    /// The gateway's port, for a gateway of a test's own.
    pub fn port(&self) -> Arc<Nodes> {
        self.port.clone()
    }

    /// The running nodes, by member.
    pub fn all(&self) -> Vec<Arc<Node>> {
        self.nodes.values().cloned().collect()
    }

    /// A running node.
    ///
    /// # Panics
    /// When it does not run.
    pub fn node(&self, member: &str) -> Arc<Node> {
        self.nodes.get(&MemberId::new(member).unwrap()).unwrap().clone()
    }

    /// A client of a member.
    ///
    /// # Panics
    /// When it cannot connect.
    pub async fn client(&self, member: &str) -> Client {
        let identity = Arc::new(self.founding.identity(member).unwrap());
        let config = ClientConfig { patience: Duration::from_secs(20), ..ClientConfig::default() };
        let trust = (*self.founding.genesis).clone();
        Client::connect_with(&self.gateway.base_url(), identity, trust, config).await.unwrap()
    }
}
