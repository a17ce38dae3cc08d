//! Authenticated, long-lived connections between the nodes of a consortium, over TLS that is handed in.
//!
//! A [`Mesh`] listens on one port and dials every member it has an address for; of each pair of members one connection
//! stays. Over it go frames in two lanes, [`Lane::Consensus`] before [`Lane::Gossip`], each a bounded queue that loses
//! frames rather than wait. What arrives, and who came and went, is told by [`Events`]. Connections of other kinds that
//! share the port are handed out as [`Visit`]s.
//!
//! Protects: who sent a frame, its secrecy and its integrity on the wire, and the memory of this process, whatever a
//! peer does. Does not: delivery. A frame may be lost with its connection or to a full queue; frames of one lane that
//! arrive over one connection arrive in order.
//!
//! This crate makes no certificates, judges none and knows no ledger: [`Security`] does, and is asked at every
//! connection.
#![deny(missing_docs)]

mod accept;
mod config;
mod dial;
mod error;
mod frame;
mod gate;
mod greet;
mod hello;
mod line;
mod link;
mod mesh;
mod peers;
pub mod proxy;
mod refusal;
mod security;
mod wire;

pub use accept::Visit;
pub use config::{Limits, MeshConfig, Timing, internal_name};
pub use error::MeshError;
pub use frame::{Decoder, Frame, FrameError, HEADER, Kind, Lane, MOST_BODY, encode};
pub use hello::{Hello, LOWEST_VERSION, VERSION};
pub use mesh::{Events, Mesh, MeshEvent};
pub use peers::{Counts, PeerInfo, Side};
pub use refusal::{Refusal, RefusalCode};
pub use security::{ALPN_H2, ALPN_MESH, Security};
