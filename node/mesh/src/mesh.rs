//! The mesh as its owner sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use covenant_canon::Digest;
use covenant_domain::MemberId;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::accept::accept;
use crate::config::check_address;
use crate::dial::dial;
use crate::line::Posted;
use crate::peers::Table;
use crate::{Lane, Limits, MeshConfig, MeshError, PeerInfo, Refusal, RefusalCode, Security, Timing, Visit};

/// What a mesh tells. The member named is authenticated: nobody else could have sent the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeshEvent {
    /// Frames can now be exchanged with this peer.
    Connected(MemberId),
    /// No more.
    Disconnected(MemberId),
    /// A frame of this peer.
    Frame(MemberId, Lane, Bytes),
}

/// What a mesh tells, in order for each peer. Whoever does not take events lets peers wait, each for itself.
pub struct Events(mpsc::UnboundedReceiver<Posted>);

impl Events {
    /// The next event; `None` once the mesh has stopped.
    pub async fn recv(&mut self) -> Option<MeshEvent> {
        self.0.recv().await.map(|(event, _room)| event)
    }

    /// The next event, if there is one already.
    pub fn try_recv(&mut self) -> Option<MeshEvent> {
        self.0.try_recv().ok().map(|(event, _room)| event)
    }
}

/// What every connection needs.
pub(crate) struct Context {
    pub(crate) me: MemberId,
    pub(crate) consortium: Digest,
    pub(crate) security: Arc<dyn Security>,
    pub(crate) server_name: fn(&MemberId) -> String,
    pub(crate) timing: Timing,
    pub(crate) limits: Limits,
    pub(crate) table: Table,
}

impl Context {
    /// Asks whether this member may be connected.
    pub(crate) fn admit(&self, member: &MemberId) -> Result<(), Refusal> {
        if self.security.admits(member) {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::NotAdmitted, &format!("`{}` does not admit `{member}`", self.me)))
    }
}

/// Unsent bytes that the system keeps of one connection: frames of consensus cannot overtake them.
const NOT_SENT: u32 = 256 << 10;

/// Small frames are sent at once.
pub(crate) fn prepare(stream: &TcpStream) {
    let socket = socket2::SockRef::from(stream);
    for set in [socket.set_tcp_nodelay(true), socket.set_tcp_notsent_lowat(NOT_SENT)] {
        if let Err(error) = set {
            tracing::debug!(%error, "a socket option was refused");
        }
    }
}

/// Returns once the mesh stops.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _gone_is_stopped_too = stop.wait_for(|stopped| *stopped).await;
}

/// A node's connections. They end when it is dropped.
pub struct Mesh {
    context: Arc<Context>,
    local: SocketAddr,
    runtime: Handle,
    stop: watch::Sender<bool>,
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    running: JoinSet<()>,
    dialled: BTreeSet<MemberId>,
}

impl Mesh {
    /// Listens and dials. Must be called within a tokio runtime with time and network.
    ///
    /// # Errors
    /// [`MeshError`] when the port cannot be listened on or an address has another form than `host:port`.
    pub async fn start(config: MeshConfig) -> Result<(Self, Events, mpsc::Receiver<Visit>), MeshError> {
        let MeshConfig { me, consortium, listen, security, addresses, server_name, timing, limits } = config;
        addresses.iter().try_for_each(|(member, address)| check_address(member, address))?;
        let unusable = |source| MeshError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(unusable)?;
        let local = listener.local_addr().map_err(unusable)?;
        let (post, events) = mpsc::unbounded_channel();
        let (visitors, visits) = mpsc::channel(limits.visits.max(1));
        let table = Table::new(me.clone(), limits, post);
        let context = Arc::new(Context { me, consortium, security, server_name, timing, limits, table });
        let (stop, stopped) = watch::channel(false);
        let runtime = Handle::current();
        let mesh = Self { context, local, runtime, stop, tasks: Mutex::default() };
        mesh.spawn(accept(mesh.context.clone(), listener, visitors, stopped));
        mesh.set_addresses(addresses)?;
        Ok((mesh, Events(events), visits))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().running.spawn_on(task, &self.runtime);
    }

    /// Queues a frame for one peer. It is lost, and counted, when the queue is full or the frame longer than
    /// [`crate::MOST_BODY`]; it is lost when the peer is not connected.
    pub fn send(&self, to: &MemberId, lane: Lane, frame: Bytes) {
        if let Some(line) = self.context.table.line(to) {
            line.send(lane, frame);
        }
    }

    /// Queues a frame for every connected peer, as [`Mesh::send`] does.
    pub fn broadcast(&self, lane: Lane, frame: Bytes) {
        for line in self.context.table.lines() {
            line.send(lane, frame.clone());
        }
    }

    /// Everybody that has an address, is or was connected, or was refused.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.context.table.infos()
    }

    /// Replaces the addresses that are dialled. Connections stay.
    ///
    /// # Errors
    /// [`MeshError::Address`] when one has another form than `host:port`; then nothing is changed.
    pub fn set_addresses(&self, addresses: BTreeMap<MemberId, String>) -> Result<(), MeshError> {
        addresses.iter().try_for_each(|(member, address)| check_address(member, address))?;
        self.context.table.set_addresses(&addresses);
        let mut tasks = self.tasks.lock();
        for peer in addresses.into_keys().filter(|peer| *peer != self.context.me) {
            if tasks.dialled.insert(peer.clone()) {
                let task = dial(self.context.clone(), peer, self.stop.subscribe());
                tasks.running.spawn_on(task, &self.runtime);
            }
        }
        Ok(())
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Asks anew who is admitted, and whether certificates still hold: closes connections where not, and dials those who
    /// are admitted.
    pub fn review(&self) {
        for line in self.context.table.lines() {
            let security = &self.context.security;
            let holds = line.certificate.as_ref().is_none_or(|shown| security.holds(&line.member, shown));
            match self.context.admit(&line.member) {
                Err(refusal) => line.end(refusal),
                Ok(()) if !holds => {
                    line.end(Refusal::new(RefusalCode::NotAdmitted, "the certificate does not hold any more"));
                }
                Ok(()) => {}
            }
        }
        self.context.table.nudge();
    }

    /// Closes all connections with a word and frees the port.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        self.context.table.close();
        for line in self.context.table.lines() {
            line.end(Refusal::new(RefusalCode::Stopping, "the node stops"));
        }
        let mut running = std::mem::take(&mut self.tasks.lock().running);
        let all = async { while running.join_next().await.is_some() {} };
        let _late = tokio::time::timeout(3 * self.context.timing.farewell, all).await;
        running.shutdown().await;
    }
}
