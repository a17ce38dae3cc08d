//! Epochs of private lookup: one key, one table of sealed rows, replaced as a whole (protocols.md section 2).

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{DatasetId, FieldName};

/// Longest sealed row, in bytes.
pub const MAX_ROW_BYTES: u32 = 4096;

/// A point of ristretto255 in its canonical encoding; whoever computes with it checks it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Point(
    /// 32 bytes; hex in JSON.
    #[cbor(with = "minicbor::bytes")]
    #[serde(with = "hex")]
    pub [u8; 32],
);

impl std::fmt::Debug for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Point({})", hex::encode(self.0).get(..8).unwrap_or_default())
    }
}

/// A zero-knowledge proof in its encoding; hex in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Proof(
    /// The bytes.
    #[cbor(with = "minicbor::bytes")]
    #[serde(with = "hex")]
    pub Vec<u8>,
);

/// The public side of one table for private retrieval. Its rows are ciphertext; digests let anyone who holds a copy
/// recompute an answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct LookupTable {
    /// Rows, padded with made-up ones to a round number.
    #[n(0)]
    pub rows: u64,
    /// Bytes of one sealed row.
    #[n(1)]
    pub row_bytes: u32,
    /// Columns of the matrix.
    #[n(2)]
    pub columns: u32,
    /// Public seed of the matrix A of the LWE samples, 32 bytes; hex in JSON.
    #[cbor(n(3), with = "minicbor::bytes")]
    #[serde(with = "hex")]
    pub seed: [u8; 32],
    /// Digest of the matrix of rows.
    #[n(4)]
    pub matrix: Digest,
    /// Digest of the hint.
    #[n(5)]
    pub hint: Digest,
    /// Digest of the locator, which leads from a tag to a row.
    #[n(6)]
    pub locator: Digest,
    /// Bytes of the locator.
    #[n(7)]
    pub locator_bytes: u64,
}

/// One epoch of a dataset's private lookup as its holder publishes it. The number follows the former one; publishing it
/// closes the former epoch to new intents.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// The dataset.
    #[n(0)]
    pub dataset: DatasetId,
    /// Number, from 1.
    #[n(1)]
    pub number: u32,
    /// Revision of the dataset description that it was built from.
    #[n(2)]
    pub dataset_revision: u32,
    /// What every row carries, sorted: a query names exactly these.
    #[n(3)]
    pub fields: Vec<FieldName>,
    /// Most records under one row.
    #[n(4)]
    pub max_rows: u32,
    /// `K = k·G`.
    #[n(5)]
    pub key: Point,
    /// Proof of possession of `k`, bound to consortium, holder, dataset and number.
    #[n(6)]
    pub possession: Proof,
    /// The table.
    #[n(7)]
    pub table: LookupTable,
    /// The table of same-day changes, empty of records at first. Every lookup asks both.
    #[n(8)]
    pub overlay: LookupTable,
    /// From when it may be used, milliseconds since 1970.
    #[n(9)]
    pub opens_ms: u64,
    /// Until when, exclusive; a dataset without a later epoch answers no lookup afterwards.
    #[n(10)]
    pub closes_ms: u64,
}

/// A later table of same-day changes. It replaces the former one within its epoch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// The dataset.
    #[n(0)]
    pub dataset: DatasetId,
    /// The epoch.
    #[n(1)]
    pub epoch: u32,
    /// Revision, from 1; the overlay published with the epoch is revision 0.
    #[n(2)]
    pub revision: u32,
    /// The table.
    #[n(3)]
    pub table: LookupTable,
}

/// Why an epoch is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EpochError {
    /// No field, or fields unsorted or repeated.
    #[error("epoch {number} of `{dataset}` must name fields, sorted and each once")]
    Fields {
        /// The dataset.
        dataset: DatasetId,
        /// The epoch.
        number: u32,
    },
    /// Closes before it opens.
    #[error("epoch {number} of `{dataset}` closes before it opens")]
    Validity {
        /// The dataset.
        dataset: DatasetId,
        /// The epoch.
        number: u32,
    },
    /// A table without rows, with rows that are too long, or with columns that are no power of two up to 2^20.
    #[error(
        "a table of epoch {number} of `{dataset}` needs 1 to 2^40 rows of 1 to 4096 bytes and 2^k columns up to 2^20"
    )]
    Table {
        /// The dataset.
        dataset: DatasetId,
        /// The epoch.
        number: u32,
    },
}

impl LookupTable {
    /// Digest of the whole description: shape, seed, matrix, hint and locator. It is what a receipt names, so that a
    /// consumer knows that it was shown the table that the holder published, and all of it.
    pub fn digest(&self, suite: SuiteId) -> Digest {
        Digest::of(suite, Label::LOOKUP_TABLE, &to_bytes(self))
    }

    fn holds(&self) -> bool {
        (1..=1 << 40).contains(&self.rows)
            && (1..=MAX_ROW_BYTES).contains(&self.row_bytes)
            && self.columns.is_power_of_two()
            && self.columns <= 1 << 20
    }
}

impl Epoch {
    /// Checks what the types alone do not. The proof of possession is checked where curves are known.
    ///
    /// # Errors
    /// [`EpochError`] naming what is wrong.
    pub fn check(&self) -> Result<(), EpochError> {
        let (dataset, number) = (self.dataset.clone(), self.number);
        if self.fields.is_empty() || self.fields.windows(2).any(|pair| matches!(pair, [a, b] if a >= b)) {
            return Err(EpochError::Fields { dataset, number });
        }
        if self.opens_ms >= self.closes_ms {
            return Err(EpochError::Validity { dataset, number });
        }
        if !(self.table.holds() && self.overlay.holds()) {
            return Err(EpochError::Table { dataset, number });
        }
        Ok(())
    }
}

impl Overlay {
    /// Checks what the types alone do not.
    ///
    /// # Errors
    /// [`EpochError::Table`].
    pub fn check(&self) -> Result<(), EpochError> {
        match self.table.holds() {
            true => Ok(()),
            false => Err(EpochError::Table { dataset: self.dataset.clone(), number: self.epoch }),
        }
    }
}
