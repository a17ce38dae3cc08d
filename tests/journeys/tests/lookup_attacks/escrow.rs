//! A gateway that names an escrow key of its own would learn every subject: nothing is sent under one.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_app::port::EpochView;
use covenant_canon::Label;
use covenant_client::{ClientError, Transport};
use covenant_demo::Founding;
use covenant_domain::{Ceremony, CeremonyStatus, MemberId, Package, Point, attested};
use covenant_journeys::dataset;
use covenant_sigma::threshold::{Committee, FirstRound, GroupKey};
use covenant_suite::suite;

use crate::spy::{Tricks, Twist};
use crate::world::{CREDIT, expected, found, shared};

/// A key that one party made alone, all shares in its hands.
pub(crate) fn own_group(threshold: u16, members: u16) -> GroupKey {
    let committee = Committee::new(threshold, members).unwrap();
    let (mut rounds, mut broadcasts) = (Vec::new(), BTreeMap::new());
    for index in 1..=members {
        let (round, broadcast) = FirstRound::start(committee, index, &mut rand::rng()).unwrap();
        rounds.push(round);
        broadcasts.insert(index, broadcast);
    }
    let (mut seconds, mut sent) = (Vec::new(), Vec::new());
    for round in rounds {
        let (second, outgoing) = round.shares(&broadcasts).unwrap();
        seconds.push(second);
        sent.push(outgoing);
    }
    let to_first: BTreeMap<u16, _> =
        (2..=members).map(|from| (from, sent[usize::from(from) - 1][&1].clone())).collect();
    seconds.remove(0).finish(&to_first).unwrap().1
}

/// The ceremony under a key of the gateway's, signed by whoever is at hand.
pub(crate) fn forged(founding: &Founding, ceremony: &mut Ceremony, trustees: &[&str], signers: &[&str]) {
    let group = own_group(2, trustees.len().max(2) as u16);
    let (key, package) = (Point(group.escrow_key().to_bytes()), Package(group.to_bytes()));
    let number = ceremony.call.number;
    let (id, consortium) = (founding.genesis.suite, founding.genesis.digest());
    let digest = attested(id, &consortium, number, &package, &key);
    ceremony.call.trustees = trustees.iter().map(|t| MemberId::new(t).unwrap()).collect();
    let contribution = ceremony.contributions[0].clone();
    ceremony.contributions = vec![contribution; trustees.len()];
    for (given, signer) in ceremony.contributions.iter_mut().zip(signers) {
        let keys = founding.identity(signer).unwrap();
        let signature = suite(id).sign(&keys.signing, Label::ESCROW_GROUP, digest.as_bytes()).unwrap();
        given.attestation = Some(signature.to_string());
    }
    (ceremony.group, ceremony.key) = (Some(package), Some(key));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_escrow_key_of_the_gateways_own_is_refused_before_anything_is_sent() {
    let world = shared().await;
    let founding = world.consortium.founding.clone();
    let gate = world.gate(Tricks::default()).await;
    let who = world.resident(20);
    let ticket = gate.consents(std::slice::from_ref(&who), 1).await.remove(0);
    let other_key = Point(own_group(2, 3).escrow_key().to_bytes());
    let forge = |trustees: &'static [&'static str], signers: &'static [&'static str]| -> Twist<Vec<Ceremony>> {
        let founding = founding.clone();
        Arc::new(move |all: &mut Vec<Ceremony>| forged(&founding, &mut all[0], trustees, signers))
    };
    let twists: Vec<(&str, Twist<Vec<Ceremony>>)> = vec![
        ("another key", Arc::new(move |all| all[0].key = Some(other_key))),
        ("no key", Arc::new(|all| all[0].key = None)),
        ("another group", Arc::new(|all| all[0].group = Some(Package(own_group(2, 3).to_bytes())))),
        ("no attestation", Arc::new(|all| all[0].contributions[1].attestation = None)),
        ("an attestation twice", Arc::new(|all| all[0].contributions[1] = all[0].contributions[0].clone())),
        ("not finished", Arc::new(|all| all[0].status = CeremonyStatus::Open)),
        ("a lower threshold", Arc::new(|all| all[0].call.threshold = 1)),
        ("hidden", Arc::new(Vec::clear)),
        ("signed by the gateway", forge(&["audit-office", "court", "regulator"], &["tax", "tax", "tax"])),
        ("two of three signed", forge(&["audit-office", "court", "regulator"], &["audit-office", "court", "tax"])),
        ("members that are no trustees", forge(&["housing", "tax"], &["housing", "tax"])),
        ("one trustee and one that is none", forge(&["bank", "court"], &["bank", "court"])),
        ("one trustee twice", forge(&["court", "court"], &["court", "court"])),
        ("one trustee alone", forge(&["court"], &["court"])),
    ];
    for (what, twist) in twists {
        gate.spy.be(Tricks { ceremonies: Some(twist), ..Tricks::default() });
        let bank = gate.client("bank", Transport::Rest).await;
        let tried = bank.look_up(gate.question(&ticket, &who)).await;
        assert!(matches!(tried, Err(ClientError::Escrow { .. })), "{what}: {tried:?}");
        let prepared = bank.prepare_lookups(&dataset(CREDIT)).await;
        assert!(matches!(prepared, Err(ClientError::Escrow { .. })), "{what}: it was remembered");
    }
    // The document names another ceremony: absent, then the true one under a new number.
    for renumbered in [false, true] {
        let ceremonies = renumbered.then(|| -> Twist<Vec<Ceremony>> { Arc::new(|all| all[0].call.number = 2) });
        let epoch: Twist<EpochView> = Arc::new(|view| view.escrow.as_mut().unwrap().ceremony = 2);
        gate.spy.be(Tricks { epoch: Some(epoch), ceremonies, ..Tricks::default() });
        let bank = gate.client("bank", Transport::Rest).await;
        let tried = bank.look_up(gate.question(&ticket, &who)).await;
        assert!(matches!(tried, Err(ClientError::Escrow { ceremony: 2, .. })), "{renumbered}: {tried:?}");
    }
    assert_eq!(gate.spy.count("ask"), 0, "something was sent");
    gate.spy.be(Tricks::default());
    let answer = gate.bank.look_up(gate.question(&ticket, &who)).await.unwrap();
    assert_eq!(found(&answer), [expected(&world.city.residents[20])]);
}
