//! Query modes, from least to most revealing.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// How a query is answered. The order is the order of disclosure: the planner takes the first that serves the purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// 核对: do these values equal the record; yes or no per field.
    #[n(3)]
    Match,
    /// 匿踪查询: the granted fields of one record; the holder learns neither the subject nor whether there is one.
    #[n(4)]
    Lookup,
    /// 详情查询: the granted fields of one record.
    #[n(7)]
    Detail,
    /// 证照提交: a licence delivered with its file digest.
    #[n(8)]
    Submit,
}

impl Mode {
    /// Every mode, least revealing first.
    pub const ALL: [Self; 4] = [Self::Match, Self::Lookup, Self::Detail, Self::Submit];

    /// The name in JSON, rules and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Lookup => "lookup",
            Self::Detail => "detail",
            Self::Submit => "submit",
        }
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|m| m.name() == text)
            .ok_or_else(|| format!("unknown mode `{text}`: use `match`, `lookup`, `detail` or `submit`"))
    }
}
