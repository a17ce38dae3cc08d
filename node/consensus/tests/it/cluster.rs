//! Validators in one process.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use covenant_consensus::{Config, ConsensusError, Engine, MemoryHub, start};
use covenant_domain::MemberId;
use parking_lot::Mutex;
use tempfile::TempDir;

use crate::replica::{CONSORTIUM, Check, Disk, Replica, Stamp, stamp};

pub(crate) struct Node {
    pub(crate) member: MemberId,
    pub(crate) disk: Arc<Mutex<Disk>>,
    pub(crate) replica: Arc<Replica>,
    pub(crate) check: Arc<Check>,
    pub(crate) engine: Option<Engine>,
    pub(crate) forges: bool,
    wal: TempDir,
}

pub(crate) struct Cluster {
    pub(crate) hub: MemoryHub,
    pub(crate) members: Vec<MemberId>,
    pub(crate) nodes: Vec<Node>,
    /// Propose and vote timeouts, where they are not the usual ones.
    pub(crate) timeouts_ms: Option<(u64, u64)>,
}

pub(crate) fn name(index: usize) -> MemberId {
    MemberId::new(&format!("m{index}")).unwrap()
}

/// No test waits for longer.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, future).await.unwrap_or_else(|_| panic!("{what} took more than 30 s"))
}

impl Cluster {
    /// Validators that do not run yet.
    pub(crate) fn new(count: usize) -> Self {
        if std::env::var_os("RUST_LOG").is_some() {
            let _already =
                tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).try_init();
        }
        let members: Vec<_> = (0..count).map(name).collect();
        let node = |member: &MemberId| {
            let disk = Arc::new(Mutex::new(Disk::default()));
            Node {
                member: member.clone(),
                replica: Replica::new(member, &members, disk.clone()),
                disk,
                check: Arc::default(),
                engine: None,
                forges: false,
                wal: tempfile::tempdir().unwrap(),
            }
        };
        Self { hub: MemoryHub::new(), nodes: members.iter().map(node).collect(), members, timeouts_ms: None }
    }

    pub(crate) async fn started(count: usize) -> Self {
        let mut cluster = Self::new(count);
        for index in 0..count {
            cluster.start(index).await;
        }
        cluster
    }

    /// Starts one, from its disk.
    pub(crate) async fn start(&mut self, index: usize) {
        self.try_start(index).await.unwrap();
    }

    pub(crate) async fn try_start(&mut self, index: usize) -> Result<(), ConsensusError> {
        let network = self.hub.join(&self.members[index]);
        let node = &mut self.nodes[index];
        node.replica = Replica::new(&node.member, &self.members, node.disk.clone());
        let mut config = Config::new(CONSORTIUM, node.member.clone(), node.wal.path().to_owned());
        config.status_interval_ms = 500;
        if let Some((propose_ms, vote_ms)) = self.timeouts_ms {
            (config.propose_timeout_ms, config.vote_timeout_ms) = (propose_ms, vote_ms);
        }
        let signer = Arc::new(Stamp { me: node.member.clone(), forges: node.forges });
        let engine = start(config, node.replica.clone(), signer, node.check.clone(), network).await?;
        node.engine = Some(engine);
        Ok(())
    }

    pub(crate) async fn stop(&mut self, index: usize) {
        self.nodes[index].engine.take().unwrap().stop().await;
    }

    /// Gives the same entries to all.
    pub(crate) fn submit(&self, entries: impl IntoIterator<Item = u64> + Clone) {
        for node in &self.nodes {
            node.replica.submit(entries.clone());
        }
    }

    /// Waits until these have the height.
    pub(crate) async fn reached(&self, indices: impl IntoIterator<Item = usize>, height: u64) {
        for index in indices {
            soon(&format!("height {height} at m{index}"), self.nodes[index].replica.reached(height)).await;
        }
    }

    pub(crate) fn tip(&self, index: usize) -> u64 {
        self.nodes[index].disk.lock().tip()
    }

    pub(crate) fn rounds(&self, index: usize, heights: impl Iterator<Item = u64>) -> Vec<u32> {
        let disk = self.nodes[index].disk.lock();
        heights.map(|h| disk.chain[&h].certificate.round).collect()
    }

    /// INVARIANT: one chain, without gaps, each block with a certificate that stands on its own.
    pub(crate) fn assert_one_chain(&self) {
        let longest = self.nodes.iter().max_by_key(|n| n.disk.lock().tip()).unwrap();
        let reference: Vec<_> = longest.disk.lock().chain.values().map(|c| c.certificate.block).collect();
        let set = covenant_ledger::ValidatorSet::equal(self.members.iter().cloned()).unwrap();
        for node in &self.nodes {
            let disk = node.disk.lock();
            for (at, (height, committed)) in disk.chain.iter().enumerate() {
                assert_eq!(*height, at as u64 + 1, "gap at {}", node.member);
                assert_eq!(committed.certificate.block, reference[at], "fork at {} of {}", height, node.member);
                committed.certificate.check(&CONSORTIUM, &set, |who, m, s| stamp(who, m) == s).unwrap();
            }
        }
    }
}
