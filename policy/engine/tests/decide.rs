//! The decision: one allowed case, then every reason reached by breaking one clause.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use std::collections::BTreeSet;

use covenant_canon::Digest;
use covenant_domain::*;
use covenant_engine::*;
use support::*;

const QUERY: Digest = Digest([2; 32]);

fn ruled(world: &World, intent: &Intent) -> Terms {
    decide(world, intent, QUERY, &moment())
}

#[test]
fn the_base_case_is_allowed_with_its_obligations_and_debits() {
    let world = World::new();
    let terms = ruled(&world, &intent());
    let permit = terms.decision.permit().expect("permitted").clone();
    assert_eq!(codes(&terms), BTreeSet::from([ReasonCode::Allowed]));
    assert_eq!(terms.debit_grant, Some((grant_id(1), NOW_MS - NOW_MS % (24 * HOUR_MS))));
    assert_eq!(terms.debit_consent, Some(consent_id()));
    let obligations = permit.obligations;
    assert_eq!(obligations.fields, intent().fields);
    assert_eq!(obligations.masked, [field("name")], "masked are the asked fields that have a mask");
    assert_eq!((obligations.max_rows, obligations.data_life_days), (3, 30), "the smaller row cap holds");
    assert_eq!(obligations.release, Release::AfterReceipt);
}

#[test]
fn a_permit_names_query_policy_height_and_expiry() {
    let world = World::new();
    let terms = ruled(&world, &intent());
    let permit = terms.decision.permit().expect("permitted");
    assert_eq!((permit.query, permit.intent), (QUERY, intent().id));
    assert_eq!((permit.height, permit.expires_ms), (12, NOW_MS + 60_000));
    assert_eq!((permit.dataset_revision, permit.grant), (3, grant_id(1)));
    assert_eq!(Some(permit.policy), terms.decision.policy);
    assert_eq!(permit.policy, world.guard.as_ref().unwrap().digest());
}

#[test]
fn release_follows_the_grade_and_rows_the_smaller_cap() {
    for (grade, release) in [
        (Grade::General, Release::AfterPermit),
        (Grade::Important, Release::AfterReceipt),
        (Grade::Core, Release::AfterReceipt),
    ] {
        let mut world = World::new();
        world.the_dataset().grade = grade;
        world.the_grant().grant.max_rows = 2;
        let obligations = ruled(&world, &intent()).decision.permit().unwrap().obligations.clone();
        assert_eq!((obligations.release, obligations.max_rows), (release, 2));
    }
}

/// The base rule, demanding something of the answer.
fn demanding(obligations: RuleObligations) -> GuardRule {
    GuardRule { obligations: Some(obligations), ..rule("demanding", Effect::Allow) }
}

type Broken = (ReasonCode, &'static str, fn(&mut World, &mut Intent));

/// The allowed case with one thing wrong, and the one reason it must give.
#[rustfmt::skip]
const BROKEN: &[Broken] = &[
    (ReasonCode::CallerNotConsumer, "no such member", |w, _| w.members.clear()),
    (ReasonCode::CallerNotConsumer, "another role", |w, _| w.members.get_mut(&id("bank-a")).unwrap().roles = vec![Role::Holder]),
    (ReasonCode::IntentStale, "too old", |_, i| i.id = IntentId::from_parts(NOW_MS - 300_001, &[0; 10])),
    (ReasonCode::IntentStale, "from the future", |_, i| i.id = IntentId::from_parts(NOW_MS + 300_001, &[0; 10])),
    (ReasonCode::DatasetUnknown, "nothing published", |w, _| w.dataset = None),
    (ReasonCode::PurposeUnknown, "nothing registered", |w, _| w.purpose = None),
    (ReasonCode::GrantMissing, "no grant at all", |w, _| w.grants.clear()),
    (ReasonCode::GrantMissing, "for another consumer", |w, _| w.the_grant().grant.consumer = id("bank-b")),
    (ReasonCode::GrantMissing, "not shared at all", |w, _| w.the_dataset().sharing = Sharing::Refused),
    (ReasonCode::DatasetSuspended, "by its holder", |w, _| w.status = Some(DatasetStatus { suspended_by: vec![id("credit-centre")], ..DatasetStatus::default() })),
    (ReasonCode::DatasetArchived, "for good", |w, _| w.status = Some(DatasetStatus { archived: true, ..DatasetStatus::default() })),
    (ReasonCode::DatasetArchived, "grace over", |w, _| w.status = Some(grace(NOW_MS))),
    (ReasonCode::GrantNotYetValid, "starts a moment later", |w, _| w.the_grant().grant.valid_from_ms = NOW_MS + 1),
    (ReasonCode::GrantExpired, "ends now", |w, _| w.the_grant().grant.valid_until_ms = NOW_MS),
    (ReasonCode::GrantSuspended, "by a regulator", |w, _| w.the_grant().suspended_by = vec![id("regulator")]),
    (ReasonCode::GrantRevoked, "for good", |w, _| w.the_grant().revoked = true),
    (ReasonCode::ModeNotGranted, "not in the grant", |w, _| w.the_grant().grant.modes = vec![Mode::Match]),
    (ReasonCode::ModeNotGranted, "not for the purpose", |w, _| w.the_purpose().modes = vec![Mode::Match]),
    (ReasonCode::ModeNotGranted, "not for the field", |_, i| i.fields = vec![field("defaults"), field("name")]),
    (ReasonCode::FieldNotGranted, "not in the grant", |w, _| w.the_grant().grant.fields = vec![field("name")]),
    (ReasonCode::QuotaExhausted, "last query spent", |w, _| { w.used.insert((grant_id(1), NOW_MS - NOW_MS % (24 * HOUR_MS)), 100); }),
    (ReasonCode::QuotaExhausted, "a limit of none", |w, _| w.the_grant().grant.quota.limit = 0),
    (ReasonCode::MemberSuspended, "consumer", |w, i| w.still.push(i.consumer.clone())),
    (ReasonCode::MemberSuspended, "holder", |w, _| { let holder = w.the_dataset().holder.clone(); w.still.push(holder); }),
    (ReasonCode::ConsentRequired, "none named", |_, i| i.authority = legal(Some("case 7"))),
    (ReasonCode::ConsentUnknown, "not on the ledger", |w, _| w.consent = None),
    (ReasonCode::ConsentOutOfScope, "another consumer", |w, _| w.the_consent().consent.consumer = id("bank-b")),
    (ReasonCode::ConsentOutOfScope, "another purpose", |w, _| w.the_consent().consent.purpose = PurposeCode::new("other").unwrap()),
    (ReasonCode::ConsentOutOfScope, "another mode", |w, _| w.the_consent().consent.modes = vec![Mode::Match]),
    (ReasonCode::ConsentOutOfScope, "another dataset", |w, _| w.the_consent().consent.scopes.clear()),
    (ReasonCode::ConsentOutOfScope, "another field", |w, _| w.the_consent().consent.scopes[0].fields = vec![field("name")]),
    (ReasonCode::ConsentNotYetValid, "starts a moment later", |w, _| w.the_consent().consent.valid_from_ms = NOW_MS + 1),
    (ReasonCode::ConsentExpired, "ends now", |w, _| w.the_consent().consent.valid_until_ms = NOW_MS),
    (ReasonCode::ConsentPaused, "by its subject", |w, _| w.the_consent().status = ConsentStatus::Paused),
    (ReasonCode::ConsentRevoked, "by its subject", |w, _| w.the_consent().status = ConsentStatus::Revoked),
    (ReasonCode::ConsentExhausted, "all spent", |w, _| w.the_consent().status = ConsentStatus::Exhausted),
    (ReasonCode::CaseRequired, "none named", |w, i| { (w.the_purpose().needs_consent, w.the_purpose().needs_case) = (false, true); i.authority = legal(None); }),
    (ReasonCode::CaseRequired, "blank", |w, i| { (w.the_purpose().needs_consent, w.the_purpose().needs_case) = (false, true); i.authority = legal(Some(" \t")); }),
    (ReasonCode::GuardForbids, "beside an allow", |w, _| w.rules(vec![rule("yes", Effect::Allow), rule("no", Effect::Forbid)])),
    (ReasonCode::GuardSilent, "no rules", |w, _| w.rules(vec![])),
    (ReasonCode::GuardSilent, "no rule book", |w, _| w.guard = None),
    (ReasonCode::GuardSilent, "outside its hours", |w, _| w.rules(vec![GuardRule { until_hour: 10, ..rule("early", Effect::Allow) }])),
    (ReasonCode::GuardSilent, "for another dataset", |w, _| w.rules(vec![GuardRule { dataset: "homes".into(), ..rule("homes", Effect::Allow) }])),
    (ReasonCode::GuardSilent, "on another ground", |w, _| w.rules(vec![GuardRule { ground: Ground::Legal, ..rule("law", Effect::Allow) }])),
    (ReasonCode::GuardSilent, "on a free day", |w, _| { w.working_day = false; w.rules(vec![GuardRule { days: DayKind::Working, ..rule("work", Effect::Allow) }]); }),
    (ReasonCode::GuardSilent, "above its grade", |w, _| w.rules(vec![GuardRule { grade: Some(Grade::General), ..rule("low", Effect::Allow) }])),
    (ReasonCode::GuardSilent, "a field too many", |w, _| w.rules(vec![GuardRule { fields: vec![field("name")], ..rule("narrow", Effect::Allow) }])),
    (ReasonCode::GuardForbids, "one field of two", |w, _| w.rules(vec![rule("yes", Effect::Allow), GuardRule { fields: vec![field("name")], ..rule("no-name", Effect::Forbid) }])),
    (ReasonCode::GroupRequired, "groups of five", |w, _| w.rules(vec![demanding(RuleObligations { k_minimum: Some(5), ..RuleObligations::default() })])),
    (ReasonCode::RateExceeded, "the minute is spent", |w, _| { w.rules(vec![demanding(RuleObligations { rate_per_minute: Some(6), ..RuleObligations::default() })]); w.rate.insert((grant_id(1), NOW_MS), 6); }),
    (ReasonCode::FieldsMalformed, "unsorted", |_, i| i.fields.reverse()),
    (ReasonCode::FieldsMalformed, "twice", |_, i| i.fields = vec![field("name"), field("name")]),
    (ReasonCode::FieldsMalformed, "none", |_, i| i.fields.clear()),
];

fn grace(until_ms: u64) -> DatasetStatus {
    DatasetStatus { deprecated: Some(Deprecation { until_ms, successor: None }), ..DatasetStatus::default() }
}

#[test]
fn a_deprecated_dataset_is_answered_within_its_grace_period() {
    let mut world = World::new();
    world.status = Some(grace(NOW_MS + 1));
    assert_eq!(codes(&ruled(&world, &intent())), BTreeSet::from([ReasonCode::Allowed]));
}

#[test]
fn each_clause_broken_once_gives_its_reason_alone() {
    for (code, how, breaks) in BROKEN {
        let (mut world, mut intent) = (World::new(), intent());
        breaks(&mut world, &mut intent);
        let terms = ruled(&world, &intent);
        assert_eq!(terms.decision.outcome, Outcome::Refused, "{code:?}: {how}");
        assert_eq!(codes(&terms), BTreeSet::from([*code]), "{code:?}: {how}: {:?}", terms.decision.reasons);
        assert_eq!((terms.debit_grant, terms.debit_consent), (None, None), "{code:?}: {how}");
        assert_eq!(terms.decision.query, QUERY);
    }
}

#[test]
fn an_unknown_field_is_said_to_be_unknown_and_is_never_granted() {
    let (world, mut intent) = (World::new(), intent());
    intent.fields = vec![field("salary")];
    let codes = codes(&ruled(&world, &intent));
    assert!(codes.contains(&ReasonCode::FieldUnknown) && codes.contains(&ReasonCode::FieldNotGranted), "{codes:?}");
}

/// `GuardFailed` has no way in: rules that casbin cannot evaluate do not compile. `Allowed` is the base case.
#[test]
fn every_reason_is_reached() {
    let reached: BTreeSet<ReasonCode> = BROKEN.iter().map(|b| b.0).collect();
    let others = [ReasonCode::FieldUnknown, ReasonCode::Allowed, ReasonCode::GuardFailed];
    let of_rules = [
        ReasonCode::GroupRequired,
        ReasonCode::RateExceeded,
        ReasonCode::DatasetSuspended,
        ReasonCode::DatasetArchived,
        ReasonCode::MemberSuspended,
    ];
    assert!(of_rules.iter().all(|c| reached.contains(c)));
    assert_eq!(reached.len() - of_rules.len() + others.len(), ReasonCode::Allowed as usize + 1);
    assert!(others.iter().all(|c| !reached.contains(c)));
}

#[test]
fn the_demands_of_rules_stand_in_the_permit_and_loosen_nothing() {
    let mut world = World::new();
    let demands = RuleObligations {
        masked: vec![field("income"), field("overdue_count")],
        max_rows: Some(2),
        rate_per_minute: Some(6),
        k_minimum: Some(1),
        release_after_receipt: true,
        notify: vec![Notify::Steward, Notify::Subject],
    };
    world.the_dataset().grade = Grade::General;
    world.rules(vec![demanding(demands), rule("plain", Effect::Allow)]);
    world.rate.insert((grant_id(1), NOW_MS), 5);
    world.rate.insert((grant_id(1), NOW_MS - 60_000), 600);
    let terms = ruled(&world, &intent());
    let permit = terms.decision.permit().expect("permitted");
    let obligations = &permit.obligations;
    assert_eq!(obligations.masked, [field("name"), field("overdue_count")], "only what is asked is masked");
    assert_eq!((obligations.max_rows, obligations.rate_per_minute, obligations.k_minimum), (2, Some(6), Some(1)));
    assert_eq!((obligations.release, obligations.data_life_days), (Release::AfterReceipt, 30));
    assert_eq!(obligations.notify, [Notify::Subject, Notify::Steward]);
    assert_eq!(terms.debit_rate, Some((grant_id(1), NOW_MS)));
    let many = RuleObligations { max_rows: Some(99), ..RuleObligations::default() };
    world.rules(vec![demanding(many)]);
    let terms = ruled(&world, &intent());
    assert_eq!(terms.decision.permit().unwrap().obligations.max_rows, 3, "a rule never allows more than the dataset");
    assert_eq!(terms.debit_rate, None);
}

#[test]
fn over_the_rate_the_reason_tells_when_to_ask_again() {
    let mut world = World::new();
    world.rules(vec![demanding(RuleObligations { rate_per_minute: Some(1), ..RuleObligations::default() })]);
    world.rate.insert((grant_id(1), NOW_MS), 1);
    let late = Moment { time_ms: NOW_MS + 999, ..moment() };
    let terms = decide(&world, &intent(), QUERY, &late);
    assert!(terms.decision.reasons[0].detail.contains(&(NOW_MS + 60_000).to_string()), "{:?}", terms.decision.reasons);
}

#[test]
fn several_faults_are_told_together() {
    let (mut world, mut intent) = (World::new(), intent());
    world.members.clear();
    world.the_grant().suspended_by = vec![id("regulator")];
    world.the_grant().grant.valid_until_ms = NOW_MS;
    world.the_consent().status = ConsentStatus::Paused;
    world.the_consent().consent.valid_until_ms = NOW_MS;
    world.rules(vec![rule("no", Effect::Forbid)]);
    world.members = World::new().members;
    world.members.get_mut(&id("bank-a")).unwrap().roles.clear();
    intent.id = IntentId::from_parts(0, &[0; 10]);
    use ReasonCode::*;
    let all = BTreeSet::from([
        CallerNotConsumer,
        IntentStale,
        GrantSuspended,
        GrantExpired,
        ConsentPaused,
        ConsentExpired,
        GuardSilent,
    ]);
    assert_eq!(codes(&ruled(&world, &intent)), all);
}

#[test]
fn of_several_grants_the_first_that_covers_is_used_and_else_the_closest_explains() {
    let mut world = World::new();
    world.grants = vec![grant(1), grant(2), grant(3)];
    world.grants[0].revoked = true;
    assert_eq!(ruled(&world, &intent()).debit_grant.map(|d| d.0), Some(grant_id(2)));
    world.grants[0].suspended_by = vec![id("regulator")];
    world.grants[1].grant.valid_until_ms = NOW_MS;
    world.grants[2].grant.fields.clear();
    let terms = ruled(&world, &intent());
    assert_eq!(codes(&terms), BTreeSet::from([ReasonCode::GrantExpired]), "one fault is closer than two");
    assert!(terms.decision.reasons[0].detail.contains(&grant_id(2).to_string()));
}

#[test]
fn quota_counts_in_windows_and_only_in_the_present_one() {
    let mut world = World::new();
    let window = NOW_MS - NOW_MS % (24 * HOUR_MS);
    world.used.insert((grant_id(1), window), 99);
    world.used.insert((grant_id(1), window - 24 * HOUR_MS), 1_000);
    assert!(ruled(&world, &intent()).decision.permit().is_some());
    world.used.insert((grant_id(1), window), 100);
    let terms = ruled(&world, &intent());
    assert!(terms.decision.reasons[0].detail.contains(&(window + 24 * HOUR_MS).to_string()), "tells the next window");
}

#[test]
fn a_legal_authority_needs_no_consent_and_debits_none() {
    let (mut world, mut intent) = (World::new(), intent());
    (world.the_purpose().needs_consent, world.the_purpose().needs_case) = (false, true);
    intent.authority = legal(Some("2026-17"));
    let terms = ruled(&world, &intent);
    assert!(terms.decision.permit().is_some());
    assert_eq!(terms.debit_consent, None);
}

/// Rules speak of the ground that a query rests on, and an authority on record is none of the subject's.
#[test]
fn a_recorded_authority_is_a_ground_by_law() {
    let mut world = World::new();
    world.the_purpose().needs_consent = false;
    world.the_consent().consent.kind =
        ConsentKind::LegalAuthority { case: CaseNumber::new("2026-17").unwrap(), sealed_until_ms: None };
    for (ground, allowed) in [(Ground::Legal, true), (Ground::Consent, false), (Ground::Any, true)] {
        world.rules(vec![GuardRule { ground, ..rule("by-ground", Effect::Allow) }]);
        assert_eq!(ruled(&world, &intent()).decision.permit().is_some(), allowed, "{ground:?}");
    }
    world.the_consent().consent.kind = ConsentKind::Consent;
    world.rules(vec![GuardRule { ground: Ground::Legal, ..rule("by-ground", Effect::Allow) }]);
    assert_eq!(codes(&ruled(&world, &intent())), BTreeSet::from([ReasonCode::GuardSilent]));
}

/// A consent that is named is held to its terms, also where the purpose would not have demanded one.
#[test]
fn a_named_consent_counts_even_where_none_was_needed() {
    let mut world = World::new();
    world.the_purpose().needs_consent = false;
    world.the_consent().status = ConsentStatus::Revoked;
    assert_eq!(codes(&ruled(&world, &intent())), BTreeSet::from([ReasonCode::ConsentRevoked]));
}

#[test]
fn numbers_at_their_extremes_neither_panic_nor_open_a_door() {
    let extremes = [0, 1, u64::from(u32::MAX), 1 << 47, u64::MAX - 1, u64::MAX];
    for time_ms in extremes {
        for window_ms in extremes {
            for bound_ms in extremes {
                let mut world = World::new();
                world.the_grant().grant.quota = Quota { limit: bound_ms, window_ms };
                (world.the_grant().grant.valid_from_ms, world.the_grant().grant.valid_until_ms) = (bound_ms, bound_ms);
                let moment = Moment { height: u64::MAX, time_ms, freshness_ms: bound_ms, completion_ms: u64::MAX };
                let terms = decide(&world, &intent(), QUERY, &moment);
                assert!(terms.decision.permit().is_none(), "an empty validity covers nothing");
                world.the_grant().grant.valid_from_ms = 0;
                world.the_grant().grant.valid_until_ms = u64::MAX;
                let terms = decide(&world, &intent(), QUERY, &moment);
                if let Some(permit) = terms.decision.permit() {
                    assert!(permit.expires_ms >= time_ms);
                }
            }
        }
    }
}

/// Texts on the ledger name ids, rules and times: nothing of the subject, its commitment or the case.
#[test]
fn no_reason_tells_of_the_subject() {
    for (code, how, breaks) in BROKEN {
        let (mut world, mut intent) = (World::new(), intent());
        breaks(&mut world, &mut intent);
        if !matches!(intent.authority, Authority::Consent { .. }) {
            intent.authority = legal(Some("11010519491231002X"));
        }
        for reason in ruled(&world, &intent).decision.reasons {
            let text = reason.detail.to_lowercase();
            for secret in ["11010519491231002x", "abababab", "cdcdcdcd", "commitment("] {
                assert!(!text.contains(secret), "{code:?}: {how}: {text}");
            }
            assert!(!text.is_empty() && !text.ends_with('.'));
        }
    }
}
