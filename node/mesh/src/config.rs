//! What a mesh is given.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use covenant_canon::Digest;
use covenant_domain::MemberId;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, CommonState, ServerConfig};

/// TLS, and who may connect. Asked anew for every connection, so that new certificates and a new roster take effect.
pub trait Security: Send + Sync + 'static {
    /// How connections are taken; both protocols of this crate are offered.
    fn server(&self) -> Arc<ServerConfig>;

    /// How a peer's node is called; only [`MESH`](crate::MESH) is offered, and only this member's certificate is taken.
    ///
    /// # Errors
    /// Why there is no way, in words.
    fn client(&self, peer: &MemberId) -> Result<Arc<ClientConfig>, String>;

    /// The member at the other end, as the handshake verified it.
    ///
    /// # Errors
    /// Why there is none.
    fn member(&self, session: &CommonState) -> Result<MemberId, String>;

    /// Whether this member's node may be connected now.
    fn admits(&self, peer: &MemberId) -> bool;

    /// Whether the certificate of a standing connection still holds.
    fn holds(&self, _peer: &MemberId, _certificate: &CertificateDer<'_>) -> bool {
        true
    }

    /// A failed handshake in better words than the system's.
    fn explain(&self, _error: &std::io::Error) -> Option<String> {
        None
    }
}

/// Settings of a mesh.
pub struct MeshConfig {
    /// Whose end it is.
    pub me: MemberId,
    /// Digest of the genesis: both ends must have the same.
    pub consortium: Digest,
    /// Where to listen.
    pub listen: SocketAddr,
    /// TLS and admission.
    pub security: Arc<dyn Security>,
    /// Where other nodes are reached, `host:port`. Whoever is not named here may connect by itself.
    pub addresses: BTreeMap<MemberId, String>,
}

/// Why a mesh does not start.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on `{listen}`: is another process there, or is it another machine's address?")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// An address that cannot be one.
    #[error("`{address}` of `{member}` is no `host:port`")]
    Address {
        /// Whose.
        member: MemberId,
        /// The text.
        address: String,
    },
}

impl MeshConfig {
    pub(crate) fn check(&self) -> Result<(), MeshError> {
        let good = |address: &str| {
            address
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0))
        };
        match self.addresses.iter().find(|(_, address)| !good(address)) {
            Some((member, address)) => Err(MeshError::Address { member: member.clone(), address: address.clone() }),
            None => Ok(()),
        }
    }
}
