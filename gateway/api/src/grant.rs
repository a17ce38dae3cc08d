//! Grants with their status.

use covenant_engine::GrantState;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// A grant as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantStatusView {
    /// The grant and what happened to it.
    #[schema(value_type = schema::GrantState)]
    #[serde(flatten)]
    pub state: GrantState,
    /// Queries debited in its newest window.
    pub used_in_window: u64,
}
