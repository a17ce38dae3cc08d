//! The consumer's claim: what it asks to have evaluated, and what it escrows, is the subject of a commitment.
//!
//! Public are the commitment `C = P + r·H`, the blinded element `B = b·P`, the escrow `(A, D) = (s·G, P + s·Y)` under the
//! regulators' key `Y`. One proof of knowledge of `(c, r, s)` with `c = 1/b`:
//!
//! ```text
//! C     = c·B + r·H
//! C − D = r·H − s·Y
//! A     = s·G
//! ```
//!
//! *Why `c` and one `r`.* Proving `B = b·C − t·H` beside `C − D = r·H − s·Y` leaves `t` and `r` unrelated: a consumer could
//! have `P` evaluated and escrow `P + δ·H`. Here both rest on the same `r`: `c·B = C − r·H = D − s·Y`, so what is
//! evaluated is exactly what is escrowed.
//!
//! *What remains.* A consumer that knows the opening may use `r + δ` throughout. Then `P − δ·H` is both evaluated and
//! escrowed. It gains nothing: for `δ ≠ 0` it cannot know an identifier that hashes to `P − δ·H` without a
//! discrete-logarithm relation between the hashes and `H`, so the output opens no row. And it is convicted: the escrow
//! opens to no subject at all, while the commitment, with the opening `r` that the authorisation service sealed to this
//! consumer (or that a statutory consumer must produce), opens to a named one.
//!
//! *Protects* the subject from everyone but `t` regulators: `B` is uniform, `C` hides perfectly, `(A, D)` hides under
//! decisional Diffie-Hellman. *Does not* say that `C` is the commitment of a consent: that is the ledger's check.
//!
//! protocols.md section 2, steps 1 and 2; `c` in place of `(b, t)` is the repair described above.

use covenant_canon::Label;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::batch::Batch;
use crate::commitment::base_h;
use crate::nizk::{self, Relation};
use crate::{Context, Element, Opening, ProofError, SecretScalar, Subjects};

/// Length of a claim's proof, in bytes.
pub const CLAIM_PROOF_LENGTH: usize = nizk::batchable_length(3, 3);

/// The regulators' public key `Y`, under which subjects are escrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EscrowKey(Element);

impl EscrowKey {
    /// Parses 32 bytes.
    ///
    /// # Errors
    /// [`ProofError::Element`] for a non-canonical encoding and for the identity.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, ProofError> {
        Element::from_bytes(bytes).map(Self)
    }

    /// The canonical encoding.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    pub(crate) fn element(&self) -> &Element {
        &self.0
    }
}

impl From<Element> for EscrowKey {
    fn from(y: Element) -> Self {
        Self(y)
    }
}

/// What a consumer sends with an intent. Plain data until [`verify_claim`] has accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// `B = b·P`.
    pub blinded: [u8; 32],
    /// `A = s·G`.
    pub escrow_a: [u8; 32],
    /// `D = P + s·Y`.
    pub escrow_d: [u8; 32],
    /// [`CLAIM_PROOF_LENGTH`] bytes.
    pub proof: Vec<u8>,
}

/// The factor that takes the blinding off an evaluated element. One claim, one blinding, one use.
pub struct Blinding {
    /// `c = 1/b`.
    inverse: SecretScalar,
}

impl Blinding {
    /// `c·Z`, for `Z = k·B` the evaluation `k·P`.
    pub fn unblind(self, evaluated: &Element) -> RistrettoPoint {
        evaluated.point() * self.inverse.expose()
    }
}

impl std::fmt::Debug for Blinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Blinding(…)")
    }
}

/// Makes the claim for a committed subject.
///
/// # Errors
/// [`ProofError::Element`] for bytes that are no commitment, [`ProofError::Statement`] when the commitment does not open
/// to this subject.
pub fn prove_claim(
    context: &Context,
    commitment: &[u8; 32],
    canonical_subject: &str,
    opening: &Opening,
    escrow_key: &EscrowKey,
    rng: &mut dyn CryptoRng,
) -> Result<(Claim, Blinding), ProofError> {
    let c_point = Element::from_bytes(commitment)?;
    let mut p = Subjects::point(canonical_subject);
    let opens: bool = (p + opening.scalar() * base_h()).compress().to_bytes().ct_eq(commitment).into();
    if !opens {
        return Err(ProofError::Statement);
    }
    let b = SecretScalar::random(rng);
    let s = SecretScalar::random(rng);
    let c = SecretScalar::from_scalar(b.expose().invert())?;
    let statement = Statement {
        c: c_point,
        b: Element::from_point(p * b.expose())?,
        a: s.public(),
        d: Element::from_point(p + escrow_key.element().point() * s.expose())?,
        y: *escrow_key.element(),
    };
    p.zeroize();
    let witness: [Scalar; 3] = [*c.expose(), *opening.scalar(), *s.expose()];
    let proof = nizk::prove_batchable(&context.session(Label::PROOF_CLAIM), statement.relation(), witness, rng)?;
    let claim = Claim {
        blinded: statement.b.to_bytes(),
        escrow_a: statement.a.to_bytes(),
        escrow_d: statement.d.to_bytes(),
        proof,
    };
    Ok((claim, Blinding { inverse: c }))
}

/// Verifies a claim against the commitment of the consent and the key of the regulators.
///
/// # Errors
/// [`ProofError::Rejected`], whatever is wrong.
pub fn verify_claim(
    context: &Context,
    commitment: &[u8; 32],
    escrow_key: &EscrowKey,
    claim: &Claim,
) -> Result<(), ProofError> {
    let mut batch = Batch::new();
    add(&mut batch, escrow_key, &Submission { context, commitment, claim })?;
    batch.verify()
}

/// A claim beside what it must be verified against.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// The query that the claim belongs to.
    pub context: &'a Context,
    /// The commitment of the consent.
    pub commitment: &'a [u8; 32],
    /// What the consumer sent.
    pub claim: &'a Claim,
}

/// Verifies many claims at about two thirds of the cost of one at a time; the verdicts, in order, are those of [`verify_claim`].
///
/// A batch with a bad claim costs as much again as one at a time.
pub fn verify_claims(escrow_key: &EscrowKey, submissions: &[Submission<'_>]) -> Vec<Result<(), ProofError>> {
    let mut batch = Batch::new();
    let parsed: Vec<_> = submissions.iter().map(|s| add(&mut batch, escrow_key, s)).collect();
    if batch.verify().is_ok() {
        return parsed;
    }
    submissions.iter().map(|s| verify_claim(s.context, s.commitment, escrow_key, s.claim)).collect()
}

fn add(batch: &mut Batch, escrow_key: &EscrowKey, submission: &Submission<'_>) -> Result<(), ProofError> {
    let Submission { context, commitment, claim } = submission;
    // Length first: nothing is computed for a proof that cannot be one.
    if claim.proof.len() != CLAIM_PROOF_LENGTH {
        return Err(ProofError::Rejected);
    }
    let statement = Statement::parse(commitment, escrow_key, claim).map_err(|_| ProofError::Rejected)?;
    batch.add(&context.session(Label::PROOF_CLAIM), statement.relation(), &claim.proof)
}

/// The public elements, named as in the equations.
struct Statement {
    c: Element,
    b: Element,
    a: Element,
    d: Element,
    y: Element,
}

impl Statement {
    fn parse(commitment: &[u8; 32], escrow_key: &EscrowKey, claim: &Claim) -> Result<Self, ProofError> {
        Ok(Self {
            c: Element::from_bytes(commitment)?,
            b: Element::from_bytes(&claim.blinded)?,
            a: Element::from_bytes(&claim.escrow_a)?,
            d: Element::from_bytes(&claim.escrow_d)?,
            y: *escrow_key.element(),
        })
    }

    /// The relation of the module's head. `Y` enters negated, so that every term has weight one.
    fn relation(&self) -> Relation {
        let mut relation = Relation::new();
        let [c, r, s] = relation.allocate_scalars();
        let base_g = relation.allocate_element_with(RISTRETTO_BASEPOINT_POINT);
        let base_h = relation.allocate_element_with(base_h().basepoint());
        let blinded = relation.allocate_element_with(*self.b.point());
        let minus_y = relation.allocate_element_with(-self.y.point());
        let commitment = relation.allocate_element_with(*self.c.point());
        let difference = relation.allocate_element_with(self.c.point() - self.d.point());
        let escrow_a = relation.allocate_element_with(*self.a.point());
        relation.append_equation(commitment, c * blinded + r * base_h);
        relation.append_equation(difference, r * base_h + s * minus_y);
        relation.append_equation(escrow_a, s * base_g);
        relation
    }
}

/// Proves whatever elements and witness a test makes up; a cheating prover.
#[cfg(test)]
pub(crate) fn prove_raw(
    context: &Context,
    commitment: &[u8; 32],
    escrow_key: &EscrowKey,
    [b, a, d]: [Element; 3],
    witness: [Scalar; 3],
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, ProofError> {
    let statement = Statement { c: Element::from_bytes(commitment)?, b, a, d, y: *escrow_key.element() };
    nizk::prove_batchable(&context.session(Label::PROOF_CLAIM), statement.relation(), witness, rng)
}
