//! Who signs what at which height: rosters with their keys parsed, and the chain of handovers that leads from the genesis
//! to any of them.
//!
//! The header of a block names the roster that holds from the next height on, and the validators of the present one sign
//! it. So whoever trusts the genesis can follow every change of members and keys offline, and check what was signed at a
//! height by the keys of that height. It protects against forged members as far as more than a third of the validators of
//! every roster were honest while it held; it does not tell that a newer roster exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::{CharterError, Member, MemberId, Roster, RosterStep, Seat, Standing};
use covenant_suite::{SealingKey, SuiteError, VerifyingKey};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Anchor, CertificateError, Genesis, GenesisError, MemberKeys, ValidatorSet};

/// Most members that a roster names, former ones included.
pub const MAX_SEATS: usize = 1_024;

/// Why a roster cannot hold.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// A member's key does not parse or belongs to another suite.
    #[error("key of member `{member}` is not usable")]
    Key {
        /// The member at fault.
        member: MemberId,
        /// What is wrong with the key.
        #[source]
        source: SuiteError,
    },
    /// Nobody would agree on blocks.
    #[error("no validator is left: make another member one first")]
    NoValidator,
    /// Nobody could vote to change it again.
    #[error("nobody is left who votes on members: let a holder, a regulator or the platform stay active")]
    NoVoter,
    /// Two members, or a member before and after, share a key.
    #[error("key of member `{member}` belongs to `{other}` already: make a new one")]
    SharedKey {
        /// The member.
        member: MemberId,
        /// Whose key it is.
        other: MemberId,
    },
    /// Too many.
    #[error("a roster names at most {MAX_SEATS} members")]
    TooMany,
    /// The charter does not hold.
    #[error(transparent)]
    Charter(#[from] CharterError),
}

/// A roster that was checked, with all keys parsed.
#[derive(Clone)]
pub struct Membership {
    roster: Roster,
    keys: BTreeMap<MemberId, MemberKeys>,
    validators: ValidatorSet,
}

impl std::fmt::Debug for Membership {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Membership({} from height {})", self.roster.number, self.roster.from_height)
    }
}

/// Parses a member's public keys.
///
/// # Errors
/// [`RosterError::Key`] when one does not parse or belongs to another suite.
pub fn parse_keys(suite: SuiteId, member: &Member) -> Result<MemberKeys, RosterError> {
    let wrong = |source| RosterError::Key { member: member.id.clone(), source };
    let verifying: VerifyingKey = member.verifying_key.parse().map_err(wrong)?;
    let sealing: SealingKey = member.sealing_key.parse().map_err(wrong)?;
    if verifying.suite() != suite || sealing.suite() != suite {
        let found = if verifying.suite() == suite { sealing.suite() } else { verifying.suite() };
        return Err(wrong(SuiteError::SuiteMismatch { what: "member key", expected: suite, found }));
    }
    Ok(MemberKeys { verifying: verifying.prepare().map_err(wrong)?, sealing })
}

impl Membership {
    /// Checks a roster and parses its keys, taking over those that are known already.
    ///
    /// # Errors
    /// [`RosterError`] naming the member at fault.
    pub fn new(suite: SuiteId, roster: Roster, known: Option<&Self>) -> Result<Self, RosterError> {
        if roster.seats.len() > MAX_SEATS {
            return Err(RosterError::TooMany);
        }
        roster.charter.check()?;
        let validating = roster.seats.iter().filter(|seat| seat.validates()).map(|seat| seat.member.id.clone());
        let validators = ValidatorSet::equal(validating).map_err(|_| RosterError::NoValidator)?;
        if !roster.seats.iter().any(Seat::votes) && roster.charter.member_vote.is_some() {
            return Err(RosterError::NoVoter);
        }
        let (mut keys, mut owners) = (BTreeMap::new(), BTreeMap::new());
        for Seat { member, .. } in &roster.seats {
            if let Some(other) = owners.insert(member.verifying_key.as_str(), &member.id) {
                return Err(RosterError::SharedKey { member: member.id.clone(), other: other.clone() });
            }
            let same = |of: &&Self| {
                let before = of.roster.seat(&member.id).map(|seat| &seat.member);
                before.is_some_and(|m| m.verifying_key == member.verifying_key && m.sealing_key == member.sealing_key)
            };
            let parsed = match known.filter(same).and_then(|of| of.keys.get(&member.id)) {
                Some(parsed) => parsed.clone(),
                None => parse_keys(suite, member)?,
            };
            keys.insert(member.id.clone(), parsed);
        }
        Ok(Self { roster, keys, validators })
    }

    /// The roster.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The digest that a header names.
    pub fn digest(&self, suite: SuiteId) -> Digest {
        roster_digest(suite, &self.roster)
    }

    /// Who agrees on blocks.
    pub fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    /// A member whose signatures count.
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.roster.seat(id).filter(|seat| seat.standing.signs()).map(|seat| &seat.member)
    }

    /// The keys of a member whose signatures count.
    pub fn keys(&self, id: &MemberId) -> Option<&MemberKeys> {
        self.member(id).and_then(|_| self.keys.get(id))
    }

    /// The keys of everybody, former and locked members included, for what was sealed to them.
    pub fn all_keys(&self) -> &BTreeMap<MemberId, MemberKeys> {
        &self.keys
    }

    /// How a member stands.
    pub fn standing(&self, id: &MemberId) -> Option<Standing> {
        self.roster.standing(id)
    }
}

/// The digest of a roster that a header names.
pub fn roster_digest(suite: SuiteId, roster: &Roster) -> Digest {
    Digest::of(suite, Label::ROSTER, &to_bytes(roster))
}

impl Genesis {
    /// The first roster.
    pub fn roster(&self) -> Roster {
        let seat = |member: &Member| Seat { member: member.clone(), standing: Standing::Active, officer_key: None };
        Roster {
            number: 0,
            from_height: 1,
            seats: self.members.iter().map(seat).collect(),
            charter: self.charter.clone(),
        }
    }
}

/// How one roster follows another: what changes, and the block whose validators, those of the former one, signed it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Handover {
    /// What changes.
    #[n(0)]
    pub step: RosterStep,
    /// The last block under the former roster.
    #[n(1)]
    pub anchor: Anchor,
}

/// Why a chain of handovers is refused.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// It is of another consortium or suite, or its certificate is for another block.
    #[error("handover {number} does not belong to this consortium's block {height}")]
    Foreign {
        /// Number of the roster.
        number: u32,
        /// Height of its block.
        height: u64,
    },
    /// The block does not name this roster, or it begins elsewhere.
    #[error("block {height} does not hand over to roster {number}")]
    Unnamed {
        /// Number of the roster.
        number: u32,
        /// Height of the block.
        height: u64,
    },
    /// The validators of the former roster did not sign.
    #[error("handover {number} is not signed by the validators before it")]
    Certificate {
        /// Number of the roster.
        number: u32,
        /// What is wrong.
        #[source]
        source: CertificateError,
    },
    /// The roster itself does not hold.
    #[error("roster {number} does not hold")]
    Roster {
        /// Its number.
        number: u32,
        /// What is wrong.
        #[source]
        source: RosterError,
    },
}

/// What a verifier trusts: the genesis and the rosters that follow from it.
#[derive(Debug, Clone)]
pub struct Trust {
    consortium: Digest,
    suite: SuiteId,
    /// In the order of their heights; never empty.
    memberships: Vec<Arc<Membership>>,
    first: Arc<Membership>,
}

impl Trust {
    /// Trusts a genesis.
    ///
    /// # Errors
    /// [`GenesisError`].
    pub fn new(genesis: &Genesis) -> Result<Self, GenesisError> {
        let first = Arc::new(genesis.membership()?);
        let memberships = vec![first.clone()];
        Ok(Self { consortium: genesis.digest(), suite: genesis.suite, memberships, first })
    }

    /// Follows handovers to later rosters. Those that are known already are passed over.
    ///
    /// # Errors
    /// [`HandoverError`] naming the first that does not follow; those before it are kept.
    pub fn follow(&mut self, handovers: &[Handover]) -> Result<(), HandoverError> {
        for handover in handovers {
            let Handover { step, anchor } = handover;
            if step.from_height <= self.latest().roster.from_height {
                continue;
            }
            let before = self.latest().clone();
            let (number, height) = (before.roster.number.saturating_add(1), anchor.header.height);
            if !anchor.belongs_to(&self.consortium, self.suite) {
                return Err(HandoverError::Foreign { number, height });
            }
            let next = step.after(&before.roster);
            let named = anchor.header.next_roster == Some(roster_digest(self.suite, &next));
            if !named || height.checked_add(1) != Some(step.from_height) || height < before.roster.from_height {
                return Err(HandoverError::Unnamed { number, height });
            }
            self.certified(anchor).map_err(|source| HandoverError::Certificate { number, source })?;
            let next = Membership::new(self.suite, next, Some(&before));
            let next = next.map_err(|source| HandoverError::Roster { number, source })?;
            self.memberships.push(Arc::new(next));
        }
        Ok(())
    }

    /// Takes a roster that the caller has executed itself, so that no certificate is needed.
    pub fn adopt(&mut self, next: Arc<Membership>) {
        if next.roster.from_height > self.latest().roster.from_height {
            self.memberships.push(next);
        }
    }

    /// Whether more than two thirds of the validators of its height signed a block.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn certified(&self, anchor: &Anchor) -> Result<(), CertificateError> {
        let membership = self.at(anchor.header.height);
        let verify = |member: &MemberId, message: &[u8], signature: &[u8]| {
            membership.keys(member).is_some_and(|keys| {
                covenant_suite::Signature::from_bytes(self.suite, signature)
                    .and_then(|s| keys.verifying.verify(Label::VOTE, message, &s))
                    .is_ok()
            })
        };
        anchor.certificate.check(&self.consortium, membership.validators(), verify)
    }

    /// The membership of a height.
    pub fn at(&self, height: u64) -> &Arc<Membership> {
        let begun = |m: &&Arc<Membership>| m.roster.from_height <= height;
        self.memberships.iter().rev().find(begun).unwrap_or(&self.first)
    }

    /// The membership that follows another.
    pub fn after(&self, before: &Membership) -> Option<&Arc<Membership>> {
        self.memberships.iter().find(|m| m.roster.from_height > before.roster.from_height)
    }

    /// All memberships known, in the order of their heights.
    pub fn memberships(&self) -> impl DoubleEndedIterator<Item = &Arc<Membership>> {
        self.memberships.iter()
    }

    /// The newest membership known.
    pub fn latest(&self) -> &Arc<Membership> {
        self.memberships.last().unwrap_or(&self.first)
    }

    /// Digest of the genesis.
    pub fn consortium(&self) -> &Digest {
        &self.consortium
    }

    /// Suite of all signatures.
    pub fn suite(&self) -> SuiteId {
        self.suite
    }
}

impl Anchor {
    /// Whether header and certificate are of this consortium and of one block.
    pub fn belongs_to(&self, consortium: &Digest, suite: SuiteId) -> bool {
        self.header.version == 1
            && &self.header.consortium == consortium
            && self.header.suite == suite
            && self.certificate.height == self.header.height
            && self.certificate.block == self.header.id()
    }
}
