//! One key in two places: the holder evaluated under the key it published, and knew that key when it published it.
//!
//! ```text
//! evaluation:   K = k·G,  Z = k·B     bound to the query's context; B and Z are part of the statement
//! possession:   K = k·G               bound to consortium, holder, dataset and epoch
//! ```
//!
//! protocols.md section 2, set-up and step 4. The evaluation proof is the DLEQ of RFC 9497 in substance, not in bytes: it
//! is bound to the query where the RFC's is bound to nothing.

use covenant_canon::Label;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::RistrettoPoint;
use rand_core::CryptoRng;
use sigma_proofs::linear_relation::ScalarVar;

use crate::context::Session;
use crate::nizk::{self, Relation};
use crate::{Context, Element, EpochScope, ProofError, SecretScalar};

/// Length of an evaluation's proof, in bytes.
pub const DLEQ_PROOF_LENGTH: usize = nizk::compact_length(1);

/// Proves `K = k·G` and `Z = k·B`; returns `Z` and the proof.
///
/// # Errors
/// [`ProofError::Statement`] with negligible probability.
pub fn prove_evaluation(
    context: &Context,
    key: &SecretScalar,
    blinded: &Element,
    rng: &mut dyn CryptoRng,
) -> Result<(Element, Vec<u8>), ProofError> {
    prove(&context.session(Label::PROOF_EVALUATION), key, blinded, rng)
}

/// Verifies that `evaluated` is `blinded` times the secret of `key`.
///
/// # Errors
/// [`ProofError::Rejected`], whatever is wrong.
pub fn verify_evaluation(
    context: &Context,
    key: &Element,
    blinded: &Element,
    evaluated: &Element,
    proof: &[u8],
) -> Result<(), ProofError> {
    verify(&context.session(Label::PROOF_EVALUATION), key, blinded, evaluated, proof)
}

/// Proves knowledge of an epoch key.
///
/// # Errors
/// [`ProofError::Statement`] with negligible probability.
pub fn prove_possession(
    scope: &EpochScope,
    key: &SecretScalar,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, ProofError> {
    nizk::prove(&scope.session(Label::PROOF_POSSESSION), possession(&key.public()), [*key.expose()], rng)
}

/// Verifies that whoever published the key knew its secret.
///
/// # Errors
/// [`ProofError::Rejected`], whatever is wrong.
pub fn verify_possession(scope: &EpochScope, key: &Element, proof: &[u8]) -> Result<(), ProofError> {
    nizk::verify(&scope.session(Label::PROOF_POSSESSION), possession(key), 1, proof)
}

pub(crate) fn prove(
    session: &Session,
    key: &SecretScalar,
    base: &Element,
    rng: &mut dyn CryptoRng,
) -> Result<(Element, Vec<u8>), ProofError> {
    let image = Element::from_point(base.point() * key.expose())?;
    let proof = nizk::prove(session, relation(&key.public(), base, &image), [*key.expose()], rng)?;
    Ok((image, proof))
}

pub(crate) fn verify(
    session: &Session,
    key: &Element,
    base: &Element,
    image: &Element,
    proof: &[u8],
) -> Result<(), ProofError> {
    nizk::verify(session, relation(key, base, image), 1, proof)
}

fn relation(key: &Element, base: &Element, image: &Element) -> Relation {
    let (mut relation, k) = key_relation(key);
    let base = relation.allocate_element_with(*base.point());
    let image = relation.allocate_element_with(*image.point());
    relation.append_equation(image, k * base);
    relation
}

fn possession(key: &Element) -> Relation {
    key_relation(key).0
}

/// `K = k·G`, and the variable `k`.
fn key_relation(key: &Element) -> (Relation, ScalarVar<RistrettoPoint>) {
    let mut relation = Relation::new();
    let k = relation.allocate_scalar();
    let base_g = relation.allocate_element_with(RISTRETTO_BASEPOINT_POINT);
    let public = relation.allocate_element_with(*key.point());
    relation.append_equation(public, k * base_g);
    (relation, k)
}
