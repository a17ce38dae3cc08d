//! What a mesh is started with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use covenant_canon::Digest;
use covenant_domain::MemberId;

use crate::{MeshError, Security};

/// What a mesh is started with.
#[derive(Clone)]
pub struct MeshConfig {
    /// Whose node this is.
    pub me: MemberId,
    /// Digest of the genesis: nodes of other consortia are refused.
    pub consortium: Digest,
    /// Where to listen; port 0 takes any.
    pub listen: SocketAddr,
    /// Certificates and who may connect.
    pub security: Arc<dyn Security>,
    /// Whom to dial, as `host:port`. An entry for oneself is passed over.
    pub addresses: BTreeMap<MemberId, String>,
    /// The name that a peer's certificate must carry.
    pub server_name: fn(&MemberId) -> String,
    /// Pauses and patience.
    pub timing: Timing,
    /// Bounds of memory and connections.
    pub limits: Limits,
}

impl MeshConfig {
    /// With the names, timing and limits that nodes use.
    pub fn new(
        me: MemberId,
        consortium: Digest,
        listen: SocketAddr,
        security: Arc<dyn Security>,
        addresses: BTreeMap<MemberId, String>,
    ) -> Self {
        let (timing, limits) = (Timing::default(), Limits::default());
        Self { me, consortium, listen, security, addresses, server_name: internal_name, timing, limits }
    }
}

/// `{member}.covenant.internal`.
pub fn internal_name(member: &MemberId) -> String {
    format!("{member}.covenant.internal")
}

/// Pauses and patience.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// For one attempt at a TCP connection.
    pub connect: Duration,
    /// For the TLS handshake, and again for hello and welcome.
    pub handshake: Duration,
    /// Between pings.
    pub ping: Duration,
    /// A connection over which nothing came for so long is dead.
    pub silence: Duration,
    /// As `silence`, once the peer has dialled anew although the connection seems alive.
    pub probe: Duration,
    /// For the last words of a connection.
    pub farewell: Duration,
    /// Pause after a failed dial; it doubles with every further one.
    pub first_pause: Duration,
    /// Longest pause while a peer is out of reach.
    pub longest_pause: Duration,
    /// Longest pause while a peer refuses.
    pub longest_pause_refused: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            handshake: Duration::from_secs(5),
            ping: Duration::from_secs(5),
            silence: Duration::from_secs(15),
            probe: Duration::from_secs(1),
            farewell: Duration::from_millis(500),
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(1),
            longest_pause_refused: Duration::from_secs(5),
        }
    }
}

/// Bounds of memory and connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Frames that wait for one peer in the consensus lane.
    pub consensus_frames: usize,
    /// Frames that wait for one peer in the gossip lane.
    pub gossip_frames: usize,
    /// Bytes that wait for one peer, in each lane.
    pub lane_bytes: usize,
    /// Bytes of one peer that wait to be taken from [`crate::Events`]; a frame counts as 4 KiB or more. At least 4 MiB.
    pub inbox_bytes: usize,
    /// Connections that came in.
    pub connections: usize,
    /// Connections that came in and have not yet said hello.
    pub half_open: usize,
    /// As `half_open`, of one address (one /64 of IPv6).
    pub half_open_per_address: usize,
    /// Visits that wait to be taken.
    pub visits: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            consensus_frames: 16_384,
            gossip_frames: 4_096,
            lane_bytes: 64 << 20,
            inbox_bytes: 16 << 20,
            connections: 512,
            half_open: 128,
            half_open_per_address: 16,
            visits: 64,
        }
    }
}

/// Checks the form `host:port`; names are resolved at every dial.
pub(crate) fn check_address(member: &MemberId, address: &str) -> Result<(), MeshError> {
    let good = address.rsplit_once(':').is_some_and(|(host, port)| {
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let host_is_good = match bare {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
        };
        host_is_good && port.parse::<u16>().is_ok_and(|port| port != 0)
    });
    if good { Ok(()) } else { Err(MeshError::Address { member: member.clone(), address: address.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_host_and_port() {
        let member = MemberId::new("a").unwrap();
        for good in ["10.0.0.1:7000", "node-1.example.org:7000", "[::1]:7000"] {
            assert!(check_address(&member, good).is_ok(), "{good}");
        }
        for bad in ["", "host", "host:", ":7000", "host:0", "host:70000", "::1:7000", "[x]:1", "a b:1", "http://h:1"] {
            assert!(check_address(&member, bad).is_err(), "{bad}");
        }
    }
}
