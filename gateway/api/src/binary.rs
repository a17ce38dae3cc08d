//! Bytes in JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Bytes that travel as base64 text (RFC 4648 section 4, with padding).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Base64Bytes(pub Vec<u8>);

impl std::fmt::Debug for Base64Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Base64Bytes({} bytes)", self.0.len())
    }
}

impl From<Vec<u8>> for Base64Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Serialize for Base64Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Base64Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("base64 text")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Base64Bytes, E> {
                let wrong = |e| E::custom(format_args!("not base64 (RFC 4648 section 4, padded): {e}"));
                STANDARD.decode(text).map(Base64Bytes).map_err(wrong)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl PartialSchema for Base64Bytes {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().schema_type(Type::String).content_encoding("base64");
        RefOr::T(object.description(Some("Bytes as base64 text, padded.")).into())
    }
}

impl ToSchema for Base64Bytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_text_is_refused_with_a_reason() {
        let bytes: Base64Bytes = serde_json::from_str("\"3q2+7w==\"").unwrap();
        assert_eq!(bytes.0, [0xde, 0xad, 0xbe, 0xef]);
        assert_eq!(serde_json::to_string(&bytes).unwrap(), "\"3q2+7w==\"");
        let error = serde_json::from_str::<Base64Bytes>("\"3q2+7w=\"").unwrap_err().to_string();
        assert!(error.contains("not base64"), "{error}");
    }
}
