//! What the tests of the store share.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "test support")]

pub mod blocks;
pub mod postgres;

use std::sync::Arc;

use tempfile::TempDir;

/// A place for one database, gone when dropped.
pub struct Site {
    pub url: String,
    _folder: Option<TempDir>,
    _server: Option<Arc<postgres::Server>>,
}

pub fn sqlite() -> Site {
    let folder = tempfile::tempdir().unwrap();
    Site { url: format!("sqlite://{}/node.db", folder.path().display()), _folder: Some(folder), _server: None }
}

/// Empty databases to run a test on: SQLite, and PostgreSQL where it is installed.
pub fn sites(test: &str) -> Vec<Site> {
    let mut sites = vec![sqlite()];
    if let Some(server) = postgres::server(test) {
        sites.push(Site { url: server.database(), _folder: None, _server: Some(server) });
    }
    sites
}
