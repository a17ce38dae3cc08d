use super::*;
use proptest::prelude::*;

/// The identity, a negative encoding, one above p.
fn not_elements() -> [[u8; 32]; 3] {
    let mut negative = [0; 32];
    negative[0] = 1;
    [[0; 32], negative, [0xff; 32]]
}

#[test]
fn consumer_and_holder_meet_at_the_same_output() {
    let key = EpochKey::generate(&mut rng(1));
    let (claim, blinding) = claim(ID, 2);
    let evaluation = evaluate(&key, &context(), &claim.blinded, &mut rng(3)).unwrap();
    let output = finalize(&context(), key.public(), &claim.blinded, &evaluation, blinding, ID).unwrap();
    assert_eq!(output, output_of(&key, ID));
    assert_ne!(output, output_of(&key, OTHER));
    assert_ne!(output, output_of(&EpochKey::generate(&mut rng(9)), ID));
    assert_eq!(format!("{output:?} {key:?}").matches('…').count(), 3);
}

#[test]
fn another_key_another_query_and_garbage_are_caught() {
    let (key, other) = (EpochKey::generate(&mut rng(1)), EpochKey::generate(&mut rng(2)));
    let outcome = |context: &Context, public: &EpochPublicKey, blinded: &[u8; 32], evaluation: &Evaluation| {
        finalize(context, public, blinded, evaluation, claim(ID, 3).1, ID).map(|_| ())
    };
    let (claim, _) = claim(ID, 3);
    let good = evaluate(&key, &context(), &claim.blinded, &mut rng(4)).unwrap();
    let foreign = evaluate(&other, &context(), &claim.blinded, &mut rng(4)).unwrap();
    assert_eq!(outcome(&context(), key.public(), &claim.blinded, &good), Ok(()));

    let caught = Err(OprfError::Evaluation);
    assert_eq!(outcome(&context(), key.public(), &claim.blinded, &foreign), caught);
    assert_eq!(outcome(&context(), other.public(), &claim.blinded, &good), caught);
    let replayed = Context { intent: [9; 16], ..context() };
    assert_eq!(outcome(&replayed, key.public(), &claim.blinded, &good), caught);
    let mixed = Evaluation { z: foreign.z, proof: good.proof.clone() };
    assert_eq!(outcome(&context(), key.public(), &claim.blinded, &mixed), caught);
    for bad in not_elements() {
        assert_eq!(outcome(&context(), key.public(), &bad, &good), caught);
        let bad_z = Evaluation { z: bad, proof: good.proof.clone() };
        assert_eq!(outcome(&context(), key.public(), &claim.blinded, &bad_z), caught);
        assert_eq!(evaluate(&key, &context(), &bad, &mut rng(4)), Err(OprfError::Refused));
        assert_eq!(EpochPublicKey::from_bytes(&bad), Err(OprfError::Key));
    }
    for length in [0, 32, 63, 65, 96] {
        let mut proof = good.proof.clone();
        proof.resize(length, 0);
        assert_eq!(outcome(&context(), key.public(), &claim.blinded, &Evaluation { z: good.z, proof }), caught);
    }
}

#[test]
fn keys_are_canonical_and_possessed() {
    let key = EpochKey::generate(&mut rng(1));
    assert_eq!(EpochKey::from_bytes(&key.to_bytes()).unwrap(), key);
    assert_eq!(EpochKey::from_bytes(&[0; 32]).unwrap_err(), OprfError::Key);
    assert_eq!(EpochKey::from_bytes(&[0xff; 32]).unwrap_err(), OprfError::Key);
    assert_eq!(EpochPublicKey::from_bytes(&key.public().to_bytes()).unwrap(), *key.public());
    let scope = EpochScope { consortium: Digest([1; 32]), holder: "a".into(), dataset: "d".into(), epoch: 7 };
    let proof = key.prove_possession(&scope, &mut rng(2)).unwrap();
    key.public().verify_possession(&scope, &proof).unwrap();
    let next = EpochScope { epoch: 8, ..scope };
    assert_eq!(key.public().verify_possession(&next, &proof), Err(OprfError::Key));
}

#[test]
fn two_parts_evaluate_together_and_none_alone() {
    let key = EpochKey::generate(&mut rng(1));
    let (first, second) = key.split(&mut rng(2));
    assert_eq!(KeyPart::from_bytes(&first.to_bytes()).unwrap(), first);
    assert_eq!(EpochPublicKey::combine(first.public(), second.public()).unwrap(), *key.public());
    let (claimed, blinding) = claim(ID, 3);
    let [e1, e2] = [&first, &second].map(|p| evaluate_part(p, &context(), &claimed.blinded, &mut rng(4)).unwrap());
    let parts = [(first.public(), &e1), (second.public(), &e2)];
    let output = finalize_split(&context(), &claimed.blinded, parts, blinding, ID).unwrap();
    assert_eq!(output, output_of(&key, ID));

    let swapped = [(first.public(), &e2), (second.public(), &e1)];
    let refused = finalize_split(&context(), &claimed.blinded, swapped, claim(ID, 3).1, ID);
    assert_eq!(refused.unwrap_err(), OprfError::Evaluation);

    // One part alone: consistent with its own key, and it opens no row.
    let alone = finalize(&context(), first.public(), &claimed.blinded, &e1, claim(ID, 3).1, ID).unwrap();
    assert_ne!(alone, output);
    let place = RowContext::from(&context());
    let (tag, sealer) = RowSecret::derive(covenant_canon::SuiteId::Sm, &output, &place).unwrap();
    let row = seal_row(sealer, &place, b"record", 64).unwrap();
    let (lone_tag, lone_key) = RowSecret::derive(covenant_canon::SuiteId::Sm, &alone, &place).unwrap();
    assert_ne!(tag, lone_tag);
    assert_eq!(open_row(&lone_key, &place, &row).unwrap_err(), OprfError::NoRecord);
}

#[test]
fn many_are_as_one_by_one() {
    let key = EpochKey::generate(&mut rng(1));
    let ids: Vec<String> = (0..600).map(|i| format!("resident:{i}")).collect();
    for count in [0, 1, 255, 256, 257, 600] {
        let many = outputs(&key, &ids[..count]);
        assert_eq!(many.len(), count);
        for (id, output) in ids.iter().zip(&many).step_by(37) {
            assert_eq!(*output, output_of(&key, id));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_subject_under_any_key(seed: u8, id in "\\PC{1,60}") {
        let key = EpochKey::generate(&mut rng(seed));
        let (claim, blinding) = claim(&id, seed);
        let evaluation = evaluate(&key, &context(), &claim.blinded, &mut rng(3)).unwrap();
        let output = finalize(&context(), key.public(), &claim.blinded, &evaluation, blinding, &id).unwrap();
        prop_assert_eq!(&output, &output_of(&key, &id));
        prop_assert_eq!(&output, &outputs(&key, &[&id])[0]);
    }
}
