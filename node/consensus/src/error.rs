//! What can go wrong.

use std::path::PathBuf;

use crate::AppError;

/// Why the engine did not start, or died.
#[derive(Debug, thiserror::Error)]
pub enum ConsensusError {
    /// The folder of the write-ahead log cannot be used.
    #[error("cannot use `{}` for the write-ahead log", .path.display())]
    Wal {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The signer signs for somebody else.
    #[error("the signer belongs to `{signer}`, the engine to `{member}`")]
    Signer {
        /// Whom the signer belongs to.
        signer: String,
        /// Whom the engine belongs to.
        member: String,
    },
    /// The engine could not be built.
    #[error("the engine did not start: {0}")]
    Start(String),
    /// The replica failed while it did something for the engine.
    #[error("consensus stopped while it did `{step}`")]
    Application {
        /// What it was doing.
        step: &'static str,
        /// Why.
        #[source]
        source: AppError,
    },
    /// The engine stopped by itself; its log says why.
    #[error("the engine stopped: {0}")]
    Engine(String),
}
