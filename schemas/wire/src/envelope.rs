//! Calls between gateway and node: canonical bytes in an envelope that names their format.

use covenant_canon::to_bytes;
use minicbor::{Decode, Encode};

use crate::node::v1::Envelope;

/// The one format of calls so far.
pub const CALL_VERSION: u32 = 1;

/// Why an envelope is not opened.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// It holds a format that this build does not know.
    #[error(
        "calls of format {version} are not known here, {CALL_VERSION} is: bring gateway and nodes to the same release"
    )]
    Version {
        /// The format.
        version: u32,
    },
    /// Its bytes are no call.
    #[error("not a `{expected}`: {detail}")]
    Malformed {
        /// What was expected.
        expected: &'static str,
        /// What the decoder met.
        detail: String,
    },
}

/// Puts a value into an envelope.
pub fn enclose<T: Encode<()>>(value: &T) -> Envelope {
    Envelope { version: CALL_VERSION, body: to_bytes(value) }
}

/// Takes a value out of an envelope. Its length was limited when it was received; it may exceed that of a ledger entry.
///
/// # Errors
/// [`EnvelopeError`] when the format is unknown, or the bytes are not the canonical ones of a value.
pub fn open<T: for<'b> Decode<'b, ()> + Encode<()>>(
    envelope: &Envelope,
    expected: &'static str,
) -> Result<T, EnvelopeError> {
    if envelope.version != CALL_VERSION {
        return Err(EnvelopeError::Version { version: envelope.version });
    }
    let malformed = |detail| EnvelopeError::Malformed { expected, detail };
    let value: T = minicbor::decode(&envelope.body).map_err(|e| malformed(e.to_string()))?;
    match to_bytes(&value) == envelope.body {
        true => Ok(value),
        false => Err(malformed("the encoding is not canonical".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_out_as_it_went_in() {
        let value = (7_u64, String::from("seven"));
        assert_eq!(open::<(u64, String)>(&enclose(&value), "pair").unwrap(), value);
    }

    #[test]
    fn an_unknown_format_is_refused_by_its_number() {
        let strange = Envelope { version: 9, ..enclose(&7_u64) };
        let error = open::<u64>(&strange, "number").unwrap_err();
        assert!(error.to_string().contains("format 9"), "{error}");
    }

    #[test]
    fn what_is_no_value_or_not_canonical_is_refused_by_name() {
        for body in [&[][..], &[0xff], &[0x18, 7], &[7, 7]] {
            let error = open::<u64>(&Envelope { version: CALL_VERSION, body: body.to_vec() }, "number").unwrap_err();
            assert!(error.to_string().starts_with("not a `number`: "), "{error}");
        }
    }
}
