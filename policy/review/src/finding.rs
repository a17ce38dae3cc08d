//! What a review finds.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    #[n(0)]
    Note,
    /// Probably not what was meant.
    #[n(1)]
    Warning,
    /// The book cannot be adopted.
    #[n(2)]
    Error,
}

/// Stable code of a finding. Codes are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum FindingCode {
    /// The book does not compile.
    #[n(0)]
    Refused,
    /// Roles have each other.
    #[n(1)]
    CyclicRoles,
    /// An allow and a forbid speak about the same questions; the forbid wins there.
    #[n(2)]
    Conflict,
    /// An allow lies wholly under a forbid and never allows.
    #[n(3)]
    Unreachable,
    /// The holder publishes no such dataset.
    #[n(4)]
    UnknownDataset,
    /// No such purpose is registered.
    #[n(5)]
    UnknownPurpose,
    /// Neither a member, nor a class, nor a role that a link gives.
    #[n(6)]
    UnknownSubject,
    /// No dataset that the rule speaks about has the field.
    #[n(7)]
    UnknownField,
    /// No field of the dataset is open to the mode.
    #[n(8)]
    IdleMode,
    /// Two rules say the same.
    #[n(9)]
    Duplicate,
    /// Another allow without demands covers it wholly.
    #[n(10)]
    Redundant,
    /// It allows modes that the purpose is not served by.
    #[n(11)]
    WiderThanPurpose,
    /// It allows everything to everybody for any purpose.
    #[n(12)]
    WideOpen,
    /// It masks a field for which the dataset gives no mask; the value is withheld.
    #[n(13)]
    MaskMissing,
    /// It demands a group in modes about one record and never allows.
    #[n(14)]
    GroupUnmet,
    /// A forbid of the revision before is gone.
    #[n(15)]
    ForbidGone,
    /// The grade bound meets no dataset.
    #[n(16)]
    IdleGrade,
    /// Questions that were refused are allowed now.
    #[n(17)]
    Widened,
    /// The revision is not the next one.
    #[n(18)]
    Revision,
    /// A demand that rows of private lookups cannot meet.
    #[n(19)]
    LookupUnmet,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Finding {
    /// How much it matters.
    #[n(0)]
    pub severity: Severity,
    /// What it is.
    #[n(1)]
    pub code: FindingCode,
    /// The rule it is about; `book` when about the whole.
    #[n(2)]
    pub rule: String,
    /// In words: what, which, and what to do.
    #[n(3)]
    pub detail: String,
}

impl Finding {
    pub(crate) fn new(severity: Severity, code: FindingCode, rule: &str, detail: impl Into<String>) -> Self {
        Self { severity, code, rule: rule.to_owned(), detail: detail.into() }
    }
}
