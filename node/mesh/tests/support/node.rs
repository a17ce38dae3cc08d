//! A mesh with what belongs to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use covenant_canon::Digest;
use covenant_mesh::{Events, Lane, Mesh, MeshConfig, MeshEvent, PeerInfo, RefusalCode, Side, Timing, Visit};
use tokio::sync::mpsc;

use super::pki::TestSecurity;
use super::{member, soon, until};

pub const GENESIS: Digest = Digest([7; 32]);

pub struct Node {
    pub name: String,
    pub mesh: Mesh,
    pub events: Events,
    pub visits: mpsc::Receiver<Visit>,
    pub security: Arc<TestSecurity>,
}

/// Less patient than nodes are, so that tests are short.
pub fn brisk() -> Timing {
    Timing {
        handshake: Duration::from_secs(2),
        ping: Duration::from_millis(300),
        silence: Duration::from_millis(1500),
        probe: Duration::from_millis(500),
        ..Timing::default()
    }
}

pub fn config(name: &str, security: &Arc<TestSecurity>) -> MeshConfig {
    let listen = "127.0.0.1:0".parse().unwrap();
    let mut config = MeshConfig::new(member(name), GENESIS, listen, security.clone(), BTreeMap::new());
    config.timing = brisk();
    config
}

pub fn addresses(of: &[(&str, SocketAddr)]) -> BTreeMap<covenant_domain::MemberId, String> {
    of.iter().map(|(name, address)| (member(name), address.to_string())).collect()
}

impl Node {
    pub async fn start(name: &str, security: &Arc<TestSecurity>, change: impl FnOnce(&mut MeshConfig)) -> Self {
        let mut config = config(name, security);
        change(&mut config);
        let (mesh, events, visits) = Mesh::start(config).await.unwrap();
        Self { name: name.to_owned(), mesh, events, visits, security: security.clone() }
    }

    pub fn at(&self) -> SocketAddr {
        self.mesh.local_addr()
    }

    pub fn dial(&self, of: &[(&str, SocketAddr)]) {
        self.mesh.set_addresses(addresses(of)).unwrap();
    }

    pub fn info(&self, name: &str) -> Option<PeerInfo> {
        self.mesh.peers().into_iter().find(|peer| peer.member == member(name))
    }

    pub fn is_connected(&self, name: &str) -> bool {
        self.info(name).is_some_and(|info| info.connected.is_some())
    }

    pub fn refusal(&self, name: &str) -> Option<(Side, RefusalCode)> {
        self.info(name)?.refusal.map(|(side, refusal)| (side, refusal.code))
    }

    pub async fn connected(&self, name: &str) {
        until(&format!("{} is connected to {name}", self.name), || self.is_connected(name)).await;
    }

    pub async fn parted(&self, name: &str) {
        until(&format!("{} is not connected to {name}", self.name), || !self.is_connected(name)).await;
    }

    pub async fn refused(&self, name: &str, side: Side, code: RefusalCode) {
        let what = format!("{} and {name} part by {code} of {side:?}; now {:?}", self.name, self.info(name));
        until(&what, || self.refusal(name) == Some((side, code))).await;
    }

    pub async fn next(&mut self) -> MeshEvent {
        soon(&format!("an event at {}", self.name), self.events.recv()).await.unwrap()
    }

    /// The next frame of a peer, whatever else happens meanwhile.
    pub async fn frame(&mut self, from: &str) -> (Lane, Bytes) {
        loop {
            if let MeshEvent::Frame(peer, lane, body) = self.next().await
                && peer == member(from)
            {
                return (lane, body);
            }
        }
    }

    pub fn send(&self, to: &str, lane: Lane, body: &[u8]) {
        self.mesh.send(&member(to), lane, Bytes::copy_from_slice(body));
    }

    /// Events that are there.
    pub fn drain(&mut self) -> Vec<MeshEvent> {
        std::iter::from_fn(|| self.events.try_recv()).collect()
    }
}
