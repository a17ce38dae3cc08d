//! Connections to a gateway: plain on this machine, or TLS by the consortium's own certificates.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use covenant_domain::MemberId;
use covenant_ledger::{Genesis, Trust};
use covenant_suite::VerifyingKey;
use covenant_tls::{Directory, Profile, client_config, explain_io};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use parking_lot::RwLock;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;

use crate::ClientError;
use crate::identity::now_ms;

/// The members as the client has followed them: a gateway's certificate is signed by the member that runs it.
struct Circle {
    consortium: String,
    trust: Arc<RwLock<Trust>>,
}

impl Directory for Circle {
    fn authorities(&self, member: &MemberId) -> Vec<VerifyingKey> {
        let latest = self.trust.read().latest().clone();
        latest.member(member).and_then(|m| m.verifying_key.parse().ok()).into_iter().collect()
    }

    /// Revocations stand on the ledger, which a client does not have; certificates live for days.
    fn is_revoked(&self, _: &MemberId, _: &[u8]) -> bool {
        false
    }

    fn consortium(&self) -> Option<String> {
        Some(self.consortium.clone())
    }
}

/// Opens connections to one gateway.
#[derive(Clone)]
pub(crate) struct Socket {
    tls: Option<Arc<ClientConfig>>,
    patience: Duration,
}

impl Socket {
    /// Plain for `http`, TLS in the consortium's profile for `https`.
    pub(crate) fn new(
        secure: bool,
        genesis: &Genesis,
        trust: Arc<RwLock<Trust>>,
        protocol: &[u8],
        patience: Duration,
    ) -> Result<Self, ClientError> {
        if !secure {
            return Ok(Self { tls: None, patience });
        }
        let circle = Arc::new(Circle { consortium: genesis.consortium.clone(), trust });
        let (profile, clock) = (Profile::from(genesis.suite), Arc::new(now_ms as fn() -> u64));
        let config = client_config(profile, None, circle, None, clock, &[protocol]);
        Ok(Self { tls: Some(config.map_err(ClientError::protocol)?), patience })
    }

    async fn open(self, uri: http::Uri) -> io::Result<TokioIo<Stream>> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let connect = async {
            let stream = TcpStream::connect((host.as_str(), port)).await?;
            stream.set_nodelay(true)?;
            let Some(config) = self.tls else { return Ok(Stream::Plain(stream)) };
            let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
            let secured = TlsConnector::from(config).connect(name, stream).await;
            let named = |e: io::Error| explain_io(&e).map_or(e, |named| io::Error::other(named.to_string()));
            Ok(Stream::Secure(Box::new(secured.map_err(named)?)))
        };
        let late = || io::Error::new(io::ErrorKind::TimedOut, "connecting took too long");
        let stream = tokio::time::timeout(self.patience, connect).await.map_err(|_| late())?;
        stream.map(TokioIo::new)
    }
}

/// The types of HTTP, whose crate hyper and tonic share.
pub(crate) mod http {
    pub(crate) use tonic::codegen::http::{HeaderMap, Method, Request, Uri};
}

impl Service<http::Uri> for Socket {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: http::Uri) -> Self::Future {
        Box::pin(self.clone().open(uri))
    }
}

/// An open connection.
pub(crate) enum Stream {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

macro_rules! either {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Plain($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            Stream::Secure($stream) => {
                let $stream = Pin::new($stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self, Self::Plain(_))
    }
}
