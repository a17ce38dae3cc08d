//! Datasets and their fields.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{DatasetId, FieldName, MemberId, Mode, Names, SubjectKind, Value};

/// Sharing attribute of the catalogue (政务数据共享条例).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// 无条件共享.
    #[n(0)]
    Unconditional,
    /// 有条件共享.
    #[n(1)]
    Conditional,
    /// 不予共享: no grant can be issued.
    #[n(2)]
    Refused,
}

/// Grade under the data classification rules; it decides when an answer may be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// General: released after the permit, its completion follows.
    #[n(0)]
    General,
    /// Important: released after the receipt.
    #[n(1)]
    Important,
    /// Core: released after the receipt.
    #[n(2)]
    Core,
}

/// Type of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Normalised text.
    #[n(0)]
    Text,
    /// Signed 64-bit integer.
    #[n(1)]
    Integer,
    /// Calendar date.
    #[n(2)]
    Date,
    /// Yes or no.
    #[n(3)]
    Boolean,
    /// File.
    #[n(4)]
    Document,
}

/// How a value is shortened before it leaves, when the grant demands masking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mask {
    /// Keep the first and last characters, replace the rest by `*`.
    #[n(0)]
    Keep {
        /// Characters kept at the start.
        #[n(0)]
        first: u32,
        /// Characters kept at the end.
        #[n(1)]
        last: u32,
    },
    /// Round an integer down to a multiple.
    #[n(1)]
    Floor {
        /// The multiple, at least one.
        #[n(0)]
        step: u32,
    },
    /// Keep the year of a date.
    #[n(2)]
    Year,
}

impl Mask {
    /// The masked value; values of a type the mask does not fit become absent rather than leak.
    pub fn apply(self, value: &Value) -> Value {
        match (self, value) {
            (_, Value::Absent) => Value::Absent,
            (Self::Keep { first, last }, Value::Text(text)) => Value::Text(keep(text, first as usize, last as usize)),
            (Self::Floor { step }, Value::Integer(number)) => {
                let step = i64::from(step.max(1));
                Value::Integer(number.div_euclid(step).saturating_mul(step))
            }
            (Self::Year, Value::Date(date)) => Value::Text(date.chars().take(4).collect()),
            _ => Value::Absent,
        }
    }
}

fn keep(text: &str, first: usize, last: usize) -> String {
    let length = text.chars().count();
    let kept = |i: usize| first + last < length && (i < first || i + last >= length);
    text.chars().enumerate().map(|(i, c)| if kept(i) { c } else { '*' }).collect()
}

/// One field of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name in queries and grants.
    #[n(0)]
    pub name: FieldName,
    /// Name for people.
    #[n(1)]
    pub names: Names,
    /// Type of its values.
    #[n(2)]
    pub kind: FieldKind,
    /// Unit of an integer, for example `fen`, `cm2`, `days`.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether it identifies or describes a natural person.
    #[n(4)]
    pub personal: bool,
    /// Applied to every released value of this field.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    /// Modes in which the field may be used.
    #[n(6)]
    pub modes: Vec<Mode>,
}

/// A dataset as its holder publishes it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Id.
    #[n(0)]
    pub id: DatasetId,
    /// The department that holds it.
    #[n(1)]
    pub holder: MemberId,
    /// Revision, from 1; a later one supersedes.
    #[n(2)]
    pub revision: u32,
    /// Title for people.
    #[n(3)]
    pub names: Names,
    /// Duty that makes the department keep it (职责依据).
    #[n(4)]
    pub duty_basis: String,
    /// Sharing attribute.
    #[n(5)]
    pub sharing: Sharing,
    /// Grade.
    #[n(6)]
    pub grade: Grade,
    /// What its records are keyed by.
    #[n(7)]
    pub subject: SubjectKind,
    /// Fields in their order.
    #[n(8)]
    pub fields: Vec<Field>,
    /// Most records one answer may carry.
    #[n(9)]
    pub max_rows: u32,
    /// How often it is brought up to date, for people.
    #[n(10)]
    pub update_cycle: String,
}

/// Why a dataset description is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatasetError {
    /// No field at all.
    #[error("dataset `{id}` has no fields")]
    NoFields {
        /// The dataset.
        id: DatasetId,
    },
    /// Two fields of one name.
    #[error("dataset `{id}` names field `{field}` twice")]
    DuplicateField {
        /// The dataset.
        id: DatasetId,
        /// The field.
        field: FieldName,
    },
    /// More fields or rows than the format carries.
    #[error("dataset `{id}` exceeds a limit: at most 200 fields and 1 to 100 rows per answer")]
    Limits {
        /// The dataset.
        id: DatasetId,
    },
}

impl Dataset {
    /// The field of this name.
    pub fn field(&self, name: &FieldName) -> Option<&Field> {
        self.fields.iter().find(|f| &f.name == name)
    }

    /// Checks what the types alone do not.
    ///
    /// # Errors
    /// [`DatasetError`] naming the field at fault.
    pub fn check(&self) -> Result<(), DatasetError> {
        if self.fields.is_empty() {
            return Err(DatasetError::NoFields { id: self.id.clone() });
        }
        if self.fields.len() > 200 || !(1..=100).contains(&self.max_rows) {
            return Err(DatasetError::Limits { id: self.id.clone() });
        }
        let mut seen = std::collections::BTreeSet::new();
        match self.fields.iter().find(|f| !seen.insert(&f.name)) {
            Some(field) => Err(DatasetError::DuplicateField { id: self.id.clone(), field: field.name.clone() }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_shorten_and_never_pass_a_wrong_type() {
        let keep = Mask::Keep { first: 1, last: 1 };
        assert_eq!(keep.apply(&Value::Text("欧阳修文".into())), Value::Text("欧**文".into()));
        assert_eq!(keep.apply(&Value::Text("张三".into())), Value::Text("**".into()));
        assert_eq!(keep.apply(&Value::Integer(5)), Value::Absent);
        assert_eq!(Mask::Floor { step: 100 }.apply(&Value::Integer(-1)), Value::Integer(-100));
        assert_eq!(Mask::Year.apply(&Value::Date("1990-02-03".into())), Value::Text("1990".into()));
    }
}
