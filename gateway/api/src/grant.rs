//! Grants with their status.

use covenant_domain::{Grant, MemberId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// A grant as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantStatusView {
    /// The grant.
    #[schema(value_type = schema::Grant)]
    pub grant: Grant,
    /// Members that have suspended it.
    #[schema(value_type = Vec<String>)]
    pub suspended_by: Vec<MemberId>,
    /// Whether it is revoked.
    pub revoked: bool,
    /// Queries debited in its newest window.
    pub used_in_window: u64,
}
