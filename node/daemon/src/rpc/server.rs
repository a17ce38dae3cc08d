//! The node's end.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use covenant_app::port::{NodeAsk, NodePort, NodeReply, PortError, answer};
use covenant_domain::MemberId;
use covenant_wire::node::v1::Envelope;
use covenant_wire::node::v1::node_server::{Node as Calls, NodeServer};
use covenant_wire::{EnvelopeError, enclose, open};
use futures::Stream;
use parking_lot::RwLock;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use super::{
    ENVELOPE_BYTES, KEEP_ALIVE, MAX_ASK_BYTES, MAX_REPLY_BYTES, MayCall, NOT_ALLOWED, Peer, PeerStream,
    REPLAY_PATIENCE, WINDOW_BYTES, bounded,
};

/// How long connections may take to end.
const GRACE: Duration = Duration::from_secs(2);

/// Calls that one connection has under way at most.
const CALLS_AT_ONCE: u32 = 1024;

/// Answers calls over these streams until `shutdown` resolves. Calls under way are then told that the node stops, and
/// the node is let go of.
pub async fn serve<T>(
    node: Arc<dyn NodePort>,
    incoming: impl Stream<Item = io::Result<PeerStream<T>>>,
    may_call: MayCall,
    shutdown: impl Future<Output = ()>,
) where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (stop, stopping) = watch::channel(false);
    let at_all = may_call.clone();
    let door = Arc::new(Door { node: RwLock::new(Some(node)), may_call, stopping: stopping.clone() });
    let service = NodeServer::from_arc(door.clone())
        .max_decoding_message_size(MAX_ASK_BYTES)
        .max_encoding_message_size(MAX_REPLY_BYTES);
    let service = InterceptedService::new(service, move |request: Request<()>| admit(&at_all, request));
    let (interval, timeout) = KEEP_ALIVE;
    let server = Server::builder()
        .timeout(REPLAY_PATIENCE)
        .max_concurrent_streams(CALLS_AT_ONCE)
        .http2_keepalive_interval(Some(interval))
        .http2_keepalive_timeout(Some(timeout))
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(2 * WINDOW_BYTES)
        .add_service(service);
    // Not left to the server, which does not listen to it any more once there are no further streams.
    let shut = async {
        shutdown.await;
        door.node.write().take();
        stop.send_replace(true);
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = server.serve_with_incoming_shutdown(incoming, stopped(stopping)) => {
            if let Err(error) = served {
                tracing::error!(%error, "calls from other processes are not answered any more");
            }
        }
        () = shut => tracing::debug!("some callers hold on to their connection"),
    }
    // Streams may have ended on their own; connections still open get no further answer.
    door.node.write().take();
}

/// Resolves once the flag is up.
async fn stopped(mut stopping: watch::Receiver<bool>) {
    if stopping.wait_for(|stop| *stop).await.is_err() {
        // Nobody can raise it any more: the server is gone.
        std::future::pending::<()>().await;
    }
}

/// Turns away who may not even ask for changes, before anything that it sends is read.
fn admit(may_call: &MayCall, request: Request<()>) -> Result<Request<()>, Status> {
    let Some(Peer(caller)) = request.extensions().get() else {
        return Err(Status::unauthenticated("the stream names no member"));
    };
    match may_call(caller, &NodeAsk::Changed((0, Duration::ZERO))) {
        true => Ok(request),
        false => Err(Status::permission_denied(denied(caller, "anything"))),
    }
}

/// Says so in the log: denials are evidence too.
fn denied(caller: &MemberId, call: &str) -> String {
    tracing::warn!(target: "covenant::audit", member = %caller, call, "denied: not a gateway");
    format!("`{caller}` may not ask `{call}` of this node: only its own member and gateways may")
}

struct Door {
    /// Absent once it stops.
    node: RwLock<Option<Arc<dyn NodePort>>>,
    may_call: MayCall,
    stopping: watch::Receiver<bool>,
}

impl Door {
    async fn reply(&self, caller: &MemberId, envelope: &Envelope) -> NodeReply {
        let Some(node) = self.node.read().clone() else { return gone() };
        let running = node.is_running();
        let ask: NodeAsk = match open(envelope, "call of a node") {
            Ok(ask) => ask,
            Err(error) => return NodeReply { running, said: Err(unreadable(&error)) },
        };
        let name = ask.name();
        if !(self.may_call)(caller, &ask) {
            return NodeReply { running, said: Err(PortError::refused(NOT_ALLOWED, denied(caller, name))) };
        }
        tokio::select! {
            said = answer(&*node, bounded(ask)) => NodeReply { running: node.is_running(), said },
            () = stopped(self.stopping.clone()) => gone(),
        }
    }
}

#[tonic::async_trait]
impl Calls for Door {
    async fn call(&self, request: Request<Envelope>) -> Result<Response<Envelope>, Status> {
        let Some(Peer(caller)) = request.extensions().get::<Peer>().cloned() else {
            return Err(Status::unauthenticated("the stream names no member"));
        };
        let reply = self.reply(&caller, request.get_ref()).await;
        let mut envelope = enclose(&reply);
        let length = envelope.body.len();
        if length > MAX_REPLY_BYTES - ENVELOPE_BYTES {
            let reason = format!("the answer has {length} bytes, {MAX_REPLY_BYTES} can be sent: ask for less");
            let said = Err(PortError::refused("rpc-too-large", reason));
            envelope = enclose(&NodeReply { running: reply.running, said });
        }
        Ok(Response::new(envelope))
    }
}

fn gone() -> NodeReply {
    NodeReply { running: false, said: Err(PortError::unavailable("the node is stopping")) }
}

fn unreadable(error: &EnvelopeError) -> PortError {
    let code = match error {
        EnvelopeError::Version { .. } => "rpc-version",
        EnvelopeError::Malformed { .. } => "rpc-malformed",
    };
    PortError::refused(code, error.to_string())
}
