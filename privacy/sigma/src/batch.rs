//! Many proofs verified at once, as one multiplication of many points.
//!
//! A batchable proof holds a commitment `Tⱼ` per equation where a compact one holds the challenge, so its equations stay
//! linear and can be added with weights. For relation `i`, equation `j`, `imageᵢⱼ = Σ xₖ·Pₖ`, challenge `eᵢ`,
//! responses `zᵢ`:
//!
//! ```text
//! Σᵢⱼ wᵢⱼ·( Σₖ zᵢₖ·Pₖ − eᵢ·imageᵢⱼ − Tᵢⱼ ) = 0
//! ```
//!
//! The weights are 128 bits of a hash over the whole batch, every proof included: no randomness is needed, all validators
//! compute the same, and a batch with a bad proof passes with probability 2⁻¹²⁸.

use std::cell::RefCell;

use covenant_canon::Label;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, VartimeMultiscalarMul};
use sha2::{Digest as _, Sha512};
use sigma_proofs::Nizk;
use sigma_proofs::errors::Error;
use sigma_proofs::linear_relation::CanonicalLinearRelation;
use sigma_proofs::traits::{ScalarRng, SigmaProtocol};

use crate::ProofError;
use crate::context::Session;
use crate::nizk::Relation;

type Canonical = CanonicalLinearRelation<RistrettoPoint>;

/// Proofs of one kind of statement, collected and then verified together.
pub(crate) struct Batch {
    seed: Sha512,
    transcripts: Vec<(Canonical, Transcript)>,
}

/// What the verifier of a batchable proof has once the transcript is replayed.
struct Transcript {
    commitments: Vec<RistrettoPoint>,
    challenge: Scalar,
    responses: Vec<Scalar>,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self { seed: Sha512::new().chain_update(Label::PROOF_BATCH.as_bytes()), transcripts: Vec::new() }
    }

    /// Replays the transcript of one proof and keeps its equations.
    pub(crate) fn add(&mut self, session: &Session, relation: Relation, proof: &[u8]) -> Result<(), ProofError> {
        let canonical = relation.canonical().map_err(|_| ProofError::Rejected)?;
        let label = canonical.label();
        for part in [session.as_bytes(), &label, proof] {
            self.seed.update((part.len() as u64).to_be_bytes());
            self.seed.update(part);
        }
        let nizk = Nizk::new(session.as_bytes(), Replay { canonical, label, seen: RefCell::default() });
        nizk.verify_batchable(proof).map_err(|_| ProofError::Rejected)?;
        let Replay { canonical, seen, .. } = nizk.interactive_proof;
        self.transcripts.push((canonical, seen.into_inner().ok_or(ProofError::Rejected)?));
        Ok(())
    }

    /// Checks the weighted sum of all equations.
    pub(crate) fn verify(self) -> Result<(), ProofError> {
        let mut sum = Sum::default();
        let seed = self.seed.finalize();
        for (i, (relation, transcript)) in (0u64..).zip(&self.transcripts) {
            sum.add(relation, transcript, |j| weight(&seed, i, j)).ok_or(ProofError::Rejected)?;
        }
        if sum.value() == RistrettoPoint::identity() { Ok(()) } else { Err(ProofError::Rejected) }
    }
}

/// `wᵢⱼ`, 128 bits.
fn weight(seed: &[u8], i: u64, j: u64) -> Scalar {
    let hash = Sha512::new().chain_update(seed).chain_update(i.to_be_bytes()).chain_update(j.to_be_bytes()).finalize();
    Scalar::from(hash.iter().take(16).fold(0u128, |all, byte| all << 8 | u128::from(*byte)))
}

/// A growing `Σ scalar·point`.
#[derive(Default)]
struct Sum {
    scalars: Vec<Scalar>,
    points: Vec<RistrettoPoint>,
    /// Elements of the first relation, by position, and where they stand in the sum.
    first: Vec<(RistrettoPoint, usize)>,
}

impl Sum {
    fn add(&mut self, relation: &Canonical, transcript: &Transcript, weight: impl Fn(u64) -> Scalar) -> Option<()> {
        let slots = self.slots(relation)?;
        let equations = relation.image.iter().zip(&relation.linear_combinations).zip(&transcript.commitments);
        for (j, ((image, terms), commitment)) in (0..).zip(equations) {
            let w = weight(j);
            for (x, p) in terms {
                *self.scalars.get_mut(*slots.get(p.index())?)? += w * transcript.responses.get(x.index())?;
            }
            *self.scalars.get_mut(*slots.get(image.index())?)? -= w * transcript.challenge;
            self.scalars.push(-w);
            self.points.push(*commitment);
        }
        Some(())
    }

    /// Where each element of the relation stands in the sum. Bases that all statements of a kind share, at the same
    /// position since one function builds them all, are multiplied once.
    fn slots(&mut self, relation: &Canonical) -> Option<Vec<usize>> {
        let known = !self.first.is_empty();
        let mut slots = Vec::with_capacity(relation.group_elements.len());
        for (position, (_, element)) in relation.group_elements.iter().enumerate() {
            let element = element?;
            let shared = self.first.get(position).filter(|(point, _)| point == element).map(|(_, slot)| *slot);
            let slot = shared.unwrap_or_else(|| {
                self.scalars.push(Scalar::ZERO);
                self.points.push(*element);
                self.points.len() - 1
            });
            if !known {
                self.first.push((*element, slot));
            }
            slots.push(slot);
        }
        Some(slots)
    }

    fn value(&self) -> RistrettoPoint {
        RistrettoPoint::vartime_multiscalar_mul(&self.scalars, &self.points)
    }
}

/// A protocol whose verifier accepts and remembers, so that the library replays its transcript for us.
struct Replay {
    canonical: Canonical,
    label: Vec<u8>,
    seen: RefCell<Option<Transcript>>,
}

impl SigmaProtocol for Replay {
    type Commitment = RistrettoPoint;
    type Challenge = Scalar;
    type Response = Scalar;
    type ProverState = ();
    type Witness = ();

    fn prover_commit(&self, (): &(), _: &mut impl ScalarRng) -> Result<(Vec<RistrettoPoint>, ()), Error> {
        Err(Error::InvalidInstanceWitnessPair)
    }

    fn prover_response(&self, (): (), _: &Scalar) -> Result<Vec<Scalar>, Error> {
        Err(Error::InvalidInstanceWitnessPair)
    }

    fn verifier(&self, commitments: &[RistrettoPoint], e: &Scalar, responses: &[Scalar]) -> Result<(), Error> {
        let transcript = Transcript { commitments: commitments.to_vec(), challenge: *e, responses: responses.to_vec() };
        self.seen.replace(Some(transcript));
        Ok(())
    }

    fn commitment_len(&self) -> usize {
        self.canonical.commitment_len()
    }

    fn response_len(&self) -> usize {
        self.canonical.response_len()
    }

    fn protocol_identifier(&self) -> [u8; 64] {
        self.canonical.protocol_identifier()
    }

    fn instance_label(&self) -> impl AsRef<[u8]> {
        &self.label
    }
}
