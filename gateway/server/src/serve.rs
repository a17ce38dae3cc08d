//! Listening, and stopping in good order.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use covenant_app::Consortium;
use covenant_ledger::GenesisError;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use tokio_rustls::TlsAcceptor;

use crate::ServerConfig;
use crate::config::{OnTrust, Tls};
use crate::router::router;
use crate::state::State;

/// How often new members and keys are asked for.
const FOLLOW: Duration = Duration::from_secs(1);
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be taken.
    #[error("cannot listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The founding document does not hold.
    #[error("genesis of the consortium does not hold")]
    Genesis(#[from] GenesisError),
    /// A document that is served could not be encoded.
    #[error("cannot encode a public document")]
    Document(#[from] serde_json::Error),
}

/// A server that runs until its shutdown future resolves.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    secure: bool,
    task: JoinHandle<()>,
    following: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl Running {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// `http://` or `https://` and the address, for clients on this machine.
    pub fn base_url(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.address)
    }

    /// Waits until the server has stopped and its last requests have ended.
    pub async fn wait(mut self) {
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "server ended badly");
        }
    }
}

/// Starts to serve REST and gRPC on one port. Returns once the port is open; `shutdown` ends it.
///
/// # Errors
/// [`ServeError`] when the port cannot be taken or the genesis does not hold.
pub async fn serve(
    config: ServerConfig,
    consortium: Arc<dyn Consortium>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Running, ServeError> {
    let listen = config.listen;
    let wrong = |source| ServeError::Listen { listen, source };
    let (grace, connections) = (config.grace, Arc::new(Semaphore::new(config.max_connections)));
    let (tls, on_trust) = (config.tls.clone(), config.on_trust.clone());
    let state = State::new(config, consortium)?;
    let following = tokio::spawn(follow(state.clone(), on_trust));
    let router = router(state);
    let listener = TcpListener::bind(listen).await.map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    tracing::info!(%address, "gateway listens");
    let secure = tls.is_some();
    let task = tokio::spawn(accept(listener, (router, tls), connections, grace, shutdown));
    Ok(Running { address, secure, task, following })
}

async fn accept(
    listener: TcpListener,
    (router, tls): (Router, Option<Tls>),
    connections: Arc<Semaphore>,
    grace: Duration,
    shutdown: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (stream, permit) = next(&listener, &connections) => connect(stream, permit, &router, tls.as_ref(), &graceful),
        }
    }
    drop(listener);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

/// The next connection, once there is room for it.
async fn next(listener: &TcpListener, connections: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    let permit = Arc::clone(connections).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => return (stream, permit),
            Err(error) => {
                // Out of file descriptors, most likely: busy looping would not bring any.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Keeps the gateway's members up to date.
async fn follow(state: Arc<State>, on_trust: Option<OnTrust>) {
    let mut ticks = tokio::time::interval(FOLLOW);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        match state.gateway.refresh().await {
            Ok(false) => {}
            Ok(true) => {
                if let Some(tell) = &on_trust {
                    tell(state.gateway.trust().as_ref().clone());
                }
            }
            Err(error) => tracing::debug!(%error, "members cannot be followed now"),
        }
    }
}

fn connect(
    stream: TcpStream,
    permit: Option<OwnedSemaphorePermit>,
    router: &Router,
    tls: Option<&Tls>,
    graceful: &GracefulShutdown,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(15));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        .keep_alive_interval(Some(Duration::from_secs(30)));
    let service = TowerToHyperService::new(router.clone());
    let Some(Tls(secured)) = tls.cloned() else {
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "connection ended");
            }
            drop(permit);
        });
        return;
    };
    let watcher = graceful.watcher();
    tokio::spawn(async move {
        let accepted = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(secured).accept(stream)).await;
        let Ok(Ok(stream)) = accepted else {
            tracing::debug!("a handshake failed");
            return;
        };
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(error, "connection ended");
        }
        drop(permit);
    });
}
