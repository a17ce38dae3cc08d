//! Why a statement was not proved or not accepted.

/// Failure of a proof. A verifier learns only that a proof was refused, never which clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not the canonical encoding of a group element, or the identity.
    #[error("not a canonical ristretto255 element")]
    Element,
    /// Not the canonical encoding of a scalar, or zero.
    #[error("not a canonical scalar")]
    Scalar,
    /// The prover's secrets do not satisfy the statement; the prover's own fault, found before anything is sent.
    #[error("secrets do not satisfy the statement")]
    Statement,
    /// The proof, or an element it speaks of, was refused.
    #[error("proof does not verify")]
    Rejected,
}
