//! Revisions of datasets, read from the ledger itself: the state keeps the newest only.

use covenant_canon::Digest;
use covenant_domain::{Body, Dataset, DatasetId};
use covenant_ledger::Block;

use crate::error::NodeError;
use crate::evidence::entry_of;
use crate::node::Node;

/// A revision of a dataset with its place in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedRevision {
    /// The revision.
    pub dataset: Dataset,
    /// Digest of its entry.
    pub entry: Digest,
    /// Leaf of the evidence log.
    pub leaf: u64,
    /// Height of its block.
    pub height: u64,
    /// Time of its block.
    pub time_ms: u64,
}

impl Node {
    /// All revisions of a dataset that the ledger accepted, the oldest first.
    ///
    /// # Errors
    /// [`NodeError`] when a block cannot be read.
    pub async fn dataset_revisions(&self, id: &DatasetId) -> Result<Vec<PublishedRevision>, NodeError> {
        let store = &self.replica.store;
        let mut out: Vec<PublishedRevision> = Vec::new();
        for row in store.entries_about(id.as_str()).await?.iter().filter(|r| r.kind == "dataset_published") {
            let Some(stored) = store.block(row.height).await? else { continue };
            let height = row.height;
            let block = Block::read(&stored.bytes).map_err(|source| NodeError::Block { height, source })?;
            let Body::DatasetPublished(dataset) = entry_of(row, &block)?.body else { continue };
            // Revisions count up from 1, so an entry that execution rejected shows in its number or in its rejection.
            let next = out.last().map_or(1, |last| last.dataset.revision + 1);
            let rejected = store.entries_about(&row.digest.to_string()).await?.iter().any(|r| r.kind == "rejected");
            if dataset.revision == next && !rejected {
                let (entry, leaf, time_ms) = (row.digest, row.leaf, block.header.time_ms);
                out.push(PublishedRevision { dataset, entry, leaf, height, time_ms });
            }
        }
        Ok(out)
    }
}
