//! A consortium of real processes: founded by `covenant init`, each node a `covenant node` of its own.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use covenant_app::port::{LedgerTip, NodePort};
use covenant_canon::{Digest, SuiteId};
use covenant_client::{Identity, load_identity};
use covenant_daemon::service::{Dialer, Home, HomeFiles, TlsFiles};
use covenant_domain::{Body, MemberId};
use tempfile::TempDir;

use super::entries;
use crate::figure::Failure;

/// The one member beside the validators: it loads them, and is everything that this needs. Its name is that of a holder
/// of the demo's catalogue.
const LOADER: &str = "credit-centre";
/// How long a process may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What to found.
pub(super) struct Plan {
    pub(super) validators: usize,
    pub(super) suite: SuiteId,
    /// Databases of the nodes; SQLite files in their folders where there is none.
    pub(super) stores: Vec<String>,
}

impl Plan {
    /// Validators on SQLite.
    pub(super) fn of(validators: usize, suite: SuiteId) -> Self {
        Self { validators, suite, stores: Vec::new() }
    }

    fn members(&self) -> Result<(String, Vec<String>), Failure> {
        let held = (0..self.validators).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
        let addresses = held.iter().map(|l| Ok(l.local_addr()?.to_string())).collect::<Result<Vec<_>, Failure>>()?;
        let mut text = format!("format = 1\nconsortium = \"yungang\"\nsuite = \"{}\"\n", self.suite);
        for (i, address) in addresses.iter().enumerate() {
            text += &format!(
                "[[member]]\nid = \"node-{i}\"\nzh = \"节点\"\nen = \"Node\"\nclass = \"government\"\n\
                 roles = [\"validator\"]\nlisten = \"{address}\"\n"
            );
            if let Some(store) = self.stores.get(i) {
                text += &format!("store = \"{store}\"\n");
            }
        }
        text += &format!(
            "[[member]]\nid = \"{LOADER}\"\nzh = \"征信\"\nen = \"Credit\"\nclass = \"government\"\n\
             roles = [\"holder\", \"consumer\", \"authoriser\", \"regulator\", \"platform\"]\n"
        );
        Ok((text, addresses))
    }
}

/// One node's process.
pub(super) struct Process {
    /// Folder of the member.
    folder: PathBuf,
    child: Child,
}

impl Process {
    fn start(folder: PathBuf) -> Result<Self, Failure> {
        let log = || File::options().create(true).append(true).open(folder.join("log"));
        let mut command = Command::new(binary()?);
        command.args(["node", "--config"]).arg(folder.join("node.toml"));
        let child = command.stdin(Stdio::null()).stdout(log()?).stderr(log()?).spawn()?;
        Ok(Self { folder, child })
    }

    /// Ends it as a power cut would.
    pub(super) fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Resident memory, MB.
    pub(super) fn resident_mb(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024.0 / 1e6)
    }

    /// Seconds of processor time so far.
    pub(super) fn cpu_s(&self) -> Result<f64, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after = stat.rsplit_once(") ").ok_or("no process name")?.1;
        // Fields 14 and 15, user and system, in hundredths of a second on Linux.
        let ticks = after.split(' ').skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
        Ok(ticks / 100.0)
    }

    /// Every file it may write, with size and time of change.
    pub(super) fn files(&self) -> Result<Vec<(PathBuf, u64, std::time::SystemTime)>, Failure> {
        let (mut found, mut folders) = (Vec::new(), vec![self.folder.join("data")]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                let about = entry.metadata()?;
                if about.is_dir() {
                    folders.push(entry.path());
                } else {
                    found.push((entry.path(), about.len(), about.modified()?));
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its folder goes next; it may be gone already.
        let _ended = self.kill();
    }
}

/// The release binary beside this one, or what COVENANT_BIN names.
fn binary() -> Result<PathBuf, Failure> {
    if let Some(named) = std::env::var_os("COVENANT_BIN") {
        return Ok(named.into());
    }
    let beside = std::env::current_exe()?.with_file_name("covenant");
    match beside.exists() {
        true => Ok(beside),
        false => Err(format!("no `{}`: cargo build --release -p covenant-cli", beside.display()).into()),
    }
}

/// Running nodes and the way to each. Dropping it kills them by their process ids.
pub(super) struct City {
    pub(super) suite: SuiteId,
    pub(super) genesis: Digest,
    pub(super) loader: Identity,
    pub(super) processes: Vec<Process>,
    pub(super) ways: Vec<Arc<dyn NodePort>>,
    _dir: TempDir,
}

impl City {
    /// Founds, starts, and publishes what the load is about.
    pub(super) async fn start(plan: &Plan) -> Result<Self, Failure> {
        let dir = tempfile::tempdir()?;
        let (members, addresses) = plan.members()?;
        let (file, out) = (dir.path().join("members.toml"), dir.path().join("city"));
        std::fs::write(&file, members)?;
        let made = Command::new(binary()?).args(["init", "--members"]).arg(&file).arg("--out").arg(&out).output()?;
        if !made.status.success() {
            return Err(format!("covenant init: {}", String::from_utf8_lossy(&made.stderr)).into());
        }
        let names = (0..plan.validators).map(|i| format!("node-{i}"));
        let processes = names.map(|n| Process::start(out.join(n))).collect::<Result<Vec<_>, _>>()?;
        let (genesis, ways) = ways(&out.join(LOADER), &addresses)?;
        let own = out.join(LOADER);
        let secret = std::fs::read_to_string(own.join("passphrase"))?;
        let loader = load_identity(own.join(format!("keys/{LOADER}.json")), &secret)?;
        let city = Self { suite: plan.suite, genesis, loader, processes, ways, _dir: dir };
        for way in &city.ways {
            answering(way.as_ref()).await?;
        }
        city.publish().await?;
        Ok(city)
    }

    async fn publish(&self) -> Result<(), Failure> {
        let way = self.ways.first().ok_or("no node")?;
        let bodies: Vec<Body> = entries::ground()?;
        let batch = entries::sign(self, bodies)?;
        let outcomes = way.record(batch, PATIENCE).await?;
        match outcomes.into_iter().find_map(|o| o.rejected) {
            Some(reason) => Err(reason.into()),
            None => Ok(()),
        }
    }

    /// Starts a node anew, its database and engine's log deleted.
    pub(super) fn restart_wiped(&mut self, at: usize) -> Result<(), Failure> {
        let process = self.processes.get_mut(at).ok_or("no such node")?;
        process.kill()?;
        let folder = process.folder.clone();
        std::fs::remove_dir_all(folder.join("data"))?;
        std::fs::create_dir(folder.join("data"))?;
        *process = Process::start(folder)?;
        Ok(())
    }

    /// Newest block at a node.
    pub(super) async fn tip(&self, at: usize) -> Result<LedgerTip, Failure> {
        Ok(self.ways.get(at).ok_or("no such node")?.tip().await?)
    }

    /// Processor seconds of all nodes so far.
    pub(super) fn cpu_s(&self) -> Result<f64, Failure> {
        self.processes.iter().map(Process::cpu_s).sum()
    }
}

/// The loader's way to each node, as a gateway has it.
fn ways(own: &Path, addresses: &[String]) -> Result<(Digest, Vec<Arc<dyn NodePort>>), Failure> {
    let member = MemberId::new(LOADER)?;
    let (genesis, keys, secret) = (own.join("genesis.json"), own.join("keys"), own.join("passphrase"));
    let tls = TlsFiles { certificate: own.join("tls/node.pem"), key: own.join("tls/node.key") };
    let (genesis, passphrase_file) = (&genesis, Some(secret.as_path()));
    let files = HomeFiles { member: &member, genesis, handovers: None, keys: &keys, passphrase_file, tls };
    let home = Home::open(files)?;
    let guarded = home.guarded()?;
    let mut ways: Vec<Arc<dyn NodePort>> = Vec::new();
    for (i, address) in addresses.iter().enumerate() {
        let peer = MemberId::new(&format!("node-{i}"))?;
        ways.push(Arc::new(Dialer::new(guarded.clone(), peer, address.clone()).node()));
    }
    Ok((home.genesis.digest(), ways))
}

/// Waits until a node answers.
pub(super) async fn answering(way: &dyn NodePort) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        match way.tip().await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > until => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
