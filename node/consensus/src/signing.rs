//! Signing and verifying of votes: the traits that the suite implements and their use by the engine.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use arc_malachitebft_core_types::{NilOrVal, Round, SignedMessage, ValidatorProof, VoteExtensionScope, VoteType};
use arc_malachitebft_signing::{Error, Signer, VerificationResult, Verifier};
use async_trait::async_trait;
use covenant_canon::Digest;
use covenant_domain::MemberId;
use covenant_ledger::{Certificate, CommitSignature, VoteKind, proposal_bytes, vote_bytes};
use parking_lot::Mutex;

use crate::codec::MAX_SIGNATURE_BYTES;
use crate::context::{BlockId, Context, Offer, Seal, Vote};

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

    /// Tells of a signature that was made here a moment ago, so that a verifier with a memory need not check it.
    fn note(&self, _member: &MemberId, _message: &[u8], _signature: &[u8]) {}
}

/// How many verified signatures are remembered. One height of 20 validators needs about 60.
const REMEMBERED: usize = 1_024;

type Entry = Arc<(MemberId, Vec<u8>, Vec<u8>)>;

#[derive(Default)]
struct Memory {
    known: HashSet<Entry>,
    order: VecDeque<Entry>,
}

/// A verifier that remembers which exact (member, message, signature) were found valid, so that a second look at the
/// same precommits, when a certificate is assembled or comes in the next block, costs no curve arithmetic. What was
/// never seen is always verified, and what failed is not remembered. The engine has one of its own; a replica that
/// checks certificates gives the engine the one it uses itself.
pub struct RememberingVerifier {
    inner: Arc<dyn VoteVerifier>,
    memory: Mutex<Memory>,
}

impl RememberingVerifier {
    /// Adds a memory to a verifier.
    pub fn new(inner: Arc<dyn VoteVerifier>) -> Self {
        Self { inner, memory: Mutex::default() }
    }

    fn remember(&self, entry: Entry) {
        let mut memory = self.memory.lock();
        if memory.known.insert(entry.clone()) {
            memory.order.push_back(entry);
        }
        while memory.order.len() > REMEMBERED {
            if let Some(oldest) = memory.order.pop_front() {
                memory.known.remove(&oldest);
            }
        }
    }
}

impl VoteVerifier for RememberingVerifier {
    fn verify(&self, member: &MemberId, message: &[u8], signature: &[u8]) -> bool {
        let entry = Arc::new((member.clone(), message.to_vec(), signature.to_vec()));
        if self.memory.lock().known.contains(&entry) {
            return true;
        }
        let valid = self.inner.verify(member, message, signature);
        if valid {
            self.remember(entry);
        }
        valid
    }

    fn note(&self, member: &MemberId, message: &[u8], signature: &[u8]) {
        self.inner.note(member, message, signature);
        self.remember(Arc::new((member.clone(), message.to_vec(), signature.to_vec())));
    }
}

/// Precommits kept at most; one height of 20 validators has 20.
const MAX_PRECOMMITS: usize = 256;

/// Verified precommits, among them those that come when their block is decided already: the engine decides with the
/// first ones that suffice.
#[derive(Default)]
struct Precommits {
    decided: Option<Certificate>,
    seen: Vec<(Vote, Seal)>,
}

/// The engine's signer and verifier.
#[derive(Clone)]
pub(crate) struct Signing {
    consortium: Digest,
    signer: Arc<dyn VoteSigner>,
    verifier: Arc<RememberingVerifier>,
    precommits: Arc<Mutex<Precommits>>,
}

impl Signing {
    pub(crate) fn new(consortium: Digest, signer: Arc<dyn VoteSigner>, verifier: Arc<dyn VoteVerifier>) -> Self {
        let verifier = Arc::new(RememberingVerifier::new(verifier));
        Self { consortium, signer, verifier, precommits: Arc::default() }
    }

    /// Notes a decision, to which more precommits may come.
    pub(crate) fn decided(&self, certificate: Certificate) {
        let mut precommits = self.precommits.lock();
        precommits.seen.retain(|(vote, _)| vote.height.0 >= certificate.height);
        precommits.decided = Some(certificate);
    }

    /// The last certificate, if it has more signatures now than when it was asked for before.
    pub(crate) fn grown_certificate(&self) -> Option<Certificate> {
        let mut precommits = self.precommits.lock();
        let Precommits { decided: Some(certificate), seen } = &mut *precommits else { return None };
        let before = certificate.signatures.len();
        for (vote, seal) in seen.iter() {
            let same = vote.height.0 == certificate.height
                && vote.round.as_u32() == Some(certificate.round)
                && vote.block == NilOrVal::Val(BlockId(certificate.block));
            if same && certificate.signatures.iter().all(|s| s.validator != vote.validator.0) {
                let (validator, signature) = (vote.validator.0.clone(), seal.as_bytes().to_vec());
                certificate.signatures.push(CommitSignature { validator, signature });
            }
        }
        certificate.signatures.sort_by(|a, b| a.validator.cmp(&b.validator));
        (certificate.signatures.len() > before).then(|| certificate.clone())
    }

    fn note_precommit(&self, vote: &Vote, seal: &Seal) {
        let mut precommits = self.precommits.lock();
        if vote.kind == VoteType::Precommit && vote.block.is_val() && precommits.seen.len() < MAX_PRECOMMITS {
            precommits.seen.push((vote.clone(), seal.clone()));
        }
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

    fn verify(&self, member: &MemberId, message: Option<Vec<u8>>, seal: &Seal) -> bool {
        message.is_some_and(|message| self.verifier.verify(member, &message, seal.as_bytes()))
    }

    fn sign(&self, message: Option<Vec<u8>>) -> Result<Seal, Error> {
        let message = message.ok_or_else(|| failure("asked to sign for no round"))?;
        let signature = self.signer.sign(&message).map_err(|e| failure(&e.to_string()))?;
        if signature.len() > MAX_SIGNATURE_BYTES {
            return Err(failure("signature is too long"));
        }
        // Our own fresh signature comes back to the engine at once; there is nothing to find out about it.
        self.verifier.note(self.signer.member(), &message, &signature);
        Ok(Seal::new(signature))
    }
}

#[async_trait]
impl Verifier<Context> for Signing {
    async fn verify_signed_vote(&self, vote: &Vote, seal: &Seal, key: &MemberId) -> Result<VerificationResult, Error> {
        let valid = self.verify(key, self.vote_message(vote), seal);
        if valid {
            self.note_precommit(vote, seal);
        }
        Ok(VerificationResult::from_bool(valid))
    }

    async fn verify_signed_proposal(
        &self,
        offer: &Offer,
        seal: &Seal,
        key: &MemberId,
    ) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::from_bool(self.verify(key, self.offer_message(offer), seal)))
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl VoteVerifier for Counting {
        fn verify(&self, _: &MemberId, message: &[u8], signature: &[u8]) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed);
            message == signature
        }
    }

    #[test]
    fn only_the_same_valid_signature_is_taken_on_trust() {
        let inner = Arc::new(Counting::default());
        let verifier = RememberingVerifier::new(inner.clone());
        let (a, b) = (MemberId::new("a").unwrap(), MemberId::new("b").unwrap());
        let asked = || inner.0.load(Ordering::Relaxed);
        assert!(verifier.verify(&a, b"m", b"m") && verifier.verify(&a, b"m", b"m"));
        assert_eq!(asked(), 1);
        assert!(!verifier.verify(&a, b"m", b"x") && !verifier.verify(&a, b"m", b"x"));
        assert!(!verifier.verify(&a, b"x", b"m"));
        assert!(verifier.verify(&b, b"m", b"m"));
        assert_eq!(asked(), 5);
        verifier.note(&a, b"own", b"seal");
        assert!(verifier.verify(&a, b"own", b"seal"));
        assert!(!verifier.verify(&b, b"own", b"seal"));
        for n in 0..REMEMBERED as u64 {
            assert!(verifier.verify(&a, &n.to_be_bytes(), &n.to_be_bytes()));
        }
        let before = asked();
        assert!(verifier.verify(&a, b"m", b"m"));
        assert_eq!((asked(), verifier.memory.lock().order.len()), (before + 1, REMEMBERED));
    }
}
