//! Engine values of voting to wire values and back. Out is total but for rounds that no message has; in checks every length.

use arc_malachitebft_app_channel::app::types::{ProposedValue, SignedConsensusMsg};
use arc_malachitebft_core_types as core;
use arc_malachitebft_core_types::{
    NilOrVal, PolkaCertificate, PolkaSignature, Round, RoundCertificate, RoundCertificateType, RoundSignature,
    SignedMessage, Validity, VoteType,
};
use covenant_canon::Digest;
use covenant_ledger::{CommitSignature, VoteKind};

use super::CodecError;
use super::wire::{
    KnownWire, MAX_ROUND, MAX_SIGNATURE_BYTES, MAX_SIGNATURES, Message, OfferWire, PartWire, PolkaWire, RoundVoteWire,
    RoundWire, VoteWire,
};
use crate::config::{MAX_BLOCK_BYTES, PART_BYTES};
use crate::context::{Address, BlockId, Context, Height, Offer, Part, Seal, Vote};

pub(super) fn limit(what: &'static str, length: usize, limit: usize) -> Result<(), CodecError> {
    if length > limit { Err(CodecError::TooLong { what, length, limit }) } else { Ok(()) }
}

pub(super) fn seal(signature: Vec<u8>) -> Result<Seal, CodecError> {
    limit("signature", signature.len(), MAX_SIGNATURE_BYTES)?;
    Ok(Seal::new(signature))
}

pub(super) fn round_out(round: Round) -> Result<u32, CodecError> {
    round.as_u32().ok_or(CodecError::Value("a message belongs to no round"))
}

pub(super) fn round_in(round: u32) -> Result<Round, CodecError> {
    if round > MAX_ROUND { Err(CodecError::Value("round out of range")) } else { Ok(Round::new(round)) }
}

fn valid_round_in(round: Option<u32>) -> Result<Round, CodecError> {
    round.map_or(Ok(Round::Nil), round_in)
}

pub(super) fn height_in(height: u64) -> Result<Height, CodecError> {
    if height == 0 || height == u64::MAX { Err(CodecError::Value("height out of range")) } else { Ok(Height(height)) }
}

fn kind_out(kind: VoteType) -> VoteKind {
    match kind {
        VoteType::Prevote => VoteKind::Prevote,
        VoteType::Precommit => VoteKind::Precommit,
    }
}

fn kind_in(kind: VoteKind) -> VoteType {
    match kind {
        VoteKind::Prevote => VoteType::Prevote,
        VoteKind::Precommit => VoteType::Precommit,
    }
}

fn block_out(block: &NilOrVal<BlockId>) -> Option<Digest> {
    match block {
        NilOrVal::Nil => None,
        NilOrVal::Val(id) => Some(id.0),
    }
}

fn block_in(block: Option<Digest>) -> NilOrVal<BlockId> {
    block.map_or(NilOrVal::Nil, |id| NilOrVal::Val(BlockId(id)))
}

pub(super) fn commit_signature(validator: &Address, signature: &Seal) -> CommitSignature {
    CommitSignature { validator: validator.0.clone(), signature: signature.as_bytes().to_vec() }
}

impl TryFrom<&SignedConsensusMsg<Context>> for Message {
    type Error = CodecError;

    fn try_from(message: &SignedConsensusMsg<Context>) -> Result<Self, CodecError> {
        match message {
            SignedConsensusMsg::Vote(vote) => Self::try_from(vote),
            SignedConsensusMsg::Proposal(offer) => Ok(Self::Offer(OfferWire {
                height: offer.message.height.0,
                round: round_out(offer.message.round)?,
                block: offer.message.block.0,
                valid_round: offer.message.valid_round.as_u32(),
                proposer: offer.message.proposer.0.clone(),
                signature: offer.signature.as_bytes().to_vec(),
            })),
        }
    }
}

impl TryFrom<&core::SignedVote<Context>> for Message {
    type Error = CodecError;

    fn try_from(vote: &core::SignedVote<Context>) -> Result<Self, CodecError> {
        Ok(Self::Vote(VoteWire {
            kind: kind_out(vote.message.kind),
            height: vote.message.height.0,
            round: round_out(vote.message.round)?,
            block: block_out(&vote.message.block),
            validator: vote.message.validator.0.clone(),
            signature: vote.signature.as_bytes().to_vec(),
        }))
    }
}

impl TryFrom<VoteWire> for core::SignedVote<Context> {
    type Error = CodecError;

    fn try_from(wire: VoteWire) -> Result<Self, CodecError> {
        let vote = Vote {
            kind: kind_in(wire.kind),
            height: height_in(wire.height)?,
            round: round_in(wire.round)?,
            block: block_in(wire.block),
            validator: Address(wire.validator),
        };
        Ok(SignedMessage::new(vote, seal(wire.signature)?))
    }
}

impl TryFrom<OfferWire> for core::SignedProposal<Context> {
    type Error = CodecError;

    fn try_from(wire: OfferWire) -> Result<Self, CodecError> {
        let offer = Offer {
            height: height_in(wire.height)?,
            round: round_in(wire.round)?,
            block: BlockId(wire.block),
            valid_round: valid_round_in(wire.valid_round)?,
            proposer: Address(wire.proposer),
        };
        Ok(SignedMessage::new(offer, seal(wire.signature)?))
    }
}

impl TryFrom<Message> for SignedConsensusMsg<Context> {
    type Error = CodecError;

    fn try_from(message: Message) -> Result<Self, CodecError> {
        match message {
            Message::Vote(vote) => Ok(Self::Vote(vote.try_into()?)),
            Message::Offer(offer) => Ok(Self::Proposal(offer.try_into()?)),
            _ => Err(CodecError::Value("neither a vote nor an offer")),
        }
    }
}

impl From<&Part> for Message {
    fn from(part: &Part) -> Self {
        Self::Part(PartWire {
            height: part.height,
            round: part.round,
            valid_round: part.valid_round,
            block: part.block,
            index: part.index,
            count: part.count,
            data: part.data.to_vec(),
        })
    }
}

impl TryFrom<PartWire> for Part {
    type Error = CodecError;

    fn try_from(wire: PartWire) -> Result<Self, CodecError> {
        limit("part", wire.data.len(), PART_BYTES)?;
        limit("parts", wire.count as usize, MAX_BLOCK_BYTES.div_ceil(PART_BYTES))?;
        if wire.index >= wire.count {
            return Err(CodecError::Value("part number out of range"));
        }
        Ok(Self {
            height: height_in(wire.height)?.0,
            round: round_out(round_in(wire.round)?)?,
            valid_round: valid_round_in(wire.valid_round)?.as_u32(),
            block: wire.block,
            index: wire.index,
            count: wire.count,
            data: wire.data.into(),
        })
    }
}

impl TryFrom<&PolkaCertificate<Context>> for Message {
    type Error = CodecError;

    fn try_from(polka: &PolkaCertificate<Context>) -> Result<Self, CodecError> {
        Ok(Self::Polka(PolkaWire {
            height: polka.height.0,
            round: round_out(polka.round)?,
            block: polka.value_id.0,
            signatures: polka.polka_signatures.iter().map(|s| commit_signature(&s.address, &s.signature)).collect(),
        }))
    }
}

impl TryFrom<PolkaWire> for PolkaCertificate<Context> {
    type Error = CodecError;

    fn try_from(wire: PolkaWire) -> Result<Self, CodecError> {
        limit("signatures", wire.signatures.len(), MAX_SIGNATURES)?;
        let signatures = wire
            .signatures
            .into_iter()
            .map(|s| Ok::<_, CodecError>(PolkaSignature::new(Address(s.validator), seal(s.signature)?)));
        Ok(Self {
            height: height_in(wire.height)?,
            round: round_in(wire.round)?,
            value_id: BlockId(wire.block),
            polka_signatures: signatures.collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<Message> for PolkaCertificate<Context> {
    type Error = CodecError;

    fn try_from(message: Message) -> Result<Self, CodecError> {
        match message {
            Message::Polka(polka) => polka.try_into(),
            _ => Err(CodecError::Value("not a certificate of prevotes")),
        }
    }
}

impl TryFrom<&RoundCertificate<Context>> for Message {
    type Error = CodecError;

    fn try_from(certificate: &RoundCertificate<Context>) -> Result<Self, CodecError> {
        let votes = certificate.round_signatures.iter().map(|s| RoundVoteWire {
            kind: kind_out(s.vote_type),
            block: block_out(&s.value_id),
            validator: s.address.0.clone(),
            signature: s.signature.as_bytes().to_vec(),
        });
        Ok(Self::Round(RoundWire {
            height: certificate.height.0,
            round: round_out(certificate.round)?,
            skip: certificate.cert_type == RoundCertificateType::Skip,
            votes: votes.collect(),
        }))
    }
}

impl TryFrom<RoundWire> for RoundCertificate<Context> {
    type Error = CodecError;

    fn try_from(wire: RoundWire) -> Result<Self, CodecError> {
        limit("votes", wire.votes.len(), MAX_SIGNATURES)?;
        let votes = wire.votes.into_iter().map(|v| {
            let signature = seal(v.signature)?;
            Ok::<_, CodecError>(RoundSignature::new(
                kind_in(v.kind),
                block_in(v.block),
                Address(v.validator),
                signature,
            ))
        });
        Ok(Self {
            height: height_in(wire.height)?,
            round: round_in(wire.round)?,
            cert_type: if wire.skip { RoundCertificateType::Skip } else { RoundCertificateType::Precommit },
            round_signatures: votes.collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<&ProposedValue<Context>> for Message {
    type Error = CodecError;

    fn try_from(value: &ProposedValue<Context>) -> Result<Self, CodecError> {
        Ok(Self::Known(KnownWire {
            height: value.height.0,
            round: round_out(value.round)?,
            valid_round: value.valid_round.as_u32(),
            proposer: value.proposer.0.clone(),
            block: value.value.0,
            valid: value.validity.is_valid(),
        }))
    }
}

impl TryFrom<Message> for ProposedValue<Context> {
    type Error = CodecError;

    fn try_from(message: Message) -> Result<Self, CodecError> {
        let Message::Known(wire) = message else { return Err(CodecError::Value("not a known block")) };
        Ok(Self {
            height: height_in(wire.height)?,
            round: round_in(wire.round)?,
            valid_round: valid_round_in(wire.valid_round)?,
            proposer: Address(wire.proposer),
            value: BlockId(wire.block),
            validity: Validity::from_bool(wire.valid),
        })
    }
}
