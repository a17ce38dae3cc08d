//! The answer at hand against the completion on the log: whatever of it is changed, the verifier notices.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::*;
use covenant_ledger::*;
use support::*;

const SUITES: [SuiteId; 2] = [SuiteId::Sm, SuiteId::Intl];

/// Puts the story's answer on record as its completion.
fn record(world: &World, story: &mut Story) {
    let (root, sealed) = (story.answer.fields_root(world.suite()), story.sealed.clone());
    let completion = story.the_completion();
    completion.fields_root = root;
    completion.answer = Digest::of(world.suite(), Label::ANSWER, &sealed);
}

/// Makes it a story of this mode from intent to completion.
fn retell(world: &World, mode: Mode, change: impl Fn(&mut Answer)) -> Story {
    let mut story = Story::new(world, Ending::Completed);
    story.the_intent().mode = mode;
    let asked = story.the_intent().clone();
    let mut decided = decision(world, &asked, true);
    std::mem::swap(story.the_decision(), &mut decided);
    let permit = story.the_permit().clone();
    story.the_completion().permit = permit_digest(world, &permit);
    story.answer.mode = mode;
    change(&mut story.answer);
    record(world, &mut story);
    story
}

fn check(world: &World, story: &Story, sealed: &[u8], opened: &Answer) -> Option<Step> {
    verify_answer(&to_bytes(&story.bundle(world)), &world.genesis, sealed, opened).failed
}

fn matching(answer: &mut Answer) {
    let closed = |d: &Disclosure| Disclosure::Closed { field: d.field().clone(), commitment: Digest([1; 32]) };
    answer.rows = answer.rows.iter().map(|row| row.iter().map(closed).collect()).collect();
    let outcome = MatchOutcome::Different;
    answer.matches = ["area_cm2", "owner"].map(|f| FieldMatch { field: field(f), outcome }).to_vec();
}

#[test]
fn the_recorded_answer_verifies_also_with_fields_closed_later() {
    for suite in SUITES {
        let world = World::new(suite);
        let story = Story::new(&world, Ending::Completed);
        assert_eq!(check(&world, &story, &story.sealed, &story.answer), None);
        let mut shown = story.answer.clone();
        let Disclosure::Open { field: name, salt, value } = shown.rows[0][1].clone() else { panic!() };
        let parts: [&[u8]; 4] = [&0u32.to_be_bytes(), name.as_str().as_bytes(), &salt, &to_bytes(&value)];
        shown.rows[0][1] =
            Disclosure::Closed { field: name.clone(), commitment: Digest::of_parts(suite, Label::FIELD, &parts) };
        assert_eq!(check(&world, &story, &story.sealed, &shown), None, "the consumer may show less");
        let matched = retell(&world, Mode::Match, matching);
        assert_eq!(check(&world, &matched, &matched.sealed, &matched.answer), None);
    }
}

#[test]
fn every_part_of_an_answer_is_bound_to_the_completion() {
    type Change = (&'static str, fn(&mut Answer));
    let change: [Change; 15] = [
        ("intent", |a| a.intent = intent_id(2)),
        ("dataset", |a| a.dataset = DatasetId::new("cov:city/gov/housing/registry/loans").unwrap()),
        ("mode", |a| a.mode = Mode::Submit),
        ("a released value", |a| {
            let Disclosure::Open { value, .. } = &mut a.rows[0][1] else { panic!() };
            *value = Value::Integer(1);
        }),
        ("a salt", |a| {
            let Disclosure::Open { salt, .. } = &mut a.rows[0][1] else { panic!() };
            salt[0] ^= 1;
        }),
        ("a released field's name", |a| {
            let Disclosure::Open { field: name, .. } = &mut a.rows[0][1] else { panic!() };
            *name = field("owner");
        }),
        ("a withheld field's name", |a| {
            let Disclosure::Closed { field: name, .. } = &mut a.rows[0][0] else { panic!() };
            *name = field("mortgage");
        }),
        ("a commitment", |a| {
            let Disclosure::Closed { commitment, .. } = &mut a.rows[0][0] else { panic!() };
            *commitment = Digest::ZERO;
        }),
        ("a field left out", |a| drop(a.rows[0].remove(0))),
        ("a record cut in two", |a| {
            let rest = a.rows[0].split_off(1);
            a.rows.push(rest);
        }),
        ("a record left out", |a| a.rows.clear()),
        ("an empty record more", |a| a.rows.push(vec![])),
        ("truncated", |a| a.truncated = true),
        ("failure", |a| a.failure = Some("no record".into())),
        ("the answer's salt", |a| a.salt[0] ^= 1),
    ];
    for suite in SUITES {
        let world = World::new(suite);
        let story = Story::new(&world, Ending::Completed);
        for (name, change) in change {
            let mut forged = story.answer.clone();
            change(&mut forged);
            assert_eq!(check(&world, &story, &story.sealed, &forged), Some(Step::Answer), "{name} ({suite})");
        }
    }
}

#[test]
fn a_comparison_cannot_be_told_otherwise() {
    let world = World::new(SuiteId::Sm);
    let story = retell(&world, Mode::Match, matching);
    let forge: [fn(&mut Answer); 4] = [
        |a| a.matches[0].outcome = MatchOutcome::Equal,
        |a| a.matches.clear(),
        |a| a.matches[0].field = field("owner"),
        |a| a.matches.reverse(),
    ];
    for forge in forge {
        let mut forged = story.answer.clone();
        forge(&mut forged);
        assert_eq!(check(&world, &story, &story.sealed, &forged), Some(Step::Answer));
    }
}

#[test]
fn what_the_holder_did_against_the_permit_fails_though_it_is_recorded() {
    let world = World::new(SuiteId::Intl);
    type Against = (&'static str, Mode, fn(&mut Answer));
    let against: [Against; 5] = [
        ("an ungranted field opened", Mode::Detail, |a| {
            let name = field("address");
            a.rows[0][0] = Disclosure::Open { field: name, salt: [1; 16], value: Value::Text("1 Road".into()) };
        }),
        ("an ungranted field compared", Mode::Match, |a| {
            matching(a);
            a.matches[0].field = field("address");
        }),
        ("more records than allowed", Mode::Detail, |a| a.rows.push(vec![])),
        ("values opened where only a comparison was allowed", Mode::Match, |_| {}),
        ("a comparison where none was asked", Mode::Detail, |a| {
            a.matches = vec![FieldMatch { field: field("owner"), outcome: MatchOutcome::Equal }];
        }),
    ];
    for (name, mode, change) in against {
        let story = retell(&world, mode, change);
        assert_eq!(check(&world, &story, &story.sealed, &story.answer), Some(Step::Answer), "{name}");
    }
}

#[test]
fn sealed_bytes_and_closure_must_fit() {
    let world = World::new(SuiteId::Sm);
    let story = Story::new(&world, Ending::Completed);
    assert_eq!(check(&world, &story, b"other bytes", &story.answer), Some(Step::Answer));
    assert_eq!(check(&world, &story, &[], &story.answer), Some(Step::Answer));
    for ending in [Ending::Refused, Ending::Open, Ending::Lapsed] {
        let story = Story::new(&world, ending);
        assert_eq!(check(&world, &story, &story.sealed, &story.answer), Some(Step::Answer), "{ending:?}");
    }
    let mut other = Story::new(&world, Ending::Completed);
    other.the_completion().fields_root = Digest::ZERO;
    assert_eq!(check(&world, &other, &other.sealed, &other.answer), Some(Step::Answer));
}

#[test]
fn the_root_tells_neither_hit_from_miss_nor_one_miss_from_another() {
    let world = World::new(SuiteId::Sm);
    let miss = |salt| Answer { rows: vec![], salt, ..answer(&world) };
    let roots = [miss([1; 16]), miss([2; 16])].map(|a| a.fields_root(SuiteId::Sm));
    assert_ne!(roots[0], roots[1], "a miss must not have a root that everybody knows");
}
