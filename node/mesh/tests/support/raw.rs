//! A peer that speaks TLS and whatever a test makes it say.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use covenant_mesh::{ALPN_MESH, Decoder, Frame, Hello, Kind, Refusal, RefusalCode, Security, encode, internal_name};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::node::GENESIS;
use super::pki::TestSecurity;
use super::{member, soon};

pub struct Raw {
    pub stream: TlsStream<TcpStream>,
    decoder: Decoder,
}

impl Raw {
    /// Handshakes with the node of this name.
    pub async fn connect(security: &Arc<TestSecurity>, to: &str, at: SocketAddr, alpn: &[u8]) -> Self {
        let mut config = (*security.client(&member(to))).clone();
        config.alpn_protocols = vec![alpn.to_vec()];
        let name = ServerName::try_from(internal_name(&member(to))).unwrap();
        let tcp = TcpStream::connect(at).await.unwrap();
        let stream = soon("TLS", TlsConnector::from(Arc::new(config)).connect(name, tcp)).await.unwrap();
        Self { stream, decoder: Decoder::new() }
    }

    /// Becomes a peer. Its name must be the larger one.
    pub async fn join(security: &Arc<TestSecurity>, name: &str, to: &str, at: SocketAddr) -> Self {
        let mut raw = Self::connect(security, to, at, ALPN_MESH).await;
        raw.say(Kind::Hello, &Hello::new(GENESIS, member(name)).to_body()).await;
        raw.say(Kind::Welcome, &[]).await;
        while raw.next().await.expect("a welcome").kind != Kind::Welcome {}
        raw
    }

    pub async fn say(&mut self, kind: Kind, body: &[u8]) {
        let mut bytes = BytesMut::new();
        encode(kind, body, &mut bytes);
        self.bytes(&bytes).await;
    }

    pub async fn bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next frame, or nothing once the node has closed.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return Some(frame);
            }
            match soon("bytes", self.stream.read_buf(self.decoder.room())).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Reads to the end; the code of the refusal, if one came.
    pub async fn refused(&mut self) -> Option<RefusalCode> {
        while let Some(frame) = self.next().await {
            if frame.kind == Kind::Refusal {
                return Some(Refusal::from_body(&frame.body).unwrap().code);
            }
        }
        None
    }
}
