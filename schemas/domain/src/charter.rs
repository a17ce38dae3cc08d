//! The rules that members agreed on.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::VoteRule;

/// Rules the members agreed on when they founded the consortium; a vote may change them.
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
    /// How members, their keys and this charter are voted on; absent where they cannot be changed by vote.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_vote: Option<VoteRule>,
    /// Whether acts of administration need the signature of a second officer of the member, where it has named one;
    /// absent means no.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub four_eyes: Option<bool>,
}

impl Default for Charter {
    fn default() -> Self {
        Self {
            freshness_ms: 300_000,
            completion_ms: 60_000,
            pending_per_member: 20_000,
            restores_voided: None,
            policy_vote: None,
            member_vote: None,
            four_eyes: None,
        }
    }
}

/// Why a charter is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CharterError {
    /// Less than a majority would do, or nobody could object.
    #[error("a vote needs a quorum of 51 to 100 percent and a time for objections")]
    Vote,
    /// Nothing could ever be recorded or answered.
    #[error("freshness, completion time and waiting entries of a charter are not zero, and times are at most a day")]
    Zero,
}

/// Longest time that a charter may name, but for votes: a day.
const DAY_MS: u64 = 24 * 3_600_000;

impl Charter {
    /// Checks what the types alone do not.
    ///
    /// # Errors
    /// [`CharterError`].
    pub fn check(&self) -> Result<(), CharterError> {
        let fair = |rule: VoteRule| (51..=100).contains(&rule.quorum_percent) && rule.objection_ms > 0;
        if !self.policy_vote.into_iter().chain(self.member_vote).all(fair) {
            return Err(CharterError::Vote);
        }
        let sane = |ms: u64| (1..=DAY_MS).contains(&ms);
        if sane(self.freshness_ms) && sane(self.completion_ms) && self.pending_per_member > 0 {
            Ok(())
        } else {
            Err(CharterError::Zero)
        }
    }
}
