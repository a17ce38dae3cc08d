//! Datasets and their fields.
//!
//! What the catalogue says of a dataset beside its fields is in [`about`], what must hold before it is published in
//! [`check`], what happens to it afterwards in [`status`].

mod about;
mod check;
mod mask;
mod status;

pub use about::{Description, Period, Quality, Theme, UpdateCycle};
pub use check::{DatasetError, MAX_FIELDS};
pub use mask::Mask;
pub use status::{DatasetChange, DatasetStage, DatasetStatus, Deprecation};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{DatasetId, FieldName, MemberId, Mode, Names, SubjectKind};

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

/// Level of a field under the classification of data security (数据分级), from public to most sensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
pub enum Level {
    /// Public, or harmless when it becomes so.
    #[n(0)]
    L1,
    /// Internal.
    #[n(1)]
    L2,
    /// Sensitive.
    #[n(2)]
    L3,
    /// Most sensitive.
    #[n(3)]
    L4,
}

/// What values of a field may be; what is absent is not bounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// Least integer.
    #[n(0)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// Greatest integer.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// Most characters of a text.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_chars: Option<u32>,
}

/// How a field enters a secret scoring rule.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScoreHint {
    /// An integer, compared as an unsigned number of so many bits after its least value is taken off.
    #[n(0)]
    Number {
        /// Bits, 1 to 64.
        #[n(0)]
        bits: u32,
    },
    /// An integer that falls into bins between these edges.
    #[n(1)]
    Bins {
        /// Lower edges of all bins but the first, rising.
        #[n(0)]
        edges: Vec<i64>,
    },
    /// Yes or no, as one bit.
    #[n(2)]
    Flag,
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
    /// Its level, where the department graded field by field.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// What its values may be.
    #[n(8)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    /// How it enters a scoring rule.
    #[n(9)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<ScoreHint>,
}

impl Field {
    /// A field with nothing optional: no unit, mask, level, bound or hint, and not personal.
    pub fn new(name: FieldName, names: Names, kind: FieldKind, modes: &[Mode]) -> Self {
        let modes = modes.to_vec();
        Self {
            name,
            names,
            kind,
            unit: None,
            personal: false,
            mask: None,
            modes,
            level: None,
            bound: None,
            score: None,
        }
    }
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
    /// How often it is brought up to date.
    #[n(10)]
    pub update_cycle: UpdateCycle,
    /// Bureaus that must sign grants and changes of rights beside the holder, sorted.
    #[n(11)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cosigners: Vec<MemberId>,
    /// What the catalogue says of it.
    #[n(12)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Description>,
}

impl Dataset {
    /// The first revision of a dataset keyed by resident numbers, shared on conditions, graded important, with one row
    /// an answer, no co-signer and no description: the careful defaults, to be changed with `..`.
    pub fn new(id: DatasetId, holder: MemberId, names: Names, fields: Vec<Field>) -> Self {
        Self {
            id,
            holder,
            revision: 1,
            names,
            duty_basis: String::new(),
            sharing: Sharing::Conditional,
            grade: Grade::Important,
            subject: SubjectKind::Resident,
            fields,
            max_rows: 1,
            update_cycle: UpdateCycle::Irregular,
            cosigners: Vec::new(),
            about: None,
        }
    }

    /// The field of this name.
    pub fn field(&self, name: &FieldName) -> Option<&Field> {
        self.fields.iter().find(|f| &f.name == name)
    }

    /// Every mode in which any field is open, least revealing first.
    pub fn modes(&self) -> Vec<Mode> {
        Mode::ALL.into_iter().filter(|mode| self.fields.iter().any(|f| f.modes.contains(mode))).collect()
    }

    /// Members whose signatures a grant or a change of a right takes: holder and co-signers, sorted.
    pub fn signers(&self) -> Vec<MemberId> {
        let mut all: Vec<_> = std::iter::once(&self.holder).chain(&self.cosigners).cloned().collect();
        all.sort();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests;
