//! Organisations that have joined the consortium.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::MemberId;

/// A text for people in both languages of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Names {
    /// Simplified Chinese.
    #[n(0)]
    pub zh: String,
    /// English.
    #[n(1)]
    pub en: String,
}

impl Names {
    /// Both texts.
    pub fn new(zh: &str, en: &str) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// What kind of organisation a member is. Guard rules may refer to it by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A department or public institution.
    #[n(0)]
    Government,
    /// A bank or other licensed financial institution.
    #[n(1)]
    Finance,
    /// A supervisory authority.
    #[n(2)]
    Regulator,
    /// A notary or court.
    #[n(3)]
    Notary,
}

impl Class {
    /// The name in guard rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Government => "government",
            Self::Finance => "finance",
            Self::Regulator => "regulator",
            Self::Notary => "notary",
        }
    }
}

/// What a member may do on the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Publishes datasets and answers queries.
    #[n(0)]
    Holder,
    /// Asks.
    #[n(1)]
    Consumer,
    /// Issues consents on behalf of citizens and companies.
    #[n(2)]
    Authoriser,
    /// Reads everything that is on the ledger and may freeze.
    #[n(3)]
    Regulator,
    /// Votes on blocks.
    #[n(4)]
    Validator,
    /// Holds a share of the key under which lookups are escrowed.
    #[n(5)]
    Trustee,
    /// Runs the sharing platform: checks access requests, and may suspend grants.
    #[n(6)]
    Platform,
    /// Follows the ledger with a node of its own and does not vote on blocks.
    #[n(7)]
    Observer,
}

/// A member with its public keys.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Member {
    /// Short name, unique in the consortium.
    #[n(0)]
    pub id: MemberId,
    /// Names for people.
    #[n(1)]
    pub names: Names,
    /// Kind of organisation.
    #[n(2)]
    pub class: Class,
    /// Roles, sorted, each once.
    #[n(3)]
    pub roles: Vec<Role>,
    /// Verification key of its signatures, in the text form of `privacy/suite`, for example `sm:04ab...`.
    #[n(4)]
    pub verifying_key: String,
    /// Key to which inputs and answers are sealed, in the same form.
    #[n(5)]
    pub sealing_key: String,
}

impl Member {
    /// Whether the member votes on proposals: whoever holds data, watches over its use, or runs the platform.
    pub fn votes(&self) -> bool {
        [Role::Holder, Role::Regulator, Role::Platform].into_iter().any(|role| self.has(role))
    }

    /// Whether the member holds the role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
