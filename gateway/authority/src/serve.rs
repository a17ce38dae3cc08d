//! Starting and stopping.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use covenant_canon::Label;
use covenant_client::Identity;
use covenant_domain::Role;
use covenant_ledger::GenesisError;
use covenant_suite::Opener;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::config::AuthorityConfig;
use crate::db::{Db, DbError};
use crate::http::router;
use crate::ledger::{Ledger, LedgerError};
use crate::notice::Notices;
use crate::oidc::RelyingParty;
use crate::service::Service;

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A notice text.
    #[error("notice `{}`: {reason}", path.display())]
    Notice {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The secret of the client at the identity provider.
    #[error("client secret `{}`", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// The member is no authorisation service.
    #[error(
        "`{member}` does not have the role of an authoriser in this consortium, or its keys are not those of the genesis"
    )]
    Role {
        /// The member.
        member: String,
    },
    /// The founding document.
    #[error("the genesis does not hold")]
    Genesis(#[from] GenesisError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The ledger.
    #[error("the ledger is needed to start")]
    Ledger(#[from] LedgerError),
    /// The client for the identity provider.
    #[error("cannot make a client for the identity provider")]
    Http(#[source] reqwest::Error),
    /// The port.
    #[error("cannot listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
}

/// A running service.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and the address.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it once its last requests have ended.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the authorisation service ended badly");
        }
    }
}

/// Starts the service for a member with the role of an authoriser. Returns once the port is open.
///
/// Notice texts that are not the newest on the ledger are logged, and requests of their purposes refused until they are.
///
/// # Errors
/// [`StartError`].
pub async fn serve(
    config: AuthorityConfig,
    identity: Arc<Identity>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
) -> Result<Running, StartError> {
    let listen = config.listen;
    let service = Arc::new(open(config, identity, ledger, clock).await?);
    let wrong = |source| StartError::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    tracing::info!(%address, "authorisation service listens");
    let (stop, stopped) = oneshot::channel::<()>();
    let router = router(Arc::clone(&service));
    let task = tokio::spawn(async move {
        let stopped = async {
            // A sender that is gone stops it too.
            let _either = stopped.await;
        };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "the authorisation service ended badly");
        }
        if let Some(service) = Arc::into_inner(service) {
            service.db.close().await;
        }
    });
    Ok(Running { address, stop, task })
}

async fn open(
    config: AuthorityConfig,
    identity: Arc<Identity>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
) -> Result<Service, StartError> {
    let trust = ledger.trust();
    let keys = trust.check()?;
    let own = keys.get(&identity.member);
    let fits = own.is_some_and(|k| {
        k.verifying.verifying_key() == identity.signing.verifying_key() && &k.sealing == identity.opening.sealing_key()
    });
    if !fits || !trust.member(&identity.member).is_some_and(|m| m.has(Role::Authoriser)) {
        return Err(StartError::Role { member: identity.member.to_string() });
    }
    let notices = Notices::load(trust.suite, &config.notices)?;
    for fault in notices.faults(&ledger.notices().await?) {
        tracing::warn!(fault, "requests of this purpose are refused until the texts agree");
    }
    let db = Db::open(&config.database).await?;
    let vault = db.vault(&identity.opening).await?;
    let secret = config.oidc.client_secret_file.as_ref().map(secret).transpose()?;
    let party = RelyingParty::new(config.oidc.clone(), secret, Arc::clone(&clock)).map_err(StartError::Http)?;
    let service = Service {
        opener: Opener::new(Arc::clone(&identity.opening), Label::SEAL_SUBJECT),
        consortium: trust.digest(),
        replays: crate::replay::Replays::default(),
        keys,
        db,
        vault,
        identity,
        notices,
        party,
        config,
        clock,
        ledger: Arc::clone(&ledger),
    };
    finish(&service).await;
    Ok(service)
}

/// What was being written when the process ended is looked up on the ledger.
async fn finish(service: &Service) {
    let rows = match service.db.unfinished().await {
        Ok(rows) => rows,
        Err(error) => return tracing::error!(%error, "unfinished requests cannot be read"),
    };
    for row in rows {
        let id = row.id.clone();
        if let Err(problem) = service.settle(row).await {
            tracing::warn!(request = id, %problem, "it is not known yet whether this consent stands");
        }
    }
}

fn secret(path: &PathBuf) -> Result<Zeroizing<String>, StartError> {
    let wrong = |source| StartError::Secret { path: path.clone(), source };
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(wrong)?);
    Ok(Zeroizing::new(text.trim().to_owned()))
}
