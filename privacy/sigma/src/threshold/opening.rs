//! Opening an escrow `(A, D) = (s·G, P + s·Y)` on a case.
//!
//! ```text
//! member i:   Dᵢ = sᵢ·A, with a proof that Dᵢ/A = Vᵢ/G, bound to its number and the case
//! anyone:     Σ λᵢ·Dᵢ = y·A = s·Y,   P = D − s·Y
//! ```

use std::collections::BTreeMap;

use covenant_canon::Label;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use rand_core::CryptoRng;

use super::{GroupKey, KeyShare, ThresholdError, lagrange};
use crate::context::Session;
use crate::{Element, dleq};

/// What a member posts on a case. Plain data until [`verify_partial`] or [`combine`] has accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialOpening {
    /// The member's number.
    pub index: u16,
    /// `Dᵢ`.
    pub point: [u8; 32],
    /// [`crate::DLEQ_PROOF_LENGTH`] bytes.
    pub proof: Vec<u8>,
}

/// A member's part in opening an escrow. `case` is whatever bytes name the case; the proof is bound to them.
///
/// INVARIANT the caller has seen the case on the ledger: `t` parts reveal the subject.
///
/// # Errors
/// [`ThresholdError::Escrow`] for a malformed `A`.
pub fn partial_open(
    share: &KeyShare,
    case: &[u8],
    escrow_a: &[u8; 32],
    rng: &mut dyn CryptoRng,
) -> Result<PartialOpening, ThresholdError> {
    let a = Element::from_bytes(escrow_a).map_err(|_| ThresholdError::Escrow)?;
    let (point, proof) =
        dleq::prove(&session(share.index, case), &share.secret, &a, rng).map_err(|_| ThresholdError::Failed)?;
    Ok(PartialOpening { index: share.index, point: point.to_bytes(), proof })
}

/// Verifies a member's part.
///
/// # Errors
/// [`ThresholdError::Escrow`] for a malformed `A`, [`ThresholdError::Partial`] with the member's number otherwise.
pub fn verify_partial(
    group: &GroupKey,
    case: &[u8],
    escrow_a: &[u8; 32],
    partial: &PartialOpening,
) -> Result<(), ThresholdError> {
    let a = Element::from_bytes(escrow_a).map_err(|_| ThresholdError::Escrow)?;
    checked(group, case, &a, partial).map(|_| ())
}

/// The subject's point, from at least `t` parts, every one of which must be valid. Compare it with
/// [`Subjects::matches`](crate::Subjects::matches).
///
/// # Errors
/// [`ThresholdError::Partial`] or [`ThresholdError::Duplicate`] with the member at fault, [`ThresholdError::TooFew`],
/// [`ThresholdError::Escrow`] for a malformed escrow and for one that holds nothing.
pub fn combine(
    group: &GroupKey,
    case: &[u8],
    [escrow_a, escrow_d]: [&[u8; 32]; 2],
    partials: &[PartialOpening],
) -> Result<[u8; 32], ThresholdError> {
    let a = Element::from_bytes(escrow_a).map_err(|_| ThresholdError::Escrow)?;
    let d = Element::from_bytes(escrow_d).map_err(|_| ThresholdError::Escrow)?;
    let mut points = BTreeMap::new();
    for partial in partials {
        let point = checked(group, case, &a, partial)?;
        if points.insert(partial.index, *point.point()).is_some() {
            return Err(ThresholdError::Duplicate { member: partial.index });
        }
    }
    let (have, need) = (points.len(), usize::from(group.committee().threshold()));
    if have < need {
        return Err(ThresholdError::TooFew { have, need });
    }
    let (members, points): (Vec<u16>, Vec<RistrettoPoint>) = points.into_iter().take(need).unzip();
    let blinding = RistrettoPoint::vartime_multiscalar_mul(lagrange(&members, 0), &points);
    Element::from_point(d.point() - blinding).map(|p| p.to_bytes()).map_err(|_| ThresholdError::Escrow)
}

fn checked(group: &GroupKey, case: &[u8], a: &Element, partial: &PartialOpening) -> Result<Element, ThresholdError> {
    let refused = ThresholdError::Partial { member: partial.index };
    let share = group.share(partial.index).ok_or_else(|| refused.clone())?;
    let point = Element::from_bytes(&partial.point).map_err(|_| refused.clone())?;
    dleq::verify(&session(partial.index, case), share, a, &point, &partial.proof).map_err(|_| refused)?;
    Ok(point)
}

fn session(index: u16, case: &[u8]) -> Session {
    Session::new(Label::PROOF_PARTIAL_OPENING, &[&index.to_be_bytes(), case].concat())
}
