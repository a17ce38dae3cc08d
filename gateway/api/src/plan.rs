//! Advice before a query.

use covenant_domain::{Authority, DatasetId, FieldName, Mode, PurposeCode, Reason};
use covenant_engine::Need;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// A query that is being considered; the consumer is the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    /// About what.
    #[schema(value_type = String)]
    pub dataset: DatasetId,
    /// Why.
    #[schema(value_type = String)]
    pub purpose: PurposeCode,
    /// Which fields.
    #[schema(value_type = Vec<String>)]
    pub fields: Vec<FieldName>,
    /// To learn what.
    #[schema(value_type = schema::Need)]
    pub need: Need,
    /// On what ground.
    #[schema(value_type = schema::Authority)]
    pub authority: Authority,
}

/// A mode that would be refused now, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedMode {
    /// The mode.
    #[schema(value_type = schema::Mode)]
    pub mode: Mode,
    /// Why.
    #[schema(value_type = Vec<schema::Reason>)]
    pub reasons: Vec<Reason>,
}

/// The least revealing mode that would be permitted now. Advice: the ledger decides at its own height.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanResponse {
    /// The mode, if one would be permitted.
    #[schema(value_type = Option<schema::Mode>)]
    pub mode: Option<Mode>,
    /// Less revealing modes, or all, with what stands against them.
    pub refused: Vec<RefusedMode>,
}
