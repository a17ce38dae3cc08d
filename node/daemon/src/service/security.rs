//! TLS for the mesh and for calls, judged by the ledger.

use std::sync::Arc;

use covenant_domain::MemberId;
use covenant_mesh::{ALPN_MESH, Security};
use covenant_suite::VerifyingKey;
use covenant_tls::{Directory, Profile, Rotating, TlsError, client_config, explain_io, peer_member, server_config};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, CommonState, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::directory::Circle;
use super::{RPC, now_ms};
use crate::rpc::RemoteNode;

/// The transport of a member: its certificate, and the ledger's word on everybody else's.
pub struct Guarded {
    profile: Profile,
    identity: Rotating,
    circle: Arc<Circle>,
    server: Arc<ServerConfig>,
    /// Connects to nobody.
    nobody: Arc<ClientConfig>,
}

impl Guarded {
    /// Connections under a profile.
    ///
    /// # Errors
    /// [`TlsError::WrongProfile`] for a certificate of the other profile.
    pub fn new(profile: Profile, identity: Rotating, circle: Arc<Circle>) -> Result<Self, TlsError> {
        let clock = Arc::new(now_ms as fn() -> u64);
        let server = server_config(profile, &identity, circle.clone(), clock, &[ALPN_MESH, RPC])?;
        let clock = Arc::new(now_ms as fn() -> u64);
        let nobody = client_config(profile, Some(&identity), Arc::new(Nobody), None, clock, &[])?;
        Ok(Self { profile, identity, circle, server, nobody })
    }

    /// Only for this peer: its certificate names no other.
    fn client_for(&self, peer: &MemberId, protocol: &[u8]) -> Arc<ClientConfig> {
        let clock = Arc::new(now_ms as fn() -> u64);
        let (circle, expected) = (self.circle.clone(), Some(peer.clone()));
        let made = client_config(self.profile, Some(&self.identity), circle, expected, clock, &[protocol]);
        // The identity is of this profile since `new`, and does not change it.
        made.unwrap_or_else(|_| self.nobody.clone())
    }
}

impl Security for Guarded {
    fn server(&self) -> Arc<ServerConfig> {
        self.server.clone()
    }

    fn client(&self, peer: &MemberId) -> Arc<ClientConfig> {
        self.client_for(peer, ALPN_MESH)
    }

    fn member(&self, session: &CommonState) -> Result<MemberId, String> {
        peer_member(session).map_err(|e| e.to_string())
    }

    fn admits(&self, peer: &MemberId) -> bool {
        self.circle.runs_node(peer)
    }

    fn admits_visit(&self, peer: &MemberId) -> bool {
        self.circle.latest().member(peer).is_some()
    }

    fn holds(&self, peer: &MemberId, certificate: &CertificateDer<'_>) -> bool {
        covenant_tls::check(self.profile, certificate, &*self.circle, now_ms(), Some(peer)).is_ok()
    }

    fn explain(&self, error: &std::io::Error) -> Option<String> {
        explain_io(error).map(|e| e.to_string())
    }
}

/// Knows no member.
struct Nobody;

impl Directory for Nobody {
    fn authorities(&self, _: &MemberId) -> Vec<VerifyingKey> {
        Vec::new()
    }

    fn is_revoked(&self, _: &MemberId, _: &[u8]) -> bool {
        true
    }
}

/// Calls a member's node.
#[derive(Clone)]
pub struct Dialer {
    guarded: Arc<Guarded>,
    peer: MemberId,
    address: String,
}

impl Dialer {
    /// A way to a member's node.
    pub fn new(guarded: Arc<Guarded>, peer: MemberId, address: String) -> Self {
        Self { guarded, peer, address }
    }

    /// A fresh connection, with both sides known.
    ///
    /// # Errors
    /// What the system or TLS says, in words.
    pub async fn dial(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let other = |text: String| std::io::Error::other(text);
        let config = self.guarded.client_for(&self.peer, RPC);
        let name = covenant_tls::internal_name(&self.peer);
        let name = ServerName::try_from(name).map_err(|e| other(e.to_string()))?;
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let connected = TlsConnector::from(config).connect(name, stream).await;
        connected.map_err(|e| explain_io(&e).map_or(e, |named| other(named.to_string())))
    }

    /// The node's port, which dials by itself. It has to be called in a tokio runtime.
    pub fn node(self) -> RemoteNode {
        let peer = self.peer.clone();
        RemoteNode::new(peer, move || {
            let dialer = self.clone();
            async move { dialer.dial().await }
        })
    }
}
