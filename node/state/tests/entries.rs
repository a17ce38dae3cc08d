//! What each kind of entry does, and to whom it is open.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use covenant_domain::*;
use covenant_state::*;
use support::*;

#[test]
fn only_the_right_member_may_submit_each_kind() {
    let world = World::new();
    let other_grant = world.grant(2, 1);
    let table: [(&str, Body, &[&str]); 7] = [
        ("purpose", Body::PurposeRegistered(purpose()), &["regulator"]),
        ("dataset", Body::DatasetPublished(dataset(2)), &["housing"]),
        ("policy", Body::PolicyAdopted(book(2)), &["housing"]),
        ("grant", Body::GrantIssued(other_grant), &["housing"]),
        ("grant suspended", change(GrantChange::Suspended), &["bank", "housing", "regulator"]),
        ("grant revoked", change(GrantChange::Revoked), &["bank", "housing"]),
        ("consent", Body::ConsentIssued(consent(2, 1)), &["authorisation"]),
    ];
    for (kind, body, may) in table {
        for (member, _) in MEMBERS {
            let mut state = world.ready(10, 10);
            let derived = world.block(&mut state, START_MS, &[by_at(member, START_MS + 1, body.clone())]);
            let expected: &[&str] = if may.contains(&member) { &[] } else { &["rejected"] };
            assert_eq!(words(&derived), expected, "{kind} by {member}: {derived:?}");
        }
    }
}

fn change(change: GrantChange) -> Body {
    Body::GrantChanged { grant: grant_id(1), change }
}

#[test]
fn only_the_issuing_service_changes_a_consent() {
    let world = World::new();
    for (member, _) in MEMBERS {
        let mut state = world.ready(10, 10);
        let body = Body::ConsentChanged { consent: consent_id(1), change: ConsentChange::Revoked };
        let derived = world.block(&mut state, START_MS, &[by(member, body)]);
        assert_eq!(derived.is_empty(), member == "authorisation", "{member}");
    }
}

#[test]
fn only_a_consumer_with_a_grant_gets_a_permit() {
    let world = World::new();
    for (member, _) in MEMBERS {
        let mut state = world.ready(10, 10);
        let asked = Intent { consumer: id(member), ..intent(START_MS, 1) };
        let derived = world.block(&mut state, START_MS, &[by(member, Body::Intent(asked))]);
        assert_eq!(words(&derived), [if member == "bank" { "yes" } else { "no" }], "{member}");
    }
}

#[test]
fn revisions_follow_one_another() {
    let world = World::new();
    for (revision, fits) in [(0, false), (1, false), (2, true), (3, false), (u32::MAX, false)] {
        let mut state = world.ready(1, 1);
        let entries = [
            by_at("housing", START_MS + 1, Body::DatasetPublished(dataset(revision))),
            by_at("housing", START_MS + 1, Body::PolicyAdopted(book(revision))),
        ];
        let derived = world.block(&mut state, START_MS, &entries);
        assert_eq!(derived.is_empty(), fits, "{revision}: {derived:?}");
        assert_eq!(derived.len() % 2, 0);
    }
}

#[test]
fn a_rule_book_that_does_not_compile_never_comes_into_force() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let mut bad = book(2);
    bad.rules[0].subject = "eval(true)".into();
    let derived = world.block(&mut state, START_MS, &[by("housing", Body::PolicyAdopted(bad)), ask(START_MS, 1)]);
    assert_eq!(words(&derived), ["rejected", "yes"]);
}

type Spoil = fn(&World, &mut SignedGrant);

#[test]
fn a_grant_needs_both_parties_and_sense() {
    let world = World::new();
    let spoil: [(&str, Spoil); 10] = [
        ("signature of nobody", |_, g| g.consumer_signature = String::new()),
        ("signature over other terms", |_, g| g.grant.quota.limit += 1),
        ("signature of another", |w, g| {
            g.consumer_signature = w.sign_grant(Grant { consumer: id("bank-b"), ..g.grant.clone() }).consumer_signature
        }),
        ("same id", |w, g| *g = w.sign_grant(Grant { id: grant_id(1), ..g.grant.clone() })),
        ("unknown dataset", |w, g| {
            *g = w.sign_grant(Grant {
                dataset: DatasetId::new("cov:city/gov/housing/registry/x").unwrap(),
                ..g.grant.clone()
            })
        }),
        ("unknown purpose", |w, g| {
            *g = w.sign_grant(Grant { purpose: PurposeCode::new("x").unwrap(), ..g.grant.clone() })
        }),
        ("unknown field", |w, g| *g = w.sign_grant(Grant { fields: vec![field("x")], ..g.grant.clone() })),
        ("another holder", |w, g| *g = w.sign_grant(Grant { holder: id("tax"), ..g.grant.clone() })),
        ("no validity", |w, g| *g = w.sign_grant(Grant { valid_until_ms: 0, ..g.grant.clone() })),
        ("no rows", |w, g| *g = w.sign_grant(Grant { max_rows: 0, ..g.grant.clone() })),
    ];
    for (name, spoil) in spoil {
        let mut state = world.ready(10, 10);
        let mut grant = world.grant(2, 5);
        spoil(&world, &mut grant);
        let derived = world.block(&mut state, START_MS, &[by("housing", Body::GrantIssued(grant))]);
        assert_eq!(words(&derived), ["rejected"], "{name}");
    }
}

#[test]
fn suspensions_are_each_partys_own() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let entries = [
        by("regulator", change(GrantChange::Suspended)),
        by("housing", change(GrantChange::Suspended)),
        by("regulator", change(GrantChange::Resumed)),
        ask(START_MS, 1),
        by("bank", change(GrantChange::Resumed)),
        by_at("housing", START_MS + 1, change(GrantChange::Resumed)),
        ask(START_MS, 2),
    ];
    assert_eq!(words(&world.block(&mut state, START_MS, &entries)), ["no", "rejected", "yes"]);
}

#[test]
fn consents_go_their_ways_and_no_other() {
    use ConsentChange::*;
    let ways: [(&[ConsentChange], bool); 7] = [
        (&[Paused], true),
        (&[Paused, Resumed], true),
        (&[Paused, Revoked], true),
        (&[Paused, Paused], false),
        (&[Resumed], false),
        (&[Revoked, Resumed], false),
        (&[Revoked, Revoked], false),
    ];
    for (changes, fits) in ways {
        let world = World::new();
        let mut state = world.ready(10, 10);
        let entry = |(n, change): (u64, &ConsentChange)| {
            by_at("authorisation", START_MS + n, Body::ConsentChanged { consent: consent_id(1), change: *change })
        };
        let entries: Vec<Entry> = (0..).zip(changes).map(entry).collect();
        assert_eq!(world.block(&mut state, START_MS, &entries).is_empty(), fits, "{changes:?}");
    }
}

#[test]
fn a_quota_is_kept_to_the_query_within_one_block() {
    let world = World::new();
    let mut state = world.ready(3, 10);
    let entries: Vec<Entry> = (0..5).map(|n| ask(START_MS, n)).collect();
    assert_eq!(words(&world.block(&mut state, START_MS, &entries)), ["yes", "yes", "yes", "no", "no"]);
    assert_eq!(state.grant_used(&grant_id(1)), 3);
    assert_eq!(words(&world.block(&mut state, START_MS + 1, &[ask(START_MS + 1, 9)])), ["no"]);
    let next = START_MS + 3_600_000;
    assert!(words(&world.block(&mut state, next, &[ask(next, 10)])).ends_with(&["yes"]), "a new window");
    assert_eq!(state.grant_used(&grant_id(1)), 1);
}

#[test]
fn budgets_are_debited_at_the_intent() {
    let world = World::new();
    let mut state = world.ready(100, 2);
    let entries: Vec<Entry> = (0..4).map(|n| ask_with_consent(START_MS, n)).collect();
    assert_eq!(words(&world.block(&mut state, START_MS, &entries)), ["yes", "yes", "no", "no"]);
    let consent = state.consent(&consent_id(1)).unwrap();
    assert_eq!((consent.uses, consent.status), (2, ConsentStatus::Exhausted));
    assert_eq!(state.grant_used(&grant_id(1)), 2, "refusals debit nothing");
}

#[test]
fn within_a_block_the_order_of_revocation_and_question_decides() {
    let world = World::new();
    let revoke = by("authorisation", Body::ConsentChanged { consent: consent_id(1), change: ConsentChange::Revoked });
    let end = by("housing", change(GrantChange::Revoked));
    for (entries, expected) in [
        ([revoke.clone(), ask_with_consent(START_MS, 1)], "no"),
        ([ask_with_consent(START_MS, 1), revoke], "yes"),
        ([end.clone(), ask(START_MS, 1)], "no"),
        ([ask(START_MS, 1), end], "yes"),
    ] {
        let mut state = world.ready(10, 10);
        assert_eq!(words(&world.block(&mut state, START_MS, &entries)), [expected]);
    }
}

/// Paused, revoked, spent, suspended or past its end: no intent of a later block gets through.
#[test]
fn what_has_ended_authorises_nothing() {
    let world = World::new();
    let consent = |change| by("authorisation", Body::ConsentChanged { consent: consent_id(1), change });
    let ends = [
        vec![consent(ConsentChange::Paused)],
        vec![consent(ConsentChange::Revoked)],
        vec![by("housing", change(GrantChange::Revoked))],
        vec![by("bank", change(GrantChange::Suspended))],
        vec![by("regulator", change(GrantChange::Suspended))],
        vec![ask_with_consent(START_MS, 8), ask_with_consent(START_MS, 9)],
    ];
    for end in ends {
        let mut state = world.ready(10, 2);
        world.block(&mut state, START_MS, &end);
        let derived = world.block(&mut state, START_MS + 1, &[ask_with_consent(START_MS + 1, 1)]);
        assert_eq!(words(&derived), ["no"], "{end:?}");
    }
    let mut state = world.ready(10, 2);
    let expiring = Consent { valid_until_ms: START_MS + 1, ..support::consent(2, 5) };
    world.block(&mut state, START_MS, &[by("authorisation", Body::ConsentIssued(expiring))]);
    let asked = |n| Intent { authority: Authority::Consent { id: consent_id(2) }, ..intent(START_MS, n) };
    let asked = |n| by("bank", Body::Intent(asked(n)));
    assert_eq!(words(&world.block(&mut state, START_MS, &[asked(1)])), ["yes"]);
    assert_eq!(words(&world.block(&mut state, START_MS + 1, &[asked(2)])), ["no"]);
}

#[test]
fn what_a_block_issues_counts_within_it() {
    let world = World::new();
    let mut state = world.state();
    let entries = [
        by("regulator", Body::PurposeRegistered(purpose())),
        by("housing", Body::DatasetPublished(dataset(1))),
        ask(START_MS, 1),
        by("housing", Body::PolicyAdopted(book(1))),
        by("housing", Body::GrantIssued(world.grant(1, 9))),
        ask(START_MS, 2),
    ];
    assert_eq!(words(&world.block(&mut state, START_MS, &entries)), ["no", "yes"]);
}

#[test]
fn an_execution_touches_nothing_until_applied() {
    let world = World::new();
    let state = world.ready(10, 10);
    let before = state.digest();
    let one = state.execute(2, START_MS, &world.batches(&[ask(START_MS, 1)])).unwrap();
    let two = state.execute(2, START_MS, &world.batches(&[ask(START_MS, 1)])).unwrap();
    assert_eq!((state.digest(), state.height()), (before, 1));
    assert_eq!((one.derived, one.rows, one.seen), (two.derived, two.rows, two.seen));
    assert!(matches!(state.execute(2, START_MS - 1, &[]), Err(Inadmissible::Time { .. })));
}
