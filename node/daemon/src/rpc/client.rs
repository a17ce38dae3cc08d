//! The gateway's end.

use std::error::Error;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use covenant_app::port::{NodeAnswer, NodeAsk, NodeCall, NodePulse, NodeReply, PortError};
use covenant_domain::MemberId;
use covenant_wire::node::v1::node_client::NodeClient;
use covenant_wire::{enclose, open};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Request, Status};

use super::{ENVELOPE_BYTES, KEEP_ALIVE, MAX_ASK_BYTES, MAX_REPLY_BYTES, NOT_ALLOWED, WINDOW_BYTES, patience};
use crate::changes::Changes;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);

/// How long the node is asked to wait for a change.
const FOLLOW: Duration = Duration::from_secs(30);

/// First and longest pause before a node that did not answer is asked for changes again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// A node in another process. Connects when first asked, and again by itself. One call at a time waits for changes, however
/// many wait here, so that a node that goes or comes back is noticed without being asked.
pub struct RemoteNode {
    pub(super) line: Arc<Line>,
    /// Aborted when dropped.
    _follower: JoinSet<()>,
}

impl RemoteNode {
    /// The port of a member's node, over streams that `connect` opens and authenticates. It has to be called in a tokio
    /// runtime.
    pub fn new<C, F, T>(member: MemberId, connect: C) -> Self
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<T>> + Send + 'static,
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let connector = tower::service_fn(move |_: Uri| {
            let stream = connect();
            async move { timeout(CONNECT, stream).await.map_err(io::Error::from)?.map(TokioIo::new) }
        });
        let (interval, wait) = KEEP_ALIVE;
        // The name is not looked up: the connector knows where the node is.
        let channel = Endpoint::from_static("http://node")
            .http2_keep_alive_interval(interval)
            .keep_alive_timeout(wait)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(2 * WINDOW_BYTES)
            .connect_with_connector_lazy(connector);
        let client = NodeClient::new(channel)
            .max_decoding_message_size(MAX_REPLY_BYTES)
            .max_encoding_message_size(MAX_ASK_BYTES);
        let line = Arc::new(Line { member, client, running: AtomicBool::new(true), changes: Changes::default() });
        let mut follower = JoinSet::new();
        follower.spawn(follow(line.clone()));
        Self { line, _follower: follower }
    }

    /// Whose node it is.
    pub fn member(&self) -> &MemberId {
        &self.line.member
    }
}

impl NodePulse for RemoteNode {
    fn is_running(&self) -> bool {
        self.line.is_running()
    }

    fn changes(&self) -> u64 {
        self.line.changes()
    }
}

#[async_trait]
impl NodeCall for RemoteNode {
    async fn call(&self, ask: NodeAsk) -> Result<NodeAnswer, PortError> {
        match ask {
            NodeAsk::Changed((since, wait)) => Ok(NodeAnswer::Changed(self.line.changes.after(since, wait).await)),
            ask => self.line.call(ask).await,
        }
    }
}

/// The way to a node, on which each call is a call there.
pub(super) struct Line {
    member: MemberId,
    client: NodeClient<Channel>,
    /// What the node said last, and false while it cannot be reached.
    running: AtomicBool,
    /// Changes at the node, and changes in whether it can be reached.
    changes: Changes,
}

impl NodePulse for Line {
    fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }

    fn changes(&self) -> u64 {
        self.changes.count()
    }
}

#[async_trait]
impl NodeCall for Line {
    async fn call(&self, ask: NodeAsk) -> Result<NodeAnswer, PortError> {
        let (name, limit, envelope) = (ask.name(), patience(&ask), enclose(&ask));
        let length = envelope.body.len();
        if length > MAX_ASK_BYTES - ENVELOPE_BYTES {
            let reason = format!("`{name}` has {length} bytes, {MAX_ASK_BYTES} can be sent: ask for less at once");
            return Err(PortError::refused("rpc-too-large", reason));
        }
        let mut request = Request::new(envelope);
        request.set_timeout(limit);
        let reply = match timeout(limit, self.client.clone().call(request)).await {
            Ok(Ok(response)) => response.into_inner(),
            Ok(Err(status)) => return Err(self.failed(name, limit, &status)),
            Err(_) => return Err(self.late(name, limit)),
        };
        let NodeReply { running, said } = open(&reply, "reply of a node").map_err(|e| self.away(name, &e))?;
        self.running.store(running, Ordering::Relaxed);
        said.map_err(|error| match error {
            PortError::Unavailable { reason } => self.away(name, &reason),
            other => other,
        })
    }
}

impl Line {
    fn away(&self, name: &str, reason: &dyn std::fmt::Display) -> PortError {
        PortError::unavailable(format!("`{}` asked `{name}`: {reason}", self.member))
    }

    fn late(&self, name: &str, limit: Duration) -> PortError {
        self.away(name, &format_args!("no answer within {} s", limit.as_secs()))
    }

    fn failed(&self, name: &str, limit: Duration, status: &Status) -> PortError {
        match status.code() {
            Code::OutOfRange => PortError::refused("rpc-too-large", status.message()),
            Code::PermissionDenied => PortError::refused(NOT_ALLOWED, status.message()),
            Code::Cancelled | Code::DeadlineExceeded => self.late(name, limit),
            _ => {
                self.running.store(false, Ordering::Relaxed);
                self.away(name, &in_words(status))
            }
        }
    }
}

/// A failure on the way, with its causes.
fn in_words(status: &Status) -> String {
    let causes = std::iter::successors(status.source(), |e| (*e).source()).map(|e| format!(": {e}"));
    std::iter::once(status.message().to_owned()).chain(causes).collect()
}

/// Counts here what changes there.
async fn follow(line: Arc<Line>) {
    let (first, longest) = PAUSE;
    let (mut since, mut pause) = (0, first);
    loop {
        let asked = Instant::now();
        match line.call(NodeAsk::Changed((since, FOLLOW))).await {
            Ok(NodeAnswer::Changed(now)) if now != since => {
                (since, pause) = (now, first);
                line.changes.note();
                continue;
            }
            // Nothing happened there for a while.
            Ok(NodeAnswer::Changed(_)) if asked.elapsed() > FOLLOW / 2 => continue,
            Ok(_) => tracing::warn!(member = %line.member, "a node does not wait for changes as it is asked to"),
            Err(error) => tracing::debug!(%error, "changes are not told"),
        }
        if since != 0 {
            // Who waits for this node looks for another.
            line.changes.note();
        }
        since = 0;
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}
