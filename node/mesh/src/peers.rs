//! Who is there, who should be, and why somebody is not.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use covenant_domain::MemberId;
use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};

use crate::line::{Ends, Line, Posted};
use crate::{Lane, Limits, MOST_BODY, MeshEvent, Refusal, RefusalCode};

/// Room that an event takes at least.
pub(crate) const LEAST_ROOM: u32 = 4096;
/// Members that are remembered without having an address or a connection.
const MOST_REMEMBERED: usize = 1024;

/// An end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// This node.
    Us,
    /// The peer.
    Them,
}

/// Why there is no connection, or no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    Refused(Side, Refusal),
    Trouble(String),
}

impl Ending {
    /// From the body of the peer's refusal.
    pub(crate) fn told(body: &[u8]) -> Self {
        match Refusal::from_body(body) {
            Ok(refusal) => Self::Refused(Side::Them, refusal),
            Err(_) => Self::Trouble("the peer refused in words that cannot be read".to_owned()),
        }
    }

    /// Whether somebody must do something before the next attempt can succeed.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Refused(_, refusal) => !matches!(refusal.code, RefusalCode::Duplicate | RefusalCode::Stopping),
            Self::Trouble(_) => false,
        }
    }
}

/// What went over all connections to one peer so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections.
    pub connections: u64,
    /// Frames of the application, written.
    pub sent_frames: u64,
    /// Bytes written, within TLS.
    pub sent_bytes: u64,
    /// Frames of the application, read.
    pub received_frames: u64,
    /// Bytes of their bodies.
    pub received_bytes: u64,
    /// Frames of the consensus lane that were lost to a full queue.
    pub dropped_consensus: u64,
    /// As `dropped_consensus`, of the gossip lane.
    pub dropped_gossip: u64,
}

/// One peer as it is now.
#[derive(Debug, Clone)]
pub struct PeerInfo {
    /// Who.
    pub member: MemberId,
    /// Where it is dialled, if it is.
    pub address: Option<String>,
    /// The other end, while connected.
    pub remote: Option<SocketAddr>,
    /// Whether this node dialled, while connected.
    pub dialled: bool,
    /// How long it has been connected.
    pub connected: Option<Duration>,
    /// Last round trip.
    pub rtt_us: Option<u64>,
    /// Why one of the two wants no connection; gone with the next one.
    pub refusal: Option<(Side, Refusal)>,
    /// What the last attempt or connection ended with, if it was no refusal; gone with the next one.
    pub trouble: Option<String>,
    /// Traffic.
    pub counts: Counts,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    connections: AtomicU64,
    sent_frames: AtomicU64,
    sent_bytes: AtomicU64,
    received_frames: AtomicU64,
    received_bytes: AtomicU64,
    dropped_consensus: AtomicU64,
    dropped_gossip: AtomicU64,
}

impl Counters {
    pub(crate) fn drop_one(&self, lane: Lane) {
        match lane {
            Lane::Consensus => self.dropped_consensus.fetch_add(1, Ordering::Relaxed),
            Lane::Gossip => self.dropped_gossip.fetch_add(1, Ordering::Relaxed),
        };
    }

    pub(crate) fn sent(&self, frames: usize, bytes: usize) {
        self.sent_frames.fetch_add(frames as u64, Ordering::Relaxed);
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.received_frames.fetch_add(1, Ordering::Relaxed);
        self.received_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn now(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            connections: read(&self.connections),
            sent_frames: read(&self.sent_frames),
            sent_bytes: read(&self.sent_bytes),
            received_frames: read(&self.received_frames),
            received_bytes: read(&self.received_bytes),
            dropped_consensus: read(&self.dropped_consensus),
            dropped_gossip: read(&self.dropped_gossip),
        }
    }
}

struct Peer {
    address: Option<String>,
    /// With the room for its `Disconnected`.
    line: Option<(Arc<Line>, OwnedSemaphorePermit)>,
    refusal: Option<(Side, Refusal)>,
    trouble: Option<String>,
    /// Room for events of this peer that wait to be taken.
    inbox: Arc<Semaphore>,
    counters: Arc<Counters>,
    /// The connection came or went, or the address changed. Its dialler is the only one that waits for it.
    changed: Arc<Notify>,
}

/// Everybody this node knows of.
pub(crate) struct Table {
    me: MemberId,
    limits: Limits,
    state: Mutex<State>,
}

struct State {
    peers: BTreeMap<MemberId, Peer>,
    /// Gone once the mesh stops.
    post: Option<mpsc::UnboundedSender<Posted>>,
}

/// Why a connection did not become the one of its pair.
pub(crate) enum NotClaimed {
    Duplicate(Arc<Line>),
    Stopped,
}

impl Table {
    pub(crate) fn new(me: MemberId, limits: Limits, post: mpsc::UnboundedSender<Posted>) -> Self {
        let state = State { peers: BTreeMap::new(), post: Some(post) };
        Self { me, limits, state: Mutex::new(state) }
    }

    /// Replaces the addresses; whoever has none any more is no longer dialled but stays connected.
    pub(crate) fn set_addresses(&self, addresses: &BTreeMap<MemberId, String>) {
        let mut state = self.state.lock();
        for member in addresses.keys().filter(|member| **member != self.me) {
            state.peer(member, &self.limits);
        }
        for (member, peer) in &mut state.peers {
            let address = addresses.get(member).cloned();
            if peer.address != address {
                peer.address = address;
                peer.changed.notify_one();
            }
        }
    }

    /// Where to dial this peer, if it has an address and no connection.
    pub(crate) fn wanted(&self, member: &MemberId) -> Option<String> {
        let state = self.state.lock();
        state.peers.get(member).filter(|peer| peer.line.is_none()).and_then(|peer| peer.address.clone())
    }

    /// What the dialler of this peer waits for.
    pub(crate) fn changed(&self, member: &MemberId) -> Arc<Notify> {
        self.state.lock().peer(member, &self.limits).changed.clone()
    }

    /// Wakes all diallers.
    pub(crate) fn nudge(&self) {
        self.state.lock().peers.values().for_each(|peer| peer.changed.notify_one());
    }

    pub(crate) fn inbox(&self, member: &MemberId) -> Arc<Semaphore> {
        self.state.lock().peer(member, &self.limits).inbox.clone()
    }

    /// Makes a connection the one of its pair. INVARIANT: of each pair of members the one with the smaller id decides,
    /// one connection at a time, so that both ends agree on which it is.
    pub(crate) fn claim(&self, ends: Ends, mut room: OwnedSemaphorePermit) -> Result<Arc<Line>, NotClaimed> {
        let mut state = self.state.lock();
        let Some(post) = state.post.clone() else { return Err(NotClaimed::Stopped) };
        let member = ends.member.clone();
        let decides = self.me < member;
        let peer = state.peer(&member, &self.limits);
        if let Some((line, farewell)) = peer.line.take() {
            if decides && line.ending().is_none() {
                peer.line = Some((line.clone(), farewell));
                return Err(NotClaimed::Duplicate(line));
            }
            line.let_go();
            line.end(Refusal::new(RefusalCode::Duplicate, "replaced by a later connection"));
            let _nobody_listens = post.send((MeshEvent::Disconnected(member.clone()), farewell));
        }
        let Some(farewell) = room.split(LEAST_ROOM as usize) else { return Err(NotClaimed::Stopped) };
        let line = Arc::new(Line::new(ends, peer.counters.clone(), self.limits, Some(post.clone())));
        peer.counters.connections.fetch_add(1, Ordering::Relaxed);
        (peer.refusal, peer.trouble) = (None, None);
        peer.line = Some((line.clone(), farewell));
        peer.changed.notify_one();
        let _nobody_listens = post.send((MeshEvent::Connected(member), room));
        Ok(line)
    }

    /// The connection has ended.
    pub(crate) fn release(&self, line: &Arc<Line>) {
        let mut state = self.state.lock();
        line.let_go();
        let post = state.post.clone();
        let Some(peer) = state.peers.get_mut(&line.member) else { return };
        if let Some((_, farewell)) = peer.line.take_if(|(current, _)| Arc::ptr_eq(current, line)) {
            peer.changed.notify_one();
            let event = MeshEvent::Disconnected(line.member.clone());
            let _nobody_listens = post.map(|post| post.send((event, farewell)));
        }
    }

    /// Remembers why there is no connection, and logs it if it is news.
    pub(crate) fn note(&self, member: &MemberId, ending: Ending) {
        let mut state = self.state.lock();
        if *member == self.me || !(state.peers.contains_key(member) || state.peers.len() < MOST_REMEMBERED) {
            tracing::debug!(%member, ?ending, "connection not kept");
            return;
        }
        let peer = state.peer(member, &self.limits);
        // The loser of two simultaneous dials tells nothing about the winner.
        let lost = matches!(&ending, Ending::Refused(_, refusal) if refusal.code == RefusalCode::Duplicate);
        if lost || peer.line.is_some() {
            return;
        }
        let refuses = ending.is_refusal();
        match ending {
            Ending::Refused(side, refusal) if refuses => {
                if peer.refusal.as_ref() != Some(&(side, refusal.clone())) {
                    tracing::warn!(%member, ?side, code = %refusal.code, reason = refusal.text, "connection refused");
                }
                peer.refusal = Some((side, refusal));
            }
            Ending::Refused(_, refusal) => peer.trouble = Some(refusal.to_string()),
            Ending::Trouble(text) => {
                if peer.trouble.as_ref() != Some(&text) {
                    tracing::info!(%member, reason = text, "no connection");
                }
                peer.trouble = Some(text);
            }
        }
    }

    pub(crate) fn line(&self, member: &MemberId) -> Option<Arc<Line>> {
        self.state.lock().peers.get(member)?.line.as_ref().map(|(line, _)| line.clone())
    }

    pub(crate) fn lines(&self) -> Vec<Arc<Line>> {
        self.state.lock().peers.values().filter_map(|peer| Some(peer.line.as_ref()?.0.clone())).collect()
    }

    /// No connection is taken and no event told from here on.
    pub(crate) fn close(&self) {
        self.state.lock().post = None;
    }

    pub(crate) fn infos(&self) -> Vec<PeerInfo> {
        self.state.lock().peers.iter().map(|(member, peer)| peer.info(member)).collect()
    }
}

impl State {
    fn peer(&mut self, member: &MemberId, limits: &Limits) -> &mut Peer {
        self.peers.entry(member.clone()).or_insert_with(|| Peer {
            address: None,
            line: None,
            refusal: None,
            trouble: None,
            inbox: Arc::new(Semaphore::new(limits.inbox_bytes.max(2 * MOST_BODY))),
            counters: Arc::default(),
            changed: Arc::default(),
        })
    }
}

impl Peer {
    fn info(&self, member: &MemberId) -> PeerInfo {
        let line = self.line.as_ref().map(|(line, _)| line);
        PeerInfo {
            member: member.clone(),
            address: self.address.clone(),
            remote: line.map(|line| line.remote),
            dialled: line.is_some_and(|line| line.dialled),
            connected: line.map(|line| line.opened.elapsed()),
            rtt_us: line.and_then(|line| line.rtt_us()),
            refusal: self.refusal.clone(),
            trouble: self.trouble.clone(),
            counts: self.counters.now(),
        }
    }
}
