//! The wire format of consensus, spoken by hand: what a mock says needs nobody's leave. It is the format of
//! `node/consensus/src/codec/wire.rs`, written a second time.

use bytes::Bytes;
use covenant_canon::{Digest, from_bytes, to_bytes};
use covenant_domain::MemberId;
use covenant_ledger::{CommitSignature, VoteKind};
use minicbor::{Decode, Encode};

/// Bytes of a block that travel in one message.
pub const PART_BYTES: usize = 128 * 1024;

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
struct Frame {
    #[n(0)]
    version: u8,
    #[n(1)]
    message: Message,
}

/// What mocks say or change; the rest passes through them as bytes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    #[n(0)]
    Vote(#[n(0)] Vote),
    #[n(1)]
    Offer(#[n(0)] Offer),
    #[n(2)]
    Part(#[n(0)] Part),
    #[n(3)]
    Polka(#[n(0)] Polka),
    #[n(5)]
    Status(#[n(0)] Status),
    #[n(8)]
    Wake(#[n(0)] u64),
}

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Vote {
    #[n(0)]
    pub kind: VoteKind,
    #[n(1)]
    pub height: u64,
    #[n(2)]
    pub round: u32,
    #[n(3)]
    pub block: Option<Digest>,
    #[n(4)]
    pub validator: MemberId,
    #[cbor(n(5), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Offer {
    #[n(0)]
    pub height: u64,
    #[n(1)]
    pub round: u32,
    #[n(2)]
    pub block: Digest,
    #[n(3)]
    pub valid_round: Option<u32>,
    #[n(4)]
    pub proposer: MemberId,
    #[cbor(n(5), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Part {
    #[n(0)]
    pub height: u64,
    #[n(1)]
    pub round: u32,
    #[n(2)]
    pub valid_round: Option<u32>,
    #[n(3)]
    pub block: Digest,
    #[n(4)]
    pub index: u32,
    #[n(5)]
    pub count: u32,
    #[cbor(n(6), with = "minicbor::bytes")]
    pub data: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Polka {
    #[n(0)]
    pub height: u64,
    #[n(1)]
    pub round: u32,
    #[n(2)]
    pub block: Digest,
    #[n(3)]
    pub signatures: Vec<CommitSignature>,
}

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Status {
    #[n(0)]
    pub tip: u64,
    #[n(1)]
    pub earliest: u64,
}

impl Message {
    pub fn read(frame: &Bytes) -> Option<Self> {
        from_bytes::<Frame>(frame).ok().map(|f| f.message)
    }

    pub fn bytes(self) -> Bytes {
        to_bytes(&Frame { version: 1, message: self }).into()
    }
}

/// The parts of a block under an id, which need not be its own.
pub fn parts(height: u64, round: u32, block: Digest, bytes: &[u8]) -> Vec<Message> {
    let count = bytes.len().div_ceil(PART_BYTES).max(1) as u32;
    let part = |(index, data): (usize, &[u8])| {
        let index = index as u32;
        Message::Part(Part { height, round, valid_round: None, block, index, count, data: data.to_vec() })
    };
    bytes.chunks(PART_BYTES).enumerate().map(part).collect()
}
