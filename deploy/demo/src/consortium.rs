//! A consortium in one process: founding, nodes, gateway.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use covenant_app::port::NodePort;
use covenant_app::{Nodes, Rate};
use covenant_canon::SuiteId;
use covenant_client::{Client, ClientConfig, Identity, load_identity, save_identity_at_cost};
use covenant_consensus::MemoryHub;
use covenant_daemon::{Clock, EpochSettings, GossipHub, Keyring, LocalNode, Node, NodeConfig, Steps, SystemClock};
use covenant_domain::{Class, Member, MemberId, Names, Role};
use covenant_ledger::{Charter, Genesis};
use covenant_server::{Running, ServerConfig, serve};
use covenant_source::Source;
use covenant_suite::{KdfCost, KeyPairSet};

use tokio::sync::oneshot;

use crate::error::DemoError;

/// Passphrase of the demo's key files; a real member chooses its own.
pub const PASSPHRASE: &str = "covenant demo passphrase";

/// Largest table of sealed rows that a node keeps in memory, in bytes.
const EPOCH_MEMORY: u64 = 4 << 30;

/// A member to be: id, zh, en, class, roles.
pub type MemberLine = (&'static str, &'static str, &'static str, Class, &'static [Role]);

/// The demo's members. The first four run nodes.
pub const MEMBERS: &[MemberLine] = &[
    (
        "housing",
        "住房和城乡建设局",
        "Housing bureau",
        Class::Government,
        &[Role::Holder, Role::Consumer, Role::Validator],
    ),
    (
        "market-regulation",
        "市场监督管理局",
        "Market regulation",
        Class::Government,
        &[Role::Holder, Role::Consumer, Role::Validator],
    ),
    ("credit-centre", "征信中心", "Credit centre", Class::Government, &[Role::Holder, Role::Validator]),
    ("tax", "税务局", "Tax bureau", Class::Government, &[Role::Holder, Role::Consumer, Role::Validator]),
    ("bank", "云港银行", "Yungang Bank", Class::Finance, &[Role::Consumer]),
    ("regulator", "数据管理局", "Data authority", Class::Regulator, &[Role::Regulator, Role::Trustee]),
    ("audit-office", "审计局", "Audit office", Class::Government, &[Role::Trustee]),
    ("court", "云港市法院", "Court", Class::Notary, &[Role::Trustee]),
    ("authorisation", "授权服务中心", "Authorisation service", Class::Government, &[Role::Authoriser]),
    ("data-platform", "政务数据共享平台", "Data sharing platform", Class::Government, &[Role::Platform]),
];

/// A consortium on paper: its genesis and the folder with everybody's keys.
#[derive(Debug, Clone)]
pub struct Founding {
    /// The founding document.
    pub genesis: Arc<Genesis>,
    dir: PathBuf,
}

impl Founding {
    /// Opens the consortium in a folder, or founds one there: keys for every member, and the genesis.
    ///
    /// # Errors
    /// [`DemoError`] naming the file at fault.
    pub fn open(dir: &Path, name: &str, suite: SuiteId, members: &[MemberLine]) -> Result<Self, DemoError> {
        Self::open_under(dir, name, suite, members, Charter::default())
    }

    /// As [`Founding::open`], under a charter where the consortium is founded.
    ///
    /// # Errors
    /// As [`Founding::open`].
    pub fn open_under(
        dir: &Path,
        name: &str,
        suite: SuiteId,
        members: &[MemberLine],
        charter: Charter,
    ) -> Result<Self, DemoError> {
        let file = dir.join("genesis.json");
        if !file.exists() {
            found(dir, &file, (name, suite, charter), members)?;
        }
        let text = std::fs::read(&file).map_err(|source| DemoError::File { path: file.clone(), source })?;
        let genesis: Genesis =
            serde_json::from_slice(&text).map_err(|source| DemoError::Genesis { path: file, source })?;
        Ok(Self { genesis: Arc::new(genesis), dir: dir.to_owned() })
    }

    /// Where the genesis lies; it is the trust root of every bundle.
    pub fn genesis_file(&self) -> PathBuf {
        self.dir.join("genesis.json")
    }

    /// A member's keys.
    ///
    /// # Errors
    /// [`DemoError::Client`] when the key file cannot be read.
    pub fn identity(&self, member: &str) -> Result<Identity, DemoError> {
        Ok(load_identity(self.key_file(member), PASSPHRASE)?)
    }

    /// A member's key file.
    pub fn key_file(&self, member: &str) -> PathBuf {
        self.dir.join("keys").join(format!("{member}.json"))
    }

    /// A folder of a member's own.
    ///
    /// # Errors
    /// [`DemoError::File`].
    pub fn member_dir(&self, member: &MemberId) -> Result<PathBuf, DemoError> {
        let path = self.dir.join(member.as_str());
        std::fs::create_dir_all(&path).map_err(|source| DemoError::File { path: path.clone(), source })?;
        Ok(path)
    }

    /// Members that vote, in order.
    pub fn validators(&self) -> Vec<MemberId> {
        self.genesis.members.iter().filter(|m| m.has(Role::Validator)).map(|m| m.id.clone()).collect()
    }
}

fn found(
    dir: &Path,
    file: &Path,
    (name, suite, charter): (&str, SuiteId, Charter),
    members: &[MemberLine],
) -> Result<(), DemoError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DemoError::File { path, source }
    };
    let folder = dir.join("keys");
    std::fs::create_dir_all(&folder).map_err(failed(&folder))?;
    let created_ms = SystemClock.now_ms();
    let mut list = Vec::new();
    for (id, zh, en, class, roles) in members {
        let (member, keys) = (MemberId::new(id)?, KeyPairSet::generate(suite, &mut rand::rng()));
        let mut roles = roles.to_vec();
        roles.sort();
        list.push(Member {
            id: member.clone(),
            names: Names::new(zh, en),
            class: *class,
            roles,
            verifying_key: keys.signing.verifying_key().to_string(),
            sealing_key: keys.opening.sealing_key().to_string(),
        });
        save_identity_at_cost(folder.join(format!("{id}.json")), &member, &keys, PASSPHRASE, KdfCost::MINIMUM)?;
    }
    list.sort_by(|a, b| a.id.cmp(&b.id));
    let genesis = Genesis { version: 1, consortium: name.to_owned(), suite, created_ms, members: list, charter };
    let text =
        serde_json::to_vec_pretty(&genesis).map_err(|source| DemoError::Genesis { path: file.to_owned(), source })?;
    std::fs::write(file, text).map_err(failed(file))
}

/// Everything a consortium in one process needs to start.
pub struct Settings {
    /// Keys and genesis.
    pub founding: Founding,
    /// Each department's records.
    pub sources: BTreeMap<MemberId, Vec<Arc<dyn Source>>>,
    /// Database of each member's replica; a SQLite file in the member's folder unless named here.
    pub stores: BTreeMap<MemberId, String>,
    /// Points at which a test may stop the process.
    pub steps: Steps,
    /// Where the gateway listens.
    pub listen: SocketAddr,
    /// How fast the gateway lets each member call.
    pub rate: Rate,
}

impl Settings {
    /// Usual settings: SQLite everywhere, any free port.
    pub fn new(founding: Founding) -> Self {
        Self {
            founding,
            sources: BTreeMap::new(),
            stores: BTreeMap::new(),
            steps: Steps::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            rate: Rate::default(),
        }
    }
}

/// A running consortium with its gateway.
pub struct Consortium {
    /// Keys and genesis.
    pub founding: Founding,
    /// Running nodes.
    pub nodes: Vec<Arc<Node>>,
    /// The links between validators, for tests that cut them.
    pub hub: MemoryHub,
    gateway: Running,
    stop_gateway: oneshot::Sender<()>,
}

impl Consortium {
    /// Starts a node for every validator and the gateway over them.
    ///
    /// # Errors
    /// [`DemoError`].
    pub async fn start(settings: Settings) -> Result<Self, DemoError> {
        let Settings { founding, mut sources, stores, steps, listen, rate } = settings;
        let (hub, gossip) = (MemoryHub::new(), GossipHub::new());
        let mut nodes = Vec::new();
        for member in founding.validators() {
            let dir = founding.member_dir(&member)?;
            let default_store = format!("sqlite://{}", dir.join("node.db").display());
            let Identity { signing, opening, .. } = founding.identity(member.as_str())?;
            let config = NodeConfig {
                keyring: Arc::new(Keyring::of(member.clone(), signing)),
                opening,
                genesis: founding.genesis.clone(),
                store_url: stores.get(&member).cloned().unwrap_or(default_store),
                wal_dir: dir.join("consensus"),
                sources: sources.remove(&member).unwrap_or_default(),
                epochs: EpochSettings { dir: dir.join("epochs"), memory: EPOCH_MEMORY },
                archives: None,
                network: hub.join(&member),
                gossip: gossip.join(&member),
                clock: Arc::new(SystemClock),
                steps: steps.clone(),
                observe: false,
                member,
            };
            nodes.push(Arc::new(Node::start(config).await?));
        }
        let port = port(&founding.genesis, &nodes);
        let mut config = ServerConfig::at(listen);
        config.app.rate = rate;
        let (stop_gateway, stopped) = oneshot::channel::<()>();
        let stopped = async move {
            // A sender that is gone stops it too.
            let _either = stopped.await;
        };
        let gateway = serve(config, Arc::new(port), stopped).await?;
        Ok(Self { founding, nodes, hub, gateway, stop_gateway })
    }

    /// The gateway's address.
    pub fn url(&self) -> String {
        self.gateway.base_url()
    }

    /// A client of one member.
    ///
    /// # Errors
    /// [`DemoError`] when its keys cannot be read or the gateway does not answer.
    pub async fn client(&self, member: &str) -> Result<Client, DemoError> {
        let identity = Arc::new(self.founding.identity(member)?);
        let config = ClientConfig {
            epoch_dir: Some(self.founding.member_dir(&identity.member)?.join("fetched")),
            ..ClientConfig::default()
        };
        Ok(Client::connect_with(&self.url(), identity, (*self.founding.genesis).clone(), config).await?)
    }

    /// A node by its member.
    pub fn node(&self, member: &str) -> Option<&Arc<Node>> {
        self.nodes.iter().find(|n| n.member().as_str() == member)
    }

    /// Stops the gateway, then the nodes.
    pub async fn stop(self) {
        drop(self.stop_gateway);
        self.gateway.wait().await;
        for node in self.nodes {
            if let Ok(node) = Arc::try_unwrap(node) {
                node.stop().await;
            }
        }
    }
}

/// The gateway's port over nodes of this process.
pub fn port(genesis: &Arc<Genesis>, nodes: &[Arc<Node>]) -> Nodes {
    let port = |node: &Arc<Node>| -> (_, Arc<dyn NodePort>) {
        (node.member().clone(), Arc::new(LocalNode::new(node.clone())))
    };
    Nodes::new(genesis.clone(), nodes.iter().map(port).collect())
}
