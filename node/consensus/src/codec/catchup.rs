//! Engine values of catching up, certificates and names of peers to wire values and back.

use arc_malachitebft_app_channel::app::types::PeerId;
use arc_malachitebft_app_channel::app::types::sync::{RawDecidedValue, Request, Response, Status};
use arc_malachitebft_core_types as core;
use arc_malachitebft_sync::{ValueRequest, ValueResponse};
use covenant_domain::MemberId;
use covenant_ledger::Certificate;

use super::CodecError;
use super::convert::{commit_signature, height_in, limit, round_in, round_out, seal};
use super::wire::{MAX_SIGNATURES, MAX_VALUES, Message, RequestWire, ResponseWire, StatusWire, ValueWire};
use crate::config::MAX_BLOCK_BYTES;
use crate::context::{Address, BlockId, Context};

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
pub(crate) fn to_certificate(certificate: Certificate) -> Result<core::ExtendedCommitCertificate<Context>, CodecError> {
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
