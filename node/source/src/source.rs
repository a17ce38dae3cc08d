//! What a worker asks.

use async_trait::async_trait;
use covenant_domain::{DatasetId, Record, Subject};

use crate::SourceError;

/// Records of one dataset, by subject.
#[async_trait]
pub trait Source: Send + Sync {
    /// The dataset whose records it holds.
    fn dataset(&self) -> &DatasetId;

    /// Records of several subjects in the order asked, at most `limit + 1` each: the extra one tells that more exist.
    /// One SQL statement per hundred subjects, each row found by its key.
    ///
    /// # Errors
    /// [`SourceError`] when the database fails or a row on record does not fit the mapping.
    async fn find(&self, subjects: &[Subject], limit: u32) -> Result<Vec<Vec<Record>>, SourceError>;

    /// What an operator should know about the source, for example a key column without an index.
    fn checks(&self) -> Vec<String> {
        Vec::new()
    }
}
