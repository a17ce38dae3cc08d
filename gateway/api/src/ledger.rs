//! Size of the ledger.

use covenant_canon::Digest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The newest block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tip {
    /// Its height.
    pub height: u64,
    /// Its id.
    #[schema(value_type = String)]
    pub block: Digest,
    /// Leaves in the log.
    pub leaves: u64,
    /// Block time, milliseconds since 1970.
    pub time_ms: u64,
}
