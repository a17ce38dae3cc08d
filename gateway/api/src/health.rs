//! Health, by doing the real thing.

use covenant_domain::MemberId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One node, after it was asked to sign, verify and read back its newest block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeReport {
    /// Whose.
    #[schema(value_type = String)]
    pub member: MemberId,
    /// Newest block.
    pub height: u64,
    /// Entries waiting for a block.
    pub backlog: u64,
    /// Whether all of it worked.
    pub sound: bool,
    /// What failed, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// All nodes the gateway knows; at least one is sound, otherwise a problem is served instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthReport {
    /// Whether every node is sound.
    pub all_sound: bool,
    /// The nodes.
    pub nodes: Vec<NodeReport>,
}
