//! A node that knows what it will be asked, and links to it that can be cut.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use covenant_app::port::{NodeAnswer, NodeAsk, NodeCall, NodePort, NodePulse, PortError};
use covenant_domain::MemberId;
use futures::StreamExt;
use futures::channel::mpsc;
use parking_lot::Mutex;
use tokio::io::DuplexStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::super::{MayCall, PeerStream, RemoteNode, serve};
use super::table::{member, table};
use crate::changes::Changes;

/// Answers from the table, or always the same.
pub(super) struct Fake {
    table: Vec<(NodeAsk, NodeAnswer)>,
    pub(super) always: Mutex<Option<Result<NodeAnswer, PortError>>>,
    pub(super) running: AtomicBool,
    pub(super) changes: Changes,
    pub(super) asked: AtomicUsize,
    pub(super) asked_for_changes: AtomicUsize,
}

impl Fake {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            table: table(),
            always: Mutex::default(),
            running: AtomicBool::new(true),
            changes: Changes::default(),
            asked: AtomicUsize::default(),
            asked_for_changes: AtomicUsize::default(),
        })
    }
}

impl NodePulse for Fake {
    fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst)
    }

    fn changes(&self) -> u64 {
        self.changes.count()
    }
}

#[async_trait]
impl NodeCall for Fake {
    async fn call(&self, ask: NodeAsk) -> Result<NodeAnswer, PortError> {
        if let NodeAsk::Changed((since, wait)) = ask {
            self.asked_for_changes.fetch_add(1, Ordering::SeqCst);
            return Ok(NodeAnswer::Changed(self.changes.after(since, wait).await));
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        if let Some(always) = self.always.lock().clone() {
            return always;
        }
        let found = self.table.iter().find(|(known, _)| *known == ask).map(|(_, answer)| answer.clone());
        found.ok_or_else(|| PortError::refused("not-in-table", format!("{ask:?}")))
    }
}

type Streams = mpsc::UnboundedSender<io::Result<PeerStream<DuplexStream>>>;

/// A node's door in the same process: every connection is that of one member.
#[derive(Clone)]
pub(super) struct Place {
    caller: MemberId,
    /// Where connections go; absent while the node is away.
    door: Arc<Mutex<Option<Streams>>>,
}

impl Place {
    pub(super) fn of(caller: &str) -> Self {
        Self { caller: member(caller), door: Arc::default() }
    }

    /// Serves a node here.
    pub(super) fn open(&self, node: Arc<dyn NodePort>, may_call: MayCall) -> Serving {
        let (streams, incoming) = mpsc::unbounded();
        *self.door.lock() = Some(streams);
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { drop(stopped.await) };
        let task = tokio::spawn(serve(node, incoming.boxed(), may_call, shutdown));
        Serving { place: self.clone(), stop, task }
    }

    /// A stream to the node.
    pub(super) fn connect(&self) -> io::Result<DuplexStream> {
        let (here, there) = tokio::io::duplex(64 * 1024);
        let stream = PeerStream { member: self.caller.clone(), io: there };
        let door = self.door.lock();
        let door = door.as_ref().ok_or(io::ErrorKind::ConnectionRefused)?;
        door.unbounded_send(Ok(stream)).map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(here)
    }

    pub(super) fn remote(&self) -> Arc<RemoteNode> {
        let place = self.clone();
        Arc::new(RemoteNode::new(member("housing"), move || {
            let stream = place.connect();
            async move { stream }
        }))
    }
}

pub(super) struct Serving {
    place: Place,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Serving {
    pub(super) async fn stop(self) {
        self.place.door.lock().take();
        drop(self.stop);
        // Well before the calls under way would end by themselves.
        tokio::time::timeout(Duration::from_secs(15), self.task).await.unwrap().unwrap();
    }
}

pub(super) fn anyone() -> MayCall {
    Arc::new(|_, _| true)
}
