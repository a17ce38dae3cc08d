//! The trust root.

use covenant_canon::Digest;
use covenant_ledger::{Genesis, Handover};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// The founding document and its digest. Compare the digest with one obtained on another way before trusting it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Consortium {
    /// Digest of the canonical bytes under the consortium's suite.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The document.
    #[schema(value_type = schema::Genesis)]
    pub genesis: Genesis,
    /// How later rosters follow from it, each signed by the validators before it: verify them, do not believe them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub handovers: Vec<Handover>,
}
