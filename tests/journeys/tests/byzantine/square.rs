//! Three honest nodes and a fourth member that need not be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covenant_canon::{Digest, SuiteId, to_bytes};
use covenant_consensus::{MemoryHub, Network};
use covenant_daemon::{
    CommittedBlock, EpochSettings, GossipHub, Keyring, Node, NodeConfig, NodeError, Outcome, Steps, SystemClock,
};
use covenant_demo::{Founding, MemberLine};
use covenant_domain::{Body, Class, Entry, MemberId, Mode, Names, Purpose, PurposeCode, Role, VoteRule};
use covenant_journeys::{now_ms, settled, until};
use covenant_ledger::{Charter, EntryReceipt, SignedBatch, entry_id, verify_receipt};
use covenant_suite::{OpeningKey, SigningKey};
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::sync::{Mutex as Turn, MutexGuard};

use crate::mouth::{Manner, Voice, speaking};

/// The member whose node is replaced by a mock.
pub const ROGUE: &str = "tax";
pub const HONEST: [&str; 3] = ["credit-centre", "housing", "market-regulation"];

const VALIDATOR: &[Role] = &[Role::Holder, Role::Consumer, Role::Validator];

const MEMBERS: &[MemberLine] = &[
    ("credit-centre", "征信中心", "Credit centre", Class::Government, VALIDATOR),
    ("housing", "住房和城乡建设局", "Housing bureau", Class::Government, VALIDATOR),
    ("market-regulation", "市场监督管理局", "Market regulation", Class::Government, VALIDATOR),
    ("regulator", "数据管理局", "Data authority", Class::Regulator, &[Role::Regulator]),
    (ROGUE, "税务局", "Tax bureau", Class::Government, VALIDATOR),
];

/// One square at a time: each has four nodes, and the machine few cores.
static TURN: Turn<()> = Turn::const_new(());

pub fn id(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

pub struct Square {
    pub founding: Founding,
    pub hub: MemoryHub,
    pub gossip: GossipHub,
    nodes: Mutex<BTreeMap<MemberId, Arc<Node>>>,
    /// Entries that a node said are on the ledger, with effect.
    acknowledged: Mutex<Vec<Digest>>,
    purposes: Mutex<u32>,
    _dir: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Square {
    /// A consortium none of whose nodes runs.
    pub async fn founded() -> Self {
        let turn = TURN.lock().await;
        crate::ear::listen();
        let dir = tempfile::tempdir().unwrap();
        let rule = VoteRule { quorum_percent: 60, objection_ms: 600_000 };
        let charter = Charter { member_vote: Some(rule), ..Charter::default() };
        let founding = Founding::open_under(dir.path(), "square", SuiteId::Sm, MEMBERS, charter).unwrap();
        let (hub, gossip, nodes) = (MemoryHub::new(), GossipHub::new(), Mutex::default());
        let (acknowledged, purposes) = (Mutex::default(), Mutex::default());
        Self { founding, hub, gossip, nodes, acknowledged, purposes, _dir: dir, _turn: turn }
    }

    /// With the honest nodes running, and the fourth with this mouth.
    pub async fn with(manner: Manner) -> Self {
        let square = Self::founded().await;
        square.start_honest().await;
        square.start_rogue(manner).await;
        square
    }

    pub async fn start_honest(&self) {
        for name in HONEST {
            self.start(name).await.unwrap();
        }
    }

    /// Starts the fourth member's real node, whose every word passes through the mock.
    pub async fn start_rogue(&self, manner: Manner) {
        let keyring = Keyring::of(id(ROGUE), self.key(ROGUE));
        let network = speaking(self.hub.join(&id(ROGUE)), self.voice(), manner);
        let config = self.config(ROGUE, keyring, network);
        self.launch(config).await.unwrap();
    }

    /// The fourth member's real key, for a mock.
    pub fn voice(&self) -> Voice {
        Voice { consortium: self.founding.genesis.digest(), member: id(ROGUE), key: self.key(ROGUE) }
    }

    pub fn key(&self, name: &str) -> SigningKey {
        self.founding.identity(name).unwrap().signing
    }

    pub fn database(&self, name: &str) -> std::path::PathBuf {
        self.founding.member_dir(&id(name)).unwrap().join("node.db")
    }

    pub fn config(&self, name: &str, keyring: Keyring, network: Network) -> NodeConfig {
        self.config_with(name, keyring, self.founding.identity(name).unwrap().opening, network)
    }

    /// As [`Self::config`], for a member that is not of the founding.
    pub fn config_with(&self, name: &str, keyring: Keyring, opening: Arc<OpeningKey>, network: Network) -> NodeConfig {
        let (member, dir) = (id(name), self.founding.member_dir(&id(name)).unwrap());
        NodeConfig {
            keyring: Arc::new(keyring),
            opening,
            genesis: self.founding.genesis.clone(),
            store_url: format!("sqlite://{}", self.database(name).display()),
            wal_dir: dir.join("consensus"),
            sources: Vec::new(),
            epochs: EpochSettings { dir: dir.join("epochs"), memory: 1 << 20 },
            network,
            gossip: self.gossip.join(&member),
            clock: Arc::new(SystemClock),
            steps: Steps::default(),
            observe: false,
            archives: None,
            member,
        }
    }

    pub async fn launch(&self, config: NodeConfig) -> Result<(), NodeError> {
        let member = config.member.clone();
        let node = Node::start(config).await?;
        self.nodes.lock().insert(member, Arc::new(node));
        Ok(())
    }

    /// Starts a member's node as it is.
    pub async fn start(&self, name: &str) -> Result<(), NodeError> {
        let keyring = Keyring::of(id(name), self.key(name));
        let config = self.config(name, keyring, self.hub.join(&id(name)));
        self.launch(config).await
    }

    pub async fn stop(&self, name: &str) {
        let node = self.nodes.lock().remove(&id(name)).unwrap();
        until("the node is let go of", async || (Arc::strong_count(&node) == 1).then_some(())).await;
        Arc::into_inner(node).unwrap().stop().await;
    }

    pub fn node(&self, name: &str) -> Arc<Node> {
        self.nodes.lock()[&id(name)].clone()
    }

    pub fn nodes(&self, names: &[&str]) -> Vec<Arc<Node>> {
        names.iter().map(|name| self.node(name)).collect()
    }

    /// An entry that nobody has made before, and that is always taken: the regulator registers a purpose.
    pub fn fresh(&self) -> Body {
        let number = {
            let mut made = self.purposes.lock();
            *made += 1;
            *made
        };
        Body::PurposeRegistered(Purpose {
            code: PurposeCode::new(&format!("purpose-{number}")).unwrap(),
            names: Names::new("用途", "purpose"),
            legal_basis: "Regulation 1".into(),
            needs_consent: false,
            needs_case: false,
            modes: vec![Mode::Match],
            retention_days: 30,
            needs_record: None,
        })
    }

    pub fn signed(&self, author: &str, body: Body, key: &SigningKey) -> SignedBatch {
        let entry = Entry { author: Some(id(author)), made_ms: now_ms(), body };
        SignedBatch::sign(&self.founding.genesis.digest(), &id(author), &[entry], key).unwrap()
    }

    /// Hands an entry in at a node and waits until it has taken effect.
    pub async fn record(&self, at: &Node, batch: SignedBatch) -> Digest {
        let recorded = at.record(batch, Duration::from_secs(40)).await.unwrap().remove(0);
        assert_eq!(recorded.outcome, Outcome::Accepted);
        self.acknowledged.lock().push(recorded.entry);
        recorded.entry
    }

    /// Records so many entries, one after the other, each at the next of these nodes.
    pub async fn busy(&self, at: &[&str], entries: usize) {
        let key = self.key("regulator");
        for name in at.iter().cycle().take(entries) {
            self.record(&self.node(name), self.signed("regulator", self.fresh(), &key)).await;
        }
    }

    /// Collects the blocks that a node commits from now on.
    pub fn watch(&self, name: &str) -> Arc<Mutex<Vec<Arc<CommittedBlock>>>> {
        let (seen, mut events) = (Arc::new(Mutex::new(Vec::new())), self.node(name).subscribe());
        let kept = seen.clone();
        tokio::spawn(async move {
            while let Ok(block) = events.recv().await {
                kept.lock().push(block);
            }
        });
        seen
    }

    pub async fn receipt(&self, at: &Node, entry: &Digest) -> EntryReceipt {
        at.receipt(entry).await.unwrap().unwrap()
    }

    pub fn acknowledged(&self) -> Vec<Digest> {
        self.acknowledged.lock().clone()
    }

    /// INVARIANT: these nodes have one state and one log, which follow from their blocks; every acknowledged entry stands in
    /// the log once, and its receipt verifies with nothing but the genesis.
    pub async fn assert_sound(&self, names: &[&str]) {
        let nodes = self.nodes(names);
        settled(&nodes).await;
        let acknowledged = self.acknowledged();
        let mut logs = Vec::new();
        for node in &nodes {
            assert!(node.is_running(), "{}", node.member());
            node.rebuild().await.unwrap();
            for entry in &acknowledged {
                let receipt = self.receipt(node, entry).await;
                let report = verify_receipt(&to_bytes(&receipt), &self.founding.genesis);
                assert!(report.verified, "{} at {}: {report:?}", entry, node.member());
            }
            logs.push(self.log(node).await);
        }
        for entry in &acknowledged {
            assert_eq!(logs[0].iter().filter(|e| *e == entry).count(), 1, "{entry}");
        }
        assert!(logs.iter().all(|log| log == &logs[0]), "one log");
    }

    /// Ids of all leaves.
    async fn log(&self, node: &Node) -> Vec<Digest> {
        let mut ids = Vec::new();
        for leaf in 0..node.tip().leaves {
            let entry = node.entry(leaf).await.unwrap().unwrap();
            ids.push(entry_id(SuiteId::Sm, &to_bytes(&entry)));
        }
        ids
    }
}
