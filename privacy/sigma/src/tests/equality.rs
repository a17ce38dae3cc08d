use super::*;

#[test]
fn holds_for_one_subject_only() {
    let openings = [Opening::from_wide(&[1; 64]), Opening::from_wide(&[2; 64])];
    let [a, b] = openings.each_ref().map(|o| commit(ID, o));
    let other = commit(OTHER, &openings[1]);
    let proof = prove_equality(&context(), [&a, &b], openings.each_ref(), &mut rng(1)).unwrap();
    verify_equality(&context(), [&a, &b], &proof).unwrap();

    let refused = Err(ProofError::Rejected);
    assert_eq!(verify_equality(&context(), [&b, &a], &proof), refused);
    assert_eq!(verify_equality(&context(), [&a, &other], &proof), refused);
    assert_eq!(verify_equality(&context(), [&a, &a], &proof), refused);
    for bad in NOT_ELEMENTS {
        assert_eq!(verify_equality(&context(), [&a, &bad], &proof), refused);
    }
    for other in other_contexts() {
        assert_eq!(verify_equality(&other, [&a, &b], &proof), refused);
    }
    for broken in broken_proofs(&proof) {
        assert_eq!(verify_equality(&context(), [&a, &b], &broken), refused);
    }
    // Both commitments moved by the same point: same difference, other commitments.
    let shift = Subjects::point("shift");
    let moved = [a, b].map(|c| (Element::from_bytes(&c).unwrap().point() + shift).compress().to_bytes());
    assert_eq!(verify_equality(&context(), moved.each_ref(), &proof), refused);

    let prove = |pair| prove_equality(&context(), pair, openings.each_ref(), &mut rng(1)).unwrap_err();
    assert_eq!(prove([&a, &other]), ProofError::Statement);
    assert_eq!(prove([&a, &a]), ProofError::Statement);
}
