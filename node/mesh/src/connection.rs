//! One connection, from the greeting to its end.

use std::time::Duration;

use bytes::BytesMut;
use covenant_domain::MemberId;
use rustls::CommonState;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::frame::{self, Kind};
use crate::hello::{Hello, Refusal};
use crate::mesh::{Inner, MeshEvent};
use crate::outbox::Outbox;
use crate::registry::Entered;

/// How long the greeting may take.
const GREETING: Duration = Duration::from_secs(5);
/// After so much silence a ping is sent, and after so much the connection is given up.
const PING: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(15);
/// Bytes that are read at once.
const READ: usize = 64 * 1024;
/// Longest greeting or refusal.
const MAX_GREETING: usize = 4 * 1024;

/// Why a connection did not come to stand, or ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Another connection to the peer stays.
    Duplicate,
    /// One end refused.
    Refused(String),
    /// It was lost.
    Lost(String),
}

fn lost(error: impl std::fmt::Display) -> Ended {
    Ended::Lost(error.to_string())
}

/// As [`lost`], in the words of TLS: the other end's refusal of a certificate comes with the first bytes that are read.
fn broken(inner: &Inner) -> impl Fn(std::io::Error) -> Ended {
    |error| Ended::Lost(inner.config.security.explain(&error).unwrap_or_else(|| error.to_string()))
}

/// Greets, then carries frames until the end.
pub(crate) async fn run<S>(inner: &Inner, stream: S, session: &CommonStateOf, by_me: bool) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut reading, mut writing) = tokio::io::split(stream);
    let mut read = BytesMut::with_capacity(READ);
    let greeted = greet(inner, &mut reading, &mut writing, &mut read, &session.peer);
    match tokio::time::timeout(GREETING, greeted).await {
        Ok(Ok(())) => {}
        Ok(Err(ended)) => return ended,
        Err(_) => return Ended::Lost("no greeting in time".into()),
    }
    let by = if by_me { &inner.config.me } else { &session.peer };
    let (generation, outbox, end, fresh) = match inner.registry.enter(&session.peer, by, session.certificate.clone()) {
        Entered::Stands { generation, outbox, end, fresh } => (generation, outbox, end, fresh),
        Entered::Duplicate => return Ended::Duplicate,
    };
    if fresh {
        tracing::info!(peer = %session.peer, "connected");
        let _stopping = inner.events.send(MeshEvent::Connected(session.peer.clone())).await;
    }
    let heard = Heard::default();
    let ended = tokio::select! {
        ended = hear(&mut reading, &mut read, &session.peer, &inner.events, &outbox, &heard) => ended,
        error = speak(&mut writing, &outbox) => lost(error),
        () = watch(&outbox, &heard) => Ended::Lost("silence".into()),
        () = end.notified() => Ended::Lost("it is not to stand any more".into()),
    };
    if inner.registry.leave(&session.peer, generation) {
        tracing::info!(peer = %session.peer, ?ended, "disconnected");
        let _stopping = inner.events.send(MeshEvent::Disconnected(session.peer.clone())).await;
    }
    ended
}

/// Whom TLS has verified at the other end.
pub(crate) struct CommonStateOf {
    pub(crate) peer: MemberId,
    pub(crate) certificate: Option<rustls::pki_types::CertificateDer<'static>>,
}

impl CommonStateOf {
    pub(crate) fn of(inner: &Inner, session: &CommonState) -> Result<Self, String> {
        let peer = inner.config.security.member(session)?;
        let certificate = session.peer_certificates().and_then(|all| all.first()).map(|c| c.clone().into_owned());
        Ok(Self { peer, certificate })
    }
}

async fn greet(
    inner: &Inner,
    reading: &mut (impl AsyncRead + Unpin),
    writing: &mut (impl AsyncWrite + Unpin),
    read: &mut BytesMut,
    peer: &MemberId,
) -> Result<(), Ended> {
    let own = Hello::new(inner.config.me.clone(), inner.config.consortium);
    send(inner, writing, Kind::Hello, &own.bytes()).await?;
    let (kind, theirs) = receive(inner, reading, read).await?;
    let admitted = inner.config.security.admits(peer);
    let judged = match kind {
        Kind::Hello => own.judge(&theirs, peer, admitted),
        _ => Err(Refusal::new("protocol_version", "no greeting came first".into())),
    };
    match judged {
        Ok(()) => send(inner, writing, Kind::Welcome, &[]).await?,
        Err(refusal) => {
            send(inner, writing, Kind::Refusal, &covenant_canon::to_bytes(&refusal)).await?;
            // The other end may have its own word on it; whoever reads it first, both hear one.
            return Err(Ended::Refused(refusal.to_string()));
        }
    }
    match receive(inner, reading, read).await? {
        (Kind::Welcome, _) => Ok(()),
        (Kind::Refusal, bytes) => Err(Ended::Refused(Refusal::read(&bytes).to_string())),
        _ => Err(Ended::Lost("neither welcome nor refusal".into())),
    }
}

async fn send(inner: &Inner, writing: &mut (impl AsyncWrite + Unpin), kind: Kind, body: &[u8]) -> Result<(), Ended> {
    let bytes = [&frame::head(kind, body.len()), body].concat();
    writing.write_all(&bytes).await.map_err(broken(inner))?;
    writing.flush().await.map_err(broken(inner))
}

async fn receive(
    inner: &Inner,
    reading: &mut (impl AsyncRead + Unpin),
    read: &mut BytesMut,
) -> Result<(Kind, bytes::Bytes), Ended> {
    loop {
        if let Some(found) = frame::next(read).map_err(lost)? {
            return Ok(found);
        }
        if read.len() > MAX_GREETING {
            return Err(Ended::Lost("a greeting that is too long".into()));
        }
        if reading.read_buf(read).await.map_err(broken(inner))? == 0 {
            return Err(Ended::Lost("closed during the greeting".into()));
        }
    }
}

/// When the peer was last heard.
struct Heard(parking_lot::Mutex<Instant>);

impl Default for Heard {
    fn default() -> Self {
        Self(parking_lot::Mutex::new(Instant::now()))
    }
}

async fn hear(
    reading: &mut (impl AsyncRead + Unpin),
    read: &mut BytesMut,
    peer: &MemberId,
    events: &mpsc::Sender<MeshEvent>,
    outbox: &Outbox,
    heard: &Heard,
) -> Ended {
    loop {
        loop {
            match frame::next(read) {
                Ok(Some((Kind::Carries(lane), body))) => {
                    // Waiting here is what slows a peer down that sends more than is taken.
                    if events.send(MeshEvent::Frame(peer.clone(), lane, body)).await.is_err() {
                        return Ended::Lost("stopping".into());
                    }
                }
                Ok(Some((Kind::Ping, _))) => outbox.control(Kind::Pong),
                Ok(Some((Kind::Pong, _))) => {}
                Ok(Some((Kind::Hello | Kind::Welcome | Kind::Refusal, _))) => {
                    return Ended::Lost("a greeting in the middle".into());
                }
                Ok(None) => break,
                Err(error) => return lost(error),
            }
        }
        read.reserve(READ);
        match reading.read_buf(read).await {
            Ok(0) => return Ended::Lost("closed by the peer".into()),
            Ok(_) => *heard.0.lock() = Instant::now(),
            Err(error) => return lost(error),
        }
    }
}

async fn speak(writing: &mut (impl AsyncWrite + Unpin), outbox: &Outbox) -> std::io::Error {
    let mut out = BytesMut::new();
    loop {
        outbox.next(&mut out).await;
        let written = async {
            writing.write_all(&out).await?;
            writing.flush().await
        };
        // A peer that takes nothing for so long is as good as gone; what waits for it is bounded meanwhile.
        match tokio::time::timeout(SILENCE, written).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error,
            Err(_) => return std::io::Error::other("the peer takes nothing"),
        }
        out.clear();
        if out.capacity() > 1 << 20 {
            out = BytesMut::new();
        }
    }
}

/// Pings a silent peer; ends when it stays silent.
async fn watch(outbox: &Outbox, heard: &Heard) {
    loop {
        let silent = heard.0.lock().elapsed();
        if silent >= SILENCE {
            return;
        }
        if silent >= PING {
            outbox.control(Kind::Ping);
        }
        tokio::time::sleep(PING / 2).await;
    }
}
