//! A node asked from another process.
//!
//! Streams come from elsewhere and name the member at their other end; nothing here authenticates. Over them goes gRPC
//! (HTTP/2) with one method, whose envelope holds canonical bytes of a [`NodeAsk`] and its reply. What a node refuses
//! arrives as it was said; whatever goes wrong on the way is [`PortError::Unavailable`](covenant_app::port::PortError)
//! and names the member.

mod access;
mod client;
mod peer;
mod server;

#[cfg(test)]
mod tests;

use std::time::Duration;

use covenant_app::port::NodeAsk;

pub use access::{MayCall, by_role};
pub use client::RemoteNode;
pub use peer::{Peer, PeerStream};
pub use server::serve;

/// Longest call: a delivery is at most half of it, and so is the longest sealed input.
pub const MAX_ASK_BYTES: usize = 8 * 1024 * 1024;

/// Longest reply: a chunk of a file is at most 4 MiB, answers at most 12; lists of records grow with the ledger.
pub const MAX_REPLY_BYTES: usize = 32 * 1024 * 1024;

/// Code of a refusal of the caller itself.
const NOT_ALLOWED: &str = "caller-not-allowed";

/// What protobuf puts around the bytes of a call.
const ENVELOPE_BYTES: usize = 64;

/// Longest time that a caller may have a node wait for something.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How long an ordinary call may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long a call may take that executes a part of the ledger again.
const REPLAY_PATIENCE: Duration = Duration::from_secs(180);

/// How often an idle connection is tried, and how soon it must show life.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(5));

/// Flow control: a chunk of a file goes through without waiting for window updates.
const WINDOW_BYTES: u32 = 5 * 1024 * 1024;

/// When a caller gives up.
fn patience(ask: &NodeAsk) -> Duration {
    match ask {
        NodeAsk::Record((_, wait)) | NodeAsk::Changed((_, wait)) => (*wait).min(LONGEST_WAIT) + PATIENCE,
        NodeAsk::Explain((_, true)) | NodeAsk::Simulate(_) => REPLAY_PATIENCE,
        _ => PATIENCE,
    }
}

/// The call with waits that a node puts up with.
fn bounded(mut ask: NodeAsk) -> NodeAsk {
    if let NodeAsk::Record((_, wait)) | NodeAsk::Changed((_, wait)) = &mut ask {
        *wait = (*wait).min(LONGEST_WAIT);
    }
    ask
}
