//! Statements on ristretto255 that consents and queries rest on, each proved and verified from one relation.
//!
//! The group, its second base and the map of identifiers follow protocols.md: base `G`, `H = HashToGroup(label)`,
//! `P(id) = HashToGroup(label ‖ canonical id)`.
//!
//! - commitments to subjects: [`commit`], [`opens`];
//! - what proofs are bound to: [`Context`], [`EpochScope`];
//! - the consumer's authorised blinding with escrow: [`prove_claim`], [`verify_claim`], [`verify_claims`];
//! - the holder's evaluation and its key: [`prove_evaluation`], [`prove_possession`];
//! - one subject under two commitments: [`prove_equality`];
//! - the regulators' key, under which subjects are escrowed: [`threshold`].
//!
//! Proofs are those of draft-irtf-cfrg-sigma-protocols, made by `sigma-proofs`; claims are batchable, the others compact. Randomness is an argument.
//! This crate knows nothing of ledgers, consents or transports, does not range proofs (`claim` mode), and does not
//! evaluate or seal anything (`privacy/oprf`).
#![deny(missing_docs)]

mod batch;
mod claim;
mod commitment;
mod context;
mod dleq;
mod equality;
mod error;
mod group;
mod nizk;
pub mod threshold;

#[cfg(test)]
mod tests;

pub use claim::{Blinding, CLAIM_PROOF_LENGTH, Claim, EscrowKey, Submission, prove_claim, verify_claim, verify_claims};
pub use commitment::{CommitmentError, Opening, Subjects, commit, opens};
pub use context::{Context, EpochScope};
pub use dleq::{DLEQ_PROOF_LENGTH, prove_evaluation, prove_possession, verify_evaluation, verify_possession};
pub use equality::{prove_equality, verify_equality};
pub use error::ProofError;
pub use group::{Element, SecretScalar};
