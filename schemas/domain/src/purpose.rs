//! Registered purposes of use.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Mode, Names, PurposeCode};

/// Why data may be used. A grant and every query under it name exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Purpose {
    /// Short code.
    #[n(0)]
    pub code: PurposeCode,
    /// What it means, for people.
    #[n(1)]
    pub names: Names,
    /// The law, regulation or contract that allows it.
    #[n(2)]
    pub legal_basis: String,
    /// Whether the subject's consent is demanded; otherwise a legal authority suffices.
    #[n(3)]
    pub needs_consent: bool,
    /// Whether a query without consent must name a case number.
    #[n(4)]
    pub needs_case: bool,
    /// Modes that can serve the purpose.
    #[n(5)]
    pub modes: Vec<Mode>,
    /// How long a consumer may keep what it learned, in days, unless the grant says less.
    #[n(6)]
    pub retention_days: u32,
    /// Whether a query on the ground of law must name an authority that was recorded with the authorisation service, so
    /// that its subject learns of it. Absent means no.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_record: Option<bool>,
}
