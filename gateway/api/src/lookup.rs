//! What a private lookup adds to a query. The evaluation itself is `covenant_domain::Evaluation`, served as it is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Base64Bytes;

/// The consumer's encrypted question to the tables of the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetrievalRequest {
    /// Canonical bytes of the signed retrieval.
    pub retrieval: Base64Bytes,
}
