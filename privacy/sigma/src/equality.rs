//! Two commitments hold one subject: `C₁ − C₂ = x·H` with `x = r₁ − r₂`.
//!
//! Knowing `x` for commitments to two different subjects is a discrete-logarithm relation between hashes and `H`.

use covenant_canon::Label;
use rand_core::CryptoRng;

use crate::commitment::base_h;
use crate::context::Session;
use crate::nizk::{self, Relation};
use crate::{Context, Element, Opening, ProofError};

/// Proves that two commitments hold one subject.
///
/// # Errors
/// [`ProofError::Element`] for bytes that are no commitment; [`ProofError::Statement`] when they do not hold one subject,
/// and when they are the same commitment, of which there is nothing to prove.
pub fn prove_equality(
    context: &Context,
    commitments: [&[u8; 32]; 2],
    openings: [&Opening; 2],
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, ProofError> {
    let [first, second] = openings;
    let x = first.scalar() - second.scalar();
    let [c1, c2] = commitments.map(Element::from_bytes);
    if c1?.point() - c2?.point() != &x * base_h() {
        return Err(ProofError::Statement);
    }
    nizk::prove(&session(context, commitments), relation(commitments)?, [x], rng)
}

/// Verifies that two commitments hold one subject.
///
/// # Errors
/// [`ProofError::Rejected`], whatever is wrong.
pub fn verify_equality(context: &Context, commitments: [&[u8; 32]; 2], proof: &[u8]) -> Result<(), ProofError> {
    let relation = relation(commitments).map_err(|_| ProofError::Rejected)?;
    nizk::verify(&session(context, commitments), relation, 1, proof)
}

/// The relation only names the difference, so the commitments themselves are bound here.
fn session(context: &Context, commitments: [&[u8; 32]; 2]) -> Session {
    let mut bytes = context.to_bytes();
    commitments.into_iter().for_each(|c| bytes.extend_from_slice(c));
    Session::new(Label::PROOF_EQUALITY, &bytes)
}

fn relation(commitments: [&[u8; 32]; 2]) -> Result<Relation, ProofError> {
    let [first, second] = commitments;
    let (first, second) = (Element::from_bytes(first)?, Element::from_bytes(second)?);
    let mut relation = Relation::new();
    let x = relation.allocate_scalar();
    let base_h = relation.allocate_element_with(base_h().basepoint());
    let difference = relation.allocate_element_with(first.point() - second.point());
    relation.append_equation(difference, x * base_h);
    Ok(relation)
}
