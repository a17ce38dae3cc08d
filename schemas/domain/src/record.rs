//! A department's record and its values.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::FieldName;

/// One value of a record. Amounts are integers with their unit in the field's name (`principal_fen`, `area_cm2`).
#[derive(Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum Value {
    /// No value on record.
    #[n(0)]
    Absent,
    /// Text, normalised by [`normalise_text`].
    #[n(1)]
    Text(#[n(0)] String),
    /// A signed integer.
    #[n(2)]
    Integer(#[n(0)] i64),
    /// A calendar date, `YYYY-MM-DD`.
    #[n(3)]
    Date(#[n(0)] String),
    /// Yes or no.
    #[n(4)]
    Boolean(#[n(0)] bool),
    /// A file, for example an electronic licence.
    #[n(5)]
    Document {
        /// Media type (RFC 6838).
        #[n(0)]
        media_type: String,
        /// The file's bytes; hex in JSON.
        #[cbor(n(1), with = "minicbor::bytes")]
        #[serde(with = "hex")]
        bytes: Vec<u8>,
    },
}

impl std::fmt::Debug for Value {
    /// Names the kind only: values are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Text(_) => "Text(…)",
            Self::Integer(_) => "Integer(…)",
            Self::Date(_) => "Date(…)",
            Self::Boolean(_) => "Boolean(…)",
            Self::Document { .. } => "Document(…)",
        })
    }
}

impl Value {
    /// The value as a person reads it; a document by its media type and size.
    pub fn to_text(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Text(text) | Self::Date(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(flag) => flag.to_string(),
            Self::Document { media_type, bytes } => format!("{media_type}, {} bytes", bytes.len()),
        }
    }
}

/// One record: values in the order of the dataset's fields.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Record {
    /// Field names with their values, in the dataset's order.
    #[n(0)]
    pub values: Vec<(FieldName, Value)>,
}

impl Record {
    /// The value of a field, if the record has it.
    pub fn get(&self, name: &FieldName) -> Option<&Value> {
        self.values.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }
}

/// The form in which texts are stored and compared: Unicode NFKC (UAX 15), white space runs as one space, trimmed.
pub fn normalise_text(text: &str) -> String {
    let folded: String = text.nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_and_spaces_are_folded() {
        assert_eq!(normalise_text("　云港市１２号  ３楼 "), "云港市12号 3楼");
    }

    #[test]
    fn debug_shows_no_value() {
        let record = Record { values: vec![(FieldName::new("name").unwrap(), Value::Text("张三".into()))] };
        assert!(!format!("{record:?}").contains("张三"));
    }
}
