//! A PostgreSQL server of one test: in a temporary folder, on a free loopback port, stopped when dropped.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) struct Postgres {
    bin: PathBuf,
    dir: tempfile::TempDir,
    port: u16,
}

impl Postgres {
    /// A running server, or none when its programs are not installed.
    pub(crate) fn start() -> Option<Self> {
        let bin = ["/usr/lib/postgresql/15/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from);
        let bin = bin.into_iter().find(|b| b.join("initdb").exists() && b.join("pg_ctl").exists())?;
        let dir = tempfile::tempdir().unwrap();
        if root() {
            assert!(Command::new("chown").arg("postgres").arg(dir.path()).status().unwrap().success());
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { bin, dir, port };
        let data = server.data();
        server.run("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]);
        let folder = server.dir.path().display();
        let options = format!("-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}");
        let log = format!("{folder}/log");
        server.run("pg_ctl", &["-D", &data, "-w", "-l", &log, "-o", &options, "start"]);
        Some(server)
    }

    /// Address of its database `postgres`.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn data(&self) -> String {
        self.dir.path().join("data").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = command(&self.bin.join(program), self.dir.path(), arguments);
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Postgres {
    /// `pg_ctl stop` ends the process whose id is in the data folder.
    fn drop(&mut self) {
        let _ended =
            command(&self.bin.join("pg_ctl"), self.dir.path(), &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }
}

fn root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n")
}

/// PostgreSQL refuses to run as root: then it runs as the user `postgres`.
fn command(program: &Path, dir: &Path, arguments: &[&str]) -> Output {
    let mut command = if root() { Command::new("runuser") } else { Command::new(program) };
    if root() {
        command.args(["-u", "postgres", "--"]).arg(program);
    }
    // The server would keep an inherited pipe open: its output goes to the log.
    command.args(arguments).current_dir(dir).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(std::fs::File::create(dir.join("errors")).unwrap());
    let status = command.status().unwrap();
    Output { status, stdout: Vec::new(), stderr: std::fs::read(dir.join("errors")).unwrap_or_default() }
}
