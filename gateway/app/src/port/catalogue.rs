//! The catalogue as the port gives it.

use covenant_canon::Digest;
use covenant_domain::{Dataset, DatasetStatus};

/// All datasets in force with what happened to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// Equal marks mean equal catalogues, whichever node gave them.
    pub mark: u64,
    /// In the order of their ids.
    pub datasets: Vec<(Dataset, DatasetStatus)>,
}

/// A revision of a dataset with its place in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedDataset {
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
