//! What can go wrong at the start; afterwards troubles with peers are told in [`crate::PeerInfo`].

use std::net::SocketAddr;

use covenant_domain::MemberId;

/// Why a mesh did not start or did not take addresses.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// The port cannot be listened on.
    #[error("cannot listen on `{address}`: is another process there, or is it no address of this machine?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An address has another form.
    #[error("`{address}` is no address of `{member}`: use `host:port`")]
    Address {
        /// Whose.
        member: MemberId,
        /// What was offered.
        address: String,
    },
}
