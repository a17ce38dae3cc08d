//! A rule book tried on past queries. The result is `covenant_domain::Simulation`, served as it is.

use covenant_domain::RuleBook;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most past queries that one request may compare.
pub const MAX_SIMULATED: u32 = 10_000;

/// A rule book to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulateRequest {
    /// The rule book, of the caller unless it is a regulator; see docs/policy.md for its form.
    #[schema(value_type = Object)]
    pub book: RuleBook,
    /// How many of the newest queries to its datasets, 1 to 10 000.
    #[schema(minimum = 1, maximum = 10_000)]
    pub last: u32,
}
