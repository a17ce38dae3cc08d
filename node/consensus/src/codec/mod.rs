//! Bytes of everything that leaves the engine: to peers, and to its write-ahead log.
//!
//! One strict decoder for both: wrong version, unknown message, non-canonical bytes and lengths over the caps are
//! refused with an error that names what was wrong; no input panics.

mod catchup;
mod convert;
#[cfg(test)]
mod tests;
mod wire;

use arc_malachitebft_app_channel::app::types::sync::{Request, Response, Status};
use arc_malachitebft_app_channel::app::types::{ProposedValue, SignedConsensusMsg};
use arc_malachitebft_codec::{Codec, HasEncodedLen};
use arc_malachitebft_core_types::PolkaCertificate;
use bytes::Bytes;
use covenant_canon::{CanonError, from_bytes, to_bytes};

pub(crate) use catchup::{from_certificate, peer_id, peer_member, to_certificate};
pub(crate) use wire::{
    Frame, MAX_SIGNATURE_BYTES, MAX_VALUES, Message, RequestWire, ResponseWire, StatusWire, VERSION, ValueWire,
};

use crate::context::Context;

/// Why bytes are not a message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CodecError {
    #[error(transparent)]
    Canon(#[from] CanonError),
    #[error("message version {0} is not known")]
    Version(u8),
    #[error("`{what}` of {length} exceeds its limit of {limit}")]
    TooLong { what: &'static str, length: usize, limit: usize },
    #[error("{0}")]
    Value(&'static str),
}

/// The bytes of a message.
pub(crate) fn encode(message: Message) -> Bytes {
    to_bytes(&Frame { version: VERSION, message }).into()
}

/// The message of some bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<Message, CodecError> {
    let frame: Frame = from_bytes(bytes)?;
    if frame.version == VERSION { Ok(frame.message) } else { Err(CodecError::Version(frame.version)) }
}

/// The codec that the engine is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cbor;

macro_rules! codec {
    ($engine:ty) => {
        impl Codec<$engine> for Cbor {
            type Error = CodecError;

            fn decode(&self, bytes: Bytes) -> Result<$engine, CodecError> {
                decode(&bytes)?.try_into()
            }

            fn encode(&self, value: &$engine) -> Result<Bytes, CodecError> {
                Ok(encode(Message::try_from(value)?))
            }
        }
    };
}

codec!(SignedConsensusMsg<Context>);
codec!(ProposedValue<Context>);
codec!(PolkaCertificate<Context>);
codec!(Status<Context>);
codec!(Request<Context>);
codec!(Response<Context>);

impl HasEncodedLen<Response<Context>> for Cbor {
    fn encoded_len(&self, value: &Response<Context>) -> Result<usize, CodecError> {
        Ok(self.encode(value)?.len())
    }
}
