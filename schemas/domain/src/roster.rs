//! Who belongs to the consortium from a height on, and how that changes.

use covenant_canon::Digest;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Charter, Member, MemberId, Role};

/// How a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Takes part.
    #[n(0)]
    Active,
    /// By vote: it neither asks nor is asked, and changes nothing. It still closes what is open, and agrees on blocks.
    #[n(1)]
    Suspended,
    /// As suspended, by a regulator alone.
    #[n(2)]
    Frozen,
    /// Its key is lost or known to others: nothing that bears its signature counts, until the key is replaced.
    #[n(3)]
    Locked,
    /// No member any more; its keys stay on record for what it signed before.
    #[n(4)]
    Removed,
}

impl Standing {
    /// Whether new signatures of the member count at all.
    pub fn signs(self) -> bool {
        matches!(self, Self::Active | Self::Suspended | Self::Frozen)
    }

    /// Whether the member may ask, answer and change things.
    pub fn acts(self) -> bool {
        self == Self::Active
    }

    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Frozen => "frozen",
            Self::Locked => "locked",
            Self::Removed => "removed",
        }
    }
}

/// A member's place in the consortium.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Seat {
    /// The member with its keys.
    #[n(0)]
    pub member: Member,
    /// How it stands.
    #[n(1)]
    pub standing: Standing,
    /// Verification key of the officer whose second signature acts of administration need, in text form.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer_key: Option<String>,
}

impl Seat {
    /// Whether the member agrees on blocks.
    pub fn validates(&self) -> bool {
        self.standing.signs() && self.member.has(Role::Validator)
    }

    /// Whether the member votes on proposals.
    pub fn votes(&self) -> bool {
        self.standing.acts() && self.member.votes()
    }
}

/// Everybody with their keys, and the charter, from one height to the next roster's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Roster {
    /// Number; that of the genesis is zero.
    #[n(0)]
    pub number: u32,
    /// First height at which it holds.
    #[n(1)]
    pub from_height: u64,
    /// Seats in the order of member ids; those of former members included.
    #[n(2)]
    pub seats: Vec<Seat>,
    /// The charter.
    #[n(3)]
    pub charter: Charter,
}

impl Roster {
    /// The seat of a member.
    pub fn seat(&self, id: &MemberId) -> Option<&Seat> {
        let at = self.seats.binary_search_by(|seat| seat.member.id.cmp(id)).ok()?;
        self.seats.get(at)
    }

    /// How a member stands; absent where it never was one.
    pub fn standing(&self, id: &MemberId) -> Option<Standing> {
        self.seat(id).map(|seat| seat.standing)
    }

    /// All who are or were members.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.seats.iter().map(|seat| &seat.member)
    }

    /// Puts a seat in its place.
    pub fn place(&mut self, seat: Seat) {
        match self.seats.binary_search_by(|known| known.member.id.cmp(&seat.member.id)) {
            Ok(at) => {
                if let Some(known) = self.seats.get_mut(at) {
                    *known = seat;
                }
            }
            Err(at) => self.seats.insert(at, seat),
        }
    }
}

/// What a roster takes over from the one before it and what not: enough to make it from that one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct RosterStep {
    /// First height at which the new one holds.
    #[n(0)]
    pub from_height: u64,
    /// Seats that are new or other than before.
    #[n(1)]
    pub seats: Vec<Seat>,
    /// The charter, where it is another.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charter: Option<Charter>,
}

impl RosterStep {
    /// The step from one roster to the next.
    pub fn between(before: &Roster, after: &Roster) -> Self {
        let changed = |seat: &&Seat| before.seat(&seat.member.id) != Some(seat);
        Self {
            from_height: after.from_height,
            seats: after.seats.iter().filter(changed).cloned().collect(),
            charter: (after.charter != before.charter).then(|| after.charter.clone()),
        }
    }

    /// The next roster.
    pub fn after(&self, before: &Roster) -> Roster {
        let mut next = before.clone();
        (next.number, next.from_height) = (before.number.saturating_add(1), self.from_height);
        self.seats.iter().cloned().for_each(|seat| next.place(seat));
        if let Some(charter) = &self.charter {
            next.charter.clone_from(charter);
        }
        next
    }
}

/// New keys of a member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct NewKeys {
    /// Whose.
    #[n(0)]
    pub member: MemberId,
    /// For its signatures.
    #[n(1)]
    pub verifying_key: String,
    /// For what is sealed to it.
    #[n(2)]
    pub sealing_key: String,
    /// Signature by the new key over what [`possession`] digests: nobody can be given somebody else's key.
    #[n(3)]
    pub possession: String,
}

/// What a new key signs to show that its owner has it: digest of parts under the label `new-keys`.
pub fn possession(
    suite: covenant_canon::SuiteId,
    consortium: &Digest,
    member: &MemberId,
    verifying_key: &str,
    sealing_key: &str,
) -> Digest {
    let parts: [&[u8]; 4] =
        [consortium.as_bytes(), member.as_str().as_bytes(), verifying_key.as_bytes(), sealing_key.as_bytes()];
    Digest::of_parts(suite, covenant_canon::Label::NEW_KEYS, &parts)
}

/// A change of the roster that members vote on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum RosterChange {
    /// A new member.
    #[n(0)]
    Admit {
        /// With its keys and roles.
        #[n(0)]
        member: Member,
        /// As in [`NewKeys`].
        #[n(1)]
        possession: String,
    },
    /// A member leaves, or must.
    #[n(1)]
    Remove {
        /// Who.
        #[n(0)]
        member: MemberId,
    },
    /// A member is suspended.
    #[n(2)]
    Suspend {
        /// Who.
        #[n(0)]
        member: MemberId,
    },
    /// A suspended or frozen member takes part again.
    #[n(3)]
    Reinstate {
        /// Who.
        #[n(0)]
        member: MemberId,
    },
    /// A member's key is lost or leaked.
    #[n(4)]
    Lock {
        /// Who.
        #[n(0)]
        member: MemberId,
    },
    /// A member's keys are replaced; a locked one is active again with it.
    #[n(5)]
    ReplaceKeys {
        /// By what.
        #[n(0)]
        keys: NewKeys,
    },
    /// A member has other roles: it becomes a validator, or no longer is one.
    #[n(6)]
    SetRoles {
        /// Who.
        #[n(0)]
        member: MemberId,
        /// Which, sorted.
        #[n(1)]
        roles: Vec<Role>,
    },
    /// Another charter.
    #[n(7)]
    Amend {
        /// Which.
        #[n(0)]
        charter: Charter,
    },
}

impl RosterChange {
    /// Whom it is about; none for the charter.
    pub fn member(&self) -> Option<&MemberId> {
        match self {
            Self::Admit { member, .. } => Some(&member.id),
            Self::Remove { member }
            | Self::Suspend { member }
            | Self::Reinstate { member }
            | Self::Lock { member }
            | Self::SetRoles { member, .. } => Some(member),
            Self::ReplaceKeys { keys } => Some(&keys.member),
            Self::Amend { .. } => None,
        }
    }

    /// The name for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Admit { .. } => "admit",
            Self::Remove { .. } => "remove",
            Self::Suspend { .. } => "suspend",
            Self::Reinstate { .. } => "reinstate",
            Self::Lock { .. } => "lock",
            Self::ReplaceKeys { .. } => "replace keys",
            Self::SetRoles { .. } => "set roles",
            Self::Amend { .. } => "amend the charter",
        }
    }
}

/// What a regulator does alone, on record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Who is frozen, or thawed.
    #[n(0)]
    pub member: MemberId,
    /// Frozen, or active again.
    #[n(1)]
    pub frozen: bool,
    /// Why.
    #[n(2)]
    pub reason: String,
}

/// A transport certificate that must not be used any more, by the member whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct CertificateRevoked {
    /// Serial number, hex.
    #[n(0)]
    pub serial: String,
    /// When the certificate would have ended by itself, milliseconds since 1970; forgotten after that.
    #[n(1)]
    pub not_after_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CharterError, Class, Names};

    fn seat(name: &str, standing: Standing) -> Seat {
        let member = Member {
            id: MemberId::new(name).unwrap(),
            names: Names::new("甲", "A"),
            class: Class::Government,
            roles: vec![Role::Validator],
            verifying_key: "intl:00".into(),
            sealing_key: "intl:00".into(),
        };
        Seat { member, standing, officer_key: None }
    }

    #[test]
    fn a_step_makes_the_next_roster_of_the_one_before() {
        let seats = ["a", "c"].map(|n| seat(n, Standing::Active)).to_vec();
        let before = Roster { number: 3, from_height: 7, seats, charter: Charter::default() };
        let mut after = before.clone();
        (after.number, after.from_height, after.charter.completion_ms) = (4, 12, 5);
        after.place(seat("b", Standing::Active));
        after.place(seat("c", Standing::Removed));
        let step = RosterStep::between(&before, &after);
        assert_eq!(step.seats.len(), 2, "what stays is left out");
        assert_eq!(step.after(&before), after);
        let names: Vec<_> = after.members().map(|m| m.id.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn standings_allow_less_and_less() {
        use Standing::*;
        let signs = [Active, Suspended, Frozen, Locked, Removed].map(|s| (s.signs(), s.acts()));
        assert_eq!(signs, [(true, true), (true, false), (true, false), (false, false), (false, false)]);
        assert!(seat("a", Frozen).validates() && !seat("a", Locked).validates());
    }

    #[test]
    fn a_charter_without_a_fair_vote_or_time_is_refused() {
        assert_eq!(Charter::default().check(), Ok(()));
        for (quorum_percent, objection_ms) in [(50, 1), (101, 1), (67, 0)] {
            let member_vote = Some(crate::VoteRule { quorum_percent, objection_ms });
            assert_eq!(Charter { member_vote, ..Charter::default() }.check(), Err(CharterError::Vote));
        }
        assert_eq!(Charter { freshness_ms: 0, ..Charter::default() }.check(), Err(CharterError::Zero));
    }
}
