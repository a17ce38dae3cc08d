//! The engine's vocabulary in our nouns: what a height, a block, a vote are. Nothing of this leaves the crate.

use std::sync::Arc;

use arc_malachitebft_core_types as core;
use arc_malachitebft_core_types::{LinearTimeouts, NilOrVal, Round, VoteType, VotingPower};
use bytes::Bytes;
use covenant_canon::Digest;
use covenant_domain::MemberId;
use covenant_ledger::{Validator, ValidatorSet};

/// The family of types with which the engine is instantiated.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Context;

/// Who: a member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address(pub(crate) MemberId);

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl core::Address for Address {}

/// Height of a block; genesis is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Height(pub(crate) u64);

impl std::fmt::Display for Height {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl core::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

/// What is agreed on: the id of a block. Its bytes travel as [`Part`]s and are compared with the id by the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlockId(pub(crate) Digest);

impl std::fmt::Display for BlockId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.short())
    }
}

impl core::Value for BlockId {
    type Id = Self;

    fn id(&self) -> Self {
        *self
    }
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Seal(Bytes);

impl Seal {
    pub(crate) fn new(signature: Vec<u8>) -> Self {
        Self(signature.into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Signatures are opaque here and a member's id stands for its key; the suite behind the traits knows the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scheme;

impl core::SigningScheme for Scheme {
    type DecodingError = String;
    type Signature = Seal;
    type PublicKey = MemberId;
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<Seal, String> {
        Ok(Seal::new(bytes.to_vec()))
    }

    fn encode_signature(signature: &Seal) -> Vec<u8> {
        signature.as_bytes().to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<MemberId, String> {
        let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
        MemberId::new(text).map_err(|e| e.to_string())
    }

    fn encode_public_key(member: &MemberId) -> Vec<u8> {
        member.as_str().as_bytes().to_vec()
    }
}

/// A validator as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elector {
    address: Address,
    power: u64,
}

impl From<&Validator> for Elector {
    fn from(validator: &Validator) -> Self {
        Self { address: Address(validator.member.clone()), power: validator.power }
    }
}

impl core::Validator<Context> for Elector {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &MemberId {
        &self.address.0
    }

    fn voting_power(&self) -> VotingPower {
        self.power
    }
}

/// The validators of a height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Electorate {
    pub(crate) set: Arc<ValidatorSet>,
    first: Elector,
    electors: Arc<[Elector]>,
}

impl Electorate {
    /// `None` never comes for a set made by [`ValidatorSet::new`], which is not empty.
    pub(crate) fn new(set: ValidatorSet) -> Option<Self> {
        let electors: Arc<[Elector]> = set.validators().iter().map(Elector::from).collect();
        let first = electors.first()?.clone();
        Some(Self { set: Arc::new(set), first, electors })
    }

    fn find(&self, member: &MemberId) -> Option<&Elector> {
        let at = self.electors.binary_search_by(|e| e.address.0.cmp(member)).ok()?;
        self.electors.get(at)
    }
}

impl core::ValidatorSet<Context> for Electorate {
    fn count(&self) -> usize {
        self.electors.len()
    }

    fn total_voting_power(&self) -> VotingPower {
        self.set.total_power()
    }

    fn get_by_address(&self, address: &Address) -> Option<&Elector> {
        self.find(&address.0)
    }

    fn get_by_index(&self, index: usize) -> Option<&Elector> {
        self.electors.get(index)
    }
}

/// A vote. Only deterministic fields: equality decides what is replayed from the write-ahead log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vote {
    pub(crate) kind: VoteType,
    pub(crate) height: Height,
    pub(crate) round: Round,
    pub(crate) block: NilOrVal<BlockId>,
    pub(crate) validator: Address,
}

impl core::Vote<Context> for Vote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<BlockId> {
        &self.block
    }

    fn take_value(self) -> NilOrVal<BlockId> {
        self.block
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.validator
    }

    fn extension(&self) -> Option<&core::SignedExtension<Context>> {
        None
    }

    fn take_extension(&mut self) -> Option<core::SignedExtension<Context>> {
        None
    }

    fn extend(self, _: core::SignedExtension<Context>) -> Self {
        self
    }
}

/// The engine's "proposal": the signed claim that this block is offered in this round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) height: Height,
    pub(crate) round: Round,
    pub(crate) block: BlockId,
    pub(crate) valid_round: Round,
    pub(crate) proposer: Address,
}

impl core::Proposal<Context> for Offer {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &BlockId {
        &self.block
    }

    fn take_value(self) -> BlockId {
        self.block
    }

    fn pol_round(&self) -> Round {
        self.valid_round
    }

    fn validator_address(&self) -> &Address {
        &self.proposer
    }
}

/// A piece of a block's bytes. Every piece says where it belongs, so pieces may arrive in any order. Not signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) height: u64,
    pub(crate) round: u32,
    pub(crate) valid_round: Option<u32>,
    pub(crate) block: Digest,
    pub(crate) index: u32,
    pub(crate) count: u32,
    pub(crate) data: Bytes,
}

impl core::ProposalPart<Context> for Part {
    fn is_first(&self) -> bool {
        self.index == 0
    }

    fn is_last(&self) -> bool {
        self.index.saturating_add(1) == self.count
    }
}

impl core::Context for Context {
    type Address = Address;
    type Height = Height;
    type ProposalPart = Part;
    type Proposal = Offer;
    type Validator = Elector;
    type ValidatorSet = Electorate;
    type Timeouts = LinearTimeouts;
    type Value = BlockId;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Scheme;

    fn select_proposer<'a>(&self, electorate: &'a Electorate, height: Height, round: Round) -> &'a Elector {
        let chosen = electorate.set.proposer(height.0, round.as_u32().unwrap_or_default());
        chosen.and_then(|v| electorate.find(&v.member)).unwrap_or(&electorate.first)
    }

    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        block: BlockId,
        valid_round: Round,
        proposer: Address,
    ) -> Offer {
        Offer { height, round, block, valid_round, proposer }
    }

    fn new_prevote(&self, height: Height, round: Round, block: NilOrVal<BlockId>, validator: Address) -> Vote {
        Vote { kind: VoteType::Prevote, height, round, block, validator }
    }

    fn new_precommit(&self, height: Height, round: Round, block: NilOrVal<BlockId>, validator: Address) -> Vote {
        Vote { kind: VoteType::Precommit, height, round, block, validator }
    }
}
