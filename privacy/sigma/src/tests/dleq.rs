use super::*;

fn scope() -> EpochScope {
    EpochScope { consortium: Digest([1; 32]), holder: "civil-affairs".into(), dataset: "marriages".into(), epoch: 7 }
}

#[test]
fn evaluation_is_bound_to_key_elements_and_context() {
    let mut rng = rng(1);
    let [k, other] = std::array::from_fn(|_| SecretScalar::random(&mut rng));
    let b = Element::from_point(Subjects::point(ID)).unwrap();
    let (z, proof) = prove_evaluation(&context(), &k, &b, &mut rng).unwrap();
    assert_eq!(*z.point(), b.point() * k.expose());
    assert_eq!(proof.len(), DLEQ_PROOF_LENGTH);
    verify_evaluation(&context(), &k.public(), &b, &z, &proof).unwrap();

    let o = other.public();
    let refused = Err(ProofError::Rejected);
    assert_eq!(verify_evaluation(&context(), &o, &b, &z, &proof), refused);
    assert_eq!(verify_evaluation(&context(), &k.public(), &o, &z, &proof), refused);
    assert_eq!(verify_evaluation(&context(), &k.public(), &b, &o, &proof), refused);
    for other in other_contexts() {
        assert_eq!(verify_evaluation(&other, &k.public(), &b, &z, &proof), refused);
    }
    for broken in broken_proofs(&proof) {
        assert_eq!(verify_evaluation(&context(), &k.public(), &b, &z, &broken), refused);
    }
}

#[test]
fn possession_is_bound_to_its_epoch() {
    let mut rng = rng(2);
    let [k, other] = std::array::from_fn(|_| SecretScalar::random(&mut rng));
    let proof = prove_possession(&scope(), &k, &mut rng).unwrap();
    verify_possession(&scope(), &k.public(), &proof).unwrap();
    let refused = Err(ProofError::Rejected);
    assert_eq!(verify_possession(&scope(), &other.public(), &proof), refused);
    for scope in [
        EpochScope { consortium: Digest([9; 32]), ..scope() },
        EpochScope { holder: "tax".into(), ..scope() },
        EpochScope { dataset: "divorces".into(), ..scope() },
        EpochScope { epoch: 8, ..scope() },
    ] {
        assert_eq!(verify_possession(&scope, &k.public(), &proof), refused);
    }
    for broken in broken_proofs(&proof) {
        assert_eq!(verify_possession(&scope(), &k.public(), &broken), refused);
    }
}
