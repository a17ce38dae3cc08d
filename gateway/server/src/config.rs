//! What may be configured.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use covenant_app::Settings;

/// Address, limits and times of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        }
    }
}

impl ServerConfig {
    /// The defaults at another address.
    pub fn at(listen: SocketAddr) -> Self {
        Self { listen, ..Self::default() }
    }
}
