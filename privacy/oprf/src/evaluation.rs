//! Holder evaluates, consumer checks and unblinds. protocols.md section 2, steps 4 and 5.
//!
//! ```text
//! holder:    Z = k·B, with a proof that Z/B = K/G, bound to the query
//! consumer:  N = c·Z = k·P,  y = SHA-512(len2(id) ‖ id ‖ len2(N) ‖ N ‖ "Finalize")     RFC 9497, 3.3.1
//! split:     Z = Z₁ + Z₂, K = K₁ + K₂, each part with its own proof
//! ```
//!
//! INVARIANT the caller has a permit and has verified the claim: an evaluation is what the ledger counts.

use covenant_sigma::{Blinding, Context, Element, prove_evaluation, verify_evaluation};
use rand_core::CryptoRng;

use crate::{EpochKey, EpochPublicKey, KeyPart, OprfError, Output};

/// `Z = k·B` and its proof; plain data until the consumer has verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// `Z`.
    pub z: [u8; 32],
    /// [`covenant_sigma::DLEQ_PROOF_LENGTH`] bytes.
    pub proof: Vec<u8>,
}

/// Evaluates a blinded element.
///
/// # Errors
/// [`OprfError::Refused`] for whatever is not a canonical element other than the identity.
pub fn evaluate(
    key: &EpochKey,
    context: &Context,
    blinded: &[u8; 32],
    rng: &mut dyn CryptoRng,
) -> Result<Evaluation, OprfError> {
    let blinded = Element::from_bytes(blinded).map_err(|_| OprfError::Refused)?;
    let (z, proof) = prove_evaluation(context, key.secret(), &blinded, rng).map_err(|_| OprfError::Refused)?;
    Ok(Evaluation { z: z.to_bytes(), proof })
}

/// Evaluates under one part of a split key; verifies under that part's public key.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_part(
    part: &KeyPart,
    context: &Context,
    blinded: &[u8; 32],
    rng: &mut dyn CryptoRng,
) -> Result<Evaluation, OprfError> {
    evaluate(part.key(), context, blinded, rng)
}

/// Checks an evaluation and takes the blinding off.
///
/// # Errors
/// [`OprfError::Evaluation`], whatever is wrong: the holder answered under another key, for another query, or garbage.
pub fn finalize(
    context: &Context,
    key: &EpochPublicKey,
    blinded: &[u8; 32],
    evaluation: &Evaluation,
    blinding: Blinding,
    canonical_subject: &str,
) -> Result<Output, OprfError> {
    let z = checked(context, key, blinded, evaluation)?;
    Ok(Output::finalize(canonical_subject.as_bytes(), &blinding.unblind(&z)))
}

/// As [`finalize`], with the evaluations of both parts of a split key, each beside the part's public key. The caller has
/// checked that the two public keys combine to the published one, see [`EpochPublicKey::combine`].
///
/// # Errors
/// [`OprfError::Evaluation`], whatever is wrong.
pub fn finalize_split(
    context: &Context,
    blinded: &[u8; 32],
    parts: [(&EpochPublicKey, &Evaluation); 2],
    blinding: Blinding,
    canonical_subject: &str,
) -> Result<Output, OprfError> {
    let [(first_key, first), (second_key, second)] = parts;
    let first = checked(context, first_key, blinded, first)?;
    let second = checked(context, second_key, blinded, second)?;
    let z = Element::from_point(first.point() + second.point()).map_err(|_| OprfError::Evaluation)?;
    Ok(Output::finalize(canonical_subject.as_bytes(), &blinding.unblind(&z)))
}

fn checked(
    context: &Context,
    key: &EpochPublicKey,
    blinded: &[u8; 32],
    evaluation: &Evaluation,
) -> Result<Element, OprfError> {
    let parse = |bytes| Element::from_bytes(bytes).map_err(|_| OprfError::Evaluation);
    let (blinded, z) = (parse(blinded)?, parse(&evaluation.z)?);
    verify_evaluation(context, key.element(), &blinded, &z, &evaluation.proof).map_err(|_| OprfError::Evaluation)?;
    Ok(z)
}
