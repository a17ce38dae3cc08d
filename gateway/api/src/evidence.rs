//! Why a query was decided as it was. The evidence bundle itself is `covenant_ledger::Bundle`, served as it is.

use covenant_domain::Decision;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// A recorded decision, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The decision with its reasons, permit and rule book digest.
    #[schema(value_type = schema::Decision)]
    pub decision: Decision,
    /// Height of its block.
    pub height: u64,
    /// Whether executing the ledger again up to that block gave the same decision; absent unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed_equal: Option<bool>,
}

/// Query parameters of an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExplainQuery {
    /// Whether to execute the ledger again.
    pub replay: bool,
}
