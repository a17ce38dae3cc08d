//! PostgreSQL: the plain alternative to a ledger, and the database of nodes.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbBackend, Statement, Value};
use tempfile::TempDir;

use super::entries::ENTRY;
use crate::figure::Failure;

const BIN: &str = "/usr/lib/postgresql/15/bin";

/// A server of our own on a free loopback port, stopped when dropped.
pub(super) struct Server {
    dir: TempDir,
    port: u16,
}

impl Server {
    /// A running server; absent, and told as skipped, where PostgreSQL is not installed.
    pub(super) fn start() -> Result<Option<Self>, Failure> {
        if !Path::new(BIN).join("initdb").exists() {
            println!("SKIPPED PostgreSQL: none of version 15 in {BIN}");
            return Ok(None);
        }
        let dir = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        if is_root() {
            check(Command::new("chown").arg("postgres").arg(dir.path()))?;
        }
        let data = dir.path().join("data");
        check(as_postgres("initdb").args(["--no-sync", "-U", "postgres", "-A", "trust", "-D"]).arg(&data))?;
        let options = format!("-h 127.0.0.1 -p {port} -k {} -c fsync=on", dir.path().display());
        let log = dir.path().join("log");
        check(as_postgres("pg_ctl").args(["start", "-w", "-o", &options, "-l"]).arg(log).arg("-D").arg(&data))?;
        Ok(Some(Self { dir, port }))
    }

    /// The url of a new, empty database.
    pub(super) fn database(&self, name: &str) -> Result<String, Failure> {
        let port = self.port.to_string();
        check(as_postgres("createdb").args(["-h", "127.0.0.1", "-U", "postgres", "-p", &port, name]))?;
        Ok(format!("postgres://postgres@127.0.0.1:{port}/{name}"))
    }

    /// Rows per second into one table on one server: `of` rows of 1 KiB per statement and synchronous commit, one
    /// statement after the other.
    pub(super) async fn plain_rows(&self, name: &str, count: usize, of: usize) -> Result<f64, Failure> {
        let mut options = ConnectOptions::new(self.database(name)?);
        options.max_connections(1).sqlx_logging(false);
        let db = Database::connect(options).await?;
        db.execute_unprepared("SET synchronous_commit = on").await?;
        db.execute_unprepared("CREATE TABLE entries (id bigserial PRIMARY KEY, body bytea NOT NULL)").await?;
        let places: Vec<String> = (1..=of).map(|i| format!("(${i})")).collect();
        let sql = format!("INSERT INTO entries (body) VALUES {}", places.join(","));
        let values = || -> Vec<Value> { (0..of).map(|_| noise().into()).collect() };
        let started = Instant::now();
        for _ in 0..count {
            db.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, &sql, values())).await?;
        }
        let rate = (count * of) as f64 / started.elapsed().as_secs_f64();
        db.close().await?;
        Ok(rate)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // `pg_ctl` stops the process whose id stands in this folder, no other.
        let data = self.dir.path().join("data");
        let _stopped = as_postgres("pg_ctl").args(["stop", "-w", "-m", "fast", "-D"]).arg(data).output();
    }
}

/// Bytes that no storage can compress.
fn noise() -> Vec<u8> {
    let mut bytes = vec![0; ENTRY];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut bytes);
    bytes
}

fn is_root() -> bool {
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
fn check(command: &mut Command) -> Result<(), Failure> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}
