//! Which family of algorithms a signed thing belongs to.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::HashAlgorithm;

/// A cipher suite by its registered number. The consortium picks one at genesis; every signed thing names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum SuiteId {
    /// ShangMi: SM2, SM3, SM4-GCM.
    #[n(1)]
    Sm,
    /// International: Ed25519, X25519 HPKE, SHA-256, AES-256-GCM.
    #[n(2)]
    Intl,
}

impl SuiteId {
    /// The suite's hash function.
    pub fn hash(self) -> HashAlgorithm {
        match self {
            Self::Sm => HashAlgorithm::Sm3,
            Self::Intl => HashAlgorithm::Sha256,
        }
    }

    /// The name in configuration files, on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sm => "sm",
            Self::Intl => "intl",
        }
    }
}

impl std::str::FromStr for SuiteId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "sm" => Ok(Self::Sm),
            "intl" => Ok(Self::Intl),
            other => Err(format!("unknown suite `{other}`: use `sm` or `intl`")),
        }
    }
}

impl std::fmt::Display for SuiteId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
