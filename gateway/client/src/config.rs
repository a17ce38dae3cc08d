//! How a client behaves.

use std::path::PathBuf;
use std::time::Duration;

use covenant_ledger::Handover;

/// How requests travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// JSON over HTTP.
    #[default]
    Rest,
    /// Protobuf over HTTP/2.
    Grpc,
}

/// Times and transport of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// How requests travel.
    pub transport: Transport,
    /// How long one request waits for answers at the gateway; at most 30 s.
    pub wait: Duration,
    /// How long a question is pursued in all before its state is returned as it is.
    pub patience: Duration,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// Folder in which fetched files of epochs are kept; in memory only when there is none.
    pub epoch_dir: Option<PathBuf>,
    /// Handovers that are known from elsewhere: where the gateway's member has changed its key since the genesis, its
    /// certificate is verified by them.
    pub handovers: Vec<Handover>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            transport: Transport::Rest,
            wait: Duration::from_secs(20),
            patience: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(5),
            epoch_dir: None,
            handovers: Vec::new(),
        }
    }
}

impl ClientConfig {
    /// The defaults over another transport.
    pub fn over(transport: Transport) -> Self {
        Self { transport, ..Self::default() }
    }
}
