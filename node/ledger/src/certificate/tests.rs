use super::*;
use covenant_canon::from_bytes;

fn member(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

fn set(names: &[&str]) -> ValidatorSet {
    ValidatorSet::equal(names.iter().map(|n| member(n))).unwrap()
}

/// A stand-in for a signature: the message itself.
fn sign(message: &[u8]) -> Vec<u8> {
    message.to_vec()
}

fn certificate(signers: &[&str]) -> Certificate {
    let block = Digest([7; 32]);
    let signatures = signers
        .iter()
        .map(|n| CommitSignature {
            validator: member(n),
            signature: sign(&vote_bytes(&Digest::ZERO, VoteKind::Precommit, 5, 1, Some(block), &member(n))),
        })
        .collect();
    Certificate { height: 5, round: 1, block, signatures }
}

fn check(certificate: &Certificate, set: &ValidatorSet) -> Result<(), CertificateError> {
    certificate.check(&Digest::ZERO, set, |_, message, signature| sign(message) == signature)
}

#[test]
fn quorum_is_more_than_two_thirds() {
    let quorums: Vec<_> =
        (1..=7_u64).map(|n| ValidatorSet::equal((0..n).map(|i| member(&format!("m{i}")))).unwrap().quorum()).collect();
    assert_eq!(quorums, [1, 2, 3, 3, 4, 5, 5]);
}

#[test]
fn sets_are_ordered_and_refuse_nonsense() {
    let set = set(&["c", "a", "b"]);
    assert_eq!(set.validators().iter().map(|v| v.member.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(ValidatorSet::equal([]).is_err());
    assert_eq!(ValidatorSet::equal([member("a"), member("a")]), Err(ValidatorSetError::Duplicate(member("a"))));
    for power in [0, u64::MAX] {
        let list = vec![Validator { member: member("a"), power, live: true }];
        assert_eq!(ValidatorSet::new(list.clone()), Err(ValidatorSetError::Power(member("a"))));
        assert!(from_bytes::<ValidatorSet>(&to_bytes(&list)).is_err());
    }
    assert_eq!(from_bytes::<ValidatorSet>(&to_bytes(&set)).unwrap(), set);
}

#[test]
fn proposers_rotate_over_the_live() {
    let mut list = set(&["a", "b", "c", "d"]).validators().to_vec();
    list[1].live = false;
    let set = ValidatorSet::new(list.clone()).unwrap();
    let names: Vec<_> = (0..6).map(|h| set.proposer(h, 0).unwrap().member.as_str().to_owned()).collect();
    assert_eq!(names, ["a", "c", "d", "a", "c", "d"]);
    assert_eq!(set.proposer(0, 1).unwrap().member.as_str(), "c");
    list.iter_mut().for_each(|v| v.live = false);
    assert_eq!(ValidatorSet::new(list).unwrap().proposer(1, 0).unwrap().member.as_str(), "b");
}

#[test]
fn certificates_need_distinct_known_valid_signers() {
    let set = set(&["a", "b", "c", "d"]);
    check(&certificate(&["a", "b", "c"]), &set).unwrap();
    let at = |name: &str| (5_u64, member(name));
    let (height, validator) = at("b");
    assert_eq!(
        check(&certificate(&["a", "b", "b"]), &set),
        Err(CertificateError::Duplicate { height, validator: validator.clone() })
    );
    let mut tampered = certificate(&["a", "b", "c"]);
    tampered.signatures[1].signature[3] ^= 1;
    assert_eq!(check(&tampered, &set), Err(CertificateError::Signature { height, validator }));
    assert!(matches!(check(&certificate(&["a", "b", "x"]), &set), Err(CertificateError::Unknown { .. })));
    assert_eq!(check(&certificate(&["a", "b"]), &set), Err(CertificateError::Quorum { height, signed: 2, quorum: 3 }));
    let mut other = certificate(&["a", "b", "c"]);
    other.round = 2;
    assert!(matches!(check(&other, &set), Err(CertificateError::Signature { .. })));
}

#[test]
fn signed_bytes_differ_in_every_field() {
    let (a, b, zero) = (member("a"), member("b"), Digest::ZERO);
    let all = BTreeSet::from([
        vote_bytes(&zero, VoteKind::Prevote, 1, 0, None, &a),
        vote_bytes(&zero, VoteKind::Precommit, 1, 0, None, &a),
        vote_bytes(&zero, VoteKind::Precommit, 2, 0, None, &a),
        vote_bytes(&zero, VoteKind::Precommit, 1, 1, None, &a),
        vote_bytes(&zero, VoteKind::Precommit, 1, 0, Some(zero), &a),
        vote_bytes(&zero, VoteKind::Precommit, 1, 0, None, &b),
        vote_bytes(&Digest([1; 32]), VoteKind::Precommit, 1, 0, None, &a),
        proposal_bytes(&zero, 1, 0, zero, None, &a),
        proposal_bytes(&zero, 1, 0, zero, Some(0), &a),
    ]);
    assert_eq!(all.len(), 9);
}

#[test]
fn round_trips_as_cbor_and_json() {
    let value = certificate(&["a", "b", "c"]);
    assert_eq!(from_bytes::<Certificate>(&to_bytes(&value)).unwrap(), value);
    let json = serde_json::to_string(&value).unwrap();
    assert!(json.contains(&hex::encode(&value.signatures[0].signature)));
    assert_eq!(serde_json::from_str::<Certificate>(&json).unwrap(), value);
}
