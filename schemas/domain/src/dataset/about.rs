//! What the catalogue says of a dataset beside its fields.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Day, Names};

/// How often a dataset is brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum UpdateCycle {
    /// 实时.
    #[n(0)]
    Realtime,
    /// 每日.
    #[n(1)]
    Daily,
    /// 每周.
    #[n(2)]
    Weekly,
    /// 每月.
    #[n(3)]
    Monthly,
    /// 每季度.
    #[n(4)]
    Quarterly,
    /// 每年.
    #[n(5)]
    Yearly,
    /// 不定期, once included.
    #[n(6)]
    Irregular,
}

/// Subject matter, by the codes of the European data theme authority table, which DCAT-AP catalogues use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Agriculture, fisheries, forestry and food.
    #[n(0)]
    Agri,
    /// Economy and finance.
    #[n(1)]
    Econ,
    /// Education, culture and sport.
    #[n(2)]
    Educ,
    /// Energy.
    #[n(3)]
    Ener,
    /// Environment.
    #[n(4)]
    Envi,
    /// Government and public sector.
    #[n(5)]
    Gove,
    /// Health.
    #[n(6)]
    Heal,
    /// International issues.
    #[n(7)]
    Intr,
    /// Justice, legal system and public safety.
    #[n(8)]
    Just,
    /// Regions and cities.
    #[n(9)]
    Regi,
    /// Population and society.
    #[n(10)]
    Soci,
    /// Science and technology.
    #[n(11)]
    Tech,
    /// Transport.
    #[n(12)]
    Tran,
}

/// Figures of quality as they were measured on a day.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Values present among those due, per mille.
    #[n(0)]
    pub completeness_permille: u16,
    /// Values right among those audited, per mille.
    #[n(1)]
    pub accuracy_permille: u16,
    /// Records updated in time, per mille.
    #[n(2)]
    pub timeliness_permille: u16,
    /// When it was measured.
    #[n(3)]
    pub measured_on: Day,
    /// Records, rounded to two digits so that single changes do not show.
    #[n(4)]
    pub records: u64,
}

/// Time that the records are about.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// First day.
    #[n(0)]
    pub from: Day,
    /// Last day; absent while it goes on.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// What people search and read in a catalogue. All of it may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields, default)]
pub struct Description {
    /// A paragraph about the dataset (摘要).
    #[n(0)]
    #[serde(rename = "abstract", skip_serializing_if = "Option::is_none")]
    pub summary: Option<Names>,
    /// Short name of the operator at the holder who is responsible.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steward: Option<String>,
    /// Words to find it by.
    #[n(2)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<Names>,
    /// Subject matter.
    #[n(3)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub themes: Vec<Theme>,
    /// The region that it covers, for people.
    #[n(4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spatial: Option<Names>,
    /// Terms of use beside those of each grant.
    #[n(5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Names>,
    /// Code and version of the shipped record model that it follows, for example `credit-record/1`.
    #[n(6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Time that the records are about.
    #[n(7)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporal: Option<Period>,
    /// Figures of quality.
    #[n(8)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
}

impl Quality {
    /// A number of records rounded down to its two leading digits.
    pub fn rounded(records: u64) -> u64 {
        let mut unit = 1u64;
        while records / unit >= 100 {
            unit = unit.saturating_mul(10);
        }
        records / unit * unit
    }
}
