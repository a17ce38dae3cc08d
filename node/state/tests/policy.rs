//! Rules with demands, another rule book beside the one in force, and texts that no block may hold.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use std::sync::Arc;

use covenant_canon::SuiteId;
use covenant_domain::*;
use covenant_engine::Guard;
use covenant_state::*;
use support::*;

fn demanding(revision: u32, obligations: RuleObligations) -> RuleBook {
    let mut book = book(revision);
    book.rules[0].obligations = Some(obligations);
    book
}

fn rate(per_minute: u32) -> RuleObligations {
    RuleObligations { rate_per_minute: Some(per_minute), ..RuleObligations::default() }
}

#[test]
fn queries_above_the_rate_are_refused_until_the_next_minute() {
    let world = World::new();
    let mut state = world.ready(100, 100);
    let adopted = by("housing", Body::PolicyAdopted(demanding(2, rate(2))));
    assert_eq!(world.block(&mut state, START_MS, &[adopted]), []);
    let asks: Vec<Entry> = (1..=3).map(|n| ask(START_MS, n)).collect();
    let derived = world.block(&mut state, START_MS + 1, &asks);
    assert_eq!(words(&derived), ["yes", "yes", "no"], "within one block already");
    let Body::Decision(refused) = &derived[2].body else { panic!() };
    assert_eq!(refused.reasons[0].code, ReasonCode::RateExceeded);
    assert!(refused.reasons[0].detail.contains(&(START_MS + 60_000).to_string()));
    let later = START_MS + 60_000;
    let derived = world.block(&mut state, later, &[ask(later, 4)]);
    assert_eq!(words(&derived), ["lapse", "lapse", "yes"]);
}

#[test]
fn a_rule_book_without_demands_leaves_no_counter_behind() {
    let world = World::new();
    let state = world.ready(10, 10);
    let execution = state.execute(2, START_MS, &world.batches(&[ask(START_MS, 1)])).unwrap();
    assert!(execution.changes.iter().all(|(key, _)| !matches!(key, Key::Rate(_))));
}

fn guard(world: &World, book: &RuleBook) -> Arc<Guard> {
    Arc::new(Guard::compile(SuiteId::Intl, book, &world.genesis.members).unwrap())
}

#[test]
fn another_rule_book_is_asked_beside_and_changes_nothing() {
    let world = World::new();
    let state = world.ready(100, 100);
    let mut strict = demanding(2, rate(2));
    strict.rules.push(GuardRule { name: "no-submit".into(), mode: "submit".into(), ..GuardRule::default() });
    let mut beside = Beside::new(guard(&world, &strict));
    let asks: Vec<Entry> = (1..=4).map(|n| ask(START_MS, n)).collect();
    let batches = world.batches(&asks);
    let real = state.execute(2, START_MS, &batches).unwrap();
    let same = state.execute_beside(2, START_MS, &batches, &mut beside).unwrap();
    assert_eq!((&same.derived, &same.rows), (&real.derived, &real.rows), "the state is none the wiser");
    let twice = beside.take();
    let yes = |decision: &Decision| decision.permit().is_some();
    assert_eq!(
        twice.iter().map(|t| (yes(&t.real), yes(&t.other))).collect::<Vec<_>>(),
        [(true, true), (true, true), (true, false), (true, false)]
    );
    assert!(twice.iter().all(Twice::differs), "a rate that holds is a demand more");
    assert!(twice[2].other.reasons.iter().any(|r| r.code == ReasonCode::RateExceeded));
    assert_eq!(beside.take(), []);
}

#[test]
fn the_book_in_force_beside_itself_differs_in_nothing_and_other_holders_are_left_alone() {
    let world = World::new();
    let state = world.ready(100, 100);
    let batches = world.batches(&[ask(START_MS, 1)]);
    let mut beside = Beside::new(guard(&world, &book(1)));
    state.execute_beside(2, START_MS, &batches, &mut beside).unwrap();
    let twice = beside.take();
    assert_eq!(twice.len(), 1);
    assert!(!twice[0].differs());
    let other = RuleBook { holder: id("tax"), revision: 1, rules: vec![], roles: vec![], auto: vec![] };
    let mut beside = Beside::new(guard(&world, &other));
    state.execute_beside(2, START_MS, &batches, &mut beside).unwrap();
    assert_eq!(beside.take(), []);
}

/// A member that means to put a number on the ledger, in every disguise it knows.
#[test]
fn no_block_holds_an_entry_with_a_personal_number() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let permit = permits(&world.block(&mut state, START_MS, &[ask(START_MS, 1)])).remove(0);
    let disguises = [
        "11010519491231002X",
        "１１０１０５　１９４９１２３１　００２Ｘ",
        "1 1 0 1 0 5 - 1 9 4 9 1 2 3 1 - 0 0 2 X",
        "1101051949\u{200b}1231002x",
        "一一〇一〇五一九四九一二三一〇〇二X",
        "call 138-1234-5678",
        "zhang＠example．cn",
    ];
    for disguise in disguises {
        let voided = Voided {
            intent: permit.intent,
            permit: covenant_canon::Digest::of(
                SuiteId::Intl,
                covenant_canon::Label::PERMIT,
                &covenant_canon::to_bytes(&permit),
            ),
            reason: disguise.into(),
        };
        let asked = Intent {
            authority: Authority::Legal { commitment: Commitment([0; 32]), case: Some(disguise.into()) },
            ..intent(START_MS, 2)
        };
        let entries = [
            by("housing", Body::Voided(voided)),
            by("bank", Body::Intent(asked)),
            by("regulator", Body::PurposeRegistered(Purpose { legal_basis: disguise.into(), ..purpose() })),
        ];
        for batch in world.batches(&entries) {
            let refused = |r: Result<(), Inadmissible>| matches!(r, Err(Inadmissible::Personal { .. }));
            let batches = std::slice::from_ref(&batch);
            assert!(refused(state.execute(3, START_MS + 1, batches).map(drop)), "validators refuse it: {disguise}");
            assert!(refused(state.admissible(START_MS + 1, &batch)), "nodes do not take it: {disguise}");
            let fault = state.admissible(START_MS + 1, &batch).unwrap_err().to_string();
            assert!(!fault.contains(disguise), "{fault}");
            let (fit, unfit) = state.select(START_MS + 1, vec![batch]);
            assert_eq!((fit.len(), unfit.len()), (0, 1), "proposers leave it out");
        }
    }
}
