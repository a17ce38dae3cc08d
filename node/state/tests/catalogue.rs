//! The life of a dataset after it is published, and rights that several bureaus sign.
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
use covenant_state::*;
use support::*;

const GRACE_MS: u64 = 1_000;

fn changed(change: DatasetChange) -> Body {
    Body::DatasetChanged { dataset: dataset_id(), change }
}

fn deprecated() -> DatasetChange {
    DatasetChange::Deprecated { until_ms: START_MS + GRACE_MS, successor: None }
}

fn reason(derived: &[Entry]) -> String {
    match &derived.first().unwrap().body {
        Body::Rejected { reason, .. } => reason.clone(),
        Body::Decision(decision) => decision.reasons.iter().map(|r| format!("{:?} {}\n", r.code, r.detail)).collect(),
        other => panic!("{}", other.kind()),
    }
}

#[test]
fn only_the_right_member_may_change_a_dataset() {
    let world = World::new();
    let table: [(DatasetChange, &[&str]); 3] = [
        (deprecated(), &["housing"]),
        (DatasetChange::Archived, &["housing"]),
        (DatasetChange::Suspended, &["housing", "regulator"]),
    ];
    for (change, may) in table {
        for (member, _) in MEMBERS {
            let mut state = world.ready(10, 10);
            let derived = world.block(&mut state, START_MS, &[by(member, changed(change.clone()))]);
            assert_eq!(derived.is_empty(), may.contains(&member), "{change:?} by {member}: {derived:?}");
        }
    }
}

#[test]
fn the_platform_may_suspend_and_resume() {
    let mut world = World::new();
    world.genesis.members.iter_mut().find(|m| m.id == id("bank-b")).unwrap().roles = vec![Role::Platform];
    let mut state = world.ready(10, 10);
    for change in [DatasetChange::Suspended, DatasetChange::Resumed] {
        assert_eq!(world.block(&mut state, START_MS, &[by("bank-b", changed(change))]), []);
    }
    let derived = world.block(&mut state, START_MS, &[by("bank-b", changed(DatasetChange::Archived))]);
    assert!(reason(&derived).contains("not `bank-b`'s to change"));
}

#[test]
fn a_dataset_is_answered_again_when_everyone_has_resumed() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let both = ["housing", "regulator"].map(|who| by(who, changed(DatasetChange::Suspended)));
    assert_eq!(world.block(&mut state, START_MS, &both), []);
    let twice =
        world.block(&mut state, START_MS + 1, &[by_at("housing", START_MS + 1, changed(DatasetChange::Suspended))]);
    assert!(reason(&twice).contains("suspended by `housing` already"));
    let asked = world.block(&mut state, START_MS + 1, &[ask(START_MS, 1)]);
    assert_eq!(words(&asked), ["no"]);
    assert!(reason(&asked).contains("DatasetSuspended") && reason(&asked).contains("`housing`, `regulator`"));
    for (n, who, expected) in [(2, "housing", "no"), (3, "regulator", "yes")] {
        assert_eq!(world.block(&mut state, START_MS + 1, &[by(who, changed(DatasetChange::Resumed))]), []);
        assert_eq!(words(&world.block(&mut state, START_MS + 1, &[ask(START_MS, n)])), [expected], "{who}");
    }
    let again =
        world.block(&mut state, START_MS + 2, &[by_at("housing", START_MS + 2, changed(DatasetChange::Resumed))]);
    assert!(reason(&again).contains("not suspended by `housing`"));
}

#[test]
fn a_deprecated_dataset_is_answered_until_its_grace_period_ends() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    assert_eq!(world.block(&mut state, START_MS, &[by("housing", changed(deprecated()))]), []);
    let asked = world.block(&mut state, START_MS + GRACE_MS - 1, &[ask(START_MS, 1)]);
    assert_eq!(words(&asked), ["yes"]);
    let asked = world.block(&mut state, START_MS + GRACE_MS, &[ask(START_MS, 2)]);
    assert_eq!(words(&asked), ["no"]);
    assert!(reason(&asked).contains("DatasetArchived"), "{}", reason(&asked));
    // Nothing can be done with it any more, and no entry was needed to end it.
    let late = START_MS + GRACE_MS;
    for body in [changed(deprecated()), changed(DatasetChange::Suspended), Body::DatasetPublished(dataset(2))] {
        let derived = world.block(&mut state, late, &[by_at("housing", late, body)]);
        assert!(reason(&derived).contains("archived"), "{}", reason(&derived));
    }
}

#[test]
fn an_archived_dataset_is_neither_answered_nor_revised() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    assert_eq!(world.block(&mut state, START_MS, &[by("housing", changed(DatasetChange::Archived))]), []);
    assert_eq!(words(&world.block(&mut state, START_MS, &[ask(START_MS, 1)])), ["no"]);
    let derived = world.block(&mut state, START_MS, &[by("housing", Body::DatasetPublished(dataset(2)))]);
    assert!(reason(&derived).contains("publish its successor"));
}

#[test]
fn a_deprecation_names_a_later_time_and_a_successor_in_force() {
    let world = World::new();
    let other = DatasetId::new("cov:city/gov/housing/registry/other").unwrap();
    let change = |until_ms, successor| changed(DatasetChange::Deprecated { until_ms, successor });
    for (body, says) in [
        (change(START_MS, None), "ends before it begins"),
        (change(START_MS + 1, Some(dataset_id())), "own place"),
        (change(START_MS + 1, Some(other.clone())), "is not in force"),
        (Body::DatasetChanged { dataset: other.clone(), change: DatasetChange::Archived }, "no dataset"),
    ] {
        let mut state = world.ready(10, 10);
        let derived = world.block(&mut state, START_MS, &[by("housing", body)]);
        assert!(reason(&derived).contains(says), "{}", reason(&derived));
    }
    let mut state = world.ready(10, 10);
    let successor = Dataset { id: other.clone(), ..dataset(1) };
    let entries =
        [by("housing", Body::DatasetPublished(successor)), by("housing", change(START_MS + 9, Some(other.clone())))];
    assert_eq!(world.block(&mut state, START_MS, &entries), []);
    let asked = world.block(&mut state, START_MS + 9, &[ask(START_MS, 1)]);
    assert!(reason(&asked).contains(&format!("`{other}` takes its place")), "{}", reason(&asked));
}

#[test]
fn a_field_that_grants_name_is_dropped_only_after_deprecation() {
    let world = World::new();
    let mut without = dataset(2);
    without.fields.retain(|f| f.name != field("owner"));
    let publish = |d: &Dataset, at| by_at("housing", at, Body::DatasetPublished(d.clone()));
    let mut state = world.ready(10, 10);
    let derived = world.block(&mut state, START_MS, &[publish(&without, START_MS)]);
    assert!(reason(&derived).contains("drops field `owner`"), "{}", reason(&derived));
    // A grant that does not count any more holds nothing back.
    let revoke = by("housing", Body::GrantChanged { grant: grant_id(1), change: GrantChange::Revoked });
    assert_eq!(world.block(&mut state, START_MS, &[revoke, publish(&without, START_MS + 1)]), []);
    let mut state = world.ready(10, 10);
    let entries = [by("housing", changed(deprecated())), publish(&without, START_MS + 1)];
    assert_eq!(world.block(&mut state, START_MS, &entries), []);
}

#[test]
fn a_revision_keeps_its_cosigners_and_its_subject() {
    let world = World::new();
    let mut state = world.ready(10, 10);
    let signed = Dataset { cosigners: vec![id("tax")], ..dataset(2) };
    let unknown = Dataset { cosigners: vec![id("nobody")], ..dataset(2) };
    let publish = |d: Dataset| [by("housing", Body::DatasetPublished(d))];
    assert!(reason(&world.block(&mut state, START_MS, &publish(unknown))).contains("`nobody`"));
    assert_eq!(world.block(&mut state, START_MS, &publish(signed)), []);
    let derived = world.block(&mut state, START_MS, &publish(dataset(3)));
    assert!(reason(&derived).contains("`tax` signs for dataset"), "{}", reason(&derived));
    let other = Dataset { cosigners: vec![id("tax")], subject: SubjectKind::Unit, ..dataset(3) };
    assert!(reason(&world.block(&mut state, START_MS, &publish(other))).contains("keyed by resident"));
    let oversized = Dataset { fields: vec![dataset(3).fields[0].clone(); 10_000], ..dataset(3) };
    assert!(reason(&world.block(&mut state, START_MS, &publish(oversized))).contains("10000 fields"));
}

fn right_id(n: u8) -> RightId {
    RightId::from_parts(START_MS, &[n; 10])
}

fn right(n: u8, kind: RightKind, follows: Option<u8>) -> RightChange {
    RightChange {
        id: right_id(n),
        dataset: dataset_id(),
        kind,
        record: Digest([n; 32]),
        follows: follows.map(right_id),
    }
}

fn propose(who: &str, change: RightChange) -> Entry {
    by(who, Body::RightProposed(change))
}

fn sign(who: &str, n: u8) -> Entry {
    by(who, Body::RightSigned(right_id(n)))
}

impl World {
    /// A register that `tax` and `trustee-a` sign beside `housing`, with an effective registration, number 1.
    fn register(&self) -> State {
        let mut state = self.ready(10, 10);
        let cosigners = vec![id("tax"), id("trustee-a")];
        let entries = [
            by("housing", Body::DatasetPublished(Dataset { cosigners, ..dataset(2) })),
            propose("housing", right(1, RightKind::Registration, None)),
            sign("tax", 1),
            sign("trustee-a", 1),
        ];
        assert_eq!(self.block(&mut state, START_MS, &entries), []);
        state
    }
}

#[test]
fn a_right_takes_effect_with_the_last_signature() {
    let world = World::new();
    let mut state = world.register();
    let of = |state: &State, n| state.right(&right_id(n)).unwrap().clone();
    assert_eq!(of(&state, 1).effective_ms, START_MS);
    let pledge = propose("tax", right(2, RightKind::Pledge, Some(1)));
    assert_eq!(world.block(&mut state, START_MS + 5, &[pledge, sign("housing", 2)]), []);
    assert_eq!((of(&state, 2).effective_ms, of(&state, 1).followed_by), (0, None));
    assert_eq!(world.block(&mut state, START_MS + 7, &[sign("trustee-a", 2)]), []);
    assert_eq!(of(&state, 2).effective_ms, START_MS + 7);
    assert_eq!(of(&state, 2).signed, of(&state, 2).signers);
    assert_eq!(of(&state, 1).followed_by, Some(right_id(2)));
}

#[test]
fn only_signers_propose_and_sign_each_once() {
    let world = World::new();
    for (member, _) in MEMBERS {
        let signer = ["housing", "tax", "trustee-a"].contains(&member);
        let mut state = world.register();
        let proposed = world.block(&mut state, START_MS, &[propose(member, right(2, RightKind::Registration, None))]);
        assert_eq!(proposed.is_empty(), signer, "{member}");
        let mut state = world.register();
        let entries = [propose("housing", right(2, RightKind::Registration, None)), sign(member, 2)];
        let derived = world.block(&mut state, START_MS, &entries);
        assert_eq!(derived.is_empty(), signer && member != "housing", "{member}: {derived:?}");
        let again = world.block(&mut state, START_MS, &[by_at(member, START_MS + 1, Body::RightSigned(right_id(2)))]);
        assert!(!again.is_empty(), "{member} signed twice");
    }
}

#[test]
fn changes_of_a_right_form_one_chain() {
    let world = World::new();
    let elsewhere = DatasetId::new("cov:city/gov/tax/levy/other").unwrap();
    let table: [(RightChange, &str); 8] = [
        (right(1, RightKind::Registration, None), "exists already"),
        (right(2, RightKind::Registration, Some(1)), "follows nothing"),
        (right(2, RightKind::Pledge, None), "name the change before it"),
        (right(2, RightKind::Transfer, Some(9)), "no right change"),
        (right(2, RightKind::Transfer, Some(2)), "no right change"),
        (right(2, RightKind::Transfer, Some(3)), "lacks signatures"),
        (right(2, RightKind::Transfer, Some(4)), "followed by"),
        (RightChange { dataset: elsewhere.clone(), ..right(2, RightKind::Transfer, Some(1)) }, "no co-signers"),
    ];
    let both = |n| [sign("tax", n), sign("trustee-a", n)];
    for (change, says) in table {
        let mut state = world.register();
        let plain = Dataset { id: elsewhere.clone(), holder: id("tax"), ..dataset(1) };
        let mut entries = vec![
            by("tax", Body::DatasetPublished(plain)),
            propose("housing", right(3, RightKind::Registration, None)),
            propose("housing", right(4, RightKind::Registration, None)),
            propose("housing", right(5, RightKind::Pledge, Some(4))),
        ];
        entries.splice(3..3, both(4));
        entries.extend(both(5));
        assert_eq!(world.block(&mut state, START_MS, &entries), []);
        let derived = world.block(&mut state, START_MS, &[by_at("tax", START_MS + 1, Body::RightProposed(change))]);
        assert!(reason(&derived).contains(says), "{says}: {}", reason(&derived));
    }
}

#[test]
fn of_two_changes_that_follow_one_only_the_first_to_be_signed_takes_effect() {
    let world = World::new();
    let mut state = world.register();
    let rivals = [2, 3].map(|n| propose("housing", right(n, RightKind::Transfer, Some(1))));
    let signed = [sign("tax", 2), sign("tax", 3), sign("trustee-a", 3)];
    assert_eq!(world.block(&mut state, START_MS, &[rivals.to_vec(), signed.to_vec()].concat()), []);
    let derived = world.block(&mut state, START_MS, &[sign("trustee-a", 2)]);
    assert!(reason(&derived).contains("followed by"), "{}", reason(&derived));
    assert_eq!(state.right(&right_id(2)).unwrap().effective_ms, 0);
    assert_eq!(state.right(&right_id(1)).unwrap().followed_by, Some(right_id(3)));
}

#[test]
fn no_right_changes_in_an_archived_register() {
    let world = World::new();
    let mut state = world.register();
    assert_eq!(world.block(&mut state, START_MS, &[by("housing", changed(DatasetChange::Archived))]), []);
    let derived = world.block(&mut state, START_MS, &[propose("tax", right(2, RightKind::Pledge, Some(1)))]);
    assert!(reason(&derived).contains("archived"), "{}", reason(&derived));
}

#[test]
fn a_restored_state_has_the_same_digest_and_catalogue() {
    let world = World::new();
    let mut state = world.register();
    let entries = [by("housing", changed(deprecated())), by("regulator", changed(DatasetChange::Suspended))];
    let before = state.catalogue_height();
    let execution = state.execute(state.height() + 1, START_MS, &world.batches(&entries)).unwrap();
    state.apply(execution);
    assert_eq!((state.catalogue_height(), before), (state.height(), state.height() - 1));
    world.block(&mut state, START_MS, &[ask(START_MS, 1)]);
    assert_eq!(state.catalogue_height(), state.height() - 1, "a query changes no catalogue");

    let mut rows = std::collections::BTreeMap::new();
    let mut again = world.state();
    for body in [Body::DatasetPublished(dataset(1)), changed(deprecated())] {
        let execution = again.execute(again.height() + 1, START_MS, &world.batches(&[by("housing", body)])).unwrap();
        rows.extend(execution.rows.iter().map(|r| (r.key.clone(), r.value.clone())));
        again.apply(execution);
    }
    let rows = rows.into_iter().map(|(key, value)| Row { key, value }).collect();
    let restored = State::restore(&world.genesis, again.height(), again.time_ms(), rows, vec![]).unwrap();
    assert_eq!(restored.digest(), again.digest());
    assert_eq!(restored.dataset_status(&dataset_id()), again.dataset_status(&dataset_id()));
    assert_eq!(restored.catalogue().count(), 1);
}
