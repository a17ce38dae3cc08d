//! Authenticated, long-lived connections between the nodes of a consortium.
//!
//! One port for two things: frames of consensus and gossip between nodes, and HTTP/2 for calls, which is handed out as it
//! comes. TLS is given by the caller ([`Security`]), and so is who may connect, both asked anew for every connection.
//! Frames are best effort: what a peer does not take in time is lost and counted, and nobody waits for it.
//!
//! This crate does not know what frames hold, sign nothing, and reads no ledger.
#![deny(missing_docs)]

mod config;
mod connection;
mod dial;
mod frame;
mod hello;
mod mesh;
mod outbox;
mod registry;

pub use config::{MeshConfig, MeshError, Security};
pub use frame::{Lane, MAX_FRAME};
pub use hello::PROTOCOL;
pub use mesh::{Mesh, MeshEvent, Visit};
pub use registry::PeerInfo;

/// Name of the protocol of frames in the TLS handshake.
pub const MESH: &[u8] = b"covenant-mesh/1";
/// Name of the protocol of connections that are handed out.
pub const CALLS: &[u8] = b"h2";
