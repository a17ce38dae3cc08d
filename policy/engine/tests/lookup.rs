//! Lookups: one allowed case, then every reason by breaking one clause.
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

type Broken = (ReasonCode, &'static str, fn(&mut World, &mut Intent));

#[rustfmt::skip]
const BROKEN: &[Broken] = &[
    (ReasonCode::ClaimMisplaced, "no claim", |_, i| i.lookup = None),
    (ReasonCode::ClaimMisplaced, "a claim in another mode", |_, i| i.mode = Mode::Detail),
    (ReasonCode::ClaimInvalid, "a proof that does not hold", |w, _| w.claim_holds = false),
    (ReasonCode::EpochClosed, "no epoch", |w, _| w.epoch = None),
    (ReasonCode::EpochClosed, "another epoch", |_, i| i.lookup.as_mut().unwrap().epoch = 6),
    (ReasonCode::EpochClosed, "not open yet", |w, _| w.the_epoch().opens_ms = NOW_MS + 1),
    (ReasonCode::EpochClosed, "closed", |w, _| w.the_epoch().closes_ms = NOW_MS),
    (ReasonCode::EpochMismatch, "another revision", |w, _| w.the_epoch().dataset_revision = 2),
    (ReasonCode::EpochMismatch, "fewer fields", |_, i| drop(i.fields.pop())),
    (ReasonCode::EpochMismatch, "rows above the grant's", |w, _| w.the_grant().grant.max_rows = 1),
    (ReasonCode::EscrowMissing, "no escrow key", |w, _| w.escrow = None),
    (ReasonCode::EscrowMissing, "another escrow key", |w, _| w.escrow = Some(5)),
    (ReasonCode::ModeNotGranted, "a grant without the mode", |w, _| w.the_grant().grant.modes = vec![Mode::Detail]),
    (ReasonCode::ConsentOutOfScope, "a consent without the mode", |w, _| w.the_consent().consent.modes = vec![Mode::Detail]),
    (ReasonCode::ObligationUnmet, "a mask that rows do not have", |w, _| w.rules(vec![demanding(&["overdue_count"], None)])),
    (ReasonCode::ObligationUnmet, "fewer records than rows carry", |w, _| w.rules(vec![demanding(&[], Some(1))])),
    (ReasonCode::ConsentRevoked, "revoked", |w, _| w.the_consent().status = ConsentStatus::Revoked),
];

fn demanding(masked: &[&str], max_rows: Option<u32>) -> GuardRule {
    let masked = masked.iter().map(|f| field(f)).collect();
    let obligations = RuleObligations { masked, max_rows, ..RuleObligations::default() };
    GuardRule { obligations: Some(obligations), ..rule("demanding", Effect::Allow) }
}

#[test]
fn a_demand_that_rows_meet_anyway_stands_in_no_way() {
    let (mut world, intent) = World::with_lookup();
    // The dataset masks the name for everybody, so rows carry it masked.
    world.rules(vec![demanding(&["name", "income"], Some(2))]);
    let terms = decide(&world, &intent, Digest::ZERO, &moment());
    assert_eq!(terms.decision.permit().expect("permitted").obligations.masked, [field("name")]);
}

#[test]
fn each_clause_of_a_lookup_broken_once_gives_its_reason_alone() {
    for (code, what, spoil) in BROKEN {
        let (mut world, mut intent) = World::with_lookup();
        spoil(&mut world, &mut intent);
        let terms = decide(&world, &intent, Digest::ZERO, &moment());
        assert!(terms.decision.permit().is_none(), "{what}");
        assert_eq!(codes(&terms), BTreeSet::from([*code]), "{what}");
        assert_eq!((terms.debit_grant, terms.debit_consent), (None, None), "{what}");
    }
}

#[test]
fn the_permit_of_a_lookup_is_bound_to_its_epoch() {
    let (world, intent) = World::with_lookup();
    let terms = decide(&world, &intent, Digest::ZERO, &moment());
    let permit = terms.decision.permit().expect("permitted");
    assert_eq!((permit.epoch, permit.obligations.max_rows), (Some(7), 2));
    assert_eq!(permit.obligations.release, Release::AfterReceipt, "even where the grade is general");
    assert_eq!(terms.debit_consent, Some(consent_id()));
}

#[test]
fn reading_is_planned_as_a_lookup_where_one_is_open() {
    let (mut world, intent) = World::with_lookup();
    let wish = Wish {
        consumer: intent.consumer.clone(),
        dataset: dataset_id(),
        purpose: purpose_code(),
        fields: intent.fields.clone(),
        need: Need::Read,
        authority: intent.authority.clone(),
    };
    assert_eq!(plan(&world, &wish, &moment()).mode, Some(Mode::Lookup));
    world.epoch = None;
    let planned = plan(&world, &wish, &moment());
    assert_eq!(planned.mode, Some(Mode::Detail));
    assert_eq!(planned.refused.len(), 1, "and it says why not in private");
}
