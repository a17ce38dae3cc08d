//! What a worker asks.

use async_trait::async_trait;
use covenant_domain::{DatasetId, Record, Subject};

use crate::SourceError;

/// Some of the subjects on record.
#[derive(Debug, Default)]
pub struct SubjectPage {
    /// The subjects; a live table may name one again that it writes in two ways.
    pub subjects: Vec<Subject>,
    /// Where the next page starts; absent after the last.
    pub next: Option<String>,
}

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

    /// Subjects on record in the order of their keys, from `after` on, at most `limit` of them: how an epoch of private
    /// lookup reads the whole dataset. One statement, along the key's index.
    ///
    /// # Errors
    /// [`SourceError`] when the database fails or a key on record is not valid.
    async fn subjects(&self, after: Option<&str>, limit: u32) -> Result<SubjectPage, SourceError>;

    /// What an operator should know about the source, for example a key column without an index.
    fn checks(&self) -> Vec<String> {
        Vec::new()
    }
}
