//! A PostgreSQL server of a test, from the binaries of Debian, stopped when dropped.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const BIN: &str = "/usr/lib/postgresql/15/bin";

/// Says that a test cannot run.
///
/// # Panics
/// Under `COVENANT_REQUIRE_ALL=1`, where everything must.
pub fn skipped(test: &str, why: &str) {
    println!("SKIPPED {test}: {why}");
    assert_ne!(std::env::var("COVENANT_REQUIRE_ALL").as_deref(), Ok("1"), "SKIPPED {test}: {why}");
}

/// In a temporary folder, on a free loopback port.
pub struct Server {
    dir: TempDir,
    port: u16,
}

impl Server {
    /// A running server; absent, and told as skipped, when PostgreSQL is not installed.
    ///
    /// # Panics
    /// When it is not installed and `COVENANT_REQUIRE_ALL=1`, or does not start.
    pub fn start(test: &str) -> Option<Self> {
        if !Path::new(BIN).join("initdb").exists() {
            skipped(test, &format!("no PostgreSQL 15 in {BIN}"));
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if is_root() {
            check(Command::new("chown").arg("postgres").arg(dir.path()));
        }
        let data = dir.path().join("data");
        check(as_postgres("initdb").args(["--no-sync", "-U", "postgres", "-A", "trust", "-D"]).arg(&data));
        let server = Self { dir, port };
        server.restart();
        Some(server)
    }

    /// Starts it, after [`Self::stop`] again.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&self) {
        let dir = self.dir.path();
        let options = format!("-h 127.0.0.1 -p {} -k {}", self.port, dir.display());
        let (log, data) = (dir.join("log"), dir.join("data"));
        check(as_postgres("pg_ctl").args(["start", "-w", "-o", &options, "-l"]).arg(log).arg("-D").arg(data));
    }

    /// Stops it, however many are connected.
    ///
    /// # Panics
    /// When it does not stop.
    pub fn stop(&self) {
        check(as_postgres("pg_ctl").args(["stop", "-w", "-m", "immediate", "-D"]).arg(self.dir.path().join("data")));
    }

    /// The url of a new, empty database.
    pub fn database(&self, name: &str) -> String {
        let port = self.port.to_string();
        check(as_postgres("createdb").args(["-h", "127.0.0.1", "-U", "postgres", "-p", &port, name]));
        format!("postgres://postgres@127.0.0.1:{port}/{name}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // `pg_ctl` stops the process whose id stands in this folder, no other.
        let data = self.dir.path().join("data");
        let _stopped = as_postgres("pg_ctl").args(["stop", "-w", "-m", "fast", "-D"]).arg(data).output();
    }
}

/// Whether this process is root's.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n")
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
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?} ended with {status}");
}
