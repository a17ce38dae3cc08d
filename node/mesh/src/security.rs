//! The TLS that is handed in.

use std::sync::Arc;

use covenant_domain::MemberId;
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::server::NoServerSessionStorage;
use rustls::{ClientConfig, CommonState, ServerConfig};

/// Application protocol of connections of this crate.
pub const ALPN_MESH: &[u8] = b"covenant-mesh/1";
/// Application protocol of connections that are handed out.
pub const ALPN_H2: &[u8] = b"h2";

/// Who is who. Asked anew at every connection, so that rotated certificates and the ledger's list of members take
/// effect; the mesh sets the application protocols and switches resumption off.
pub trait Security: Send + Sync + 'static {
    /// For connections that come in; must demand a client certificate.
    fn server(&self) -> Arc<ServerConfig>;

    /// For connections to this peer.
    fn client(&self, peer: &MemberId) -> Arc<ClientConfig>;

    /// The member whose certificate the other end of a finished handshake showed.
    ///
    /// # Errors
    /// What is wrong with the certificate, in words that may be told to the peer.
    fn member(&self, session: &CommonState) -> Result<MemberId, String>;

    /// Whether this member's node may be connected now.
    fn admits(&self, peer: &MemberId) -> bool;

    /// Whether this member may come for something else than frames. Whoever serves it asks again at every request.
    fn admits_visit(&self, peer: &MemberId) -> bool {
        self.admits(peer)
    }

    /// Whether the certificate of a standing connection still holds.
    fn holds(&self, _peer: &MemberId, _certificate: &CertificateDer<'_>) -> bool {
        true
    }

    /// A failed handshake in better words than the system's.
    fn explain(&self, _error: &std::io::Error) -> Option<String> {
        None
    }
}

/// The certificate that the other end of a finished handshake showed.
pub(crate) fn shown(session: &CommonState) -> Option<CertificateDer<'static>> {
    session.peer_certificates().and_then(|all| all.first()).map(|one| one.clone().into_owned())
}

/// Without resumption: a resumed session would carry a certificate that was checked long ago.
pub(crate) fn server_config(security: &dyn Security, visits: bool) -> Arc<ServerConfig> {
    let mut config = (*security.server()).clone();
    config.alpn_protocols = vec![ALPN_MESH.to_vec()];
    if visits {
        config.alpn_protocols.push(ALPN_H2.to_vec());
    }
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

/// As [`server_config`], for the end that dials.
pub(crate) fn client_config(security: &dyn Security, peer: &MemberId) -> Arc<ClientConfig> {
    let mut config = (*security.client(peer)).clone();
    config.alpn_protocols = vec![ALPN_MESH.to_vec()];
    config.resumption = Resumption::disabled();
    Arc::new(config)
}
