//! Errors of the demo.

use std::path::PathBuf;

use covenant_client::ClientError;
use covenant_daemon::NodeError;
use covenant_domain::IdError;
use covenant_server::ServeError;
use covenant_source::SourceError;

/// Why the demo did not go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A file or folder.
    #[error("`{}` cannot be used", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The genesis file.
    #[error("`{}` is not a genesis document", path.display())]
    Genesis {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A node.
    #[error("a node failed")]
    Node(#[from] NodeError),
    /// The gateway.
    #[error("the gateway failed")]
    Serve(#[from] ServeError),
    /// A client.
    #[error("a request failed")]
    Client(#[from] ClientError),
    /// Records.
    #[error("records could not be imported")]
    Source(#[from] SourceError),
    /// An id.
    #[error("an id is malformed")]
    Id(#[from] IdError),
    /// No validators.
    #[error("the consortium has no validator")]
    NoNode,
    /// The ledger did not take what the demo set up, or a step of the story came out otherwise than it must.
    #[error("{step}: {fault}")]
    Story {
        /// The step.
        step: &'static str,
        /// What happened instead.
        fault: String,
    },
}

impl DemoError {
    /// A step that came out otherwise than it must.
    pub fn story(step: &'static str, fault: impl Into<String>) -> Self {
        Self::Story { step, fault: fault.into() }
    }
}
