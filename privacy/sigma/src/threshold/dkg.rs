//! Key generation: two rounds, one type each, a step consumes the one before it.
//!
//! 1. Every member broadcasts commitments to its polynomial with a proof of knowledge; the ledger is the echo broadcast.
//! 2. Every member sends every other a share, sealed to it. A share that does not fit the broadcast convicts its sender,
//!    and the ceremony starts again without it.
//!
//! The proofs of knowledge name the member but not the ceremony: the ledger's signatures bind packages to a ceremony.

use std::collections::BTreeMap;

use frost_ristretto255::keys::dkg::{self, round1, round2};
use frost_ristretto255::{Error, Identifier};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{Committee, GroupKey, KeyShare, MAX_MEMBERS, ThresholdError};
use crate::nizk::Forward;
use crate::{Element, SecretScalar};

/// Longest package of either round: a commitment per coefficient, a signature, headers.
const MAX_PACKAGE: usize = 256 + 33 * MAX_MEMBERS as usize;

/// What each other member must get, by number; secret, so sealed to it.
pub type Outgoing = BTreeMap<u16, Zeroizing<Vec<u8>>>;

/// A member that has broadcast and waits for the others' broadcasts; secret.
pub struct FirstRound {
    committee: Committee,
    index: u16,
    broadcast: Vec<u8>,
    secret: round1::SecretPackage,
}

/// A member that has sent its shares and waits for the others'; secret.
pub struct SecondRound {
    committee: Committee,
    index: u16,
    broadcasts: BTreeMap<Identifier, round1::Package>,
    secret: round2::SecretPackage,
}

impl FirstRound {
    /// Begins as member `index`; the bytes go to all.
    ///
    /// # Errors
    /// [`ThresholdError::Member`] for a number outside the committee.
    pub fn start(committee: Committee, index: u16, rng: &mut dyn CryptoRng) -> Result<(Self, Vec<u8>), ThresholdError> {
        committee.demand(index)?;
        let (secret, package) = dkg::part1(identifier(index)?, committee.members, committee.threshold, Forward(rng))
            .map_err(|_| ThresholdError::Failed)?;
        let broadcast = package.serialize().map_err(|_| ThresholdError::Failed)?;
        Ok((Self { committee, index, broadcast: broadcast.clone(), secret }, broadcast))
    }

    /// Takes what every member broadcast, by number; returns what each other member must get, sealed to it.
    ///
    /// # Errors
    /// [`ThresholdError::Missing`], [`ThresholdError::Member`] or [`ThresholdError::Package`] with the member at fault;
    /// this member itself when its own broadcast was replaced.
    pub fn shares<B: AsRef<[u8]>>(
        self,
        broadcasts: &BTreeMap<u16, B>,
    ) -> Result<(SecondRound, Outgoing), ThresholdError> {
        let own = broadcasts.get(&self.index).ok_or(ThresholdError::Missing { member: self.index })?;
        if own.as_ref() != self.broadcast {
            return Err(ThresholdError::Package { member: self.index });
        }
        let parsed = parse_all(self.committee, self.index, broadcasts, |bytes| {
            let package = round1::Package::deserialize(bytes)?;
            if package.serialize()? != bytes {
                return Err(Error::DeserializationError);
            }
            // frost-core checks the count too, without a name.
            if package.commitment().coefficients().len() != usize::from(self.committee.threshold) {
                return Err(Error::IncorrectNumberOfCommitments);
            }
            Ok(package)
        })?;
        let (secret, packages) = dkg::part2(self.secret, &parsed).map_err(|e| named(self.committee, &e))?;
        let mut out = BTreeMap::new();
        for member in others(self.committee, self.index) {
            let package = packages.get(&identifier(member)?).ok_or(ThresholdError::Missing { member })?;
            out.insert(member, Zeroizing::new(package.serialize().map_err(|_| ThresholdError::Failed)?));
        }
        Ok((SecondRound { committee: self.committee, index: self.index, broadcasts: parsed, secret }, out))
    }
}

impl SecondRound {
    /// Takes the share that every other member sent to this one, by number.
    ///
    /// # Errors
    /// [`ThresholdError::Missing`], [`ThresholdError::Member`] or [`ThresholdError::Package`] with the member at fault;
    /// [`ThresholdError::Failed`] with negligible probability.
    pub fn finish<B: AsRef<[u8]>>(self, shares: &BTreeMap<u16, B>) -> Result<(KeyShare, GroupKey), ThresholdError> {
        let parsed = parse_all(self.committee, self.index, shares, |bytes| {
            let package = round2::Package::deserialize(bytes)?;
            let again = Zeroizing::new(package.serialize()?);
            if again.as_slice() == bytes { Ok(package) } else { Err(Error::DeserializationError) }
        })?;
        let (key, public) =
            dkg::part3(&self.secret, &self.broadcasts, &parsed).map_err(|e| named(self.committee, &e))?;
        let secret = Zeroizing::new(key.signing_share().serialize());
        let secret = Zeroizing::new(<[u8; 32]>::try_from(secret.as_slice()).map_err(|_| ThresholdError::Failed)?);
        let secret = SecretScalar::from_bytes(&secret).map_err(|_| ThresholdError::Failed)?;
        let y = element(&public.verifying_key().serialize())?;
        let mut members = Vec::new();
        for member in 1..=self.committee.members {
            let share = public.verifying_shares().get(&identifier(member)?).ok_or(ThresholdError::Failed)?;
            members.push(element(&share.serialize())?);
        }
        let group = GroupKey::new(self.committee, y, members).map_err(|_| ThresholdError::Failed)?;
        Ok((KeyShare { index: self.index, secret }, group))
    }
}

macro_rules! silent {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "(member {}, …)"), self.index)
            }
        }
    )*};
}

silent!(FirstRound, SecondRound);

/// Exactly the other members' packages, each parsed or its sender named. The member's own entry is skipped.
fn parse_all<B: AsRef<[u8]>, P>(
    committee: Committee,
    own: u16,
    packages: &BTreeMap<u16, B>,
    parse: impl Fn(&[u8]) -> Result<P, Error>,
) -> Result<BTreeMap<Identifier, P>, ThresholdError> {
    packages.keys().try_for_each(|member| committee.demand(*member))?;
    let mut out = BTreeMap::new();
    for member in others(committee, own) {
        let bytes = packages.get(&member).ok_or(ThresholdError::Missing { member })?.as_ref();
        let refused = ThresholdError::Package { member };
        if bytes.len() > MAX_PACKAGE {
            return Err(refused);
        }
        out.insert(identifier(member)?, parse(bytes).map_err(|_| refused)?);
    }
    Ok(out)
}

fn others(committee: Committee, own: u16) -> impl Iterator<Item = u16> {
    (1..=committee.members).filter(move |member| *member != own)
}

fn identifier(member: u16) -> Result<Identifier, ThresholdError> {
    Identifier::try_from(member).map_err(|_| ThresholdError::Member { member })
}

/// The member that the library found at fault.
fn named(committee: Committee, error: &Error) -> ThresholdError {
    let culprits = error.culprits();
    let at_fault = |member: &u16| Identifier::try_from(*member).is_ok_and(|id| culprits.contains(&id));
    match (1..=committee.members).find(at_fault) {
        Some(member) => ThresholdError::Package { member },
        None => ThresholdError::Failed,
    }
}

fn element(bytes: &Result<Vec<u8>, Error>) -> Result<Element, ThresholdError> {
    let bytes = bytes.as_ref().ok().and_then(|b| b.as_slice().try_into().ok()).ok_or(ThresholdError::Failed)?;
    Element::from_bytes(bytes).map_err(|_| ThresholdError::Failed)
}
