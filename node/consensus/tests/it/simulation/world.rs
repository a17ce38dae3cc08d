//! A cluster to which operations happen, and what must hold afterwards.

use std::collections::BTreeMap;
use std::time::Duration;

use covenant_consensus::Conditions;

use super::operation::Operation;
use crate::cluster::{Cluster, name};
use crate::replica::Disk;

/// How long a healed cluster may take to come to rest, in steps of [`STEP`]: no measure, only an end for a test that hangs.
const STEPS: usize = 1_200;
const STEP: Duration = Duration::from_millis(25);

pub(crate) struct World {
    cluster: Cluster,
    size: usize,
    seed: u64,
    accepted: u64,
}

impl World {
    pub(crate) async fn new(size: usize, seed: u64) -> Self {
        let mut cluster = Cluster::new(size);
        // Rounds that come to nothing are what is simulated; the usual timeouts would only make them longer.
        cluster.timeouts_ms = Some((200, 100));
        for index in 0..size {
            cluster.start(index).await;
        }
        Self { cluster, size, seed, accepted: 0 }
    }

    /// Lets the operations happen one after the other, mends everything, and looks.
    pub(crate) async fn run(mut self, operations: &[Operation]) -> Result<(), String> {
        for operation in operations {
            self.happen(operation).await?;
            tokio::time::sleep(Duration::from_millis(30)).await;
            self.no_engine_failed()?;
            self.no_fork()?;
        }
        self.mend().await?;
        self.come_to_rest().await?;
        self.no_engine_failed()?;
        self.cluster.assert_one_chain();
        self.each_entry_once()
    }

    async fn happen(&mut self, operation: &Operation) -> Result<(), String> {
        match *operation {
            Operation::Submit { at, entries } => {
                if self.cluster.nodes[at].engine.is_some() {
                    self.cluster.nodes[at].replica.submit(self.accepted..self.accepted + entries);
                    self.accepted += entries;
                }
            }
            Operation::Cut { a, b } => self.cluster.hub.cut(&name(a), &name(b)),
            Operation::Heal { a, b } => self.cluster.hub.heal(&name(a), &name(b)),
            Operation::Split { below } => {
                for (a, b) in (0..below).flat_map(|a| (below..self.size).map(move |b| (a, b))) {
                    self.cluster.hub.cut(&name(a), &name(b));
                }
            }
            Operation::Stop { who, crashes } => match self.cluster.nodes[who].engine.take() {
                Some(engine) if crashes => drop(engine),
                Some(engine) => engine.stop().await,
                None => {}
            },
            Operation::Start { who } => self.start(who).await?,
            Operation::Weather { .. } => self.cluster.hub.set_conditions(operation.conditions(self.seed)),
            Operation::Wait { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
        Ok(())
    }

    async fn start(&mut self, who: usize) -> Result<(), String> {
        if self.cluster.nodes[who].engine.is_some() {
            return Ok(());
        }
        self.cluster.try_start(who).await.map_err(|e| format!("m{who} does not start: {e:?}"))
    }

    /// Good weather, all links, everybody running; and the mempools tell each other what they hold, as those of nodes do.
    async fn mend(&mut self) -> Result<(), String> {
        self.cluster.hub.set_conditions(Conditions::default());
        for (a, b) in (0..self.size).flat_map(|a| (0..a).map(move |b| (a, b))) {
            self.cluster.hub.heal(&name(a), &name(b));
        }
        for who in 0..self.size {
            self.start(who).await?;
        }
        let waiting: Vec<u64> =
            self.cluster.nodes.iter().flat_map(|n| n.disk.lock().mempool.iter().copied().collect::<Vec<_>>()).collect();
        self.cluster.submit(waiting);
        Ok(())
    }

    /// Waits until nothing waits anywhere and all stand at one height.
    async fn come_to_rest(&self) -> Result<(), String> {
        for _ in 0..STEPS {
            let stands = self.stands();
            if stands.iter().all(|(tip, waiting)| *waiting == 0 && *tip == stands[0].0) {
                return Ok(());
            }
            self.no_engine_failed()?;
            tokio::time::sleep(STEP).await;
        }
        Err(format!("after everything is mended, (tip, waiting) stay {:?}", self.stands()))
    }

    /// Tip of each, and how much waits there.
    fn stands(&self) -> Vec<(u64, usize)> {
        let stand = |disk: &Disk| (disk.tip(), disk.mempool.len());
        self.cluster.nodes.iter().map(|node| stand(&node.disk.lock())).collect()
    }

    fn no_engine_failed(&self) -> Result<(), String> {
        let failed = self.cluster.nodes.iter().find(|n| n.engine.as_ref().is_some_and(|e| e.has_failed()));
        failed.map_or(Ok(()), |node| Err(format!("the engine of {} failed", node.member)))
    }

    /// INVARIANT: at no moment have two replicas different blocks at one height.
    fn no_fork(&self) -> Result<(), String> {
        let mut blocks = BTreeMap::new();
        for node in &self.cluster.nodes {
            for (height, committed) in &node.disk.lock().chain {
                let block = committed.certificate.block;
                if *blocks.entry(*height).or_insert(block) != block {
                    return Err(format!("{} has another block at height {height}", node.member));
                }
            }
        }
        Ok(())
    }

    fn each_entry_once(&self) -> Result<(), String> {
        let disk = self.cluster.nodes[0].disk.lock();
        let mut entries: Vec<u64> = (1..=disk.tip()).flat_map(|h| disk.block(h).entries).collect();
        entries.sort_unstable();
        if entries == (0..self.accepted).collect::<Vec<_>>() {
            return Ok(());
        }
        Err(format!("{} entries were accepted, committed were {entries:?}", self.accepted))
    }
}
