//! A PostgreSQL server of our own, shared by the tests of one program and stopped by the last of them.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use tempfile::TempDir;

const BIN: &str = "/usr/lib/postgresql/15/bin";

pub struct Server {
    dir: TempDir,
    port: u16,
    databases: AtomicU32,
}

/// The server of this program; absent, and told as skipped, when PostgreSQL is not installed.
///
/// # Panics
/// When it is not installed and `COVENANT_REQUIRE_ALL=1`, or does not start.
pub fn server(test: &str) -> Option<Arc<Server>> {
    static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    if !Path::new(BIN).join("initdb").exists() {
        println!("SKIPPED {test}: no PostgreSQL 15 in {BIN}");
        assert!(std::env::var("COVENANT_REQUIRE_ALL").as_deref() != Ok("1"), "{test} needs PostgreSQL");
        return None;
    }
    let mut running = RUNNING.lock().unwrap_or_else(|broken| broken.into_inner());
    let server = running.upgrade().unwrap_or_else(|| Arc::new(Server::start()));
    *running = Arc::downgrade(&server);
    Some(server)
}

impl Server {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if is_root() {
            check(Command::new("chown").arg("postgres").arg(dir.path()));
        }
        let data = dir.path().join("data");
        check(as_postgres("initdb").args(["--no-sync", "-U", "postgres", "-A", "trust", "-D"]).arg(&data));
        let options = format!("-h 127.0.0.1 -p {port} -k {} -c fsync=on", dir.path().display());
        let log = dir.path().join("log");
        check(as_postgres("pg_ctl").args(["start", "-w", "-o", &options, "-l"]).arg(log).arg("-D").arg(&data));
        Self { dir, port, databases: AtomicU32::new(0) }
    }

    /// The url of a new, empty database.
    pub fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let port = self.port.to_string();
        check(as_postgres("createdb").args(["-h", "127.0.0.1", "-U", "postgres", "-p", &port, &name]));
        format!("postgres://postgres@127.0.0.1:{port}/{name}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // `pg_ctl` stops the process whose id stands in this folder, no other.
        let data = self.dir.path().join("data");
        let _ = as_postgres("pg_ctl").args(["stop", "-w", "-m", "fast", "-D"]).arg(data).output();
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

/// PostgreSQL refuses to run as root.
fn as_postgres(program: &str) -> Command {
    let program = format!("{BIN}/{program}");
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--", &program]).current_dir("/");
    command
}

/// Runs with its output in nobody's pipe: the server would hold it open.
fn check(command: &mut Command) {
    let (out, err) = (std::process::Stdio::null(), std::process::Stdio::null());
    let status = command.stdout(out).stderr(err).status().unwrap();
    assert!(status.success(), "{command:?} ended with {status}");
}
