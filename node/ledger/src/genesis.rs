//! The founding document of a consortium; with it alone, every bundle verifies.

use std::collections::BTreeMap;

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::{Member, MemberId, Role, VoteRule};
use covenant_suite::{PreparedKey, SealingKey, SuiteError, VerifyingKey};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ValidatorSet;

/// Rules the members agreed on when they founded the consortium.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Charter {
    /// How far an entry's own time may lie from block time, in milliseconds.
    #[n(0)]
    pub freshness_ms: u64,
    /// How long after its permit a completion is awaited, in milliseconds of block time.
    #[n(1)]
    pub completion_ms: u64,
    /// Entries a member may have waiting for a block.
    #[n(2)]
    pub pending_per_member: u32,
    /// Whether a use debited for a query comes back when its holder voids it before anything has left; absent means no.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores_voided: Option<bool>,
    /// How rule books are voted on; absent where each holder adopts its own.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_vote: Option<VoteRule>,
}

impl Default for Charter {
    fn default() -> Self {
        Self {
            freshness_ms: 300_000,
            completion_ms: 60_000,
            pending_per_member: 20_000,
            restores_voided: None,
            policy_vote: None,
        }
    }
}

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
    /// A member's key does not parse or belongs to another suite.
    #[error("key of member `{member}` in the genesis is not usable")]
    Key {
        /// The member at fault.
        member: MemberId,
        /// What is wrong with the key.
        #[source]
        source: SuiteError,
    },
    /// Less than a majority would do, or nobody could object.
    #[error("a vote on rule books needs a quorum of 51 to 100 percent and a time for objections")]
    Vote,
    /// Nobody votes.
    #[error("genesis names no validator")]
    NoValidator,
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
        let fair = |rule: VoteRule| (51..=100).contains(&rule.quorum_percent) && rule.objection_ms > 0;
        if self.charter.policy_vote.is_some_and(|rule| !fair(rule)) {
            return Err(GenesisError::Vote);
        }
        self.validators()?;
        self.members.iter().map(|m| Ok((m.id.clone(), self.keys(m)?))).collect()
    }

    fn keys(&self, member: &Member) -> Result<MemberKeys, GenesisError> {
        let wrong = |source| GenesisError::Key { member: member.id.clone(), source };
        let verifying: VerifyingKey = member.verifying_key.parse().map_err(wrong)?;
        let sealing: SealingKey = member.sealing_key.parse().map_err(wrong)?;
        if verifying.suite() != self.suite || sealing.suite() != self.suite {
            let found = if verifying.suite() == self.suite { sealing.suite() } else { verifying.suite() };
            return Err(wrong(SuiteError::SuiteMismatch { what: "member key", expected: self.suite, found }));
        }
        Ok(MemberKeys { verifying: verifying.prepare().map_err(wrong)?, sealing })
    }

    /// The members that vote, each with power one.
    ///
    /// # Errors
    /// [`GenesisError::NoValidator`] when there is none.
    pub fn validators(&self) -> Result<ValidatorSet, GenesisError> {
        let voting = self.members.iter().filter(|m| m.has(Role::Validator));
        ValidatorSet::equal(voting.map(|m| m.id.clone())).map_err(|_| GenesisError::NoValidator)
    }

    /// The member of this id.
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.iter().find(|m| &m.id == id)
    }
}
