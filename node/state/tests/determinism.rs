//! One node that never stopped and one that is restored from its rows after every block stay equal.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use covenant_domain::*;
use covenant_state::*;
use proptest::prelude::*;
use support::*;

#[derive(Debug, Clone)]
enum Op {
    Ask(u32),
    AskWithConsent(u32),
    Complete(prop::sample::Index, bool),
    Grant(u8, GrantChange),
    Consent(ConsentChange),
    Issue(u8),
    Dataset(u32),
    Change(DatasetChange),
    Right(u8, bool),
    Policy(u32),
    Purpose(bool),
    Freeze(bool, bool),
    Rotate(u8),
}

fn op() -> impl Strategy<Value = Op> {
    let changes = prop::sample::select(vec![GrantChange::Suspended, GrantChange::Resumed, GrantChange::Revoked]);
    let consents = prop::sample::select(vec![ConsentChange::Paused, ConsentChange::Resumed, ConsentChange::Revoked]);
    prop_oneof![
        4 => any::<u32>().prop_map(Op::Ask),
        4 => any::<u32>().prop_map(Op::AskWithConsent),
        4 => (any::<prop::sample::Index>(), prop::bool::weighted(0.8)).prop_map(|(i, ok)| Op::Complete(i, ok)),
        1 => (1u8..4, changes).prop_map(|(n, c)| Op::Grant(n, c)),
        1 => consents.prop_map(Op::Consent),
        1 => (1u8..4).prop_map(Op::Issue),
        1 => (1u32..4).prop_map(Op::Dataset),
        1 => prop::sample::select(vec![
            DatasetChange::Suspended,
            DatasetChange::Resumed,
            DatasetChange::Deprecated { until_ms: START_MS + 5_000, successor: None },
        ]).prop_map(Op::Change),
        1 => (1u8..3, any::<bool>()).prop_map(|(n, sign)| Op::Right(n, sign)),
        1 => (1u32..4).prop_map(Op::Policy),
        1 => any::<bool>().prop_map(Op::Purpose),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(bank, frozen)| Op::Freeze(bank, frozen)),
        1 => (100u8..103).prop_map(Op::Rotate),
    ]
}

fn entry(world: &World, state: &State, time_ms: u64, op: Op) -> Option<Entry> {
    let (author, body) = match op {
        Op::Ask(n) => return Some(ask(time_ms, n)),
        Op::AskWithConsent(n) => return Some(ask_with_consent(time_ms, n)),
        Op::Complete(which, holder) => {
            let open: Vec<&OpenQuery> = state.open_queries().collect();
            let query = open.get(which.index(open.len().max(1)))?;
            return Some(complete(if holder { "housing" } else { "tax" }, time_ms, &query.permit));
        }
        Op::Grant(n, change) => ("housing", Body::GrantChanged { grant: grant_id(n), change }),
        Op::Consent(change) => ("authorisation", Body::ConsentChanged { consent: consent_id(1), change }),
        Op::Issue(n) => ("housing", Body::GrantIssued(world.grant(n, 5))),
        Op::Dataset(revision) => {
            ("housing", Body::DatasetPublished(Dataset { cosigners: vec![id("tax")], ..dataset(revision) }))
        }
        Op::Change(change) => ("housing", Body::DatasetChanged { dataset: dataset_id(), change }),
        Op::Right(n, true) => ("tax", Body::RightSigned(RightId::from_parts(START_MS, &[n; 10]))),
        Op::Right(n, false) => {
            let (id, follows) = (RightId::from_parts(START_MS, &[n; 10]), None);
            let (kind, record) = (RightKind::Registration, covenant_canon::Digest([n; 32]));
            ("housing", Body::RightProposed(RightChange { id, dataset: dataset_id(), kind, record, follows }))
        }
        Op::Freeze(bank, frozen) => {
            let member = id(if bank { "bank" } else { "housing" });
            ("regulator", Body::MemberFrozen(Freeze { member, frozen, reason: "case 7".into() }))
        }
        // Nobody signs with the new key here: the old one's batches stay admissible because nothing checks them again.
        Op::Rotate(n) => ("tax", Body::KeysRotated(new_keys(world, "tax", n).1)),
        Op::Policy(revision) => ("housing", Body::PolicyAdopted(book(revision))),
        Op::Purpose(needs_consent) => ("regulator", Body::PurposeRegistered(Purpose { needs_consent, ..purpose() })),
    };
    Some(by_at(author, time_ms, body))
}

/// A node's tables: rows by key, entries by their freshness.
#[derive(Default)]
struct Disk {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    seen: BTreeSet<SeenEntry>,
}

impl Disk {
    fn write(&mut self, execution: &Execution) {
        for row in &execution.rows {
            match &row.value {
                Some(value) => drop(self.rows.insert(row.key.clone(), value.clone())),
                None => drop(self.rows.remove(&row.key)),
            }
        }
        self.seen.extend(execution.seen.iter().copied());
    }

    fn restore(&self, world: &World, height: u64, time_ms: u64) -> State {
        let rows = self.rows.iter().map(|(k, v)| Row { key: k.clone(), value: Some(v.clone()) }).collect();
        let fresh_after = time_ms.saturating_sub(FRESH_MS);
        let seen = self.seen.iter().filter(|s| s.fresh_ms >= fresh_after).copied().collect();
        State::restore(&world.genesis, height, time_ms, rows, seen).unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_restored_node_equals_one_that_never_stopped(
        blocks in prop::collection::vec((prop::collection::vec(op(), 0..12), 0u64..900), 1..12),
    ) {
        let world = World::new();
        let (mut straight, mut restored, mut disk) = (world.state(), world.state(), Disk::default());
        let setup = [
            by("regulator", Body::PurposeRegistered(purpose())),
            by("housing", Body::DatasetPublished(Dataset { cosigners: vec![id("tax")], ..dataset(1) })),
            by("housing", Body::PolicyAdopted(book(1))),
            by("housing", Body::GrantIssued(world.grant(1, 5))),
            by("authorisation", Body::ConsentIssued(consent(1, 4))),
        ];
        let mut time_ms = START_MS;
        let mut asked = BTreeSet::new();
        let first = (world.batches(&setup), 0);
        let mut todo: Vec<Option<(Vec<Op>, u64)>> = vec![None];
        todo.extend(blocks.into_iter().map(Some));
        for block in todo {
            let (batches, step) = match block {
                None => first.clone(),
                Some((ops, step)) => {
                    let now = time_ms + step;
                    let entries = ops.into_iter().filter_map(|op| entry(&world, &straight, now, op));
                    (world.batches(&entries.collect::<Vec<_>>()), step)
                }
            };
            time_ms += step;
            let (fit, unfit) = straight.select(time_ms, batches.clone());
            let (fit_too, unfit_too) = restored.select(time_ms, batches);
            prop_assert_eq!(unfit.iter().map(|u| &u.1).collect::<Vec<_>>(), unfit_too.iter().map(|u| &u.1).collect::<Vec<_>>());
            let height = straight.height() + 1;
            let one = straight.execute(height, time_ms, &fit).unwrap();
            let two = restored.execute(height, time_ms, &fit_too).unwrap();
            prop_assert_eq!(&one.derived, &two.derived);
            prop_assert_eq!(&one.rows, &two.rows);
            prop_assert_eq!(&one.seen, &two.seen);
            for entry in &one.derived {
                if let Body::Decision(decision) = &entry.body {
                    prop_assert!(asked.insert(decision.intent), "an intent is decided once");
                }
            }
            disk.write(&one);
            straight.apply(one);
            restored = disk.restore(&world, height, time_ms);
            prop_assert_eq!(straight.digest(), restored.digest());
            prop_assert_eq!(straight.next_due_ms(), restored.next_due_ms());
            prop_assert_eq!(straight.open_queries().collect::<Vec<_>>(), restored.open_queries().collect::<Vec<_>>());
            for batch in &fit {
                prop_assert_eq!(straight.has_all(batch), restored.has_all(batch));
            }
            let consent = straight.consent(&consent_id(1)).unwrap();
            prop_assert!(consent.uses <= consent.consent.max_uses);
            prop_assert!((1..4).all(|n| straight.grant_used(&grant_id(n)) <= 5));
        }
    }
}

#[test]
fn rows_that_are_not_what_was_written_are_refused() {
    let world = World::new();
    let state = world.state();
    let execution =
        state.execute(1, START_MS, &world.batches(&[by("regulator", Body::PurposeRegistered(purpose()))])).unwrap();
    for at in 0..2 {
        let mut rows = execution.rows.clone();
        let bytes = if at == 0 { &mut rows[0].key } else { rows[0].value.as_mut().unwrap() };
        bytes.pop();
        assert!(matches!(State::restore(&world.genesis, 1, START_MS, rows, vec![]), Err(StateError::Row(_))));
    }
}

#[test]
fn five_hundred_and_twelve_intents_among_a_hundred_thousand_grants() {
    let world = World::new();
    let mut disk = Disk::default();
    let mut state = world.state();
    let setup = [
        by("regulator", Body::PurposeRegistered(purpose())),
        by("housing", Body::DatasetPublished(dataset(1))),
        by("housing", Body::PolicyAdopted(book(1))),
    ];
    let execution = state.execute(1, START_MS, &world.batches(&setup)).unwrap();
    disk.write(&execution);
    state.apply(execution);
    let template = world.grant(1, 1_000).grant;
    for n in 0..100_000u32 {
        let mut random = [0; 10];
        random[6..].copy_from_slice(&n.to_be_bytes());
        let purpose = if n == 0 { purpose_code() } else { PurposeCode::new(&format!("p{n}")).unwrap() };
        let grant = Grant { id: GrantId::from_parts(1, &random), purpose, ..template.clone() };
        let key = Key::Grant(grant.id);
        let object = Object::Grant(covenant_engine::GrantState::new(grant, vec![]));
        disk.rows.insert(covenant_canon::to_bytes(&key), covenant_canon::to_bytes(&object));
    }
    let state = disk.restore(&world, 1, START_MS);
    assert_eq!(state.grants_all().count(), 100_000);
    let asked: Vec<Entry> = (0..512).map(|n| ask(START_MS, n)).collect();
    let execution = state.execute(2, START_MS, &[world.batch(&asked)]).unwrap();
    assert_eq!(permits(&execution.derived).len(), 512);
}
