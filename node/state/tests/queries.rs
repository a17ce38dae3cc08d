//! Open queries: completion, lapse, and what may stand in a block at all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use covenant_canon::{Digest, from_bytes, to_bytes};
use covenant_domain::*;
use covenant_state::*;
use support::*;

/// A state with one open query, and its permit.
fn open(world: &World) -> (State, Permit) {
    let mut state = world.ready(10, 10);
    let derived = world.block(&mut state, START_MS, &[ask(START_MS, 1)]);
    (state, permits(&derived).remove(0))
}

fn refusal(world: &World, state: &State, time_ms: u64, entries: &[Entry]) -> Option<Inadmissible> {
    let batches = world.batches(entries);
    let refused = state.execute(state.height() + 1, time_ms, &batches).err();
    let (fit, unfit) = state.select(time_ms, batches);
    assert_eq!(refused.is_none(), unfit.is_empty(), "the proposer and the others apply one test");
    assert!(state.execute(state.height() + 1, time_ms, &fit).is_ok(), "what is selected can be executed");
    refused
}

#[test]
fn a_completion_closes_its_query_once() {
    let world = World::new();
    let (mut state, permit) = open(&world);
    let done = complete("housing", START_MS, &permit);
    assert!(world.block(&mut state, START_MS + 1, &[done]).is_empty());
    assert_eq!(state.open_queries().count(), 0);
    assert!(state.next_due_ms() > Some(START_MS + COMPLETE_MS), "what is left is the deletion at the end of data life");
    let again = complete("housing", START_MS + 2, &permit);
    assert_eq!(
        refusal(&world, &state, START_MS + 2, &[again]),
        Some(Inadmissible::NotOpen { intent: permit.intent }),
        "a second completion must not reach the ledger: its bundle would verify"
    );
}

#[test]
fn a_completion_without_its_permit_is_rejected() {
    let world = World::new();
    let (mut state, permit) = open(&world);
    let other = Permit { height: permit.height + 1, ..permit.clone() };
    let wrong = [complete("tax", START_MS, &permit), complete("housing", START_MS, &other)];
    assert_eq!(words(&world.block(&mut state, START_MS + 1, &wrong)), ["rejected", "rejected"]);
    assert_eq!(state.open_queries().count(), 1);
    let right = complete("housing", START_MS, &permit);
    assert!(world.block(&mut state, START_MS + 2, &[right]).is_empty());
}

#[test]
fn no_block_holds_two_completions_of_one_query_by_its_holder() {
    let world = World::new();
    let (state, permit) = open(&world);
    let twice = [complete("housing", START_MS, &permit), complete("housing", START_MS + 1, &permit)];
    assert!(matches!(refusal(&world, &state, START_MS + 1, &twice), Some(Inadmissible::NotOpen { .. })));
    let (fit, unfit) = state.select(START_MS + 1, world.batches(&twice));
    assert_eq!((fit.len(), unfit.len()), (1, 1));
    let stranger = [complete("tax", START_MS, &permit), complete("housing", START_MS + 1, &permit)];
    assert_eq!(refusal(&world, &state, START_MS + 1, &stranger), None, "nobody else can stand in the holder's way");
}

#[test]
fn a_batch_left_out_leaves_no_trace_in_the_selection() {
    let world = World::new();
    let (state, permit) = open(&world);
    let unknown = Permit { intent: intent_id(START_MS, 99), ..permit.clone() };
    let mixed = world.batch(&[complete("housing", START_MS, &permit), complete("housing", START_MS, &unknown)]);
    let good = world.batch(&[complete("housing", START_MS, &permit)]);
    let (fit, unfit) = state.select(START_MS + 1, vec![mixed, good.clone()]);
    assert_eq!((fit.len(), unfit.len()), (1, 1));
    assert_eq!(fit[0].id(), good.id());
}

#[test]
fn a_completion_may_arrive_early_but_not_stand_in_a_block_before_its_permit() {
    let world = World::new();
    let state = world.ready(10, 10);
    let (_, permit) = open(&world);
    let entries = [ask(START_MS, 1), complete("housing", START_MS, &permit)];
    assert!(matches!(refusal(&world, &state, START_MS, &entries), Some(Inadmissible::NotOpen { .. })));
    assert_eq!(state.admissible(START_MS, &world.batch(&entries[1..])), Ok(()));
}

#[test]
fn permits_lapse_at_their_time_in_order_before_anything_else() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    world.block(&mut state, START_MS, &[ask(START_MS, 2), ask(START_MS, 1)]);
    world.block(&mut state, START_MS + 5, &[ask(START_MS, 0)]);
    assert!(!state.has_due(START_MS + COMPLETE_MS - 1));
    let due = START_MS + COMPLETE_MS;
    assert_eq!(state.next_due_ms(), Some(due));
    let derived = world.block(&mut state, due + 5, &[ask(due, 7)]);
    assert_eq!(words(&derived), ["lapse", "lapse", "lapse", "yes"]);
    let lapses: Vec<(u64, IntentId)> = derived
        .iter()
        .filter_map(|e| match &e.body {
            Body::Lapse(lapse) => Some((lapse.due_ms, lapse.intent)),
            _ => None,
        })
        .collect();
    let id = |n| intent_id(START_MS, n);
    assert_eq!(lapses, [(due, id(1)), (due, id(2)), (due + 5, id(0))], "by time, then by id");
    assert_eq!(state.open_queries().count(), 1);
}

#[test]
fn a_silent_holder_lapses() {
    let world = World::new();
    let (mut state, permit) = open(&world);
    let due = START_MS + COMPLETE_MS;
    let late = [complete("housing", due - 1, &permit)];
    assert!(matches!(refusal(&world, &state, due, &late), Some(Inadmissible::NotOpen { .. })));
    assert_eq!(refusal(&world, &state, due - 1, &late), None);
    assert_eq!(words(&world.block(&mut state, due, &[])), ["lapse"]);
    assert!(matches!(refusal(&world, &state, due, &late), Some(Inadmissible::NotOpen { .. })));
}

/// More than one block's worth of lapses: those that wait are late all the same.
#[test]
fn a_query_that_waits_for_its_lapse_cannot_be_completed_any_more() {
    let world = World::new();
    let mut state = world.ready(1_000, 10);
    let asked: Vec<Entry> = (0..300).map(|n| ask(START_MS, n)).collect();
    let execution = state.execute(2, START_MS, &[world.batch(&asked)]).unwrap();
    let permits = permits(&execution.derived);
    state.apply(execution);
    let due = START_MS + COMPLETE_MS;
    assert_eq!(world.block(&mut state, due, &[]).len(), 256);
    let waiting = permits.iter().find(|p| state.open_query(&p.intent).is_some()).unwrap();
    let late = [complete("housing", due, waiting)];
    assert!(matches!(refusal(&world, &state, due, &late), Some(Inadmissible::NotOpen { .. })));
    assert_eq!(world.block(&mut state, due, &[]).len(), 44);
}

#[test]
fn an_entry_is_recorded_at_most_once() {
    let world = World::new();
    let (mut state, _) = open(&world);
    let again = ask(START_MS, 1);
    assert!(matches!(refusal(&world, &state, START_MS, &[again]), Some(Inadmissible::Duplicate { .. })));
    let twice = [ask(START_MS, 2), ask(START_MS, 2)];
    assert!(matches!(refusal(&world, &state, START_MS, &twice), Some(Inadmissible::Duplicate { .. })));
    assert!(state.has_all(&world.batch(&[ask(START_MS, 1)])));
    assert!(!state.has_all(&world.batch(&[ask(START_MS, 1), ask(START_MS, 2)])));
    world.block(&mut state, START_MS, &[ask(START_MS, 2)]);
    assert!(state.has_all(&world.batch(&[ask(START_MS, 1), ask(START_MS, 2)])));
}

#[test]
fn an_intent_id_is_used_at_most_once() {
    let world = World::new();
    let (state, _) = open(&world);
    let reused = Entry { made_ms: START_MS + 1, ..ask(START_MS, 1) };
    let other = by_at("bank", START_MS, Body::Intent(Intent { input: Digest([9; 32]), ..intent(START_MS, 1) }));
    for entry in [reused, other] {
        assert!(matches!(refusal(&world, &state, START_MS, &[entry]), Some(Inadmissible::IntentReused { .. })));
    }
}

/// The id of an old query is stale itself, so it is never decided a second time: a consumer cannot turn a permit into a
/// refusal by asking again after the ledger forgot.
#[test]
fn a_forgotten_intent_id_cannot_come_back() {
    let world = World::new();
    let (mut state, _) = open(&world);
    let later = START_MS + 2 * FRESH_MS + 1;
    world.block(&mut state, later, &[]);
    let again = Entry { made_ms: later, ..ask(START_MS, 1) };
    assert!(matches!(refusal(&world, &state, later, &[again]), Some(Inadmissible::Stale { .. })));
    let ahead = by_at("bank", later, Body::Intent(intent(later + FRESH_MS + 1, 3)));
    assert!(matches!(refusal(&world, &state, later, &[ahead]), Some(Inadmissible::Stale { .. })));
    let timeless = Intent { id: IntentId::from_uuid_bytes(), ..intent(later, 1) };
    let timeless = by_at("bank", later, Body::Intent(timeless));
    assert!(matches!(refusal(&world, &state, later, &[timeless]), Some(Inadmissible::Stale { .. })));
}

trait Version4 {
    fn from_uuid_bytes() -> Self;
}

impl Version4 for IntentId {
    /// An id that carries no time.
    fn from_uuid_bytes() -> Self {
        let mut bytes = to_bytes(&intent_id(START_MS, 1));
        bytes[7] = 0x40;
        from_bytes(&bytes).unwrap()
    }
}

#[test]
fn freshness_ends_at_the_millisecond_on_both_sides() {
    let world = World::new();
    let state = world.ready(10, 10);
    let now = START_MS + 10 * FRESH_MS;
    for (made_ms, fits) in
        [(now - FRESH_MS - 1, false), (now - FRESH_MS, true), (now + FRESH_MS, true), (now + FRESH_MS + 1, false)]
    {
        assert_eq!(refusal(&world, &state, now, &[ask(made_ms, 1)]).is_none(), fits, "{made_ms}");
    }
    for time_ms in [0, u64::MAX] {
        assert!(state.admissible(time_ms, &world.batch(&[ask(START_MS, 1)])).is_err());
    }
}

#[test]
fn an_entry_is_remembered_exactly_as_long_as_it_is_fresh() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let entry = by_at("tax", START_MS, Body::GrantChanged { grant: grant_id(1), change: GrantChange::Suspended });
    world.block(&mut state, START_MS, std::slice::from_ref(&entry));
    world.block(&mut state, START_MS + FRESH_MS, &[]);
    assert!(state.has_all(&world.batch(std::slice::from_ref(&entry))));
    world.block(&mut state, START_MS + FRESH_MS + 1, &[]);
    assert!(!state.has_all(&world.batch(std::slice::from_ref(&entry))));
    let refused = refusal(&world, &state, START_MS + FRESH_MS + 1, &[entry]);
    assert!(matches!(refused, Some(Inadmissible::Stale { .. })), "forgotten means stale");
}

#[test]
fn one_unfit_entry_keeps_its_whole_batch_out() {
    let world = World::new();
    let (state, _) = open(&world);
    let batch = world.batch(&[ask(START_MS, 5), ask(START_MS, 1)]);
    let alone = world.batch(&[ask(START_MS, 5)]);
    let (fit, unfit) = state.select(START_MS, vec![batch, alone.clone()]);
    assert_eq!(fit.iter().map(|b| b.id()).collect::<Vec<_>>(), [alone.id()], "nothing of the first is remembered");
    assert_eq!(unfit.len(), 1);
}
