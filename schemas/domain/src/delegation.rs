//! Delegation: one member acts for another, a provincial platform for a county for example.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{DatasetId, DelegationId, MemberId};

/// What a delegate may do in its principal's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// Return, approve and reject access requests to its datasets.
    #[n(0)]
    DecideRequests,
    /// Suspend, resume and revoke its grants.
    #[n(1)]
    ChangeGrants,
    /// Answer disputes about its records.
    #[n(2)]
    AnswerDisputes,
    /// Submit, amend and withdraw access requests of its.
    #[n(3)]
    RequestAccess,
}

/// A delegation, given by its principal. It cannot be passed on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// Id.
    #[n(0)]
    pub id: DelegationId,
    /// In whose name.
    #[n(1)]
    pub principal: MemberId,
    /// Who acts.
    #[n(2)]
    pub delegate: MemberId,
    /// What it may do, sorted.
    #[n(3)]
    pub powers: Vec<Power>,
    /// For which datasets; all when empty.
    #[n(4)]
    #[serde(default)]
    pub datasets: Vec<DatasetId>,
    /// From when, milliseconds since 1970.
    #[n(5)]
    pub valid_from_ms: u64,
    /// Until when, exclusive.
    #[n(6)]
    pub valid_until_ms: u64,
}

impl Delegation {
    /// Whether it lets its delegate use this power on this dataset at this time.
    pub fn covers(&self, power: Power, dataset: &DatasetId, time_ms: u64) -> bool {
        self.powers.contains(&power)
            && (self.datasets.is_empty() || self.datasets.contains(dataset))
            && (self.valid_from_ms..self.valid_until_ms).contains(&time_ms)
    }
}
