//! Administrative entries: publish, adopt, grant, consent and their changes.

use covenant_canon::Digest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Base64Bytes;

/// Entries under one member signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntriesRequest {
    /// Canonical bytes of a signed batch whose author is the caller.
    pub batch: Base64Bytes,
}

/// What became of one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryResult {
    /// Digest of the entry.
    #[schema(value_type = String)]
    pub entry: Digest,
    /// Leaf number in the log.
    pub leaf: u64,
    /// Block height.
    pub height: u64,
    /// Why the ledger recorded it as rejected; absent when it took effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
}
