//! One way in and out of `sigma-proofs`: proofs of draft-irtf-cfrg-sigma-protocols, bound to a session.
//!
//! A compact proof is the challenge and one response per secret, 32 bytes each; a batchable one is a commitment per
//! equation and one response per secret. Whatever fails is one failure.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use rand_core::CryptoRng;
use sigma_proofs::linear_relation::CanonicalLinearRelation;
use sigma_proofs::{LinearRelation, Nizk};
use zeroize::Zeroize;

use crate::ProofError;
use crate::context::Session;

/// A linear relation over ristretto255.
pub(crate) type Relation = LinearRelation<RistrettoPoint>;

type Proving = Nizk<CanonicalLinearRelation<RistrettoPoint>>;

/// Length of a compact proof with so many secrets, in bytes.
pub(crate) const fn compact_length(secrets: usize) -> usize {
    32 * (1 + secrets)
}

/// Length of a batchable proof with so many equations and secrets, in bytes.
pub(crate) const fn batchable_length(equations: usize, secrets: usize) -> usize {
    32 * (equations + secrets)
}

/// Proves a relation, compactly.
pub(crate) fn prove<const N: usize>(
    session: &Session,
    relation: Relation,
    witness: [Scalar; N],
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, ProofError> {
    prove_with(session, relation, witness, |nizk, secrets| nizk.prove_compact(secrets, &mut Forward(rng)).ok())
}

/// Proves a relation such that many proofs can be verified together, see [`crate::batch`].
pub(crate) fn prove_batchable<const N: usize>(
    session: &Session,
    relation: Relation,
    witness: [Scalar; N],
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, ProofError> {
    prove_with(session, relation, witness, |nizk, secrets| nizk.prove_batchable(secrets, &mut Forward(rng)).ok())
}

/// Does not check the witness, callers know theirs: a wrong one gives a proof that is refused. Clears it; the copies that `sigma-proofs` makes on the heap are freed but not cleared.
fn prove_with<const N: usize>(
    session: &Session,
    relation: Relation,
    mut witness: [Scalar; N],
    prove: impl FnOnce(Proving, &Vec<Scalar>) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, ProofError> {
    let mut secrets = witness.to_vec();
    witness.zeroize();
    let nizk = relation.into_nizk(session.as_bytes()).ok();
    let proof = nizk.and_then(|nizk| prove(nizk, &secrets));
    secrets.zeroize();
    proof.ok_or(ProofError::Statement)
}

/// Verifies a compact proof of a relation with `secrets` secrets.
pub(crate) fn verify(session: &Session, relation: Relation, secrets: usize, proof: &[u8]) -> Result<(), ProofError> {
    // Length first: nothing is allocated or computed for a proof that cannot be one.
    if proof.len() != compact_length(secrets) {
        return Err(ProofError::Rejected);
    }
    let nizk = relation.into_nizk(session.as_bytes()).map_err(|_| ProofError::Rejected)?;
    nizk.verify_compact(proof).map_err(|_| ProofError::Rejected)
}

/// The caller's generator as the dalek family wants it.
pub(crate) struct Forward<'a>(pub(crate) &'a mut dyn CryptoRng);

impl rand_core_06::RngCore for Forward<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.0.fill_bytes(dest);
        Ok(())
    }
}

impl rand_core_06::CryptoRng for Forward<'_> {}
