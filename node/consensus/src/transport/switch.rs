//! What the two directions of the transport share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_malachitebft_app_channel::app::engine::network::{NetworkEvent, Subscriber};
use covenant_domain::MemberId;
use covenant_ledger::Certificate;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::Link;
use crate::assembly::{Place, cut};
use crate::codec::{Message, RequestWire, ValueWire, encode, peer_id};
use crate::context::{Context, Part};
use crate::pulse::Pulse;

/// What the transport asks the adapter to do, because only that knows the blocks.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Tell a new peer this replica's tip.
    Greet(MemberId),
    /// Send blocks to a peer that catches up.
    Serve(MemberId, RequestWire),
}

/// Certificates of fetched blocks that are remembered.
const MAX_FETCHED: usize = 256;

type Event = NetworkEvent<Context>;

#[derive(Default)]
struct Shared {
    subscribers: Vec<Box<dyn Subscriber<Event>>>,
    peers: BTreeSet<MemberId>,
    /// Requests of ours that wait for an answer, and of whom.
    requests: BTreeMap<u64, MemberId>,
    last_request: u64,
    /// Certificates that came with fetched blocks, by height and not checked; see [`Switch::certificate`].
    fetched: BTreeMap<u64, Certificate>,
}

/// The transport's state.
pub(crate) struct Switch {
    link: Arc<dyn Link>,
    pub(crate) pulse: Arc<Pulse>,
    asks: mpsc::Sender<Ask>,
    shared: Mutex<Shared>,
}

impl Switch {
    pub(crate) fn new(link: Arc<dyn Link>, pulse: Arc<Pulse>, asks: mpsc::Sender<Ask>) -> Self {
        Self { link, pulse, asks, shared: Mutex::default() }
    }

    /// Adds a listener of the engine, which first hears who is connected. Events go straight into its mailbox: the
    /// engine's own broadcast queue would drop votes when it lags.
    pub(crate) fn subscribe(&self, subscriber: Box<dyn Subscriber<Event>>, hello: Event) {
        let mut shared = self.shared.lock();
        subscriber.send(hello);
        for peer in shared.peers.iter().filter_map(peer_id) {
            subscriber.send(Event::PeerConnected(peer));
        }
        shared.subscribers.push(subscriber);
    }

    /// Hands an event to the engine.
    pub(crate) fn deliver(&self, event: &Event) {
        for subscriber in &self.shared.lock().subscribers {
            subscriber.send(event.clone());
        }
    }

    pub(crate) fn connected(&self, peer: MemberId) {
        let Some(id) = peer_id(&peer) else { return };
        self.pulse.connected(&peer);
        {
            let mut shared = self.shared.lock();
            shared.peers.insert(peer.clone());
            for subscriber in &shared.subscribers {
                subscriber.send(Event::PeerConnected(id));
            }
        }
        self.ask(Ask::Greet(peer));
    }

    pub(crate) fn disconnected(&self, peer: &MemberId) {
        let Some(id) = peer_id(peer) else { return };
        self.pulse.disconnected(peer);
        let mut shared = self.shared.lock();
        shared.peers.remove(peer);
        shared.requests.retain(|_, of| of != peer);
        for subscriber in &shared.subscribers {
            subscriber.send(Event::PeerDisconnected(id));
        }
    }

    /// Asks the adapter; when it is overloaded the peer asks again by itself.
    pub(crate) fn ask(&self, ask: Ask) {
        if let Err(lost) = self.asks.try_send(ask) {
            tracing::debug!(%lost, "no time for a peer");
        }
    }

    /// Numbers a request, and notes whose answer it waits for if that peer is connected.
    pub(crate) fn open_request(&self, peer: Option<&MemberId>) -> (u64, Option<MemberId>) {
        let mut shared = self.shared.lock();
        shared.last_request += 1;
        let id = shared.last_request;
        let peer = peer.filter(|peer| shared.peers.contains(*peer)).cloned();
        if let Some(peer) = &peer {
            shared.requests.insert(id, peer.clone());
        }
        (id, peer)
    }

    /// Whether this request waited for an answer of this peer; it does no more.
    pub(crate) fn close_request(&self, id: u64, peer: &MemberId) -> bool {
        let mut shared = self.shared.lock();
        if shared.requests.get(&id) != Some(peer) {
            return false;
        }
        shared.requests.remove(&id);
        true
    }

    /// Notes the certificates of an answer.
    pub(crate) fn note_fetched(&self, values: &[ValueWire]) {
        let mut shared = self.shared.lock();
        for value in values {
            shared.fetched.insert(value.certificate.height, value.certificate.clone());
        }
        while shared.fetched.len() > MAX_FETCHED {
            shared.fetched.pop_first();
        }
    }

    /// The newest certificate that came with a fetched block of this height.
    pub(crate) fn certificate(&self, height: u64) -> Option<Certificate> {
        self.shared.lock().fetched.get(&height).cloned()
    }

    pub(crate) fn forget_request(&self, id: u64) {
        self.shared.lock().requests.remove(&id);
    }

    pub(crate) fn send(&self, to: &MemberId, message: Message) {
        self.link.send(to, encode(message));
    }

    pub(crate) fn broadcast(&self, message: Message) {
        self.link.broadcast(encode(message));
    }

    /// Sends a block to everybody, in parts.
    pub(crate) fn stream(&self, place: &Place, block: &bytes::Bytes) {
        for part in cut(place, block) {
            self.broadcast(Message::from(&part));
        }
    }

    /// The engine's event for a part.
    pub(crate) fn part_event(from: &MemberId, part: Part) -> Option<Event> {
        use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
        let peer = peer_id(from)?;
        let stream = StreamId::new(bytes::Bytes::copy_from_slice(part.block.as_bytes()));
        let message = StreamMessage::new(stream, u64::from(part.index), StreamContent::Data(part));
        Some(Event::ProposalPart(peer, Some(peer), message))
    }
}
