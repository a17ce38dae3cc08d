//! What may be configured.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use covenant_app::Settings;
use covenant_ledger::Trust;

/// Called with rosters that the gateway has followed.
pub type OnTrust = Arc<dyn Fn(Trust) + Send + Sync>;

/// TLS in front of REST and gRPC; debug output tells nothing of it.
#[derive(Clone)]
pub struct Tls(pub Arc<rustls::ServerConfig>);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

/// Address, limits and times of a server.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Longest request body, in bytes.
    pub max_body_bytes: usize,
    /// Longest time a request may take; must exceed the longest wait for answers, 30 s.
    pub request_timeout: Duration,
    /// Most connections at once; more wait to be accepted.
    pub max_connections: usize,
    /// How long running requests may take to end at shutdown.
    pub grace: Duration,
    /// Where the index page points for documentation.
    pub docs_url: String,
    /// Rates of members.
    pub app: Settings,
    /// TLS; without it the server is for this machine, or stands behind a proxy.
    pub tls: Option<Tls>,
    /// Told of new rosters.
    pub on_trust: Option<OnTrust>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8600)),
            max_body_bytes: 1024 * 1024,
            request_timeout: Duration::from_secs(40),
            max_connections: 4096,
            grace: Duration::from_secs(10),
            docs_url: "https://example.org/covenant".into(),
            app: Settings::default(),
            tls: None,
            on_trust: None,
        }
    }
}

impl ServerConfig {
    /// The defaults at another address.
    pub fn at(listen: SocketAddr) -> Self {
        Self { listen, ..Self::default() }
    }
}
