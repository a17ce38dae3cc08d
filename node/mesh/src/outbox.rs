//! Frames that wait to be written to one peer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{BufMut, Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::frame::{Kind, Lane, head};

/// Frames of a lane that may wait, and their bytes.
const CONSENSUS: (usize, usize) = (16_384, 64 << 20);
const GOSSIP: (usize, usize) = (4_096, 64 << 20);

/// Bytes that are written at once before the queue is looked at again.
const WRITE: usize = 256 * 1024;

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
}

impl Queue {
    fn push(&mut self, frame: Bytes, (count, bytes): (usize, usize)) -> bool {
        if self.frames.len() >= count || self.bytes + frame.len() > bytes {
            return false;
        }
        self.bytes += frame.len();
        self.frames.push_back(frame);
        true
    }

    fn pop(&mut self) -> Option<Bytes> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.len();
        Some(frame)
    }
}

#[derive(Debug, Default)]
struct Queues {
    consensus: Queue,
    gossip: Queue,
    /// A ping or pong to be sent.
    control: VecDeque<Kind>,
}

/// Two bounded queues: consensus goes first, what does not fit is lost and counted.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queues: Mutex<Queues>,
    wake: Notify,
    lost: AtomicU64,
}

impl Outbox {
    pub(crate) fn push(&self, lane: Lane, frame: Bytes) {
        let mut queues = self.queues.lock();
        let fits = match lane {
            Lane::Consensus => queues.consensus.push(frame, CONSENSUS),
            Lane::Gossip => queues.gossip.push(frame, GOSSIP),
        };
        drop(queues);
        if fits {
            self.wake.notify_one();
        } else {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Asks for a ping or pong; one of a kind is enough.
    pub(crate) fn control(&self, kind: Kind) {
        let mut queues = self.queues.lock();
        if !queues.control.contains(&kind) {
            queues.control.push_back(kind);
        }
        drop(queues);
        self.wake.notify_one();
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// What is to be written next, once there is something.
    pub(crate) async fn next(&self, out: &mut BytesMut) {
        loop {
            self.fill(out);
            if !out.is_empty() {
                return;
            }
            self.wake.notified().await;
        }
    }

    fn fill(&self, out: &mut BytesMut) {
        let mut queues = self.queues.lock();
        while let Some(kind) = queues.control.pop_front() {
            out.put_slice(&head(kind, 0));
        }
        while out.len() < WRITE {
            let (lane, frame) = match queues.consensus.pop() {
                Some(frame) => (Lane::Consensus, frame),
                None => match queues.gossip.pop() {
                    Some(frame) => (Lane::Gossip, frame),
                    None => return,
                },
            };
            out.put_slice(&head(Kind::Carries(lane), frame.len()));
            out.put_slice(&frame);
        }
    }

    /// Takes over what waits at the connection before.
    pub(crate) fn inherit(&self, former: &Self) {
        let mut queues = former.queues.lock();
        let (consensus, gossip) = (std::mem::take(&mut queues.consensus), std::mem::take(&mut queues.gossip));
        drop(queues);
        let mut own = self.queues.lock();
        (own.consensus, own.gossip) = (consensus, gossip);
        drop(own);
        self.lost.fetch_add(former.lost(), Ordering::Relaxed);
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consensus_overtakes_gossip_and_what_does_not_fit_is_counted() {
        let outbox = Outbox::default();
        for _ in 0..GOSSIP.0 + 3 {
            outbox.push(Lane::Gossip, Bytes::from_static(b"batch"));
        }
        outbox.push(Lane::Consensus, Bytes::from_static(b"vote"));
        assert_eq!(outbox.lost(), 3);
        let mut out = BytesMut::new();
        outbox.fill(&mut out);
        assert_eq!(crate::frame::next(&mut out).unwrap().unwrap().0, Kind::Carries(Lane::Consensus));
        assert_eq!(crate::frame::next(&mut out).unwrap().unwrap().0, Kind::Carries(Lane::Gossip));
    }

    #[test]
    fn bytes_are_bounded_too() {
        let outbox = Outbox::default();
        let large = Bytes::from(vec![0; 1 << 20]);
        for _ in 0..70 {
            outbox.push(Lane::Consensus, large.clone());
        }
        assert_eq!(outbox.lost(), 6);
    }
}
