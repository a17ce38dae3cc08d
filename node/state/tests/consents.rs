//! Consents: on notice, on request, so often, and by law.
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
use support::*;

#[test]
fn a_consent_is_given_on_the_newest_notice() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let notice = |version: u32| Notice { purpose: purpose_code(), version, text: Digest([version as u8; 32]) };
    let register = |who: &str, version| by(who, Body::NoticeRegistered(notice(version)));
    assert_eq!(
        words(&world.block(&mut state, START_MS, &[register("bank", 1), register("regulator", 2)])),
        ["rejected"; 2]
    );
    assert_eq!(
        world.block(
            &mut state,
            START_MS,
            &[register("regulator", 1), by_at("regulator", START_MS + 1, Body::NoticeRegistered(notice(2)))]
        ),
        []
    );
    let given = |n: u8, text: Option<Digest>| {
        let body = Body::ConsentIssued(Consent { notice: text, ..consent(n, 1) });
        by_at("authorisation", START_MS + u64::from(n), body)
    };
    let old = [given(2, None), given(3, Some(notice(1).text))];
    assert_eq!(words(&world.block(&mut state, START_MS + 3, &old)), ["rejected"; 2]);
    assert_eq!(world.block(&mut state, START_MS + 4, &[given(4, Some(notice(2).text))]), []);
}

#[test]
fn a_signed_request_is_answered_by_one_consent() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let given = |n: u8| {
        let body = Body::ConsentIssued(Consent { request: Some(Digest([4; 32])), ..consent(n, 1) });
        by_at("authorisation", START_MS + u64::from(n), body)
    };
    assert_eq!(words(&world.block(&mut state, START_MS + 3, &[given(2), given(3)])), ["rejected"], "in one block");
    assert_eq!(words(&world.block(&mut state, START_MS + 4, &[given(4)])), ["rejected"], "in a later one");
}

#[test]
fn a_consent_is_used_no_oftener_than_its_frequency() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let hour = 3_600_000;
    let often = Consent { frequency: Some(Quota { limit: 2, window_ms: hour }), ..consent(2, 5) };
    assert_eq!(world.block(&mut state, START_MS, &[by("authorisation", Body::ConsentIssued(often.clone()))]), []);
    let none = Consent { frequency: Some(Quota { limit: 0, window_ms: hour }), ..consent(3, 5) };
    assert_eq!(
        words(&world.block(&mut state, START_MS, &[by("authorisation", Body::ConsentIssued(none))])),
        ["rejected"]
    );
    let ask = |at: u64, n| {
        let authority = Authority::Consent { id: often.id };
        by_at("bank", at, Body::Intent(Intent { authority, ..intent(at, n) }))
    };
    let derived = world.block(&mut state, START_MS, &[ask(START_MS, 1), ask(START_MS, 2), ask(START_MS, 3)]);
    assert_eq!(words(&derived), ["yes", "yes", "no"]);
    assert_eq!(codes(&derived)[2], ReasonCode::ConsentTooOften);
    let next = START_MS + hour;
    let derived = world.block(&mut state, next, &[ask(next, 4)]);
    assert_eq!(words(&derived).last(), Some(&"yes"), "{derived:?}");
    assert_eq!(state.consent(&often.id).unwrap().uses, 3);
}

#[test]
fn an_authority_by_law_serves_no_purpose_that_demands_consent() {
    let world = World::new();
    let by_law = |n: u8, sealed_until_ms| {
        let case = CaseNumber::new("2026-17").unwrap();
        Consent { kind: ConsentKind::LegalAuthority { case, sealed_until_ms }, ..consent(n, 5) }
    };
    let given = |it: Consent| by("authorisation", Body::ConsentIssued(it));
    let mut state = world.ready(10, 10);
    assert_eq!(world.block(&mut state, START_MS, &[given(by_law(2, None))]), []);
    let ended = Consent { valid_until_ms: START_MS + 1_000, ..by_law(3, Some(START_MS + 800 * 86_400_000)) };
    assert!(reasons(&world.block(&mut state, START_MS, &[given(ended)]))[0].contains("two years"));
    let ask = |at: u64| {
        let authority = Authority::Consent { id: consent_id(2) };
        by_at("bank", at, Body::Intent(Intent { authority, ..intent(at, 7) }))
    };
    assert_eq!(words(&world.block(&mut state, START_MS, &[ask(START_MS)])), ["yes"]);
    // The purpose changes its mind: what was recorded before does not authorise any more (I11).
    let stricter = Purpose { needs_consent: true, ..purpose() };
    world.block(&mut state, START_MS + 1, &[by_at("regulator", START_MS + 1, Body::PurposeRegistered(stricter))]);
    assert_eq!(codes(&world.block(&mut state, START_MS + 2, &[ask(START_MS + 2)])), [ReasonCode::ConsentRequired]);
    let derived = world.block(
        &mut state,
        START_MS + 3,
        &[by_at("authorisation", START_MS + 3, Body::ConsentIssued(by_law(4, None)))],
    );
    assert!(reasons(&derived)[0].contains("demands the subject's consent"));
}

#[test]
fn a_purpose_may_demand_that_statutory_queries_are_on_record() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let recorded = Purpose { needs_record: Some(true), ..purpose() };
    world.block(&mut state, START_MS, &[by_at("regulator", START_MS + 1, Body::PurposeRegistered(recorded))]);
    let derived = world.block(&mut state, START_MS, &[ask(START_MS, 1), ask_with_consent(START_MS, 2)]);
    assert_eq!((words(&derived), codes(&derived)[0]), (vec!["no", "yes"], ReasonCode::RecordRequired));
}
