//! Epochs of private lookup: what is in force, their files, and building them.

use covenant_canon::Digest;
use covenant_domain::{DatasetId, Point};
use covenant_engine::EpochState;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// Longest chunk of a file that is served at once, in bytes.
pub const MAX_CHUNK_BYTES: u32 = 4 * 1024 * 1024;

/// Longest life of an epoch, in days.
pub const MAX_EPOCH_DAYS: u32 = 31;

/// Header of a chunk with the length of the whole file, in bytes.
pub const TOTAL_HEADER: &str = "covenant-total";

/// The escrow key in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EscrowKey {
    /// Number of the ceremony that made it.
    pub ceremony: u32,
    /// `Y`; hex.
    #[schema(value_type = String)]
    pub key: Point,
}

/// The public side of a dataset's private lookup: everything a claim is proven against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EpochDocument {
    /// The epoch in force, with its newest overlay.
    #[schema(value_type = schema::EpochState)]
    pub state: EpochState,
    /// Digest of the holder's rule book in force.
    #[schema(value_type = String)]
    pub policy: Digest,
    /// The escrow key; without one no lookup is permitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escrow: Option<EscrowKey>,
}

/// Which file of an epoch.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum EpochPart {
    /// Hint of the table.
    #[n(0)]
    Hint,
    /// Locator of the table.
    #[n(1)]
    Locator,
    /// Matrix of the table, for those who check answers.
    #[n(2)]
    Matrix,
    /// Hint of an overlay.
    #[n(3)]
    OverlayHint,
    /// Locator of an overlay.
    #[n(4)]
    OverlayLocator,
    /// Matrix of an overlay, for those who check answers.
    #[n(5)]
    OverlayMatrix,
}

impl EpochPart {
    /// Every part.
    pub const ALL: [Self; 6] =
        [Self::Hint, Self::Locator, Self::Matrix, Self::OverlayHint, Self::OverlayLocator, Self::OverlayMatrix];

    /// The name in JSON and in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Locator => "locator",
            Self::Matrix => "matrix",
            Self::OverlayHint => "overlay-hint",
            Self::OverlayLocator => "overlay-locator",
            Self::OverlayMatrix => "overlay-matrix",
        }
    }

    /// Whether it is the rows themselves, which consumers have no use for.
    pub fn is_matrix(self) -> bool {
        matches!(self, Self::Matrix | Self::OverlayMatrix)
    }
}

impl std::fmt::Display for EpochPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for EpochPart {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let names: Vec<_> = Self::ALL.iter().map(|p| format!("`{p}`")).collect();
            format!("unknown part `{}` of an epoch: use {}", shortened(text), names.join(", "))
        };
        Self::ALL.into_iter().find(|p| p.name() == text).ok_or_else(wrong)
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Query parameters of a chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileQuery {
    /// The dataset.
    pub dataset: DatasetId,
    /// The epoch.
    pub epoch: u32,
    /// Revision of the overlay; of no matter for the files of the table.
    #[serde(default)]
    pub overlay: u32,
    /// Where the chunk starts.
    #[serde(default)]
    pub offset: u64,
    /// How long it is at most, in bytes; up to [`MAX_CHUNK_BYTES`].
    pub length: u32,
}

/// A piece of a file, whose digest stands in the epoch.
#[derive(Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct FileChunk {
    /// Length of the whole file, in bytes.
    #[n(0)]
    pub total: u64,
    /// The bytes from the offset that was asked for.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

impl FileChunk {
    /// Whether this can be what is at `offset`, when `length` bytes were asked for. A chunk is empty only at the end.
    pub fn fits(&self, offset: u64, length: u32) -> bool {
        let (long, left) = (self.bytes.len() as u64, self.total.saturating_sub(offset));
        long <= left.min(u64::from(length)) && (long > 0 || left == 0)
    }
}

impl std::fmt::Debug for FileChunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileChunk({} of {} bytes)", self.bytes.len(), self.total)
    }
}

/// A holder's call to build the next epoch of its dataset, or the next overlay of the epoch in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildRequest {
    /// The dataset.
    #[schema(value_type = String)]
    pub dataset: DatasetId,
    /// How long the epoch is open, in days, 1 to 31; left out for an overlay, which ends with its epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 31)]
    pub days: Option<u32>,
    /// Whether to build an overlay.
    #[serde(default)]
    pub overlay: bool,
}

/// How the newest build of a dataset stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BuildView {
    /// Nothing was built since the node started.
    Idle,
    /// Under way.
    Running {
        /// What is being done.
        step: String,
        /// How much of it is done.
        done: u64,
        /// Of how much.
        total: u64,
    },
    /// Published.
    Done {
        /// The epoch.
        epoch: u32,
    },
    /// Given up; the former epoch stays in force.
    Failed {
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_one_name() {
        for part in EpochPart::ALL {
            assert_eq!(part.name().parse::<EpochPart>().unwrap(), part);
            assert_eq!(serde_json::to_value(part).unwrap(), part.name());
        }
        assert!("Hint".parse::<EpochPart>().is_err());
    }

    #[test]
    fn chunks_fit_where_they_were_asked_for() {
        let chunk = |bytes: usize| FileChunk { total: 10, bytes: vec![0; bytes] };
        assert!(chunk(4).fits(0, 4) && chunk(2).fits(8, 4) && chunk(0).fits(10, 4) && chunk(1).fits(0, 4));
        assert!(!chunk(5).fits(0, 4) && !chunk(3).fits(8, 4) && !chunk(0).fits(9, 4) && !chunk(1).fits(11, 4));
    }
}
