//! Usage, settlement, and what may be asked of them.

use covenant_domain::{Account, Tariff};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// Which month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonthQuery {
    /// Year and month as one number, for example `202611`; all months when left out.
    pub month: Option<u32>,
}

/// Which uses of a consent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsesQuery {
    /// Behind this leaf of the log; from the first when left out.
    pub after: Option<u64>,
}

/// Contribution accounts of all members. Anyone can compute them again from the counters of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Settlement {
    /// The month; absent when it covers all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<u32>,
    /// The tariff by which points were counted.
    #[schema(value_type = schema::Tariff)]
    pub tariff: Tariff,
    /// One account per member that asked or answered.
    #[schema(value_type = Vec<schema::Account>)]
    pub accounts: Vec<Account>,
}
