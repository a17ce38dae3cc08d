//! Votes on rule books, disputes, counters, and what a restart keeps.
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

const RULE: VoteRule = VoteRule { quorum_percent: 60, objection_ms: 2_000 };

/// Voters are housing, tax and the regulator; the second holder keeps the quorum from being the proposer's own.
fn voting() -> (World, covenant_state::State) {
    let world = World::with(&[], Some(RULE));
    let mut state = world.state();
    let entries = [
        by("regulator", Body::PurposeRegistered(purpose())),
        by("housing", Body::DatasetPublished(dataset(1))),
        by("housing", Body::GrantIssued(world.grant(1, 10))),
        by("housing", propose(1, book(1))),
    ];
    assert_eq!(world.block(&mut state, START_MS, &entries[..2]), []);
    assert_eq!(world.block(&mut state, START_MS, &entries[2..]), []);
    (world, state)
}

fn proposal_id(n: u8) -> ProposalId {
    ProposalId::from_parts(START_MS, &[n; 10])
}

fn propose(n: u8, book: RuleBook) -> Body {
    let subject = ProposalSubject::Policy { book, review: Digest([7; 32]) };
    Body::ProposalOpened(Proposal { id: proposal_id(n), subject, reason: "to begin".into() })
}

fn vote(who: &str, at: u64, vote: Vote) -> Entry {
    by_at(
        who,
        START_MS + at,
        Body::BallotCast(Ballot { proposal: proposal_id(1), vote, reason: "looked at it".into() }),
    )
}

fn closed(derived: &[Entry]) -> Vec<ProposalStatus> {
    let of = |e: &Entry| match &e.body {
        Body::ProposalClosed(closed) => Some(closed.status),
        _ => None,
    };
    derived.iter().filter_map(of).collect()
}

#[test]
fn a_rule_book_comes_into_force_by_vote_and_not_before() {
    let (world, mut state) = voting();
    assert_eq!(codes(&world.block(&mut state, START_MS, &[ask(START_MS, 1)])), [ReasonCode::GuardSilent]);
    assert_eq!(world.block(&mut state, START_MS + 1, &[vote("tax", 1, Vote::Yes)]), []);
    assert_eq!(codes(&world.block(&mut state, START_MS + 2, &[ask(START_MS + 2, 2)])), [ReasonCode::GuardSilent]);
    // Two of three are enough, once nobody may object any more.
    assert_eq!(closed(&world.block(&mut state, START_MS + 2_000, &[])), [ProposalStatus::Accepted]);
    assert_eq!(words(&world.block(&mut state, START_MS + 2_001, &[ask(START_MS + 2_001, 3)])), ["yes"]);
}

#[test]
fn unanimity_does_not_wait_and_objections_end_it() {
    let (world, mut state) = voting();
    let mut refused = state.clone();
    let all = [vote("tax", 1, Vote::Yes), vote("regulator", 1, Vote::Yes)];
    assert_eq!(closed(&world.block(&mut state, START_MS + 1, &all)), [ProposalStatus::Accepted]);
    assert!(state.rule_book(&id("housing")).is_some());
    let objections = [vote("tax", 1, Vote::No), vote("regulator", 1, Vote::No)];
    assert_eq!(closed(&world.block(&mut refused, START_MS + 1, &objections)), [ProposalStatus::Rejected]);
    assert!(refused.rule_book(&id("housing")).is_none());
    let late = world.block(&mut refused, START_MS + 2, &[vote("tax", 2, Vote::Yes)]);
    assert!(reasons(&late)[0].contains("closed"));
}

#[test]
fn silence_is_no_consent() {
    let (world, mut state) = voting();
    assert_eq!(closed(&world.block(&mut state, START_MS + 2_000, &[])), [ProposalStatus::Expired]);
    assert!(state.rule_book(&id("housing")).is_none());
}

#[test]
fn only_voters_vote_and_once() {
    let (world, state) = voting();
    for (member, _) in MEMBERS {
        let mut state = state.clone();
        let derived = world.block(&mut state, START_MS + 1, &[vote(member, 1, Vote::Yes)]);
        assert_eq!(derived.is_empty(), ["tax", "regulator"].contains(&member), "{member}: {derived:?}");
        let again = world.block(&mut state, START_MS + 2, &[vote(member, 2, Vote::No)]);
        assert_eq!(words(&again), ["rejected"], "{member}");
    }
}

#[test]
fn a_vote_is_not_gone_around() {
    let (world, mut state) = voting();
    let direct = by_at("housing", START_MS + 1, Body::PolicyAdopted(book(1)));
    assert!(reasons(&world.block(&mut state, START_MS + 1, &[direct]))[0].contains("propose it"));
    let foreign = RuleBook { holder: id("housing"), ..book(1) };
    let entries = [by_at("tax", START_MS + 1, propose(2, foreign)), by_at("bank", START_MS + 1, propose(3, book(1)))];
    assert_eq!(words(&world.block(&mut state, START_MS + 1, &entries)), ["rejected"; 2]);
    let mut bad = book(1);
    bad.rules[0].until_hour = 0;
    assert_eq!(
        words(&world.block(&mut state, START_MS + 1, &[by_at("housing", START_MS + 1, propose(4, bad))])),
        ["rejected"]
    );
}

#[test]
fn closing_a_door_waits_for_nobody_and_opening_one_does() {
    let (world, mut state) = voting();
    let all = [vote("tax", 1, Vote::Yes), vote("regulator", 1, Vote::Yes)];
    world.block(&mut state, START_MS + 1, &all);
    let adopt = |at: u64, book: RuleBook| by_at("housing", START_MS + at, Body::PolicyAdopted(book));
    let forbid = GuardRule { name: "stop".into(), effect: Effect::Forbid, ..book(1).rules[0].clone() };
    let tighter = RuleBook { revision: 2, rules: vec![book(1).rules[0].clone(), forbid.clone()], ..book(1) };
    let roles = vec![RoleLink { member: "bank".into(), role: "friend".into() }];
    let looser = [
        RuleBook { revision: 2, rules: vec![forbid.clone()], ..book(1) },
        RuleBook { revision: 2, roles, ..tighter.clone() },
        RuleBook {
            revision: 2,
            rules: vec![book(1).rules[0].clone(), GuardRule { effect: Effect::Allow, ..forbid }],
            ..book(1)
        },
    ];
    for book in looser {
        assert!(reasons(&world.block(&mut state, START_MS + 2, &[adopt(2, book)]))[0].contains("propose it"));
    }
    assert_eq!(world.block(&mut state, START_MS + 3, &[adopt(3, tighter)]), []);
    assert_eq!(codes(&world.block(&mut state, START_MS + 4, &[ask(START_MS + 4, 1)])), [ReasonCode::GuardForbids]);
}

#[test]
fn a_proposal_that_was_overtaken_changes_nothing() {
    let (world, mut state) = voting();
    let second = by_at("housing", START_MS + 1, propose(2, book(1)));
    assert_eq!(world.block(&mut state, START_MS + 1, &[second]), []);
    let all = [vote("tax", 1, Vote::Yes), vote("regulator", 1, Vote::Yes)];
    world.block(&mut state, START_MS + 2, &all);
    let on_second = |who: &str| {
        let ballot = Ballot { proposal: proposal_id(2), vote: Vote::Yes, reason: String::new() };
        by_at(who, START_MS + 3, Body::BallotCast(ballot))
    };
    let derived = world.block(&mut state, START_MS + 3, &[on_second("tax"), on_second("regulator")]);
    assert_eq!(closed(&derived), [ProposalStatus::Overtaken]);
}

fn dispute(n: u8, asked: u32) -> Dispute {
    Dispute {
        id: DisputeId::from_parts(START_MS, &[n; 10]),
        intent: intent_id(START_MS, asked),
        dataset: dataset_id(),
        fields: vec![field("owner")],
        kind: DisputeKind::Outdated,
        grounds: Digest([8; 32]),
    }
}

fn answered(world: &World) -> covenant_state::State {
    let mut state = world.ready(10, 10);
    let permit = permits(&world.block(&mut state, START_MS, &[ask(START_MS, 1)])).remove(0);
    assert_eq!(world.block(&mut state, START_MS + 1, &[complete("housing", START_MS + 1, &permit)]), []);
    state
}

#[test]
fn a_dispute_is_answered_by_the_holder_and_counts_against_the_source() {
    let world = World::new();
    let mut state = answered(&world);
    let open = |who: &str, n: u8| by_at(who, START_MS + 2, Body::DisputeOpened(dispute(n, 1)));
    assert_eq!(words(&world.block(&mut state, START_MS + 2, &[open("housing", 9)])), ["rejected"]);
    let never = world.block(&mut state, START_MS + 2, &[open("bank-b", 9)]);
    assert!(reasons(&never)[0].contains("never held a grant"), "{never:?}");
    assert_eq!(world.block(&mut state, START_MS + 2, &[open("bank", 1)]), []);
    let twice = world.block(&mut state, START_MS + 3, &[open("bank", 2)]);
    assert!(reasons(&twice)[0].contains("already"), "{twice:?}");
    let answer = |who: &str, at: u64, answer| {
        let body = Body::DisputeAnswered { dispute: dispute(1, 1).id, answer };
        by_at(who, START_MS + at, body)
    };
    let corrected = || DisputeAnswer::Corrected { note: "entered anew".into() };
    assert_eq!(words(&world.block(&mut state, START_MS + 4, &[answer("bank", 4, corrected())])), ["rejected"]);
    let silent = answer("housing", 4, DisputeAnswer::Refused { reason: String::new() });
    assert_eq!(words(&world.block(&mut state, START_MS + 4, &[silent])), ["rejected"]);
    assert_eq!(world.block(&mut state, START_MS + 5, &[answer("housing", 5, corrected())]), []);
    assert_eq!(words(&world.block(&mut state, START_MS + 6, &[answer("housing", 6, corrected())])), ["rejected"]);
    let usage: Vec<&Usage> = state.usage().collect();
    assert_eq!((usage.len(), usage[0].answers(), usage[0].disputed, usage[0].corrected), (1, 1, 1, 1));
    assert_eq!(reliability(state.usage())[0].per_mille, 0);
    assert_eq!(settle(&state.tariff(), state.usage())[1].earned, 0, "a corrected answer earns nothing");
}

#[test]
fn two_disputes_of_one_query_in_one_block_are_one() {
    let world = World::new();
    let mut state = answered(&world);
    let open = |n: u8| by_at("bank", START_MS + 2, Body::DisputeOpened(dispute(n, 1)));
    assert_eq!(words(&world.block(&mut state, START_MS + 2, &[open(1), open(2)])), ["rejected"]);
}

#[test]
fn a_holder_that_lets_a_dispute_lie_is_on_record() {
    let world = World::new();
    let mut state = answered(&world);
    world.block(&mut state, START_MS + 2, &[by_at("bank", START_MS + 2, Body::DisputeOpened(dispute(1, 1)))]);
    let due_ms = state.dispute(&dispute(1, 1).id).unwrap().clock.due_ms;
    let derived = world.block(&mut state, due_ms, &[]);
    assert!(matches!(&derived[0].body, Body::ClockOverdue(o) if o.what == "dispute" && o.member == id("housing")));
    assert_eq!(state.usage().map(|u| u.overdue).sum::<u64>(), 1);
    assert!(state.dispute(&dispute(1, 1).id).unwrap().clock.overdue);
}

#[test]
fn disputes_about_the_future_the_far_past_or_foreign_fields_are_refused() {
    let world = World::new();
    let year = 365 * 86_400_000;
    let with = |change: &dyn Fn(&mut Dispute)| {
        let mut it = dispute(1, 1);
        change(&mut it);
        it
    };
    let table = [
        ("half year", with(&|d| d.intent = intent_id(START_MS + 10_000, 1))),
        ("half year", with(&|d| d.intent = intent_id(START_MS - year, 1))),
        ("no field", with(&|d| d.fields = vec![field("salary")])),
        ("names its fields", with(&|d| d.fields = vec![])),
        ("names its fields", with(&|d| d.fields = vec![field("owner"), field("area_cm2")])),
        ("no dataset", with(&|d| d.dataset = DatasetId::new("cov:city/gov/housing/registry/none").unwrap())),
    ];
    for (words, wrong) in table {
        let mut state = answered(&world);
        let derived = world.block(&mut state, START_MS + 2, &[by_at("bank", START_MS + 2, Body::DisputeOpened(wrong))]);
        assert!(reasons(&derived)[0].contains(words), "{words}: {derived:?}");
    }
}

#[test]
fn counters_say_what_became_of_every_query() {
    let world = World::new();
    let mut state = world.ready(3, 10);
    let asked: Vec<Entry> = (1..=4).map(|n| ask(START_MS, n)).collect();
    let granted = permits(&world.block(&mut state, START_MS, &asked));
    let void = Voided { intent: granted[1].intent, permit: completion(&granted[1]).permit, reason: "no key".into() };
    let entries = [complete("housing", START_MS + 1, &granted[0]), by_at("housing", START_MS + 1, Body::Voided(void))];
    assert_eq!(world.block(&mut state, START_MS + 1, &entries), []);
    assert_eq!(words(&world.block(&mut state, START_MS + COMPLETE_MS, &[])), ["lapse"]);
    let usage = state.usage().next().unwrap().clone();
    assert_eq!((usage.month, usage.consumer, usage.holder), (202_611, id("bank"), id("housing")));
    assert_eq!((usage.permitted, usage.refused, usage.lapsed, usage.voided), (3, 1, 1, 1));
    assert_eq!(usage.answered, [(Mode::Match, 1)]);
}

#[test]
fn a_tariff_is_sorted_bounded_and_the_regulator_s() {
    let world = World::new();
    let mut state = world.ready(1, 1);
    let tariff = |revision, points: &[(Mode, u32)]| Tariff { revision, points: points.to_vec() };
    let adopt = |who: &str, at: u64, it| by_at(who, START_MS + at, Body::TariffAdopted(it));
    let wrong = [
        adopt("bank", 1, tariff(1, &[])),
        adopt("regulator", 1, tariff(2, &[])),
        adopt("regulator", 1, tariff(1, &[(Mode::Detail, 2), (Mode::Match, 1)])),
        adopt("regulator", 1, tariff(1, &[(Mode::Match, 1), (Mode::Match, 2)])),
        adopt("regulator", 1, tariff(1, &[(Mode::Match, 1_001)])),
    ];
    assert_eq!(words(&world.block(&mut state, START_MS + 1, &wrong)), ["rejected"; 5]);
    assert_eq!(world.block(&mut state, START_MS + 2, &[adopt("regulator", 2, tariff(1, &[(Mode::Match, 3)]))]), []);
    assert_eq!((state.tariff().of(Mode::Match), state.tariff().of(Mode::Detail)), (3, 1));
}

/// What a node has after a restart: rows of the state table, and nothing of what stood in memory only.
#[test]
fn a_restored_state_goes_on_as_the_one_that_was_never_stopped() {
    let world = World::with(&[("platform", Role::Platform)], Some(RULE));
    let mut state = world.state();
    let mut rows = std::collections::BTreeMap::new();
    let mut run = |state: &mut covenant_state::State, at: u64, entries: &[Entry]| {
        let execution = state.execute(state.height() + 1, at, &world.batches(entries)).unwrap();
        rows.extend(execution.rows.iter().map(|row| (row.key.clone(), row.clone())));
        let (derived, seen) = (execution.derived.clone(), execution.seen.clone());
        state.apply(execution);
        (derived, seen)
    };
    let often = Consent { frequency: Some(Quota { limit: 1, window_ms: 3_600_000 }), ..consent(1, 5) };
    let often = Consent { request: Some(Digest([4; 32])), ..often };
    let entries = [
        by("regulator", Body::PurposeRegistered(purpose())),
        by("housing", Body::DatasetPublished(dataset(1))),
        by("housing", Body::GrantIssued(world.grant(1, 10))),
        by("authorisation", Body::ConsentIssued(often)),
        by("housing", propose(1, book(1))),
        vote("tax", 0, Vote::Yes),
        vote("regulator", 0, Vote::Yes),
        vote("platform", 0, Vote::Yes),
        by("bank", Body::RequestSubmitted(request(&world, 2))),
    ];
    let (derived, _) = run(&mut state, START_MS, &entries);
    assert_eq!(closed(&derived), [ProposalStatus::Accepted]);
    let asked = ask_with_consent(START_MS, 1);
    let (derived, seen) = run(&mut state, START_MS + 1, &[asked]);
    let permit = permits(&derived).remove(0);
    run(&mut state, START_MS + 2, &[complete("housing", START_MS + 2, &permit)]);
    let opened = by_at("bank", START_MS + 3, Body::DisputeOpened(dispute(1, 1)));
    assert_eq!(run(&mut state, START_MS + 3, &[opened]).0, []);
    let stored: Vec<_> = rows.values().filter(|row| row.value.is_some()).cloned().collect();
    let restored =
        covenant_state::State::restore(&world.genesis, state.height(), state.time_ms(), stored, seen).unwrap();
    assert_eq!((restored.digest(), restored.next_due_ms()), (state.digest(), state.next_due_ms()));
    let due_ms = state.next_due_ms().unwrap();
    let later = [
        // Twice the same dispute, a second consent for one request, a use too many, a step at its turn.
        by_at("bank", START_MS + 4, Body::DisputeOpened(dispute(2, 1))),
        by_at(
            "authorisation",
            START_MS + 4,
            Body::ConsentIssued(Consent { request: Some(Digest([4; 32])), ..consent(2, 1) }),
        ),
        ask_with_consent(START_MS + 4, 2),
        by_at("platform", START_MS + 4, stepped(2, check())),
    ];
    let [mut a, mut b] = [state, restored];
    let (first, second) = (world.block(&mut a, START_MS + 4, &later), world.block(&mut b, START_MS + 4, &later));
    assert_eq!((words(&first), &first), (vec!["rejected", "rejected", "no"], &second));
    let (first, second) = (world.block(&mut a, due_ms, &[]), world.block(&mut b, due_ms, &[]));
    assert_eq!(first, second);
    assert_eq!(a.digest(), b.digest());
}
