//! The founding document of a consortium; with it alone, every bundle verifies.

use std::collections::BTreeMap;

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::{Charter, CharterError, Member, MemberId};
use covenant_suite::{PreparedKey, SealingKey};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Membership, RosterError, ValidatorSet};

/// The founding document.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// Format version, 1.
    #[n(0)]
    pub version: u32,
    /// Short name, the first part of every dataset id.
    #[n(1)]
    pub consortium: String,
    /// Suite of all signatures, seals and vote digests.
    #[n(2)]
    pub suite: SuiteId,
    /// When it was founded, milliseconds since 1970.
    #[n(3)]
    pub created_ms: u64,
    /// Members in the order of their ids.
    #[n(4)]
    pub members: Vec<Member>,
    /// Rules.
    #[n(5)]
    pub charter: Charter,
}

/// Why a founding document is refused.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// A later format.
    #[error("genesis has format version {version}, this build reads version 1")]
    Version {
        /// The version found.
        version: u32,
    },
    /// Members are unsorted or one appears twice.
    #[error("members of the genesis must be sorted and distinct: see `{member}`")]
    Order {
        /// The member at fault.
        member: MemberId,
    },
    /// The charter does not hold.
    #[error("the charter of the genesis does not hold")]
    Charter(#[from] CharterError),
    /// Members and charter make no roster.
    #[error("the members of the genesis make no roster")]
    Roster(#[from] RosterError),
}

/// Public keys of a member, parsed.
#[derive(Clone)]
pub struct MemberKeys {
    /// For its signatures.
    pub verifying: PreparedKey,
    /// For what is sealed to it.
    pub sealing: SealingKey,
}

impl Genesis {
    /// The digest that names this consortium in every signature.
    pub fn digest(&self) -> Digest {
        Digest::of(self.suite, Label::GENESIS, &to_bytes(self))
    }

    /// Checks what the types alone do not and parses all keys.
    ///
    /// # Errors
    /// [`GenesisError`] naming the member at fault.
    pub fn check(&self) -> Result<BTreeMap<MemberId, MemberKeys>, GenesisError> {
        Ok(self.membership()?.all_keys().clone())
    }

    /// The first roster, checked.
    ///
    /// # Errors
    /// [`GenesisError`] naming the member at fault.
    pub fn membership(&self) -> Result<Membership, GenesisError> {
        if self.version != 1 {
            return Err(GenesisError::Version { version: self.version });
        }
        for pair in self.members.windows(2) {
            if let [a, b] = pair
                && a.id >= b.id
            {
                return Err(GenesisError::Order { member: b.id.clone() });
            }
        }
        self.charter.check()?;
        Ok(Membership::new(self.suite, self.roster(), None)?)
    }

    /// The members that agree on blocks, each with power one.
    ///
    /// # Errors
    /// [`GenesisError`] when there is none.
    pub fn validators(&self) -> Result<ValidatorSet, GenesisError> {
        Ok(self.membership()?.validators().clone())
    }

    /// The member of this id.
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.iter().find(|m| &m.id == id)
    }
}
