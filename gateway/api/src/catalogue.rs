//! The catalogue: search, one dataset with its status, former revisions, export.

use covenant_canon::Digest;
use covenant_domain::{Dataset, DatasetId, DatasetStage, DatasetStatus, Grade, MemberId, Mode, Sharing, SubjectKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema;

/// Most datasets on one page.
pub const MAX_CATALOGUE_ITEMS: u32 = 50;
/// Datasets on a page unless asked otherwise.
pub const CATALOGUE_ITEMS: u32 = 20;
/// Longest search text, in characters.
pub const MAX_SEARCH_CHARS: usize = 200;

/// Query parameters of a search. All words must be found; every filter must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CatalogueQuery {
    /// Words, found anywhere in title, keywords, field names and abstract, in Chinese or English; all datasets when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub q: String,
    /// Holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<MemberId>,
    /// Sharing attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Sharing>,
    /// Grade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// A mode in which some field is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// What records are keyed by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectKind>,
    /// Where the dataset stands; all but archived ones unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<DatasetStage>,
    /// Most datasets on the page, 1 to [`MAX_CATALOGUE_ITEMS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A dataset with where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CatalogueItem {
    /// Its revision in force.
    #[schema(value_type = schema::Dataset)]
    pub dataset: Dataset,
    /// Where it stands now.
    #[schema(value_type = schema::DatasetStage)]
    pub stage: DatasetStage,
    /// What happened to it since it was published.
    #[schema(value_type = schema::DatasetStatus)]
    pub status: DatasetStatus,
    /// How well it fits the words that were searched, 0 without any.
    pub score: u32,
}

/// A page of a search, the best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CataloguePage {
    /// How many datasets fit in all.
    pub total: u64,
    /// Those on this page.
    pub items: Vec<CatalogueItem>,
    /// What to give as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A revision of a dataset as it was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatasetVersion {
    /// The revision.
    #[schema(value_type = schema::Dataset)]
    pub dataset: Dataset,
    /// Digest of its entry.
    #[schema(value_type = String)]
    pub entry: Digest,
    /// Leaf of the evidence log.
    pub leaf: u64,
    /// Height of its block.
    pub height: u64,
    /// Time of its block, milliseconds since 1970.
    pub time_ms: u64,
}

/// Query parameters of an export.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExportQuery {
    /// Address at which readers of the export reach this gateway, for example `https://share.example.gov.cn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
}

/// The part of a path behind `/v1/datasets/`: a dataset, or its versions. Ids have five parts, so both are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatasetPath {
    /// `{id}`.
    Dataset(DatasetId),
    /// `{id}/versions`.
    Versions(DatasetId),
}

impl std::str::FromStr for DatasetPath {
    type Err = covenant_domain::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_suffix("/versions") {
            Some(id) => DatasetId::new(id).map(Self::Versions),
            None => DatasetId::new(text).map(Self::Dataset),
        }
    }
}
