//! A holder's rule book: guard rules that its own domain evaluates before any grant counts.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::MemberId;

/// Allow, or forbid; a forbid overrides every allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Allow.
    #[n(0)]
    Allow,
    /// Forbid.
    #[n(1)]
    Forbid,
}

/// One guard rule. `*` stands for any.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct GuardRule {
    /// Name of the rule, shown in explanations.
    #[n(0)]
    pub name: String,
    /// Member id, or a role of the hierarchy, for example `finance`.
    #[n(1)]
    pub subject: String,
    /// Short name of the dataset.
    #[n(2)]
    pub dataset: String,
    /// Mode.
    #[n(3)]
    pub mode: String,
    /// Purpose code.
    #[n(4)]
    pub purpose: String,
    /// First hour of the day (UTC+8) at which it applies, 0 to 23.
    #[n(5)]
    pub from_hour: u8,
    /// Hour at which it stops to apply, 1 to 24.
    #[n(6)]
    pub until_hour: u8,
    /// Allow or forbid.
    #[n(7)]
    pub effect: Effect,
}

/// `member` has `role`; roles may have roles.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RoleLink {
    /// Member id, class name or role.
    #[n(0)]
    pub member: String,
    /// The role it has.
    #[n(1)]
    pub role: String,
}

/// All guard rules of one holder, adopted as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RuleBook {
    /// Whose.
    #[n(0)]
    pub holder: MemberId,
    /// Revision, from 1.
    #[n(1)]
    pub revision: u32,
    /// Rules in their order.
    #[n(2)]
    pub rules: Vec<GuardRule>,
    /// Role hierarchy.
    #[n(3)]
    #[serde(default)]
    pub roles: Vec<RoleLink>,
}
