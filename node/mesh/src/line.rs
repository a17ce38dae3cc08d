//! What waits to be written to one peer, over one connection.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use covenant_domain::MemberId;
use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};

use crate::peers::Counters;
use crate::{HEADER, Kind, Lane, Limits, MOST_BODY, MeshEvent, Refusal, encode};

/// An event and the room that it takes until somebody takes it.
pub(crate) type Posted = (MeshEvent, OwnedSemaphorePermit);

/// Bytes after which no further frame joins a write. What has been handed to the system cannot be overtaken.
const BATCH: usize = 128 << 10;

/// One connection, as seen by those who send over it.
pub(crate) struct Line {
    pub(crate) member: MemberId,
    pub(crate) remote: SocketAddr,
    pub(crate) dialled: bool,
    pub(crate) certificate: Option<CertificateDer<'static>>,
    pub(crate) opened: Instant,
    pub(crate) counters: Arc<Counters>,
    limits: Limits,
    state: Mutex<State>,
    /// Something waits for the writer.
    wake: Notify,
    /// `end` was called.
    ended: Notify,
    /// `probe` was called.
    probed: Notify,
    heard_bytes: AtomicU64,
    rtt_us: AtomicU64,
}

struct State {
    consensus: Queue,
    gossip: Queue,
    ping: Option<[u8; 8]>,
    /// Only the last ping is answered, so that pings do not pile up.
    pong: Option<Bytes>,
    end: Option<Refusal>,
    /// Gone once the line is replaced or let go: no event of it may follow its `Disconnected`.
    post: Option<mpsc::UnboundedSender<Posted>>,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
}

impl Queue {
    fn push(&mut self, frame: Bytes, most_frames: usize, most_bytes: usize) -> bool {
        let bytes = self.bytes + frame.len() + HEADER;
        let fits = self.frames.len() < most_frames && bytes <= most_bytes;
        if fits {
            self.bytes = bytes;
            self.frames.push_back(frame);
        }
        fits
    }

    /// Moves frames into the batch until it is full.
    fn take(&mut self, lane: Lane, batch: &mut Batch) {
        while batch.bytes < BATCH {
            let Some(frame) = self.frames.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(frame.len() + HEADER);
            batch.bytes += frame.len() + HEADER;
            batch.frames.push((Kind::Lane(lane), frame));
        }
    }
}

#[derive(Default)]
struct Batch {
    frames: Vec<(Kind, Bytes)>,
    bytes: usize,
}

/// What [`Line::fill`] found.
pub(crate) enum Filled {
    /// Nothing waits.
    Nothing,
    /// Write it.
    Batch,
    /// Write it and close.
    LastWords,
}

/// Where a new connection comes from and goes to.
pub(crate) struct Ends {
    pub(crate) member: MemberId,
    pub(crate) remote: SocketAddr,
    pub(crate) dialled: bool,
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

impl Line {
    pub(crate) fn new(
        ends: Ends,
        counters: Arc<Counters>,
        limits: Limits,
        post: Option<mpsc::UnboundedSender<Posted>>,
    ) -> Self {
        let (consensus, gossip) = (Queue::default(), Queue::default());
        let state = State { consensus, gossip, ping: None, pong: None, end: None, post };
        let Ends { member, remote, dialled, certificate } = ends;
        Self {
            member,
            remote,
            dialled,
            certificate,
            opened: Instant::now(),
            counters,
            limits,
            state: Mutex::new(state),
            wake: Notify::new(),
            ended: Notify::new(),
            probed: Notify::new(),
            heard_bytes: AtomicU64::new(0),
            rtt_us: AtomicU64::new(0),
        }
    }

    /// Queues a frame, or loses and counts it.
    pub(crate) fn send(&self, lane: Lane, frame: Bytes) {
        let limits = &self.limits;
        let queued = frame.len() <= MOST_BODY && {
            let mut state = self.state.lock();
            match lane {
                Lane::Consensus => state.consensus.push(frame, limits.consensus_frames, limits.lane_bytes),
                Lane::Gossip => state.gossip.push(frame, limits.gossip_frames, limits.lane_bytes),
            }
        };
        if queued {
            self.wake.notify_one();
        } else {
            self.counters.drop_one(lane);
        }
    }

    pub(crate) fn ping(&self) {
        let now_us = u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.state.lock().ping = Some(now_us.to_be_bytes());
        self.wake.notify_one();
    }

    pub(crate) fn pong(&self, body: Bytes) {
        self.state.lock().pong = Some(body);
        self.wake.notify_one();
    }

    /// Takes the round trip out of the answer to a ping.
    pub(crate) fn ponged(&self, body: &[u8]) {
        let Ok(sent) = body.try_into().map(u64::from_be_bytes) else { return };
        if let Some(trip) = self.opened.elapsed().checked_sub(Duration::from_micros(sent)) {
            self.rtt_us.store(u64::try_from(trip.as_micros()).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
        }
    }

    /// Microseconds of the last round trip, if there was one.
    pub(crate) fn rtt_us(&self) -> Option<u64> {
        Some(self.rtt_us.load(Ordering::Relaxed)).filter(|us| *us > 0)
    }

    /// Has the connection closed with these words; the first ones count.
    pub(crate) fn end(&self, refusal: Refusal) {
        self.state.lock().end.get_or_insert(refusal);
        self.ended.notify_one();
        self.wake.notify_one();
    }

    /// The words it was ended with.
    pub(crate) fn ending(&self) -> Option<Refusal> {
        self.state.lock().end.clone()
    }

    /// Stops events; what waits is let go.
    pub(crate) fn let_go(&self) {
        let mut state = self.state.lock();
        state.post = None;
        state.consensus = Queue::default();
        state.gossip = Queue::default();
    }

    /// Tells the application of a frame.
    pub(crate) fn deliver(&self, lane: Lane, body: Bytes, room: OwnedSemaphorePermit) {
        self.counters.received(body.len());
        let state = self.state.lock();
        if let Some(post) = &state.post {
            let _nobody_listens = post.send((MeshEvent::Frame(self.member.clone(), lane, body), room));
        }
    }

    /// Appends what is to be written next.
    pub(crate) fn fill(&self, out: &mut BytesMut) -> Filled {
        let batch = match self.take() {
            Ok(batch) => batch,
            Err(refusal) => {
                encode(Kind::Refusal, &refusal.to_body(), out);
                return Filled::LastWords;
            }
        };
        if batch.frames.is_empty() {
            return Filled::Nothing;
        }
        let of_lanes = batch.frames.iter().filter(|(kind, _)| matches!(kind, Kind::Lane(_))).count();
        batch.frames.iter().for_each(|(kind, body)| encode(*kind, body, out));
        self.counters.sent(of_lanes, out.len());
        Filled::Batch
    }

    /// Under the lock that senders wait for: nothing is copied here.
    fn take(&self) -> Result<Batch, Refusal> {
        let mut state = self.state.lock();
        if let Some(refusal) = &state.end {
            return Err(refusal.clone());
        }
        let mut batch = Batch::default();
        batch.frames.extend(state.pong.take().map(|body| (Kind::Pong, body)));
        batch.frames.extend(state.ping.take().map(|body| (Kind::Ping, Bytes::copy_from_slice(&body))));
        state.consensus.take(Lane::Consensus, &mut batch);
        state.gossip.take(Lane::Gossip, &mut batch);
        Ok(batch)
    }

    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    pub(crate) async fn ended(&self) {
        self.ended.notified().await;
    }

    pub(crate) fn heard(&self, bytes: usize) {
        self.heard_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Asks for a sign of life.
    pub(crate) fn probe(&self) {
        self.probed.notify_one();
    }

    /// Returns once a probe was asked for and nothing was heard within the patience.
    pub(crate) async fn found_dead(&self, patience: Duration) {
        loop {
            self.probed.notified().await;
            let before = self.heard_bytes.load(Ordering::Relaxed);
            self.ping();
            tokio::time::sleep(patience).await;
            if self.heard_bytes.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}
