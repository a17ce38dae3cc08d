//! What validators sign and the commit certificate made of it: pure types that an offline verifier shares with the
//! consensus engine's adapter.
//!
//! A certificate says: validators holding more than two thirds of the power signed a precommit for this block at this
//! height. It protects against a forged or forked history; it does not say that the block's content is sensible.

use std::collections::BTreeSet;

use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::MemberId;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Why a list of validators is not a validator set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValidatorSetError {
    /// No validators at all.
    #[error("a validator set needs at least one validator")]
    Empty,
    /// The same member twice.
    #[error("validator `{0}` is listed twice")]
    Duplicate(MemberId),
    /// Power zero, or more power than can be counted.
    #[error("validator `{0}` has a power out of range")]
    Power(MemberId),
}

/// A member that votes on blocks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Validator {
    /// Who.
    #[n(0)]
    pub member: MemberId,
    /// Weight of its vote, at least one.
    #[n(1)]
    pub power: u64,
    /// Whether it signed one of the recent certificates. Derived from ledger data by the application, never from local
    /// sight; it only spares rounds that an absent proposer would waste and has no weight in a quorum.
    #[n(2)]
    pub live: bool,
}

/// The validators of one height, ordered by member id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Validator>", into = "Vec<Validator>")]
pub struct ValidatorSet {
    validators: Vec<Validator>,
}

impl ValidatorSet {
    /// Orders and checks the validators.
    ///
    /// # Errors
    /// [`ValidatorSetError`] when the list is empty, repeats a member or has a power that cannot be counted.
    pub fn new(mut validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        validators.sort_by(|a, b| a.member.cmp(&b.member));
        let mut total = 0_u64;
        let mut previous: Option<&MemberId> = None;
        for validator in &validators {
            if previous == Some(&validator.member) {
                return Err(ValidatorSetError::Duplicate(validator.member.clone()));
            }
            // INVARIANT: three times the total fits, so quorum arithmetic of ours and of the engine never overflows.
            let sum = total.checked_add(validator.power).filter(|sum| *sum <= u64::MAX / 3);
            total = match sum {
                Some(sum) if validator.power > 0 => sum,
                _ => return Err(ValidatorSetError::Power(validator.member.clone())),
            };
            previous = Some(&validator.member);
        }
        if validators.is_empty() { Err(ValidatorSetError::Empty) } else { Ok(Self { validators }) }
    }

    /// A set in which every member is live and has power one.
    ///
    /// # Errors
    /// As [`ValidatorSet::new`].
    pub fn equal(members: impl IntoIterator<Item = MemberId>) -> Result<Self, ValidatorSetError> {
        Self::new(members.into_iter().map(|member| Validator { member, power: 1, live: true }).collect())
    }

    /// The validators in the order of their member ids.
    pub fn validators(&self) -> &[Validator] {
        &self.validators
    }

    /// The validator of this name.
    pub fn get(&self, member: &MemberId) -> Option<&Validator> {
        let at = self.validators.binary_search_by(|v| v.member.cmp(member)).ok()?;
        self.validators.get(at)
    }

    /// Sum of all powers.
    pub fn total_power(&self) -> u64 {
        self.validators.iter().map(|v| v.power).sum()
    }

    /// The least power that is strictly more than two thirds of the total.
    pub fn quorum(&self) -> u64 {
        self.total_power() * 2 / 3 + 1
    }

    /// The proposer of a round: rotates by height and round over the live validators, over all when none is live.
    /// Validators are taken in member order, so every replica with the same set names the same proposer.
    pub fn proposer(&self, height: u64, round: u32) -> Option<&Validator> {
        let live = self.validators.iter().filter(|v| v.live).count();
        let candidates = if live == 0 { self.validators.len() } else { live } as u64;
        let turn = height.wrapping_add(u64::from(round)).checked_rem(candidates)?;
        self.validators.iter().filter(|v| live == 0 || v.live).nth(usize::try_from(turn).ok()?)
    }
}

impl TryFrom<Vec<Validator>> for ValidatorSet {
    type Error = ValidatorSetError;

    fn try_from(validators: Vec<Validator>) -> Result<Self, Self::Error> {
        Self::new(validators)
    }
}

impl From<ValidatorSet> for Vec<Validator> {
    fn from(set: ValidatorSet) -> Self {
        set.validators
    }
}

impl<C> Encode<C> for ValidatorSet {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.validators.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for ValidatorSet {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(Vec::decode(d, ctx)?).map_err(minicbor::decode::Error::custom)
    }
}

/// Which of the two votes of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum VoteKind {
    /// "I have seen a valid proposal" (or nothing, when the block is absent).
    #[n(0)]
    Prevote,
    /// "More than two thirds prevoted this": the signature a certificate is made of.
    #[n(1)]
    Precommit,
}

/// A vote as it is signed.
#[derive(Encode, Decode)]
#[cbor(map)]
pub(crate) struct VoteMessage {
    #[n(0)]
    pub(crate) label: String,
    #[n(1)]
    pub(crate) consortium: Digest,
    #[n(2)]
    pub(crate) kind: VoteKind,
    #[n(3)]
    pub(crate) height: u64,
    #[n(4)]
    pub(crate) round: u32,
    #[n(5)]
    pub(crate) block: Option<Digest>,
    #[n(6)]
    pub(crate) validator: MemberId,
}

/// A proposal as it is signed.
#[derive(Encode, Decode)]
#[cbor(map)]
pub(crate) struct ProposalMessage {
    #[n(0)]
    pub(crate) label: String,
    #[n(1)]
    pub(crate) consortium: Digest,
    #[n(2)]
    pub(crate) height: u64,
    #[n(3)]
    pub(crate) round: u32,
    #[n(4)]
    pub(crate) block: Digest,
    #[n(5)]
    pub(crate) valid_round: Option<u32>,
    #[n(6)]
    pub(crate) validator: MemberId,
}

/// The bytes a validator signs as its vote: canonical CBOR, bound to the consortium by its genesis digest. `block` is
/// absent in a vote for no block.
pub fn vote_bytes(
    consortium: &Digest,
    kind: VoteKind,
    height: u64,
    round: u32,
    block: Option<Digest>,
    validator: &MemberId,
) -> Vec<u8> {
    let (label, consortium, validator) = (Label::VOTE.as_str().to_owned(), *consortium, validator.clone());
    to_bytes(&VoteMessage { label, consortium, kind, height, round, block, validator })
}

/// The bytes a proposer signs: the block it proposes in this round and, when it re-proposes a block that had more than
/// two thirds of the prevotes before, the round in which it had them.
pub fn proposal_bytes(
    consortium: &Digest,
    height: u64,
    round: u32,
    block: Digest,
    valid_round: Option<u32>,
    validator: &MemberId,
) -> Vec<u8> {
    let (label, consortium, validator) = (Label::PROPOSAL.as_str().to_owned(), *consortium, validator.clone());
    to_bytes(&ProposalMessage { label, consortium, height, round, block, valid_round, validator })
}

/// One validator's precommit within a [`Certificate`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct CommitSignature {
    /// Who signed.
    #[n(0)]
    pub validator: MemberId,
    /// Signature over [`vote_bytes`] of the precommit.
    #[cbor(n(1), with = "minicbor::bytes")]
    #[serde(with = "hex")]
    pub signature: Vec<u8>,
}

/// Proof that a block was agreed on: precommits of more than two thirds of the power.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Certificate {
    /// Height of the block.
    #[n(0)]
    pub height: u64,
    /// Round in which it was decided.
    #[n(1)]
    pub round: u32,
    /// The block id.
    #[n(2)]
    pub block: Digest,
    /// The precommits, in the order of the validators' ids when made by our own nodes.
    #[n(3)]
    pub signatures: Vec<CommitSignature>,
}

/// Why a certificate does not prove what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A signer outside the validator set.
    #[error("certificate of height {height}: `{validator}` is not a validator")]
    Unknown {
        /// Height of the certificate.
        height: u64,
        /// The signer.
        validator: MemberId,
    },
    /// A validator that signed twice.
    #[error("certificate of height {height}: `{validator}` is counted twice")]
    Duplicate {
        /// Height of the certificate.
        height: u64,
        /// The signer.
        validator: MemberId,
    },
    /// A signature that does not verify.
    #[error("certificate of height {height}: signature of `{validator}` does not verify")]
    Signature {
        /// Height of the certificate.
        height: u64,
        /// The signer.
        validator: MemberId,
    },
    /// Too few signers.
    #[error("certificate of height {height}: signed by power {signed}, needed {quorum}")]
    Quorum {
        /// Height of the certificate.
        height: u64,
        /// Power that signed.
        signed: u64,
        /// Power that is needed.
        quorum: u64,
    },
}

impl Certificate {
    /// Checks the certificate against the validators of its height. `verify` is given a member, the message and the
    /// signature. Signers, repetitions and power are checked first, so a hopeless certificate costs no signature check.
    ///
    /// # Errors
    /// [`CertificateError`], naming the validator at fault.
    pub fn check(
        &self,
        consortium: &Digest,
        set: &ValidatorSet,
        verify: impl Fn(&MemberId, &[u8], &[u8]) -> bool,
    ) -> Result<(), CertificateError> {
        let height = self.height;
        let mut seen = BTreeSet::new();
        let mut signed = 0_u64;
        for CommitSignature { validator, .. } in &self.signatures {
            let known =
                set.get(validator).ok_or_else(|| CertificateError::Unknown { height, validator: validator.clone() })?;
            if !seen.insert(validator) {
                return Err(CertificateError::Duplicate { height, validator: validator.clone() });
            }
            signed = signed.saturating_add(known.power);
        }
        if signed < set.quorum() {
            return Err(CertificateError::Quorum { height, signed, quorum: set.quorum() });
        }
        for CommitSignature { validator, signature } in &self.signatures {
            let message = vote_bytes(consortium, VoteKind::Precommit, height, self.round, Some(self.block), validator);
            if !verify(validator, &message, signature) {
                return Err(CertificateError::Signature { height, validator: validator.clone() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
