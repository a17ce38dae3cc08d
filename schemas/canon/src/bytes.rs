//! Encoding and strict decoding.

use minicbor::{Decode, Encode};

/// Longest encoding that is decoded, in bytes. A block is at most 512 KiB; a licence document at most 1 MiB.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Why bytes were not accepted as the canonical encoding of a value.
#[derive(Debug, thiserror::Error)]
pub enum CanonError {
    /// Longer than [`MAX_BYTES`].
    #[error("encoding of {length} bytes exceeds the limit of {MAX_BYTES}")]
    TooLong {
        /// Length of the offered bytes.
        length: usize,
    },
    /// Not CBOR of the expected shape.
    #[error("not a `{expected}`: {detail}")]
    Malformed {
        /// Short name of the type that was expected.
        expected: &'static str,
        /// What the decoder met, with its position.
        detail: String,
    },
    /// Decodes, but to a value whose canonical encoding differs: unsorted keys, long integers, trailing bytes.
    #[error("not the canonical encoding of a `{expected}`")]
    NotCanonical {
        /// Short name of the type that was expected.
        expected: &'static str,
    },
}

/// The canonical bytes of a value.
pub fn to_bytes<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    // Writing into a `Vec` cannot fail and our types have no failing encoder.
    let _infallible = minicbor::encode(value, &mut out);
    out
}

/// Decodes a value and demands that the bytes were its canonical encoding.
///
/// # Errors
/// [`CanonError`] when the bytes are too long, of another shape, or not canonical.
pub fn from_bytes<'b, T: Decode<'b, ()> + Encode<()>>(bytes: &'b [u8]) -> Result<T, CanonError> {
    let expected = short_name::<T>();
    if bytes.len() > MAX_BYTES {
        return Err(CanonError::TooLong { length: bytes.len() });
    }
    let value: T = minicbor::decode(bytes).map_err(|e| CanonError::Malformed { expected, detail: e.to_string() })?;
    if to_bytes(&value) == bytes { Ok(value) } else { Err(CanonError::NotCanonical { expected }) }
}

fn short_name<T>() -> &'static str {
    let full = std::any::type_name::<T>();
    let head = full.split('<').next().unwrap_or(full);
    head.rsplit("::").next().unwrap_or(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use minicbor::{Decode, Encode};
    use proptest::prelude::*;

    #[derive(Debug, Clone, PartialEq, Encode, Decode)]
    #[cbor(map)]
    struct Sample {
        #[n(0)]
        count: u64,
        #[n(1)]
        name: String,
        #[n(2)]
        note: Option<String>,
    }

    #[test]
    fn absent_option_takes_no_bytes() {
        let value = Sample { count: 1, name: "a".into(), note: None };
        assert_eq!(to_bytes(&value), [0xa2, 0x00, 0x01, 0x01, 0x61, b'a']);
    }

    #[test]
    fn refuses_long_integers_unsorted_keys_and_trailing_bytes() {
        let long_integer = [0xa2, 0x00, 0x18, 0x01, 0x01, 0x61, b'a'];
        let unsorted = [0xa2, 0x01, 0x61, b'a', 0x00, 0x01];
        let trailing = [0xa2, 0x00, 0x01, 0x01, 0x61, b'a', 0x00];
        for bad in [&long_integer[..], &unsorted, &trailing] {
            assert!(
                matches!(from_bytes::<Sample>(bad), Err(CanonError::NotCanonical { expected: "Sample" })),
                "{bad:x?}"
            );
        }
    }

    #[test]
    fn names_what_was_expected() {
        let error = from_bytes::<Sample>(&[0x01]).unwrap_err();
        assert!(error.to_string().starts_with("not a `Sample`"), "{error}");
    }

    proptest! {
        #[test]
        fn round_trips(count: u64, name: String, note: Option<String>) {
            let value = Sample { count, name, note };
            prop_assert_eq!(from_bytes::<Sample>(&to_bytes(&value)).unwrap(), value);
        }

        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _any = from_bytes::<Sample>(&bytes);
        }
    }
}
