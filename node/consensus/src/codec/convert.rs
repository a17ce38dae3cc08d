//! Engine values to wire values and back. Out is total but for rounds that no message has; in checks every length.

use arc_malachitebft_app_channel::app::types::sync::{RawDecidedValue, Request, Response, Status};
use arc_malachitebft_app_channel::app::types::{PeerId, ProposedValue, SignedConsensusMsg};
use arc_malachitebft_core_types as core;
use arc_malachitebft_core_types::{
    NilOrVal, PolkaCertificate, PolkaSignature, Round, RoundCertificate, RoundCertificateType, RoundSignature,
    SignedMessage, Validity, VoteType,
};
use arc_malachitebft_sync::{ValueRequest, ValueResponse};
use covenant_canon::Digest;
use covenant_domain::MemberId;
use covenant_ledger::{Certificate, CommitSignature, VoteKind};

use super::CodecError;
use super::wire::{
    KnownWire, MAX_ROUND, MAX_SIGNATURE_BYTES, MAX_SIGNATURES, MAX_VALUES, Message, OfferWire, PartWire, PolkaWire,
    RequestWire, ResponseWire, RoundVoteWire, RoundWire, StatusWire, ValueWire, VoteWire,
};
use crate::config::{MAX_BLOCK_BYTES, PART_BYTES};
use crate::context::{Address, BlockId, Context, Height, Offer, Part, Seal, Vote};

fn limit(what: &'static str, length: usize, limit: usize) -> Result<(), CodecError> {
    if length > limit { Err(CodecError::TooLong { what, length, limit }) } else { Ok(()) }
}

fn seal(signature: Vec<u8>) -> Result<Seal, CodecError> {
    limit("signature", signature.len(), MAX_SIGNATURE_BYTES)?;
    Ok(Seal::new(signature))
}

fn round_out(round: Round) -> Result<u32, CodecError> {
    round.as_u32().ok_or(CodecError::Value("a message belongs to no round"))
}

fn round_in(round: u32) -> Result<Round, CodecError> {
    if round > MAX_ROUND { Err(CodecError::Value("round out of range")) } else { Ok(Round::new(round)) }
}

fn valid_round_in(round: Option<u32>) -> Result<Round, CodecError> {
    round.map_or(Ok(Round::Nil), round_in)
}

fn height_in(height: u64) -> Result<Height, CodecError> {
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

fn commit_signature(validator: &Address, signature: &Seal) -> CommitSignature {
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
        let signatures = wire.signatures.into_iter().map(|s| {
            Ok::<_, CodecError>(PolkaSignature::new(Address(s.validator), seal(s.signature)?))
        });
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

impl TryFrom<&Status<Context>> for Message {
    type Error = CodecError;

    fn try_from(status: &Status<Context>) -> Result<Self, CodecError> {
        Ok(Self::Status(StatusWire { tip: status.tip_height.0, earliest: status.history_min_height.0 }))
    }
}

/// The engine's status names a peer; ours is named by the connection it came through, so there is no way back.
impl TryFrom<Message> for Status<Context> {
    type Error = CodecError;

    fn try_from(_: Message) -> Result<Self, CodecError> {
        Err(CodecError::Value("a status is decoded by the transport"))
    }
}

impl TryFrom<&Request<Context>> for Message {
    type Error = CodecError;

    fn try_from(request: &Request<Context>) -> Result<Self, CodecError> {
        let Request::ValueRequest(ValueRequest { range }) = request;
        Ok(Self::Request(RequestWire { id: 0, first: range.start().0, last: range.end().0 }))
    }
}

impl TryFrom<Message> for Request<Context> {
    type Error = CodecError;

    fn try_from(message: Message) -> Result<Self, CodecError> {
        let Message::Request(wire) = message else { return Err(CodecError::Value("not a request")) };
        Ok(Self::ValueRequest(ValueRequest::new(height_in(wire.first)?..=height_in(wire.last)?)))
    }
}

impl TryFrom<&Response<Context>> for Message {
    type Error = CodecError;

    fn try_from(response: &Response<Context>) -> Result<Self, CodecError> {
        let Response::ValueResponse(response) = response;
        let values = response.values.iter().map(|value| {
            let certificate = from_certificate(&value.certificate.trim_vote_extensions())?;
            Ok::<_, CodecError>(ValueWire { block: value.value_bytes.to_vec(), certificate })
        });
        let values = values.collect::<Result<_, _>>()?;
        Ok(Self::Response(ResponseWire { id: 0, first: response.start_height.0, values }))
    }
}

impl TryFrom<ResponseWire> for Response<Context> {
    type Error = CodecError;

    fn try_from(wire: ResponseWire) -> Result<Self, CodecError> {
        limit("blocks", wire.values.len(), MAX_VALUES)?;
        let values = wire.values.into_iter().map(|value| {
            limit("block", value.block.len(), MAX_BLOCK_BYTES)?;
            let certificate = to_certificate(value.certificate)?;
            Ok::<_, CodecError>(RawDecidedValue::new(value.block.into(), certificate))
        });
        Ok(Self::ValueResponse(ValueResponse::new(height_in(wire.first)?, values.collect::<Result<_, _>>()?)))
    }
}

impl TryFrom<Message> for Response<Context> {
    type Error = CodecError;

    fn try_from(message: Message) -> Result<Self, CodecError> {
        match message {
            Message::Response(response) => response.try_into(),
            _ => Err(CodecError::Value("not a response")),
        }
    }
}

/// The ledger's certificate of the engine's, with signers in the order of their ids.
pub(crate) fn from_certificate(certificate: &core::CommitCertificate<Context>) -> Result<Certificate, CodecError> {
    let mut signatures: Vec<_> =
        certificate.commit_signatures.iter().map(|s| commit_signature(&s.address, &s.signature)).collect();
    signatures.sort_by(|a, b| a.validator.cmp(&b.validator));
    Ok(Certificate {
        height: certificate.height.0,
        round: round_out(certificate.round)?,
        block: certificate.value_id.0,
        signatures,
    })
}

/// The engine's certificate of the ledger's.
pub(crate) fn to_certificate(
    certificate: Certificate,
) -> Result<core::ExtendedCommitCertificate<Context>, CodecError> {
    limit("signatures", certificate.signatures.len(), MAX_SIGNATURES)?;
    let signatures = certificate.signatures.into_iter().map(|s| {
        Ok::<_, CodecError>(core::ExtendedCommitSignature::new(Address(s.validator), seal(s.signature)?, None))
    });
    Ok(core::ExtendedCommitCertificate {
        height: height_in(certificate.height)?,
        round: round_in(certificate.round)?,
        value_id: BlockId(certificate.block),
        commit_signatures: signatures.collect::<Result<_, _>>()?,
    })
}

/// The engine's name of a peer: a multihash that holds the member id as it is, so it can be read back.
pub(crate) fn peer_id(member: &MemberId) -> Option<PeerId> {
    const IDENTITY: u8 = 0;
    let name = member.as_str().as_bytes();
    let mut bytes = vec![IDENTITY, u8::try_from(name.len()).ok()?];
    bytes.extend_from_slice(name);
    PeerId::from_bytes(&bytes).ok()
}

/// The member behind the engine's name of a peer.
pub(crate) fn peer_member(peer: &PeerId) -> Option<MemberId> {
    let bytes = peer.to_bytes();
    let name = std::str::from_utf8(bytes.get(2..)?).ok()?;
    MemberId::new(name).ok()
}
