//! Connections that come in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use covenant_domain::MemberId;
use rustls::server::ServerConnection;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::gate::{Gate, Pass};
use crate::greet::{Other, greet};
use crate::link;
use crate::mesh::{Context, prepare, stopped};
use crate::peers::Ending;
use crate::security::{server_config, shown};
use crate::wire::Wire;
use crate::{ALPN_H2, ALPN_MESH, Refusal, RefusalCode, Side};

/// An authenticated connection of another kind (`h2`), of which nothing has been read. The member was admitted when it
/// came; whoever serves it asks again at every request.
#[derive(Debug)]
pub struct Visit {
    /// Whose certificate the other end showed.
    pub member: MemberId,
    /// The other end.
    pub remote: SocketAddr,
    /// The connection.
    pub stream: TlsStream<TcpStream>,
}

/// Pause after the system could give no connection, for lack of descriptors say.
const BREATH: Duration = Duration::from_millis(100);

/// Accepts until the mesh stops; then waits for the connections to end.
pub(crate) async fn accept(
    context: Arc<Context>,
    listener: TcpListener,
    visits: mpsc::Sender<Visit>,
    mut stop: watch::Receiver<bool>,
) {
    let gate = Gate::new(context.limits);
    let mut tasks = JoinSet::new();
    loop {
        let (stream, remote) = tokio::select! {
            () = stopped(&mut stop) => break,
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::debug!(%error, "no connection accepted");
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            },
        };
        if let Some(pass) = gate.enter(remote.ip()) {
            let stop = stop.clone();
            tasks.spawn(serve(context.clone(), stream, remote, pass, visits.clone(), stop));
        } else {
            tracing::debug!(%remote, "too many connections");
        }
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

async fn serve(
    context: Arc<Context>,
    stream: TcpStream,
    remote: SocketAddr,
    mut pass: Pass,
    visits: mpsc::Sender<Visit>,
    mut stop: watch::Receiver<bool>,
) {
    let handshake = async {
        let stream = shake(&context, stream, !visits.is_closed()).await?;
        let session = stream.get_ref().1;
        let (certified, certificate) = (context.security.member(session), shown(session));
        match (alpn(stream.get_ref().1), certified) {
            (Some(ALPN_H2), Ok(member)) => {
                visit(&context, &visits, Visit { member, remote, stream });
                None
            }
            (Some(ALPN_MESH), Ok(certified)) => {
                let (mut wire, other) = (Wire::new(stream), Other { certified, remote, dialled: false, certificate });
                match greet(&context, &mut wire, &other).await {
                    Ok(held) => Some((wire, held)),
                    Err(ending) => {
                        context.table.note(&other.certified, ending);
                        None
                    }
                }
            }
            (Some(ALPN_MESH), Err(text)) => {
                let refusal = Refusal::new(RefusalCode::NotAdmitted, &text);
                Wire::new(stream).part(&refusal, context.timing.farewell).await;
                None
            }
            _ => None,
        }
    };
    let greeted = tokio::select! {
        () = stopped(&mut stop) => None,
        greeted = handshake => greeted,
    };
    if let Some((wire, held)) = greeted {
        pass.settle();
        let member = held.line.member.clone();
        let ending = link::run(&context, wire, held).await;
        context.table.note(&member, ending);
    }
}

fn alpn(session: &ServerConnection) -> Option<&[u8]> {
    session.alpn_protocol()
}

async fn shake(context: &Context, stream: TcpStream, visits: bool) -> Option<TlsStream<TcpStream>> {
    prepare(&stream);
    let acceptor = TlsAcceptor::from(server_config(&*context.security, visits));
    match tokio::time::timeout(context.timing.handshake, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            let words = context.security.explain(&error).unwrap_or_else(|| error.to_string());
            tracing::debug!(error = words, "no TLS");
            None
        }
        Err(_) => None,
    }
}

fn visit(context: &Context, visits: &mpsc::Sender<Visit>, visit: Visit) {
    if !context.security.admits_visit(&visit.member) {
        let text = format!("`{}` takes no calls of `{}`", context.me, visit.member);
        let refusal = Refusal::new(RefusalCode::NotAdmitted, &text);
        context.table.note(&visit.member, Ending::Refused(Side::Us, refusal));
    } else if visits.try_send(visit).is_err() {
        tracing::debug!("nobody takes visits");
    }
}
