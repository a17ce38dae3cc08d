//! The trustees' key and cases on the ledger.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use covenant_canon::Digest;
use covenant_domain::*;
use support::lookup::*;
use support::*;

#[test]
fn a_ceremony_goes_step_by_step_and_names_who_failed() {
    let world = World::new();
    let group = group();
    let good = ceremony(&world, &group);
    let committed = || CeremonyStep::Committed { package: Package(vec![7]) };
    let mut state = world.ready(1, 1);
    assert_eq!(world.block(&mut state, START_MS, &good[..2]), []);
    for wrong in [
        step("trustee-a", committed()),
        step("bank", committed()),
        step("trustee-a", shared("trustee-b")),
        step("trustee-a", confirmed(&world, "trustee-a", &group, 1)),
    ] {
        // Made at another time, so that the same step may be recorded when it is due.
        let wrong = Entry { made_ms: START_MS + 1, ..wrong };
        assert_eq!(words(&world.block(&mut state, START_MS, &[wrong])), ["rejected"]);
    }
    assert_eq!(world.block(&mut state, START_MS, &good[2..3]), []);
    assert_eq!(words(&world.block(&mut state, START_MS, &[step("trustee-a", shared("trustee-a"))])), ["rejected"]);
    assert_eq!(world.block(&mut state, START_MS, &good[3..5]), []);
    let other = step("trustee-a", confirmed(&world, "trustee-b", &group, 1));
    let number = step("trustee-a", confirmed(&world, "trustee-a", &group, 2));
    assert_eq!(words(&world.block(&mut state, START_MS, &[other, number])), ["rejected", "rejected"]);
    assert_eq!(world.block(&mut state, START_MS, &good[5..6]), []);
    assert!(state.escrow().is_none(), "not before all have confirmed");
    let another = step("trustee-b", confirmed(&world, "trustee-b", &support::lookup::group(), 1));
    assert_eq!(words(&world.block(&mut state, START_MS, &[another])), ["rejected"], "another key");
    assert_eq!(world.block(&mut state, START_MS, &good[6..]), []);
    assert_eq!(state.escrow().unwrap().key.0, group.escrow_key().to_bytes());
    assert_eq!(world.block(&mut state, START_MS, &[call(2)]), []);
    let fault = CeremonyStep::Failed { accused: id("trustee-b"), reason: "a wrong share".into() };
    let failed = by("trustee-a", Body::CeremonyStepped { number: 2, step: fault });
    assert_eq!(world.block(&mut state, START_MS, &[failed]), []);
    let second = state.ceremonies().nth(1).unwrap();
    assert_eq!(second.fault.as_ref().map(|(who, _)| who.as_str()), Some("trustee-b"));
    assert_eq!(state.escrow().unwrap().ceremony, 1, "the former key stays in force");
    let alone = CeremonyCall { number: 3, threshold: 1, trustees: vec![id("trustee-a"), id("trustee-b")] };
    let outside = CeremonyCall { number: 3, threshold: 2, trustees: vec![id("bank"), id("trustee-b")] };
    for call in [alone, outside] {
        let derived = world.block(&mut state, START_MS, &[by("regulator", Body::CeremonyCalled(call))]);
        assert_eq!(words(&derived), ["rejected"]);
    }
}

#[test]
fn a_case_needs_its_regulator_and_two_parts() {
    let mut ready = ready(3);
    let permit = ready.permit(1);
    let case = CaseNumber::new("JC-1").unwrap();
    let opened = CaseOpened { case: case.clone(), intents: vec![permit.intent], order: Digest([1; 32]) };
    let part = |author: &str| {
        let share = CaseShare { case: case.clone(), intent: permit.intent, sealed: Package(vec![1]) };
        by(author, Body::CaseShared(share))
    };
    let concluded = |author: &str| {
        let result = CaseResult { case: case.clone(), intent: permit.intent, outcome: CaseOutcome::Confirmed };
        by(author, Body::CaseConcluded(result))
    };
    let steps: [(Entry, &[&str]); 9] = [
        (by("bank", Body::CaseOpened(opened.clone())), &["rejected"]),
        (by("regulator", Body::CaseOpened(opened.clone())), &[]),
        (by_at("regulator", START_MS + 1, Body::CaseOpened(opened)), &["rejected"]),
        (part("tax"), &["rejected"]),
        (part("trustee-a"), &[]),
        (concluded("regulator"), &["rejected"]),
        (part("trustee-b"), &[]),
        (concluded("bank"), &["rejected"]),
        (by_at("regulator", START_MS + 2, concluded("regulator").body), &[]),
    ];
    for (entry, expected) in steps {
        assert_eq!(words(&ready.world.block(&mut ready.state, START_MS + 2, &[entry])), expected);
    }
    assert_eq!(ready.state.cases().next().unwrap().items[0].outcome, Some(CaseOutcome::Confirmed));
}
