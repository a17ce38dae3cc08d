//! What happens to a published dataset.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{DatasetId, MemberId};

/// What its holder, or who may suspend it, does with a published dataset.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum DatasetChange {
    /// Still answered until a day, then archived; consumers are to move.
    #[n(0)]
    Deprecated {
        /// End of the grace period, milliseconds since 1970.
        #[n(0)]
        until_ms: u64,
        /// What takes its place.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        successor: Option<DatasetId>,
    },
    /// Not answered until resumed; by holder, platform or regulator, each for itself.
    #[n(1)]
    Suspended,
    /// The author lifts its own suspension.
    #[n(2)]
    Resumed,
    /// Ended for good.
    #[n(3)]
    Archived,
}

/// Until when a deprecated dataset is answered, and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Deprecation {
    /// End of the grace period, milliseconds since 1970.
    #[n(0)]
    pub until_ms: u64,
    /// What takes its place.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<DatasetId>,
}

/// What has happened to a dataset since it was published; nothing has by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct DatasetStatus {
    /// Members that suspended it and have not resumed, sorted; each suspends independently.
    #[n(0)]
    pub suspended_by: Vec<MemberId>,
    /// The newest deprecation.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
    /// Whether it was ended for good.
    #[n(2)]
    pub archived: bool,
}

/// Where a dataset stands at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetStage {
    /// Answered.
    Published,
    /// Answered until its grace period ends.
    Deprecated,
    /// Not answered until everyone who suspended it has resumed.
    Suspended,
    /// Not answered any more.
    Archived,
}

impl DatasetStatus {
    /// Where the dataset stands at this time. The end of a grace period needs no entry.
    pub fn stage(&self, time_ms: u64) -> DatasetStage {
        let grace = self.deprecated.as_ref().map(|d| d.until_ms);
        if self.archived || grace.is_some_and(|until| until <= time_ms) {
            DatasetStage::Archived
        } else if !self.suspended_by.is_empty() {
            DatasetStage::Suspended
        } else if grace.is_some() {
            DatasetStage::Deprecated
        } else {
            DatasetStage::Published
        }
    }
}
