//! Why a message is not a value.

use covenant_canon::{CanonError, from_bytes};
use minicbor::{Decode, Encode};
use serde::Serialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

/// A field of a message that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The payload is not the expected message.
    #[error("payload is not a `{expected}`: {detail}")]
    Payload {
        /// Message that was expected.
        expected: &'static str,
        /// What the decoder met.
        detail: String,
    },
    /// A text field.
    #[error("field `{field}`: {detail}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A field of canonical bytes.
    #[error("field `{field}`: {source}")]
    Canonical {
        /// Its name.
        field: &'static str,
        /// What is wrong with it.
        source: CanonError,
    },
}

/// Parses a text field.
pub(crate) fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<T, WireError> {
    text.parse().map_err(|e: T::Err| WireError::Field { field, detail: e.to_string() })
}

/// Reads a word by its JSON name.
pub(crate) fn word<T: DeserializeOwned>(field: &'static str, text: &str) -> Result<T, WireError> {
    let text: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    T::deserialize(text).map_err(|e| WireError::Field { field, detail: e.to_string() })
}

/// The JSON name of a word.
pub(crate) fn word_of<T: Serialize>(word: &T) -> String {
    // Only unit variants come here; they serialise to their names.
    serde_json::to_value(word).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Reads canonical bytes.
pub(crate) fn canonical<T: for<'b> Decode<'b, ()> + Encode<()>>(
    field: &'static str,
    bytes: &[u8],
) -> Result<T, WireError> {
    from_bytes(bytes).map_err(|source| WireError::Canonical { field, source })
}
