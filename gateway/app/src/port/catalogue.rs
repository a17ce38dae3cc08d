//! The catalogue as the port gives it.

use covenant_canon::Digest;
use covenant_domain::{Dataset, DatasetStatus};
use minicbor::{Decode, Encode};

/// All datasets in force with what happened to them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Catalogue {
    /// Equal marks mean equal catalogues, whichever node gave them.
    #[n(0)]
    pub mark: u64,
    /// In the order of their ids.
    #[n(1)]
    pub datasets: Vec<(Dataset, DatasetStatus)>,
}

/// A revision of a dataset with its place in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PublishedDataset {
    /// The revision.
    #[n(0)]
    pub dataset: Dataset,
    /// Digest of its entry.
    #[n(1)]
    pub entry: Digest,
    /// Leaf of the evidence log.
    #[n(2)]
    pub leaf: u64,
    /// Height of its block.
    #[n(3)]
    pub height: u64,
    /// Time of its block.
    #[n(4)]
    pub time_ms: u64,
}
