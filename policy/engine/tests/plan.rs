//! Advice: the least revealing mode that would be permitted, and why the others would not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use covenant_domain::*;
use covenant_engine::*;
use support::*;

fn wish(need: Need, fields: &[&str]) -> Wish {
    Wish {
        consumer: id("bank-a"),
        dataset: dataset_id(),
        purpose: purpose_code(),
        fields: fields.iter().map(|f| field(f)).collect(),
        need,
        authority: Authority::Consent { id: consent_id() },
    }
}

#[test]
fn verification_is_served_by_match_before_detail() {
    let plan = plan(&World::new(), &wish(Need::Verify, &["name", "overdue_count"]), &moment());
    assert_eq!((plan.mode, plan.refused), (Some(Mode::Match), vec![]));
}

#[test]
fn detail_is_taken_when_match_is_refused_and_the_refusal_is_told() {
    let mut world = World::new();
    world.the_grant().grant.modes = vec![Mode::Detail];
    let plan = plan(&world, &wish(Need::Verify, &["name"]), &moment());
    assert_eq!(plan.mode, Some(Mode::Detail));
    assert_eq!(plan.refused[0].0, Mode::Match);
    assert_eq!(plan.refused[0].1[0].code, ReasonCode::ModeNotGranted);
}

#[test]
fn reading_never_asks_for_more_than_detail_and_a_document_only_for_itself() {
    let world = World::new();
    assert_eq!(plan(&world, &wish(Need::Read, &["name"]), &moment()).mode, Some(Mode::Detail));
    let document = plan(&world, &wish(Need::Document, &["name"]), &moment());
    assert_eq!(document.mode, None);
    assert_eq!(document.refused.iter().map(|r| r.0).collect::<Vec<_>>(), [Mode::Submit]);
}

#[test]
fn fields_are_put_in_order_for_the_asker() {
    let plan = plan(&World::new(), &wish(Need::Read, &["overdue_count", "name", "name"]), &moment());
    assert_eq!(plan.mode, Some(Mode::Detail));
}

#[test]
fn when_nothing_is_permitted_every_mode_is_explained() {
    let mut world = World::new();
    world.the_consent().status = ConsentStatus::Revoked;
    let plan = plan(&world, &wish(Need::Verify, &["name"]), &moment());
    assert_eq!(plan.mode, None);
    assert_eq!(plan.refused.len(), 2);
    assert!(plan.refused.iter().all(|(_, reasons)| reasons.iter().any(|r| r.code == ReasonCode::ConsentRevoked)));
}

/// Plan is advice, decide is force: they read one rule book.
#[test]
fn what_is_planned_is_what_would_be_decided() {
    let world = World::new();
    for mode in Mode::ALL {
        let asked = Intent { mode, ..intent() };
        let decided = decide(&world, &asked, covenant_canon::Digest::ZERO, &moment()).decision.permit().is_some();
        let need = match mode {
            Mode::Match => Need::Verify,
            Mode::Lookup => continue,
            Mode::Detail => Need::Read,
            Mode::Submit => Need::Document,
        };
        let planned = plan(&world, &wish(need, &["name", "overdue_count"]), &moment()).mode;
        assert_eq!(planned == Some(mode), decided);
    }
}
