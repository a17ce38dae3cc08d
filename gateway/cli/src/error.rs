//! What can go wrong at the command line, and with which code the process ends.

use std::path::PathBuf;
use std::sync::Arc;

use covenant_app::port::PortError;
use covenant_authority::provider::ProviderError;
use covenant_authority::{LedgerError, RemoteError, StartError};
use covenant_client::ClientError;
use covenant_daemon::service::ServiceError;
use covenant_daemon::{ConsensusError, NodeError, SnapshotError};
use covenant_demo::DemoError;
use covenant_domain::{DatasetError, SubjectError};
use covenant_engine::GuardError;
use covenant_ledger::GenesisError;
use covenant_server::ServeError;
use covenant_server::telemetry::TelemetryError;
use covenant_source::SourceError;
use covenant_state::StateError;
use covenant_store::StoreError;
use covenant_suite::SuiteError;
use covenant_tls::TlsError;

use crate::document::Exit;

/// Failure of a command. No variant carries personal data.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// A file cannot be used.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file holds something else.
    #[error("`{}` is not {what}: {reason}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What was expected.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Something is missing or contradictory on the command line.
    #[error("{0}")]
    Usage(String),
    /// The subject.
    #[error("the subject cannot be used")]
    Subject(#[from] SubjectError),
    /// A dataset description.
    #[error("the dataset cannot be published")]
    Dataset(#[from] DatasetError),
    /// A rule book.
    #[error("the rule book does not hold")]
    Guard(#[from] GuardError),
    /// The trust root.
    #[error("the trust root does not hold")]
    Genesis(#[from] GenesisError),
    /// Cryptography.
    #[error("{step} failed")]
    Crypto {
        /// Which step.
        step: &'static str,
        /// The suite's word.
        #[source]
        source: SuiteError,
    },
    /// The gateway or its client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The authorisation service, from outside.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The authorisation service does not start.
    #[error(transparent)]
    Authority(#[from] StartError),
    /// The demo's identity provider does not start.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// An import.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A replica.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A process does not start.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The gateway's port.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A node that was asked.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A soak found something that must not be.
    #[error("round {round}, `{fault}`: {found}; seed {seed}, logs in `{}`", dir.display())]
    Soak {
        /// The seed.
        seed: u64,
        /// Which fault.
        round: u32,
        /// Its name.
        fault: String,
        /// What was found.
        found: String,
        /// Where the nodes' logs are.
        dir: PathBuf,
    },
    /// A transport certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Consensus died in a running node.
    #[error("the node halted at height {height}; what it committed stands")]
    Halted {
        /// Newest block.
        height: u64,
        /// Why.
        #[source]
        failure: Arc<ConsensusError>,
    },
    /// A replica's database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A block of a replica.
    #[error("block {height} cannot be read back")]
    Block {
        /// The first one.
        height: u64,
        /// What the store says.
        #[source]
        source: StoreError,
    },
    /// The tables beside the blocks.
    #[error("the tables beside the blocks make no state: they were altered or are of another build")]
    Tables(#[from] StateError),
    /// The tables beside the blocks differ from what the blocks give.
    #[error("the tables after block {height} have state digest {found}, the blocks give {expected}")]
    TablesDiffer {
        /// Newest block.
        height: u64,
        /// Digest of the tables.
        found: String,
        /// Digest of the rebuilt state.
        expected: String,
    },
    /// The demo, before its first step or after its last.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// A step of the demo.
    #[error("step {number}, `{title}`, failed")]
    Step {
        /// Number of the step.
        number: usize,
        /// Its title.
        title: String,
        /// What happened.
        #[source]
        source: Box<CliError>,
    },
    /// Evidence that the demo wrote.
    #[error("evidence `{name}` does not verify: `{step}`")]
    Evidence {
        /// Name of the bundle.
        name: String,
        /// The failing step.
        step: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Logs and traces.
    #[error("telemetry does not start")]
    Telemetry(#[from] TelemetryError),
    /// No runtime.
    #[error("cannot start the runtime")]
    Runtime(#[source] std::io::Error),
}

impl CliError {
    /// What the user typed, or forgot to.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// The code with which the process ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Client(error) => client_exit(error),
            Self::Remote(error) => remote_exit(error),
            Self::Authority(StartError::Ledger(LedgerError::Unreachable(_)) | StartError::Db(_)) => Exit::Unreachable,
            Self::Source(SourceError::Rejected(_)) => Exit::No,
            Self::Store(source) | Self::Block { source, .. } if is_damage(source) => Exit::No,
            Self::Node(NodeError::Store(source)) if is_damage(source) => Exit::No,
            Self::Source(SourceError::Database { .. })
            | Self::Store(_)
            | Self::Block { .. }
            | Self::Node(NodeError::Store(_)) => Exit::Unreachable,
            Self::Port(PortError::Unavailable { .. }) => Exit::Unreachable,
            Self::Port(_) | Self::Snapshot(_) => Exit::No,
            Self::Node(_)
            | Self::Halted { .. }
            | Self::Soak { .. }
            | Self::Demo(_)
            | Self::Step { .. }
            | Self::Tables(_)
            | Self::TablesDiffer { .. }
            | Self::Evidence { .. }
            | Self::Interrupted => Exit::No,
            _ => Exit::Unusable,
        }
    }

    /// The stable code of the gateway, when it refused.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Client(error) => error.code(),
            Self::Remote(error) => error.code(),
            _ => None,
        }
    }

    /// The error and its causes, outermost first; a cause that its error repeats is left out.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut all = vec![self.to_string()];
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if all.last().is_none_or(|above| !above.ends_with(&text)) {
                all.push(text);
            }
            cause = error.source();
        }
        all
    }
}

fn is_damage(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupted { .. })
}

fn remote_exit(error: &RemoteError) -> Exit {
    match error {
        RemoteError::Problem(problem) if problem.status >= 500 => Exit::Unreachable,
        RemoteError::Problem(_) | RemoteError::Login(_) => Exit::No,
        RemoteError::Reach { .. } | RemoteError::Protocol(_) => Exit::Unreachable,
        RemoteError::Sign(_) => Exit::Unusable,
    }
}

fn client_exit(error: &ClientError) -> Exit {
    match error {
        ClientError::Problem(problem) if problem.status >= 500 => Exit::Unreachable,
        ClientError::Unreachable { .. } | ClientError::Protocol { .. } | ClientError::Stopped => Exit::Unreachable,
        ClientError::Problem(_)
        | ClientError::Answer { .. }
        | ClientError::OtherAnswer { .. }
        | ClientError::LookupGone { .. }
        | ClientError::Escrow { .. }
        | ClientError::Epoch { .. }
        | ClientError::Evaluation { .. }
        | ClientError::Receipt { .. }
        | ClientError::Ceremony { .. }
        | ClientError::Case { .. }
        | ClientError::Audit { .. } => Exit::No,
        _ => Exit::Unusable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_follow_and_do_not_repeat() {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error = CliError::File { action: "read", path: "a.json".into(), source };
        let step = CliError::Step { number: 3, title: "x".into(), source: Box::new(error) };
        let causes = step.causes();
        assert_eq!(causes.len(), 3, "{causes:?}");
        assert_eq!(causes[1], "cannot read `a.json`");
        assert_eq!(step.exit(), Exit::No);
    }

    #[test]
    fn a_gateway_that_is_away_is_told_apart_from_one_that_refuses() {
        let away = ClientError::Unreachable { base: "http://x".into(), reason: "refused".into() };
        assert_eq!(CliError::from(away).exit(), Exit::Unreachable);
        let problem = covenant_api::Problem::new(covenant_api::Code::NotAParty, "no");
        let refused = CliError::from(ClientError::Problem(problem));
        assert_eq!((refused.exit(), refused.code()), (Exit::No, Some("not-a-party")));
    }
}
