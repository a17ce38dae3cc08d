//! A consortium in a temporary folder, run by the binary as its users run it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Longest wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// One consortium at a time: each has several processes, and the machine few cores.
static TURN: Mutex<()> = Mutex::new(());

pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub const VALIDATORS: [&str; 4] = ["credit-centre", "housing", "market-regulation", "tax"];
pub const PLATFORM: &str = "platform";
pub const REGULATOR: &str = "regulator";

pub fn covenant<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_covenant"));
    for name in ["GATEWAY", "KEY", "TRUST", "HANDOVERS", "PASSPHRASE", "LOG"] {
        command.env_remove(format!("COVENANT_{name}"));
    }
    command.args(args).stdin(Stdio::null());
    command
}

pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a command printed, which must have ended well.
pub fn good(command: &mut Command) -> Value {
    let output = command.arg("--json").output().unwrap();
    assert!(output.status.success(), "{command:?}: {}{}", String::from_utf8_lossy(&output.stdout), err(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A loopback address that is free now.
pub fn free() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub struct House {
    _turn: MutexGuard<'static, ()>,
    dir: TempDir,
    gateway: SocketAddr,
    running: BTreeMap<String, Child>,
}

impl House {
    /// Founded by `covenant init`; nothing runs.
    pub fn founded(validators: &[&str], stores: &BTreeMap<&str, String>) -> Self {
        let turn = turn();
        let (dir, gateway) = (tempfile::tempdir().unwrap(), free());
        let mut list = String::from("format = 1\nconsortium = \"city\"\nsuite = \"sm\"\n");
        // Votes end as soon as they are certain; nobody waits for objections.
        list += "[charter]\nfreshness_ms = 600000\ncompletion_ms = 60000\npending_per_member = 10000\n";
        list += "[charter.member_vote]\nquorum_percent = 60\nobjection_ms = 600000\n";
        let mut member = |id: &str, class: &str, roles: &str, more: &str| {
            writeln!(list, "[[member]]\nid = \"{id}\"\nzh = \"{id}\"\nen = \"{id}\"\nclass = \"{class}\"\nroles = [{roles}]\n{more}")
                .unwrap();
        };
        for id in validators {
            let store = stores.get(id).map(|url| format!("store = \"{url}\"")).unwrap_or_default();
            member(id, "government", "\"holder\", \"validator\"", &format!("listen = \"{}\"\n{store}", free()));
        }
        member(REGULATOR, "regulator", "\"regulator\"", &format!("listen = \"{}\"", free()));
        member(PLATFORM, "government", "\"platform\"", &format!("gateway = \"{gateway}\""));
        let members = dir.path().join("members.toml");
        std::fs::write(&members, list).unwrap();
        let house = Self { _turn: turn, gateway, running: BTreeMap::new(), dir };
        let founded = good(&mut covenant(["init", "--members", text(&members), "--out", text(&house.path())]));
        assert_eq!(founded["tolerated"], json!((validators.len() - 1) / 3));
        house
    }

    /// With every node and the gateway running.
    pub fn running(validators: &[&str], stores: &BTreeMap<&str, String>) -> Self {
        let mut house = Self::founded(validators, stores);
        for id in validators.iter().chain([&REGULATOR]) {
            house.start(id);
        }
        house.start_gateway();
        house
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("city")
    }

    pub fn home(&self, member: &str) -> PathBuf {
        self.path().join(member)
    }

    pub fn config(&self, member: &str) -> PathBuf {
        self.home(member).join("node.toml")
    }

    pub fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(format!("{name}.log"))).unwrap_or_default()
    }

    fn spawn(&mut self, name: &str, args: &[&str]) {
        let log = File::options().create(true).append(true).open(self.dir.path().join(format!("{name}.log"))).unwrap();
        let mut command = covenant(args.iter().copied());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.running.insert(name.to_owned(), child);
    }

    pub fn start(&mut self, member: &str) {
        let config = self.config(member);
        self.spawn(member, &["node", "--config", text(&config)]);
    }

    pub fn start_gateway(&mut self) {
        let config = self.home(PLATFORM).join("gateway.toml");
        self.spawn(PLATFORM, &["gateway", "--config", text(&config)]);
        until("the gateway reaches every node", || {
            self.call(REGULATOR, &["status"]).output().unwrap().status.success().then_some(())
        });
    }

    /// Whether the process has ended by itself.
    pub fn has_ended(&mut self, name: &str) -> bool {
        self.running.get_mut(name).is_none_or(|child| child.try_wait().unwrap().is_some())
    }

    /// As a power cut would.
    pub fn kill(&mut self, name: &str) {
        let mut child = self.running.remove(name).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// As an operator would; it must end well.
    pub fn stop(&mut self, name: &str) {
        let mut child = self.running.remove(name).unwrap();
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let status = until(&format!("{name} ends"), || child.try_wait().unwrap());
        assert!(status.success(), "{name} ended with {status}: {}", self.log(name));
    }

    /// A command of a member through the gateway.
    pub fn call(&self, member: &str, args: &[&str]) -> Command {
        let home = self.home(member);
        let key = home.join("keys").join(format!("{member}.json"));
        self.call_with(member, &key, args)
    }

    /// As [`Self::call`], with another of the member's keys.
    pub fn call_with(&self, member: &str, key: &Path, args: &[&str]) -> Command {
        let mut command = covenant(args.iter().copied());
        let home = self.home(member);
        command.arg("--gateway").arg(format!("https://{}", self.gateway)).arg("--key").arg(key);
        command.arg("--trust").arg(home.join("genesis.json")).arg("--passphrase-file").arg(home.join("passphrase"));
        command
    }

    /// A command about a member's own node.
    pub fn own(&self, member: &str, args: &[&str]) -> Value {
        good(covenant(args.iter().copied()).arg("--config").arg(self.config(member)))
    }

    /// An entry that is always taken: the regulator registers a purpose.
    pub fn purpose(&self, code: &str) -> Value {
        let file = self.dir.path().join(format!("{code}.json"));
        let purpose = json!({ "code": code, "names": { "zh": "用途", "en": "purpose" }, "legal_basis": "Regulation 1",
            "needs_consent": false, "needs_case": false, "modes": ["match"], "retention_days": 30 });
        std::fs::write(&file, purpose.to_string()).unwrap();
        good(&mut self.call(REGULATOR, &["purpose", "register", text(&file)]))
    }

    pub fn database(&self, member: &str) -> String {
        format!("sqlite://{}", self.home(member).join("data/node.db").display())
    }

    pub fn status(&self) -> Value {
        let output = self.call(REGULATOR, &["status", "--json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// Waits until all these nodes are sound and at one height.
    pub fn level(&self, members: &[&str]) -> u64 {
        until("nodes are at one height", || {
            let status = self.status();
            let nodes = status["health"]["nodes"].as_array()?;
            let of = |id: &str| nodes.iter().find(|n| n["member"] == id && n["sound"] == true)?["height"].as_u64();
            let heights = members.iter().map(|id| of(id)).collect::<Option<Vec<_>>>()?;
            heights.windows(2).all(|two| two[0] == two[1]).then(|| heights[0])
        })
    }

    /// Stops nodes and compares what they hold: blocks against certificates, tables against blocks, and with each other.
    pub fn assert_one_ledger(&mut self, members: &[&str], stores: &BTreeMap<&str, String>) {
        self.level(members);
        for member in members {
            self.stop(member);
        }
        let mut found = Vec::new();
        for member in members {
            let store = stores.get(member).cloned().unwrap_or_else(|| self.database(member));
            let trust = self.home(member).join("genesis.json");
            for check in [["ledger", "check"], ["ledger", "rebuild"]] {
                let mut command = covenant(check);
                found.push((check[1], good(command.args(["--store", &store, "--trust", text(&trust)]))));
            }
        }
        for pair in found.chunks(2).collect::<Vec<_>>().windows(2) {
            assert_eq!(pair[0], pair[1]);
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        for (name, child) in &mut self.running {
            let _killed = child.kill();
            let _waited = child.wait();
            if std::thread::panicking() {
                let path = self.dir.path().join(format!("{name}.log"));
                let log = std::fs::read_to_string(path).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(8).collect();
                eprintln!("{name} ended its log with:");
                tail.iter().rev().for_each(|line| eprintln!("  {line}"));
            }
        }
    }
}
