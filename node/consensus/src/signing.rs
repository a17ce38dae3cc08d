//! Signing and verifying of votes: the traits that the suite implements and their use by the engine.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use arc_malachitebft_core_types::{NilOrVal, Round, SignedMessage, ValidatorProof, VoteExtensionScope, VoteType};
use arc_malachitebft_signing::{Error, Signer, VerificationResult, Verifier};
use async_trait::async_trait;
use covenant_canon::Digest;
use covenant_domain::MemberId;
use covenant_ledger::{VoteKind, proposal_bytes, vote_bytes};
use parking_lot::Mutex;

use crate::codec::MAX_SIGNATURE_BYTES;
use crate::context::{Context, Offer, Seal, Vote};

/// The signer could not sign: the key is locked, the device does not answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign: {0}")]
pub struct SignError(pub String);

/// Signs the votes of this replica. Called from within the engine: it should take well under a millisecond.
pub trait VoteSigner: Send + Sync + 'static {
    /// Whose key it is.
    fn member(&self) -> &MemberId;

    /// Signs the bytes. They already carry a label and the consortium.
    ///
    /// # Errors
    /// [`SignError`] when the key cannot be used; the engine then stops.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// Verifies votes of any member.
pub trait VoteVerifier: Send + Sync + 'static {
    /// Whether this is the member's signature over the bytes.
    fn verify(&self, member: &MemberId, message: &[u8], signature: &[u8]) -> bool;
}

/// How many verified signatures are remembered. One height of 20 validators needs about 60.
const REMEMBERED: usize = 2_048;

/// Remembers which exact (member, message, signature) were found valid, so that the engine's second look at the same
/// precommits, when it assembles a certificate, costs no curve arithmetic. A signature never seen is always verified.
#[derive(Default)]
struct Verified {
    known: HashSet<Arc<(MemberId, Vec<u8>, Seal)>>,
    order: VecDeque<Arc<(MemberId, Vec<u8>, Seal)>>,
}

impl Verified {
    fn insert(&mut self, entry: (MemberId, Vec<u8>, Seal)) {
        let entry = Arc::new(entry);
        if self.known.insert(entry.clone()) {
            self.order.push_back(entry);
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

/// The engine's signer and verifier.
#[derive(Clone)]
pub(crate) struct Signing {
    consortium: Digest,
    signer: Arc<dyn VoteSigner>,
    verifier: Arc<dyn VoteVerifier>,
    verified: Arc<Mutex<Verified>>,
}

impl Signing {
    pub(crate) fn new(consortium: Digest, signer: Arc<dyn VoteSigner>, verifier: Arc<dyn VoteVerifier>) -> Self {
        Self { consortium, signer, verifier, verified: Arc::default() }
    }

    /// The bytes a validator signs for this vote; `None` when it belongs to no round.
    pub(crate) fn vote_message(&self, vote: &Vote) -> Option<Vec<u8>> {
        let kind = match vote.kind {
            VoteType::Prevote => VoteKind::Prevote,
            VoteType::Precommit => VoteKind::Precommit,
        };
        let block = match vote.block {
            NilOrVal::Nil => None,
            NilOrVal::Val(id) => Some(id.0),
        };
        Some(vote_bytes(&self.consortium, kind, vote.height.0, vote.round.as_u32()?, block, &vote.validator.0))
    }

    /// The bytes a proposer signs for this offer; `None` when it belongs to no round.
    pub(crate) fn offer_message(&self, offer: &Offer) -> Option<Vec<u8>> {
        let valid_round = match offer.valid_round {
            Round::Nil => None,
            Round::Some(round) => Some(round),
        };
        Some(proposal_bytes(
            &self.consortium,
            offer.height.0,
            offer.round.as_u32()?,
            offer.block.0,
            valid_round,
            &offer.proposer.0,
        ))
    }

    fn verify(&self, member: &MemberId, message: Option<Vec<u8>>, seal: &Seal) -> VerificationResult {
        let Some(message) = message else { return VerificationResult::Invalid };
        let entry = (member.clone(), message, seal.clone());
        if self.verified.lock().known.contains(&entry) {
            return VerificationResult::Valid;
        }
        let valid = self.verifier.verify(member, &entry.1, seal.as_bytes());
        if valid {
            self.verified.lock().insert(entry);
        }
        VerificationResult::from_bool(valid)
    }

    fn sign(&self, message: Option<Vec<u8>>) -> Result<Seal, Error> {
        let message = message.ok_or_else(|| failure("asked to sign for no round"))?;
        let signature = self.signer.sign(&message).map_err(|e| failure(&e.to_string()))?;
        if signature.len() > MAX_SIGNATURE_BYTES {
            return Err(failure("signature is too long"));
        }
        let seal = Seal::new(signature);
        // Our own fresh signature comes back to the engine at once; there is nothing to find out about it.
        self.verified.lock().insert((self.signer.member().clone(), message, seal.clone()));
        Ok(seal)
    }
}

#[async_trait]
impl Verifier<Context> for Signing {
    async fn verify_signed_vote(&self, vote: &Vote, seal: &Seal, key: &MemberId) -> Result<VerificationResult, Error> {
        Ok(self.verify(key, self.vote_message(vote), seal))
    }

    async fn verify_signed_proposal(
        &self,
        offer: &Offer,
        seal: &Seal,
        key: &MemberId,
    ) -> Result<VerificationResult, Error> {
        Ok(self.verify(key, self.offer_message(offer), seal))
    }

    async fn verify_signed_vote_extension(
        &self,
        _: &VoteExtensionScope<Context>,
        (): &(),
        _: &Seal,
        _: &MemberId,
    ) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::Invalid)
    }

    async fn verify_validator_proof(&self, _: &ValidatorProof<Context>) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::Invalid)
    }
}

#[async_trait]
impl Signer<Context> for Signing {
    async fn sign_vote(&self, vote: Vote) -> Result<SignedMessage<Context, Vote>, Error> {
        let seal = self.sign(self.vote_message(&vote))?;
        Ok(SignedMessage::new(vote, seal))
    }

    async fn sign_proposal(&self, offer: Offer) -> Result<SignedMessage<Context, Offer>, Error> {
        let seal = self.sign(self.offer_message(&offer))?;
        Ok(SignedMessage::new(offer, seal))
    }

    async fn sign_vote_extension(
        &self,
        _: VoteExtensionScope<Context>,
        (): (),
    ) -> Result<SignedMessage<Context, ()>, Error> {
        Err(failure("vote extensions are not used"))
    }

    async fn sign_validator_proof(&self, _: Vec<u8>, _: Vec<u8>) -> Result<ValidatorProof<Context>, Error> {
        Err(failure("validator proofs are not used"))
    }
}

fn failure(reason: &str) -> Error {
    Error::from_source(reason.to_owned())
}
