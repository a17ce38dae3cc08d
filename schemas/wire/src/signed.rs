//! Signed calls.

use covenant_api::RequestSignature;
use prost::Message;

use crate::error::parse;
use crate::{WireError, v1};

/// The outer message of a signed payload.
pub fn seal_call(signature: &RequestSignature, payload: Vec<u8>) -> v1::SignedCall {
    v1::SignedCall {
        member: signature.member.to_string(),
        created_ms: signature.created_ms,
        nonce: signature.nonce.to_vec(),
        signature: signature.signature.to_string(),
        payload,
    }
}

impl TryFrom<&v1::SignedCall> for RequestSignature {
    type Error = WireError;

    fn try_from(call: &v1::SignedCall) -> Result<Self, WireError> {
        let nonce = call.nonce.as_slice().try_into();
        let wrong = |_| WireError::Field { field: "nonce", detail: format!("{} bytes, expected 16", call.nonce.len()) };
        Ok(Self {
            member: parse("member", &call.member)?,
            created_ms: call.created_ms,
            nonce: nonce.map_err(wrong)?,
            signature: parse("signature", &call.signature)?,
        })
    }
}

/// Decodes the inner message of a signed call.
///
/// # Errors
/// [`WireError::Payload`].
pub fn decode_payload<M: Message + Default>(payload: &[u8]) -> Result<M, WireError> {
    let name = std::any::type_name::<M>();
    let expected = name.rsplit("::").next().unwrap_or(name);
    M::decode(payload).map_err(|e| WireError::Payload { expected, detail: e.to_string() })
}
