//! The listener, the diallers, and what the owner may ask.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use covenant_domain::MemberId;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::connection::{self, CommonStateOf, Ended};
use crate::frame::{Lane, MAX_FRAME};
use crate::registry::{PeerInfo, Registry};
use crate::{CALLS, MESH, MeshConfig, MeshError, dial};

/// Events that may wait for the owner before peers are slowed down.
const EVENTS: usize = 16_384;
/// Connections that are handed out and may wait.
const VISITS: usize = 64;
/// Connections at once, of them such that have not shown who they are, and those of one address.
const CONNECTIONS: usize = 2_048;
const HALF_OPEN: usize = 128;
const HALF_OPEN_OF_ONE: usize = 32;
/// How long the handshake of a caller may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// What a mesh tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeshEvent {
    /// Frames can now be exchanged with this member's node.
    Connected(MemberId),
    /// No more.
    Disconnected(MemberId),
    /// A frame of this member's node.
    Frame(MemberId, Lane, Bytes),
}

/// A connection for calls, with the member at its other end.
pub type Visit = (MemberId, TlsStream<TcpStream>);

pub(crate) struct Inner {
    pub(crate) config: MeshConfig,
    pub(crate) registry: Registry,
    pub(crate) events: mpsc::Sender<MeshEvent>,
    pub(crate) addresses: Mutex<BTreeMap<MemberId, String>>,
    visits: mpsc::Sender<Visit>,
    readdressed: Notify,
}

/// A running mesh. Dropping it ends all connections.
pub struct Mesh {
    inner: Arc<Inner>,
    local: SocketAddr,
    tasks: Mutex<JoinSet<()>>,
}

impl Mesh {
    /// Listens and begins to call.
    ///
    /// # Errors
    /// [`MeshError`] when the port is taken or an address cannot be one.
    pub async fn start(
        config: MeshConfig,
    ) -> Result<(Self, mpsc::Receiver<MeshEvent>, mpsc::Receiver<Visit>), MeshError> {
        config.check()?;
        let listen = config.listen;
        let failed = |source| MeshError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let (events, told) = mpsc::channel(EVENTS);
        let (visits, visited) = mpsc::channel(VISITS);
        let addresses = Mutex::new(config.addresses.clone());
        let registry = Registry::new(config.me.clone());
        let inner = Arc::new(Inner { config, registry, events, addresses, visits, readdressed: Notify::new() });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(inner.clone(), listener));
        tasks.spawn(diallers(inner.clone()));
        Ok((Self { inner, local, tasks: Mutex::new(tasks) }, told, visited))
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Sends a frame to one node, if it is connected.
    pub fn send(&self, to: &MemberId, lane: Lane, frame: Bytes) {
        if frame.len() > MAX_FRAME {
            tracing::error!(length = frame.len(), "a frame is too long to be sent");
        } else if let Some(outbox) = self.inner.registry.outbox(to) {
            outbox.push(lane, frame);
        }
    }

    /// Sends a frame to every connected node.
    pub fn broadcast(&self, lane: Lane, frame: Bytes) {
        if frame.len() > MAX_FRAME {
            tracing::error!(length = frame.len(), "a frame is too long to be sent");
            return;
        }
        for outbox in self.inner.registry.outboxes() {
            outbox.push(lane, frame.clone());
        }
    }

    /// Every known peer: who is connected, who not and why.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.inner.registry.peers(&self.inner.addresses.lock())
    }

    /// Other addresses from now on.
    pub fn set_addresses(&self, addresses: BTreeMap<MemberId, String>) {
        *self.inner.addresses.lock() = addresses;
        self.inner.readdressed.notify_one();
    }

    /// Ends connections to members that are admitted no more, or whose certificate does not hold any more.
    pub fn review(&self) {
        let security = &self.inner.config.security;
        self.inner.registry.retain(|peer, certificate| {
            security.admits(peer) && certificate.is_none_or(|certificate| security.holds(peer, certificate))
        });
    }

    /// Ends all connections; the port is free when it returns.
    pub async fn stop(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        tasks.shutdown().await;
    }
}

async fn diallers(inner: Arc<Inner>) {
    let mut running = JoinSet::new();
    let mut known: BTreeMap<(MemberId, String), AbortHandle> = BTreeMap::new();
    loop {
        let wanted = inner.addresses.lock().clone();
        known.retain(|(peer, address), _| wanted.get(peer) == Some(address));
        for (peer, address) in wanted.into_iter().filter(|(peer, _)| *peer != inner.config.me) {
            known
                .entry((peer.clone(), address.clone()))
                .or_insert_with(|| running.spawn(dial::keep(inner.clone(), peer, address)));
        }
        inner.readdressed.notified().await;
    }
}

async fn accept(inner: Arc<Inner>, listener: TcpListener) {
    let (all, half_open) = (Arc::new(Semaphore::new(CONNECTIONS)), Arc::new(Semaphore::new(HALF_OPEN)));
    let from: Arc<Mutex<BTreeMap<IpAddr, usize>>> = Arc::default();
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = all.clone().acquire_owned().await else { return };
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: busy looping would not bring any.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let Ok(half) = half_open.clone().try_acquire_owned() else { continue };
        let Some(one) = OneOf::new(&from, address.ip()) else { continue };
        let inner = inner.clone();
        connections.spawn(async move {
            let fault = serve(&inner, stream, (permit, half, one)).await;
            if let Some(fault) = fault {
                tracing::debug!(%address, %fault, "a caller was not taken");
            }
        });
    }
}

/// One of the callers of an address that have not shown who they are.
struct OneOf(Arc<Mutex<BTreeMap<IpAddr, usize>>>, IpAddr);

impl OneOf {
    fn new(all: &Arc<Mutex<BTreeMap<IpAddr, usize>>>, address: IpAddr) -> Option<Self> {
        let mut counts = all.lock();
        let count = counts.entry(address).or_default();
        if *count >= HALF_OPEN_OF_ONE {
            return None;
        }
        *count += 1;
        Some(Self(all.clone(), address))
    }
}

impl Drop for OneOf {
    fn drop(&mut self) {
        let mut counts = self.0.lock();
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

type Permits = (OwnedSemaphorePermit, OwnedSemaphorePermit, OneOf);

/// Takes one caller; says why not.
async fn serve(inner: &Inner, stream: TcpStream, (permit, half, one): Permits) -> Option<String> {
    if let Err(error) = stream.set_nodelay(true) {
        return Some(error.to_string());
    }
    let acceptor = TlsAcceptor::from(inner.config.security.server());
    let secured = match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(secured)) => secured,
        Ok(Err(error)) => return Some(inner.config.security.explain(&error).unwrap_or_else(|| error.to_string())),
        Err(_) => return Some("no handshake in time".into()),
    };
    let session = match CommonStateOf::of(inner, secured.get_ref().1) {
        Ok(session) => session,
        Err(fault) => return Some(fault),
    };
    drop((half, one));
    match secured.get_ref().1.alpn_protocol() {
        Some(MESH) => {
            let ended = connection::run(inner, secured, &session, false).await;
            drop(permit);
            match ended {
                Ended::Refused(fault) => {
                    inner.registry.fault(&session.peer, fault.clone());
                    Some(fault)
                }
                Ended::Duplicate | Ended::Lost(_) => None,
            }
        }
        Some(CALLS) => inner.visits.try_send((session.peer, secured)).err().map(|_| "nobody takes calls".into()),
        _ => Some("no protocol of this port was named".into()),
    }
}
