use curve25519_dalek::scalar::Scalar;
use proptest::prelude::*;

use super::*;

struct Case {
    commitment: [u8; 32],
    opening: Opening,
    escrow: SecretScalar,
    claim: Claim,
    blinding: Blinding,
}

impl Case {
    fn new(seed: u8) -> Self {
        let mut rng = rng(seed);
        let opening = Opening::from_wide(&[seed; 64]);
        let commitment = commit(ID, &opening);
        let escrow = SecretScalar::random(&mut rng);
        let key = escrow.public().into();
        let (claim, blinding) = prove_claim(&context(), &commitment, ID, &opening, &key, &mut rng).unwrap();
        Self { commitment, opening, escrow, claim, blinding }
    }

    fn key(&self) -> EscrowKey {
        self.escrow.public().into()
    }

    fn refuses(&self, claim: &Claim) -> bool {
        verify_claim(&context(), &self.commitment, &self.key(), claim) == Err(ProofError::Rejected)
    }
}

#[test]
fn verifies_and_both_roads_lead_to_the_subject() {
    let case = Case::new(1);
    verify_claim(&context(), &case.commitment, &case.key(), &case.claim).unwrap();
    assert_eq!(case.claim.proof.len(), CLAIM_PROOF_LENGTH);
    const { assert!(CLAIM_PROOF_LENGTH <= 200) };
    let k = SecretScalar::random(&mut rng(9));
    let z = Element::from_point(Element::from_bytes(&case.claim.blinded).unwrap().point() * k.expose()).unwrap();
    assert_eq!(case.blinding.unblind(&z), Subjects::point(ID) * k.expose());
    let [a, d] = [case.claim.escrow_a, case.claim.escrow_d].map(|b| *Element::from_bytes(&b).unwrap().point());
    assert_eq!(d - a * case.escrow.expose(), Subjects::point(ID));
}

#[test]
fn every_context_field_is_bound() {
    let case = Case::new(2);
    for other in other_contexts() {
        assert_eq!(
            verify_claim(&other, &case.commitment, &case.key(), &case.claim),
            Err(ProofError::Rejected),
            "{other:?}"
        );
    }
}

#[test]
fn every_public_element_is_bound() {
    let (case, twin) = (Case::new(3), Case::new(4));
    for (field, other) in [twin.claim.blinded, twin.claim.escrow_a, twin.claim.escrow_d].into_iter().enumerate() {
        for bad in NOT_ELEMENTS.into_iter().chain([other]) {
            let mut claim = case.claim.clone();
            *[&mut claim.blinded, &mut claim.escrow_a, &mut claim.escrow_d][field] = bad;
            assert!(case.refuses(&claim), "{field}");
        }
    }
    for bad in NOT_ELEMENTS.into_iter().chain([twin.commitment]) {
        assert_eq!(verify_claim(&context(), &bad, &case.key(), &case.claim), Err(ProofError::Rejected));
    }
    assert_eq!(verify_claim(&context(), &case.commitment, &twin.key(), &case.claim), Err(ProofError::Rejected));
}

#[test]
fn broken_proofs_are_refused() {
    let case = Case::new(5);
    for proof in broken_proofs(&case.claim.proof) {
        assert!(case.refuses(&Claim { proof, ..case.claim.clone() }));
    }
    // Escrow equal to the commitment, or to nothing: degenerate equations.
    assert!(case.refuses(&Claim { escrow_d: case.commitment, ..case.claim.clone() }));
}

#[test]
fn wrong_secrets_prove_nothing() {
    let case = Case::new(6);
    let key = case.key();
    let prove = |commitment: &[u8; 32], id, opening: &Opening| {
        prove_claim(&context(), commitment, id, opening, &key, &mut rng(7)).map(|_| ()).unwrap_err()
    };
    assert_eq!(prove(&case.commitment, OTHER, &case.opening), ProofError::Statement);
    assert_eq!(prove(&case.commitment, ID, &Opening::from_wide(&[9; 64])), ProofError::Statement);
    assert_eq!(prove(&commit(OTHER, &case.opening), ID, &case.opening), ProofError::Statement);
    assert_eq!(prove(&[0; 32], ID, &case.opening), ProofError::Element);
}

/// Each equation written plainly, with a cheat that satisfies the other two: no such witness proves.
#[test]
fn each_clause_is_needed() {
    let case = Case::new(8);
    let mut rng = rng(9);
    let p = Subjects::point(ID);
    let [b, s, delta] = std::array::from_fn(|_| SecretScalar::random(&mut rng));
    let h = crate::commitment::base_h().basepoint();
    let element = |point| Element::from_point(point).unwrap();
    let y = *case.key().element().point();
    let honest = [*b.expose(), *case.opening.scalar(), *s.expose()];
    let c = [honest[0].invert(), honest[1], honest[2]];
    let good = [element(p * b.expose()), s.public(), element(p + y * s.expose())];
    let attempt = |elements: [Element; 3], witness: [Scalar; 3]| {
        let proof =
            crate::claim::prove_raw(&context(), &case.commitment, &case.key(), elements, witness, &mut self::rng(1))
                .unwrap();
        let [blinded, escrow_a, escrow_d] = elements.map(|e| e.to_bytes());
        verify_claim(&context(), &case.commitment, &case.key(), &Claim { blinded, escrow_a, escrow_d, proof })
    };
    assert!(attempt(good, c).is_ok());
    // Evaluated another subject than committed.
    assert!(attempt([element(Subjects::point(OTHER) * b.expose()), good[1], good[2]], c).is_err());
    // Escrowed another subject, or the subject shifted by δ·H: no choice of r serves both equations.
    assert!(attempt([good[0], good[1], element(Subjects::point(OTHER) + y * s.expose())], c).is_err());
    let shifted = [good[0], good[1], element(p + h * delta.expose() + y * s.expose())];
    assert!(attempt(shifted, c).is_err());
    assert!(attempt(shifted, [c[0], c[1] - delta.expose(), c[2]]).is_err());
    // An escrow that nobody can open.
    assert!(attempt([good[0], delta.public(), good[2]], c).is_err());
}

/// The residue that the module's head admits: the shift in both places proves, and the escrow then opens to no subject.
#[test]
fn a_shift_in_both_places_convicts() {
    let case = Case::new(10);
    let mut rng = rng(11);
    let [b, s, delta] = std::array::from_fn(|_| SecretScalar::random(&mut rng));
    let shifted = Subjects::point(ID) - crate::commitment::base_h().basepoint() * delta.expose();
    let y = *case.key().element().point();
    let element = |point| Element::from_point(point).unwrap();
    let elements = [element(shifted * b.expose()), s.public(), element(shifted + y * s.expose())];
    let witness = [b.expose().invert(), case.opening.scalar() + delta.expose(), *s.expose()];
    let proof =
        crate::claim::prove_raw(&context(), &case.commitment, &case.key(), elements, witness, &mut rng).unwrap();
    let [blinded, escrow_a, escrow_d] = elements.map(|e| e.to_bytes());
    let claim = Claim { blinded, escrow_a, escrow_d, proof };
    verify_claim(&context(), &case.commitment, &case.key(), &claim).unwrap();
    let opened = elements[2].point() - elements[1].point() * case.escrow.expose();
    assert_ne!(opened, Subjects::point(ID));
    assert!(opens(&case.commitment, ID, &case.opening).unwrap());
}

#[test]
fn a_batch_gives_every_claim_its_own_verdict() {
    let key = SecretScalar::random(&mut rng(1)).public().into();
    let opening = Opening::from_wide(&[2; 64]);
    let commitment = commit(ID, &opening);
    let contexts: Vec<Context> = (0..9).map(|i| Context { intent: [i; 16], ..context() }).collect();
    let mut rng = rng(2);
    let mut claims: Vec<Claim> =
        contexts.iter().map(|c| prove_claim(c, &commitment, ID, &opening, &key, &mut rng).unwrap().0).collect();
    let verdicts = |claims: &[Claim]| -> Vec<bool> {
        let pairs = contexts.iter().zip(claims);
        let all: Vec<_> =
            pairs.map(|(context, claim)| Submission { context, commitment: &commitment, claim }).collect();
        verify_claims(&key, &all).iter().map(Result::is_ok).collect()
    };
    assert_eq!(verdicts(&[]), Vec::<bool>::new());
    assert_eq!(verdicts(&claims), [true; 9]);
    // Errors that cancel in a sum without weights: one response up by one, its fellow down by one.
    let mut cheat = claims[..2].to_vec();
    for (claim, step) in cheat.iter_mut().zip([1, -1]) {
        let last = claim.proof.last_mut().unwrap();
        *last = last.checked_add_signed(step).unwrap();
    }
    assert_eq!(verdicts(&cheat), [false; 2]);
    // One response changed, one not even parsed, two swapped between intents.
    claims[1].proof[190] ^= 1;
    claims[3].blinded = [0xff; 32];
    claims.swap(5, 6);
    assert_eq!(verdicts(&claims), [true, false, true, false, true, false, false, true, true]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn round_trips(seed: u8, id in "[a-z]{1,9}:[0-9A-Z]{1,40}") {
        let mut rng = rng(seed);
        let opening = Opening::from_wide(&[seed; 64]);
        let commitment = commit(&id, &opening);
        let key = SecretScalar::random(&mut rng).public().into();
        let (claim, _) = prove_claim(&context(), &commitment, &id, &opening, &key, &mut rng).unwrap();
        prop_assert!(verify_claim(&context(), &commitment, &key, &claim).is_ok());
    }

    #[test]
    fn never_panics(blinded: [u8; 32], escrow_a: [u8; 32], escrow_d: [u8; 32], proof: Vec<u8>) {
        let key = SecretScalar::random(&mut rng(1)).public().into();
        let claim = Claim { blinded, escrow_a, escrow_d, proof };
        prop_assert!(verify_claim(&context(), &[3; 32], &key, &claim).is_err());
    }
}
