//! Nodes as processes, joined by links that can be spoilt.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use covenant_app::port::NodePort;
use covenant_daemon::service::{Dialer, Guarded, Home, HomeFiles, NodeFile};
use covenant_domain::MemberId;
use covenant_ledger::Genesis;
use covenant_mesh::proxy::FaultProxy;
use covenant_suite::SuiteId;
use tokio::process::{Child, Command};

use crate::error::CliError;
use crate::init;

/// Longest wait for a node to answer.
const READY: Duration = Duration::from_secs(60);

/// The member whose entries are the load, and the one that calls nodes.
pub(super) const SERVICE: &str = "service";
const PLATFORM: &str = "platform";

/// One node.
pub(super) struct Process {
    pub(super) member: MemberId,
    pub(super) config: PathBuf,
    child: Option<Child>,
    pub(super) port: Arc<dyn NodePort>,
}

/// A consortium of processes.
pub(super) struct Cluster {
    pub(super) dir: PathBuf,
    pub(super) genesis: Arc<Genesis>,
    pub(super) nodes: Vec<Process>,
    /// The way from one node to another.
    links: BTreeMap<(usize, usize), FaultProxy>,
}

fn failed(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> CliError + use<> {
    let path = path.to_owned();
    move |source| CliError::File { action, path, source }
}

/// A port that is free now.
fn free() -> Result<SocketAddr, CliError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(CliError::Runtime)?;
    listener.local_addr().map_err(CliError::Runtime)
}

fn members(suite: SuiteId, listens: &[SocketAddr], store: Option<&str>) -> String {
    let mut text = format!("format = 1\nconsortium = \"soak\"\nsuite = \"{suite}\"\n");
    let mut member = |id: &str, class: &str, roles: &str, more: &str| {
        text += &format!(
            "[[member]]\nid = \"{id}\"\nzh = \"{id}\"\nen = \"{id}\"\nclass = \"{class}\"\nroles = [{roles}]\n{more}\n"
        );
    };
    for (number, listen) in listens.iter().enumerate() {
        let id = format!("node-{number}");
        let store = store.map(|url| format!("store = \"{}\"\n", url.replace("{}", &id.replace('-', "_"))));
        member(
            &id,
            "government",
            "\"holder\", \"validator\"",
            &format!("listen = \"{listen}\"\n{}", store.unwrap_or_default()),
        );
    }
    member(SERVICE, "government", "\"authoriser\"", "");
    member(PLATFORM, "government", "\"platform\"", "");
    member("regulator", "regulator", "\"regulator\"", "");
    text
}

impl Cluster {
    /// Founds a consortium and starts its nodes.
    pub(super) async fn found(
        dir: &Path,
        suite: SuiteId,
        validators: u16,
        store: Option<&str>,
    ) -> Result<Self, CliError> {
        let listens = (0..validators).map(|_| free()).collect::<Result<Vec<_>, _>>()?;
        let list = dir.with_extension("toml");
        std::fs::write(&list, members(suite, &listens, store)).map_err(failed(&list, "write"))?;
        init::found_in(&list, dir)?;
        let mut links = BTreeMap::new();
        for from in 0..listens.len() {
            for (to, listen) in listens.iter().enumerate().filter(|(to, _)| *to != from) {
                links.insert((from, to), FaultProxy::start(*listen).await.map_err(CliError::Runtime)?);
            }
        }
        let (genesis, ways) = ways(dir)?;
        let mut cluster = Self { dir: dir.to_owned(), genesis, nodes: Vec::new(), links };
        for (number, listen) in listens.iter().enumerate() {
            let member = MemberId::new(&format!("node-{number}")).map_err(|e| CliError::usage(e.to_string()))?;
            let config = dir.join(member.as_str()).join("node.toml");
            cluster.join(number, &config)?;
            let dialer = Dialer::new(ways.clone(), member.clone(), listen.to_string());
            let port = dialer.node();
            cluster.nodes.push(Process { member, config, child: None, port: Arc::new(port) });
        }
        for number in 0..cluster.nodes.len() {
            cluster.start(number)?;
        }
        cluster.ready().await?;
        Ok(cluster)
    }

    /// Points a node's addresses of its peers at the links.
    fn join(&self, number: usize, config: &Path) -> Result<(), CliError> {
        let text = std::fs::read_to_string(config).map_err(failed(config, "read"))?;
        let wrong = |e: String| CliError::usage(e);
        let mut file: NodeFile = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        for (member, address) in &mut file.addresses {
            let to = member.as_str().trim_start_matches("node-").parse().map_err(|_| wrong(format!("`{member}`")))?;
            if let Some(link) = self.links.get(&(number, to)) {
                *address = link.addr().to_string();
            }
        }
        let text = toml::to_string(&file).map_err(|e| wrong(e.to_string()))?;
        std::fs::write(config, text).map_err(failed(config, "write"))
    }

    /// Starts a node's process.
    pub(super) fn start(&mut self, number: usize) -> Result<(), CliError> {
        let Some(process) = self.nodes.get_mut(number) else { return Ok(()) };
        let log = self.dir.join(format!("{}.log", process.member));
        let out = File::options().create(true).append(true).open(&log).map_err(failed(&log, "write"))?;
        let copy = out.try_clone().map_err(failed(&log, "write"))?;
        let command = std::env::current_exe().map_err(CliError::Runtime)?;
        let child = Command::new(command)
            .args(["node", "--config"])
            .arg(&process.config)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(copy)
            .kill_on_drop(true)
            .spawn()
            .map_err(CliError::Runtime)?;
        process.child = Some(child);
        Ok(())
    }

    /// Kills a node's process, as a power cut would.
    pub(super) async fn kill(&mut self, number: usize) {
        if let Some(mut child) = self.nodes.get_mut(number).and_then(|p| p.child.take()) {
            // It may have ended by itself, which is found out when it does not answer.
            let _gone = child.kill().await;
        }
    }

    /// Sends a node's process a signal by name, `STOP` or `CONT`.
    pub(super) async fn signal(&self, number: usize, name: &str) {
        let Some(id) = self.nodes.get(number).and_then(|p| p.child.as_ref()?.id()) else { return };
        let _sent = Command::new("kill").args([format!("-{name}"), id.to_string()]).status().await;
    }

    /// Removes what a node has stored.
    pub(super) fn wipe(&self, number: usize) -> Result<(), CliError> {
        let Some(process) = self.nodes.get(number) else { return Ok(()) };
        let data = process.config.with_file_name("data");
        std::fs::remove_dir_all(&data).map_err(failed(&data, "remove"))?;
        std::fs::create_dir_all(&data).map_err(failed(&data, "make"))
    }

    /// Changes whether a node only follows.
    pub(super) fn observe(&self, number: usize, observe: bool) -> Result<(), CliError> {
        let Some(process) = self.nodes.get(number) else { return Ok(()) };
        let text = std::fs::read_to_string(&process.config).map_err(failed(&process.config, "read"))?;
        let mut file: NodeFile = toml::from_str(&text).map_err(|e| CliError::usage(e.to_string()))?;
        file.observe = observe;
        let text = toml::to_string(&file).map_err(|e| CliError::usage(e.to_string()))?;
        std::fs::write(&process.config, text).map_err(failed(&process.config, "write"))
    }

    /// The links between two groups of nodes.
    pub(super) fn between<'a>(&'a self, a: &'a [usize], b: &'a [usize]) -> impl Iterator<Item = &'a FaultProxy> {
        let crosses = move |(from, to): &(usize, usize)| {
            (a.contains(from) && b.contains(to)) || (b.contains(from) && a.contains(to))
        };
        self.links.iter().filter(move |(pair, _)| crosses(pair)).map(|(_, link)| link)
    }

    /// All links.
    pub(super) fn links(&self) -> impl Iterator<Item = &FaultProxy> {
        self.links.values()
    }

    /// Waits until every node answers.
    pub(super) async fn ready(&self) -> Result<(), CliError> {
        let until = tokio::time::Instant::now() + READY;
        for process in &self.nodes {
            while let Err(error) = process.port.health().await {
                if tokio::time::Instant::now() > until {
                    return Err(error.into());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    /// Ends all processes.
    pub(super) async fn stop(mut self) {
        for number in 0..self.nodes.len() {
            self.kill(number).await;
        }
    }
}

/// How the platform's gateway, which here is this process, calls nodes.
fn ways(dir: &Path) -> Result<(Arc<Genesis>, Arc<Guarded>), CliError> {
    let home = dir.join(PLATFORM);
    let member = MemberId::new(PLATFORM).map_err(|e| CliError::usage(e.to_string()))?;
    let (genesis, keys, secret) = (home.join("genesis.json"), home.join("keys"), home.join("passphrase"));
    let tls = init::tls_files(&home, "node");
    let (genesis, passphrase_file) = (&genesis, Some(secret.as_path()));
    let files = HomeFiles { member: &member, genesis, handovers: None, keys: &keys, passphrase_file, tls };
    let home = Home::open(files)?;
    Ok((home.genesis.clone(), home.guarded()?))
}
