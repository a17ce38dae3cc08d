use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::*;
use crate::threshold::{
    Committee, FirstRound, GroupKey, KeyShare, PartialOpening, SecondRound, ThresholdError, combine, partial_open,
    verify_partial,
};

const CASE: &[u8] = b"case 17";

type Posted = BTreeMap<u16, Vec<u8>>;

fn begin(threshold: u16, members: u16) -> (Vec<FirstRound>, Posted) {
    let committee = Committee::new(threshold, members).unwrap();
    let mut rng = rng(1);
    let started = (1..=members).map(|i| (i, FirstRound::start(committee, i, &mut rng).unwrap()));
    let (rounds, posted): (Vec<_>, Vec<_>) = started.map(|(i, (round, bytes))| (round, (i, bytes))).unzip();
    (rounds, posted.into_iter().collect())
}

/// The second rounds, and by recipient what each sender sent.
fn exchange(rounds: Vec<FirstRound>, posted: &Posted) -> (Vec<SecondRound>, BTreeMap<u16, Posted>) {
    let mut inboxes = BTreeMap::<u16, Posted>::new();
    let mut out = vec![];
    for (sender, round) in (1..).zip(rounds) {
        let (next, shares) = round.shares(posted).unwrap();
        for (to, bytes) in shares {
            inboxes.entry(to).or_default().insert(sender, bytes.to_vec());
        }
        out.push(next);
    }
    (out, inboxes)
}

pub(super) fn committee(threshold: u16, members: u16) -> (Vec<KeyShare>, GroupKey) {
    let (rounds, posted) = begin(threshold, members);
    let (rounds, inboxes) = exchange(rounds, &posted);
    let finished = (1..).zip(rounds).map(|(i, round)| round.finish(&inboxes[&i]).unwrap());
    let (shares, groups): (Vec<_>, Vec<_>) = finished.unzip();
    assert!(groups.windows(2).all(|pair| pair[0] == pair[1]));
    (shares, groups[0].clone())
}

fn escrow(group: &GroupKey) -> ([u8; 32], [u8; 32]) {
    let opening = Opening::from_wide(&[5; 64]);
    let commitment = commit(ID, &opening);
    let (claim, _) = prove_claim(&context(), &commitment, ID, &opening, group.escrow_key(), &mut rng(6)).unwrap();
    verify_claim(&context(), &commitment, group.escrow_key(), &claim).unwrap();
    (claim.escrow_a, claim.escrow_d)
}

#[test]
fn any_threshold_opens_to_the_subject_and_fewer_do_not() {
    for (t, n) in [(2, 3), (3, 5), (2, 2)] {
        let (shares, group) = committee(t, n);
        let (a, d) = escrow(&group);
        let parts: Vec<_> = shares.iter().map(|s| partial_open(s, CASE, &a, &mut rng(7)).unwrap()).collect();
        for subset in 0u32..1 << n {
            let chosen: Vec<_> =
                (0..n).filter(|i| subset >> i & 1 == 1).map(|i| parts[usize::from(i)].clone()).collect();
            let outcome = combine(&group, CASE, [&a, &d], &chosen);
            if chosen.len() < usize::from(t) {
                let few = ThresholdError::TooFew { have: chosen.len(), need: usize::from(t) };
                assert_eq!(outcome, Err(few));
            } else {
                let point = outcome.unwrap();
                assert!(Subjects::matches(&point, ID));
                assert!(!Subjects::matches(&point, OTHER));
            }
        }
    }
}

#[test]
fn a_bad_part_is_named() {
    let (shares, group) = committee(2, 3);
    let (a, d) = escrow(&group);
    let parts: Vec<_> = shares.iter().map(|s| partial_open(s, CASE, &a, &mut rng(7)).unwrap()).collect();
    let named = |second: PartialOpening, member| {
        assert_eq!(verify_partial(&group, CASE, &a, &second), Err(ThresholdError::Partial { member }));
        let outcome = combine(&group, CASE, [&a, &d], &[parts[0].clone(), second, parts[2].clone()]);
        assert_eq!(outcome, Err(ThresholdError::Partial { member }));
    };
    for point in NOT_ELEMENTS.into_iter().chain([parts[2].point]) {
        named(PartialOpening { point, ..parts[1].clone() }, 2);
    }
    for proof in broken_proofs(&parts[1].proof) {
        named(PartialOpening { proof, ..parts[1].clone() }, 2);
    }
    named(PartialOpening { index: 0, ..parts[1].clone() }, 0);
    named(PartialOpening { index: 3, ..parts[1].clone() }, 3);
    named(PartialOpening { index: 4, ..parts[1].clone() }, 4);
    named(partial_open(&shares[1], b"case 18", &a, &mut rng(7)).unwrap(), 2);
    named(partial_open(&shares[1], CASE, &d, &mut rng(7)).unwrap(), 2);

    let twice = combine(&group, CASE, [&a, &d], &[parts[1].clone(), parts[1].clone()]);
    assert_eq!(twice, Err(ThresholdError::Duplicate { member: 2 }));
    for bad in NOT_ELEMENTS {
        assert_eq!(combine(&group, CASE, [&a, &bad], &parts), Err(ThresholdError::Escrow));
        assert_eq!(combine(&group, CASE, [&bad, &d], &parts), Err(ThresholdError::Escrow));
        assert_eq!(partial_open(&shares[0], CASE, &bad, &mut rng(7)), Err(ThresholdError::Escrow));
    }
}

#[test]
fn wrong_broadcasts_name_their_sender() {
    let attempt = |change: &dyn Fn(&mut Posted)| {
        let (mut rounds, mut posted) = begin(2, 3);
        change(&mut posted);
        rounds.remove(0).shares(&posted).map(|_| ()).unwrap_err()
    };
    let other_threshold = begin(3, 3).1[&2].clone();
    let refused = |member| ThresholdError::Package { member };
    assert_eq!(attempt(&|p| drop(p.remove(&3))), ThresholdError::Missing { member: 3 });
    assert_eq!(attempt(&|p| drop(p.insert(4, vec![]))), ThresholdError::Member { member: 4 });
    assert_eq!(attempt(&|p| drop(p.insert(2, other_threshold.clone()))), refused(2));
    assert_eq!(attempt(&|p| drop(p.insert(3, p[&2].clone()))), refused(3));
    assert_eq!(attempt(&|p| drop(p.insert(1, p[&2].clone()))), refused(1));
    assert_eq!(attempt(&|p| drop(p.insert(2, vec![0; 5000]))), refused(2));
    assert_eq!(attempt(&|p| p.get_mut(&2).unwrap().push(0)), refused(2));
    let length = begin(2, 3).1[&2].len();
    for at in 0..length {
        assert_eq!(attempt(&|p| p.get_mut(&2).unwrap().truncate(at)), refused(2), "cut at {at}");
        // The proof of knowledge covers the constant coefficient only; another one shows when the shares come.
        let (mut rounds, posted) = begin(2, 3);
        let inboxes = exchange(begin(2, 3).0, &posted).1;
        let mut changed = posted.clone();
        changed.get_mut(&2).unwrap()[at] ^= 1;
        let outcome = rounds.remove(0).shares(&changed).and_then(|(round, _)| round.finish(&inboxes[&1]));
        assert_eq!(outcome.map(|_| ()), Err(refused(2)), "byte {at}");
    }
}

#[test]
fn a_wrong_share_names_its_sender() {
    let attempt = |change: &dyn Fn(&mut Posted)| {
        let (rounds, posted) = begin(2, 3);
        let (mut rounds, mut inboxes) = exchange(rounds, &posted);
        change(inboxes.get_mut(&1).unwrap());
        rounds.remove(0).finish(&inboxes[&1]).map(|_| ()).unwrap_err()
    };
    let refused = |member| ThresholdError::Package { member };
    assert_eq!(attempt(&|p| drop(p.remove(&3))), ThresholdError::Missing { member: 3 });
    assert_eq!(attempt(&|p| drop(p.insert(9, vec![]))), ThresholdError::Member { member: 9 });
    assert_eq!(attempt(&|p| drop(p.insert(3, p[&2].clone()))), refused(3));
    assert_eq!(attempt(&|p| p.get_mut(&3).unwrap().push(0)), refused(3));
    let length = {
        let (rounds, posted) = begin(2, 3);
        exchange(rounds, &posted).1[&1][&3].len()
    };
    for at in 0..length {
        assert_eq!(attempt(&|p| p.get_mut(&3).unwrap()[at] ^= 1), refused(3), "byte {at}");
    }
}

#[test]
fn keys_round_trip_and_are_checked() {
    let (shares, group) = committee(3, 5);
    let bytes = group.to_bytes();
    assert_eq!(GroupKey::from_bytes(&bytes).unwrap(), group);
    for share in &shares {
        assert!(group.owns(share));
        assert_eq!(KeyShare::from_bytes(&share.to_bytes()).unwrap(), *share);
    }
    assert!(!group.owns(&committee(2, 3).0[0]));
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 1;
        assert_eq!(GroupKey::from_bytes(&broken), Err(ThresholdError::Key), "byte {at}");
        assert_eq!(GroupKey::from_bytes(&bytes[..at]), Err(ThresholdError::Key));
    }
    // A share of another key in place of member 5's: canonical, and off the polynomial.
    let mut mixed = bytes.clone();
    let at = mixed.len() - 32;
    mixed[at..].copy_from_slice(&SecretScalar::random(&mut rng(3)).public().to_bytes());
    assert_eq!(GroupKey::from_bytes(&mixed), Err(ThresholdError::Key));
    assert_eq!(GroupKey::from_bytes(&[0; 5000]), Err(ThresholdError::Key));
    let mut bad = Zeroizing::new([0xff; 34]);
    assert_eq!(KeyShare::from_bytes(&bad), Err(ThresholdError::Key));
    bad[..2].copy_from_slice(&[0, 1]);
    assert_eq!(KeyShare::from_bytes(&bad), Err(ThresholdError::Key));
}

#[test]
fn committees_have_bounds() {
    for (t, n) in [(1, 3), (4, 3), (2, 33), (0, 0)] {
        assert_eq!(Committee::new(t, n), Err(ThresholdError::Committee { threshold: t, members: n }));
    }
    let committee = Committee::new(2, 3).unwrap();
    for index in [0, 4] {
        let outcome = FirstRound::start(committee, index, &mut rng(1)).map(|_| ());
        assert_eq!(outcome, Err(ThresholdError::Member { member: index }));
    }
}
