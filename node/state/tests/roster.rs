//! Members admitted, removed, suspended, frozen and locked; keys rotated and replaced; the charter amended; four eyes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use covenant_canon::{Label, SuiteId, to_bytes};
use covenant_domain::*;
use covenant_ledger::{VoteKind, vote_bytes};
use covenant_state::State;
use covenant_suite::{SigningKey, suite};
use support::*;

const RULE: VoteRule = VoteRule { quorum_percent: 60, objection_ms: 2_000 };

/// Voters are housing, tax and the regulator; two of three suffice once the time is over, or all at once.
fn ready() -> (World, State) {
    let world = World::with(&[], Some(RULE));
    let mut state = world.state();
    let entries = [
        by("regulator", Body::PurposeRegistered(purpose())),
        by("housing", Body::DatasetPublished(dataset(1))),
        by("housing", Body::GrantIssued(world.grant(1, 100))),
    ];
    assert_eq!(world.block(&mut state, START_MS, &entries), []);
    (world, state)
}

fn proposal_id(n: u8) -> ProposalId {
    ProposalId::from_parts(START_MS, &[n; 10])
}

fn propose(author: &str, n: u8, change: RosterChange) -> Entry {
    let subject = ProposalSubject::Roster { change: Box::new(change) };
    by(author, Body::ProposalOpened(Proposal { id: proposal_id(n), subject, reason: "as agreed".into() }))
}

fn yes(who: &str, n: u8) -> Entry {
    by(who, Body::BallotCast(Ballot { proposal: proposal_id(n), vote: Vote::Yes, reason: String::new() }))
}

fn rejections(derived: &[Entry]) -> Vec<String> {
    let of = |e: &Entry| match &e.body {
        Body::Rejected { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    derived.iter().filter_map(of).collect()
}

/// Proposes, has the others vote, and lets the heights pass.
fn vote(world: &World, state: &mut State, n: u8, change: RosterChange) -> Vec<String> {
    let others = ["tax", "regulator"].map(|who| yes(who, n));
    let entries: Vec<Entry> = [propose("housing", n, change)].into_iter().chain(others).collect();
    let reasons = rejections(&world.block(state, START_MS, &entries));
    pass(world, state);
    reasons
}

/// A block without entries.
fn pass(world: &World, state: &mut State) {
    assert_eq!(world.block(state, START_MS, &[]), []);
}

fn new_member(world: &World, name: &str, n: u8, roles: &[Role]) -> RosterChange {
    let (_, keys) = new_keys(world, name, n);
    let NewKeys { member, verifying_key, sealing_key, possession } = keys;
    let (names, class) = (Names::new("新", "New"), Class::Government);
    RosterChange::Admit {
        member: Member { id: member, names, class, roles: roles.to_vec(), verifying_key, sealing_key },
        possession,
    }
}

#[test]
fn a_change_holds_two_heights_after_its_vote_and_the_header_between_names_it() {
    let (world, mut state) = ready();
    let change = new_member(&world, "court", 60, &[Role::Validator]);
    let entries = [propose("housing", 1, change), yes("tax", 1), yes("regulator", 1)];
    assert_eq!(rejections(&world.block(&mut state, START_MS, &entries)), Vec::<String>::new());
    let decided = state.height();
    assert!(state.keys(&id("court")).is_none() && state.awaits_roster());
    let named = state.next_roster().expect("the next block hands over").clone();
    assert_eq!((named.roster().number, named.roster().from_height), (1, decided + 2));
    assert_eq!(state.membership().validators().validators().len(), 1);
    pass(&world, &mut state);
    assert!(state.next_roster().is_none() && !state.awaits_roster());
    assert_eq!(state.membership().validators().validators().len(), 2);
    assert!(state.keys(&id("court")).is_some());
    assert_eq!(state.trust().at(decided + 1).roster().number, 0, "the block between is the former roster's");
}

#[test]
fn changes_of_one_block_make_one_roster_and_of_the_next_another() {
    let (world, mut state) = ready();
    let rotate = |who: &str, n| by(who, Body::KeysRotated(new_keys(&world, who, n).1));
    assert_eq!(world.block(&mut state, START_MS, &[rotate("tax", 61), rotate("bank", 62)]), []);
    assert_eq!(state.next_roster().unwrap().roster().number, 1);
    assert_eq!(world.block(&mut state, START_MS, &[rotate("housing", 63)]), []);
    assert_eq!(state.membership().roster().number, 1, "tax and bank");
    assert_eq!(state.next_roster().unwrap().roster().number, 2, "housing");
    pass(&world, &mut state);
    let held = |who: &str| state.membership().roster().seat(&id(who)).unwrap().member.verifying_key.clone();
    for (who, n) in [("tax", 61), ("bank", 62), ("housing", 63)] {
        assert_eq!(held(who), new_keys(&world, who, n).1.verifying_key);
    }
}

#[test]
fn a_removed_members_signature_counts_no_more_and_its_id_is_not_given_again() {
    let (world, mut state) = ready();
    assert_eq!(vote(&world, &mut state, 1, RosterChange::Remove { member: id("bank-b") }), Vec::<String>::new());
    assert!(state.keys(&id("bank-b")).is_none() && state.members().all(|m| m.id != id("bank-b")));
    let late = world.batch(&[by("bank-b", Body::KeyLocked(id("bank-b")))]);
    assert!(state.admissible(START_MS, &late).is_err());
    let again = vote(&world, &mut state, 2, new_member(&world, "bank-b", 64, &[Role::Consumer]));
    assert!(again[0].contains("is or was a member"), "{again:?}");
}

#[test]
fn a_suspended_consumer_is_refused_by_decision_and_a_suspended_holder_is_not_asked() {
    for (n, who) in [(1, "bank"), (2, "housing")] {
        let (world, mut state) = ready();
        let adopt =
            by("regulator", Body::MemberFrozen(Freeze { member: id(who), frozen: true, reason: "case 7".into() }));
        assert_eq!(world.block(&mut state, START_MS, &[adopt]), []);
        pass(&world, &mut state);
        let derived = world.block(&mut state, START_MS, &[ask(START_MS, n)]);
        let Body::Decision(decision) = &derived[0].body else { panic!("no decision") };
        assert!(decision.reasons.iter().any(|r| r.code == ReasonCode::MemberSuspended), "{decision:?}");
        let act = match who {
            "bank" => by("bank", Body::OfficerNamed(None)),
            _ => by("housing", Body::DatasetPublished(dataset(2))),
        };
        assert!(rejections(&world.block(&mut state, START_MS, &[act]))[0].contains("is frozen"));
        let thaw = Freeze { member: id(who), frozen: false, reason: "cleared".into() };
        assert_eq!(world.block(&mut state, START_MS, &[by("regulator", Body::MemberFrozen(thaw))]), []);
        pass(&world, &mut state);
        let derived = world.block(&mut state, START_MS, &[ask(START_MS, n + 10)]);
        let Body::Decision(decision) = &derived[0].body else { panic!("no decision") };
        assert!(decision.reasons.iter().all(|r| r.code != ReasonCode::MemberSuspended));
    }
}

#[test]
fn who_may_freeze_and_how_is_bounded() {
    let (world, mut state) = ready();
    let freeze = |who: &str, member: &str, frozen, reason: &str| {
        by(who, Body::MemberFrozen(Freeze { member: id(member), frozen, reason: reason.into() }))
    };
    let cases = [
        (freeze("housing", "bank", true, "x"), "lacks the role"),
        (freeze("regulator", "bank", true, " "), "needs a reason"),
        (freeze("regulator", "regulator", true, "x"), "does not freeze itself"),
        (freeze("regulator", "bank", false, "x"), "cannot become active"),
        (freeze("regulator", "nobody", true, "x"), "not a member"),
    ];
    for (entry, words) in cases {
        let reasons = rejections(&world.block(&mut state, START_MS, &[entry]));
        assert!(reasons[0].contains(words), "{reasons:?}");
        assert!(state.next_roster().is_none());
    }
}

#[test]
fn a_leaked_key_is_locked_by_its_member_and_replaced_by_vote() {
    let (world, mut state) = ready();
    assert_eq!(world.block(&mut state, START_MS, &[by("tax", Body::KeyLocked(id("tax")))]), []);
    pass(&world, &mut state);
    assert_eq!(state.membership().standing(&id("tax")), Some(Standing::Locked));
    assert!(state.admissible(START_MS, &world.batch(&[by("tax", Body::OfficerNamed(None))])).is_err());
    let (key, keys) = new_keys(&world, "tax", 65);
    let entries = [propose("housing", 1, RosterChange::ReplaceKeys { keys }), yes("regulator", 1)];
    assert_eq!(rejections(&world.block(&mut state, START_MS, &entries)), Vec::<String>::new(), "tax does not vote");
    pass(&world, &mut state);
    assert_eq!(state.membership().standing(&id("tax")), Some(Standing::Active));
    let verifying = &state.keys(&id("tax")).unwrap().verifying;
    let signature = suite(SuiteId::Intl).sign(&key, Label::BATCH, b"x").unwrap();
    assert!(verifying.verify(Label::BATCH, b"x", &signature).is_ok());
}

#[test]
fn a_key_is_proven_and_nobody_elses() {
    let (world, mut state) = ready();
    let (_, good) = new_keys(&world, "tax", 66);
    let (_, stolen) = new_keys(&world, "bank", 66);
    let cases: [(&str, NewKeys, &str); 5] = [
        ("bank", good.clone(), "are not `bank`'s"),
        ("tax", NewKeys { possession: stolen.possession.clone(), ..good.clone() }, "does not sign for itself"),
        ("tax", NewKeys { sealing_key: "intl:00".into(), ..good.clone() }, "does not sign for itself"),
        ("tax", NewKeys { possession: "garbage".into(), ..good.clone() }, "does not sign for itself"),
        ("tax", own_key(&world, "tax"), "has this key already"),
    ];
    for (author, keys, words) in cases {
        let reasons = rejections(&world.block(&mut state, START_MS, &[by(author, Body::KeysRotated(keys))]));
        assert!(reasons[0].contains(words), "{reasons:?}");
    }
}

fn own_key(world: &World, who: &str) -> NewKeys {
    let member = world.genesis.member(&id(who)).unwrap();
    NewKeys {
        member: id(who),
        verifying_key: member.verifying_key.clone(),
        sealing_key: member.sealing_key.clone(),
        possession: String::new(),
    }
}

#[test]
fn what_would_stop_the_consortium_is_not_voted_on() {
    let (world, mut state) = ready();
    let none = vote(&world, &mut state, 1, RosterChange::Remove { member: id("validator") });
    assert!(none[0].contains("no validator is left"), "{none:?}");
    let roles = vec![Role::Holder, Role::Consumer];
    let unsorted = vote(
        &world,
        &mut state,
        2,
        RosterChange::SetRoles { member: id("bank"), roles: roles.into_iter().rev().collect() },
    );
    assert!(unsorted[0].contains("sorted"), "{unsorted:?}");
    let charter = Charter { member_vote: Some(VoteRule { quorum_percent: 10, objection_ms: 1 }), ..Charter::default() };
    let unfair = vote(&world, &mut state, 3, RosterChange::Amend { charter });
    assert!(unfair[0].contains("quorum"), "{unfair:?}");
}

#[test]
fn a_charter_is_amended_by_vote() {
    let (world, mut state) = ready();
    let charter = Charter { completion_ms: 7_000, ..state.charter().clone() };
    assert_eq!(vote(&world, &mut state, 1, RosterChange::Amend { charter: charter.clone() }), Vec::<String>::new());
    assert_eq!(state.charter(), &charter);
}

#[test]
fn the_one_against_whom_it_goes_does_not_vote() {
    let (world, mut state) = ready();
    let entries = [propose("housing", 1, RosterChange::Suspend { member: id("tax") }), yes("tax", 1)];
    let reasons = rejections(&world.block(&mut state, START_MS, &entries));
    assert!(reasons[0].contains("does not vote"), "{reasons:?}");
    assert_eq!(world.block(&mut state, START_MS, &[yes("regulator", 1)]).len(), 1, "closed by the two that vote");
    pass(&world, &mut state);
    assert_eq!(state.membership().standing(&id("tax")), Some(Standing::Suspended));
}

#[test]
fn four_eyes_are_demanded_where_the_charter_wants_them_and_an_officer_is_named() {
    let (world, mut state) = ready();
    let officer = SigningKey::from_bytes(SuiteId::Intl, &[90; 32]).unwrap();
    let named = Body::OfficerNamed(Some(officer.verifying_key().to_string()));
    assert_eq!(world.block(&mut state, START_MS, &[by("tax", named)]), []);
    let charter = Charter { four_eyes: Some(true), ..state.charter().clone() };
    assert_eq!(vote(&world, &mut state, 1, RosterChange::Amend { charter }), Vec::<String>::new());
    let act = Body::OfficerNamed(None);
    let alone = rejections(&world.block(&mut state, START_MS, &[by("tax", act.clone())]));
    assert!(alone[0].contains("officer's signature"), "{alone:?}");
    let sign = |key: &SigningKey, signed_ms: u64, of: &Body| {
        let act = to_bytes(of);
        let digest = countersigned(SuiteId::Intl, &world.genesis.digest(), &id("tax"), signed_ms, &act);
        let signature = suite(SuiteId::Intl).sign(key, Label::COUNTERSIGNED, digest.as_bytes()).unwrap().to_string();
        Body::Countersigned(Countersigned { act, signed_ms, signature })
    };
    let nested = sign(&officer, START_MS, &sign(&officer, START_MS, &act));
    let later = sign(&officer, START_MS + 1 + FRESH_MS, &act);
    let cases = [
        (sign(&world.keys[&id("tax")], START_MS, &act), "did not sign"),
        (later, "not fresh"),
        (sign(&officer, START_MS, &Body::KeyLocked(id("tax"))), "no act of administration"),
        (nested, "no act of administration"),
    ];
    for (body, words) in cases {
        let reasons = rejections(&world.block(&mut state, START_MS, &[by("tax", body)]));
        assert!(reasons[0].contains(words), "{words}: {reasons:?}");
    }
    assert_eq!(world.block(&mut state, START_MS, &[by("tax", sign(&officer, START_MS, &act))]), []);
    pass(&world, &mut state);
    assert_eq!(state.membership().roster().seat(&id("tax")).unwrap().officer_key, None);
}

#[test]
fn a_contradiction_of_a_validator_goes_on_record_once() {
    let (world, mut state) = ready();
    let say = |height, round, n: Option<u8>| {
        let block = n.map(|n| covenant_canon::Digest([n; 32]));
        let message = vote_bytes(&world.genesis.digest(), VoteKind::Prevote, height, round, block, &id("validator"));
        let key = &world.keys[&id("validator")];
        let signature = suite(SuiteId::Intl).sign(key, Label::VOTE, &message).unwrap().as_bytes().to_vec();
        SignedStatement { message, signature }
    };
    let shown = |first, second| Equivocation { validator: id("validator"), height: 1, first, second };
    let mut forged = say(1, 0, Some(1));
    forged.signature[5] ^= 1;
    let cases = [
        (shown(say(1, 0, Some(1)), say(1, 0, Some(1))), "do not contradict"),
        (shown(say(1, 0, Some(1)), say(1, 1, Some(2))), "do not contradict"),
        (shown(say(2, 0, Some(1)), say(2, 0, Some(2))), "do not contradict"),
        (shown(forged, say(1, 0, Some(2))), "is not signed"),
        (Equivocation { validator: id("tax"), ..shown(say(1, 0, Some(1)), say(1, 0, None)) }, "was no validator"),
    ];
    for (equivocation, words) in cases {
        let entry = by("validator", Body::EquivocationShown(equivocation));
        let reasons = rejections(&world.block(&mut state, START_MS, &[entry]));
        assert!(reasons[0].contains(words), "{words}: {reasons:?}");
    }
    let good = shown(say(1, 0, Some(1)), say(1, 0, None));
    assert_eq!(world.block(&mut state, START_MS, &[by("validator", Body::EquivocationShown(good.clone()))]), []);
    assert_eq!(state.equivocations().count(), 1);
    let again = by_at("validator", START_MS + 1, Body::EquivocationShown(good.clone()));
    let again = rejections(&world.block(&mut state, START_MS + 1, &[again]));
    assert!(again[0].contains("is on record"), "{again:?}");
    let outsider = rejections(&world.block(&mut state, START_MS + 1, &[by("bank", Body::EquivocationShown(good))]));
    assert!(outsider[0].contains("lacks the role"));
}

#[test]
fn a_revoked_certificate_is_known_until_it_ends_by_itself() {
    let (world, mut state) = ready();
    let revoke = |who: &str, serial: &str, end| {
        by(who, Body::CertificateRevoked(CertificateRevoked { serial: serial.into(), not_after_ms: end }))
    };
    for serial in ["", "A0", "a", "zz", &"00".repeat(21)] {
        assert_eq!(rejections(&world.block(&mut state, START_MS, &[revoke("tax", serial, START_MS + 50)])).len(), 1);
    }
    assert_eq!(world.block(&mut state, START_MS, &[revoke("tax", "a0", START_MS + 50)]), []);
    assert!(state.is_revoked(&id("tax"), "a0") && !state.is_revoked(&id("bank"), "a0"));
    assert_eq!(world.block(&mut state, START_MS + 50, &[]), []);
    assert!(!state.is_revoked(&id("tax"), "a0"));
}

#[test]
fn rule_books_speak_of_former_members_without_harm() {
    let (world, mut state) = ready();
    assert_eq!(vote(&world, &mut state, 1, RosterChange::Remove { member: id("bank-b") }), Vec::<String>::new());
    let restored = State::restore(&world.genesis, state.height(), state.time_ms(), Vec::new(), Vec::new()).unwrap();
    assert_eq!(restored.membership().roster().number, 0, "rows make the roster, not the height");
}
