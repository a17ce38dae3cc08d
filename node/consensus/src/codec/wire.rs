//! The shape of every message on the wire and in the write-ahead log: canonical CBOR, integer keys, one version number.
//! Decoding bounds lengths here, so that nothing behind it needs to.

use covenant_canon::Digest;
use covenant_domain::MemberId;
use covenant_ledger::{CommitSignature, VoteKind};
use minicbor::{Decode, Encode};

/// Version of the messages. A replica refuses what it does not know.
pub(crate) const VERSION: u8 = 1;

/// Longest signature, in bytes.
pub(crate) const MAX_SIGNATURE_BYTES: usize = 256;

/// Most signatures in a certificate.
pub(crate) const MAX_SIGNATURES: usize = 512;

/// Most blocks in one answer to a replica that catches up.
pub(crate) const MAX_VALUES: usize = 64;

/// Highest round that is accepted from a peer; by then a height has taken weeks.
pub(crate) const MAX_ROUND: u32 = 1_000_000;

/// The envelope.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Frame {
    #[n(0)]
    pub(crate) version: u8,
    #[n(1)]
    pub(crate) message: Message,
}

/// Everything that one replica tells another, or itself through the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Message {
    #[n(0)]
    Vote(#[n(0)] VoteWire),
    #[n(1)]
    Offer(#[n(0)] OfferWire),
    #[n(2)]
    Part(#[n(0)] PartWire),
    #[n(3)]
    Polka(#[n(0)] PolkaWire),
    #[n(4)]
    Round(#[n(0)] RoundWire),
    #[n(5)]
    Status(#[n(0)] StatusWire),
    #[n(6)]
    Request(#[n(0)] RequestWire),
    #[n(7)]
    Response(#[n(0)] ResponseWire),
    /// "I have a reason to make this block."
    #[n(8)]
    Wake(#[n(0)] u64),
    /// Only in the write-ahead log.
    #[n(9)]
    Known(#[n(0)] KnownWire),
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct VoteWire {
    #[n(0)]
    pub(crate) kind: VoteKind,
    #[n(1)]
    pub(crate) height: u64,
    #[n(2)]
    pub(crate) round: u32,
    #[n(3)]
    pub(crate) block: Option<Digest>,
    #[n(4)]
    pub(crate) validator: MemberId,
    #[cbor(n(5), with = "minicbor::bytes")]
    pub(crate) signature: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct OfferWire {
    #[n(0)]
    pub(crate) height: u64,
    #[n(1)]
    pub(crate) round: u32,
    #[n(2)]
    pub(crate) block: Digest,
    #[n(3)]
    pub(crate) valid_round: Option<u32>,
    #[n(4)]
    pub(crate) proposer: MemberId,
    #[cbor(n(5), with = "minicbor::bytes")]
    pub(crate) signature: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct PartWire {
    #[n(0)]
    pub(crate) height: u64,
    #[n(1)]
    pub(crate) round: u32,
    #[n(2)]
    pub(crate) valid_round: Option<u32>,
    #[n(3)]
    pub(crate) block: Digest,
    #[n(4)]
    pub(crate) index: u32,
    #[n(5)]
    pub(crate) count: u32,
    #[cbor(n(6), with = "minicbor::bytes")]
    pub(crate) data: Vec<u8>,
}

/// More than two thirds of the prevotes of a round.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct PolkaWire {
    #[n(0)]
    pub(crate) height: u64,
    #[n(1)]
    pub(crate) round: u32,
    #[n(2)]
    pub(crate) block: Digest,
    #[n(3)]
    pub(crate) signatures: Vec<CommitSignature>,
}

/// Reason to leave a round: precommits of it, or votes of a later one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct RoundWire {
    #[n(0)]
    pub(crate) height: u64,
    #[n(1)]
    pub(crate) round: u32,
    #[n(2)]
    pub(crate) skip: bool,
    #[n(3)]
    pub(crate) votes: Vec<RoundVoteWire>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct RoundVoteWire {
    #[n(0)]
    pub(crate) kind: VoteKind,
    #[n(1)]
    pub(crate) block: Option<Digest>,
    #[n(2)]
    pub(crate) validator: MemberId,
    #[cbor(n(3), with = "minicbor::bytes")]
    pub(crate) signature: Vec<u8>,
}

/// What a replica can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StatusWire {
    #[n(0)]
    pub(crate) tip: u64,
    #[n(1)]
    pub(crate) earliest: u64,
}

/// "Send me these blocks."
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct RequestWire {
    #[n(0)]
    pub(crate) id: u64,
    #[n(1)]
    pub(crate) first: u64,
    #[n(2)]
    pub(crate) last: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ResponseWire {
    #[n(0)]
    pub(crate) id: u64,
    #[n(1)]
    pub(crate) first: u64,
    #[n(2)]
    pub(crate) values: Vec<ValueWire>,
}

/// A committed block with its certificate, whose bytes are those of `covenant_ledger::Certificate`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ValueWire {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) block: Vec<u8>,
    #[n(1)]
    pub(crate) certificate: covenant_ledger::Certificate,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct KnownWire {
    #[n(0)]
    pub(crate) height: u64,
    #[n(1)]
    pub(crate) round: u32,
    #[n(2)]
    pub(crate) valid_round: Option<u32>,
    #[n(3)]
    pub(crate) proposer: MemberId,
    #[n(4)]
    pub(crate) block: Digest,
    #[n(5)]
    pub(crate) valid: bool,
}
