//! A member's own link, with another mouth at its end: what its real engine says is replaced on the way out.

use std::sync::Arc;

use bytes::Bytes;
use covenant_canon::{Digest, Label};
use covenant_consensus::{Link, Network};
use covenant_domain::MemberId;
use covenant_ledger::{VoteKind, proposal_bytes, vote_bytes};
use covenant_suite::{SigningKey, suite};
use parking_lot::Mutex;

use crate::wire::{Message, Offer, Vote};

/// Signs whatever it is told, with the member's real key.
pub struct Voice {
    pub consortium: Digest,
    pub member: MemberId,
    pub key: SigningKey,
}

impl Voice {
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        suite(self.key.suite()).sign(&self.key, Label::VOTE, message).unwrap().as_bytes().to_vec()
    }

    pub fn vote(&self, kind: VoteKind, height: u64, round: u32, block: Option<Digest>) -> Message {
        let signature = self.sign(&vote_bytes(&self.consortium, kind, height, round, block, &self.member));
        Message::Vote(Vote { kind, height, round, block, validator: self.member.clone(), signature })
    }

    pub fn offer(&self, height: u64, round: u32, block: Digest, valid_round: Option<u32>) -> Message {
        let message = proposal_bytes(&self.consortium, height, round, block, valid_round, &self.member);
        let (signature, proposer) = (self.sign(&message), self.member.clone());
        Message::Offer(Offer { height, round, block, valid_round, proposer, signature })
    }
}

/// What is said instead of a message. None stands for one that mocks do not read.
pub type Manner = Box<dyn FnMut(&Voice, Option<Message>) -> Said + Send>;

/// What becomes of a message.
pub enum Said {
    /// It goes out as it is.
    So,
    /// These go out in its place.
    Instead(Vec<Message>),
}

struct Mouth {
    inner: Arc<dyn Link>,
    voice: Voice,
    manner: Mutex<Manner>,
}

impl Mouth {
    fn said(&self, frame: Bytes) -> Vec<Bytes> {
        match (self.manner.lock())(&self.voice, Message::read(&frame)) {
            Said::So => vec![frame],
            Said::Instead(messages) => messages.into_iter().map(Message::bytes).collect(),
        }
    }
}

impl Link for Mouth {
    fn send(&self, to: &MemberId, frame: Bytes) {
        self.said(frame).into_iter().for_each(|frame| self.inner.send(to, frame));
    }

    fn broadcast(&self, frame: Bytes) {
        self.said(frame).into_iter().for_each(|frame| self.inner.broadcast(frame));
    }
}

/// Puts the mouth on a network.
pub fn speaking(network: Network, voice: Voice, manner: Manner) -> Network {
    let Network { link, events } = network;
    Network { link: Arc::new(Mouth { inner: link, voice, manner: Mutex::new(manner) }), events }
}
