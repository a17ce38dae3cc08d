//! Private lookups on the ledger: epochs, claims that hold and claims that must not, completions and voids.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use std::collections::BTreeMap;

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::*;
use covenant_state::*;
use support::lookup::*;
use support::*;

#[test]
fn a_proven_claim_is_permitted_and_debited_once() {
    let mut ready = ready(3);
    let permit = ready.permit(1);
    assert_eq!((permit.epoch, permit.obligations.release), (Some(1), Release::AfterReceipt));
    assert_eq!((ready.uses(), ready.state.grant_used(&grant_id(1))), (1, 1));
}

#[test]
fn a_proof_holds_for_one_query_only() {
    let mut ready = ready(9);
    let good = ready.intent(1);
    let policy = good.lookup.clone().unwrap();
    assert_eq!(ready.refused(with_claim(ready.bare(2), policy)), ReasonCode::ClaimInvalid, "another intent id");
    let flipped = |at: usize| move |claim: &mut LookupClaim| claim.proof.0[at] ^= 1;
    for at in [0, 40, 100, 150, 191] {
        let intent = changed(ready.intent(10 + u32::try_from(at).unwrap()), flipped(at));
        assert_eq!(ready.refused(intent), ReasonCode::ClaimInvalid, "byte {at}");
    }
    let intent = changed(ready.intent(3), |c| c.proof.0.push(0));
    assert_eq!(ready.refused(intent), ReasonCode::ClaimInvalid, "longer");
    let intent = changed(ready.intent(4), |c| std::mem::swap(&mut c.escrow_a, &mut c.escrow_d));
    assert_eq!(ready.refused(intent), ReasonCode::ClaimInvalid, "swapped halves of the escrow");
    for bytes in [[0; 32], [0xff; 32]] {
        let intent = changed(ready.intent(20 + u32::from(bytes[0])), |c| c.blinded = Point(bytes));
        assert_eq!(ready.refused(intent), ReasonCode::ClaimInvalid, "identity or no point");
    }
    let elsewhere = ready.proven(ready.bare(5), Digest([8; 32]), SUBJECT);
    assert_eq!(ready.refused(elsewhere), ReasonCode::ClaimInvalid, "another rule book");
    let mut input = ready.intent(6);
    input.input = Digest([1; 32]);
    assert_eq!(ready.refused(input), ReasonCode::ClaimInvalid, "an input that is not the claim");
    assert_eq!(ready.uses(), 0);
    ready.permit(7);
}

#[test]
fn a_consent_covers_its_own_subject_only() {
    let mut ready = ready(9);
    let policy = ready.state.policy_digest(&id("housing")).unwrap();
    let other = ready.proven(ready.bare(1), policy, OTHER);
    assert_eq!(ready.refused(other), ReasonCode::ClaimInvalid, "a claim for somebody else");
    let mut swapped = ready.intent(2);
    swapped.authority = Authority::Consent { id: consent_id(1) };
    assert_eq!(ready.refused(swapped), ReasonCode::ClaimInvalid, "under another consent");
}

#[test]
fn uses_run_out_and_revocation_ends_it() {
    let mut ready = ready(2);
    ready.permit(1);
    ready.permit(2);
    let third = ready.intent(3);
    assert_eq!(ready.refused(third), ReasonCode::ConsentExhausted);
    let revoke = Body::ConsentChanged { consent: consent_id(2), change: ConsentChange::Revoked };
    ready.world.block(&mut ready.state, START_MS + 1, &[by("authorisation", revoke)]);
    let fourth = ready.intent(4);
    assert_eq!(ready.refused(fourth), ReasonCode::ConsentRevoked);
}

#[test]
fn epoch_and_escrow_must_be_those_in_force() {
    let mut ready = ready(9);
    let intent = changed(ready.intent(1), |c| c.epoch = 2);
    assert_eq!(ready.refused(intent), ReasonCode::EpochClosed);
    let intent = changed(ready.intent(2), |c| c.ceremony = 2);
    assert_eq!(ready.refused(intent), ReasonCode::EscrowMissing);
    let mut narrow = ready.intent(3);
    narrow.fields.pop();
    let policy = ready.state.policy_digest(&id("housing")).unwrap();
    let narrow = ready.proven(Intent { lookup: None, ..narrow }, policy, SUBJECT);
    assert_eq!(ready.refused(narrow), ReasonCode::EpochMismatch, "a row cannot be divided");
    let bare = ready.bare(4);
    assert_eq!(ready.refused(bare), ReasonCode::ClaimMisplaced);
}

#[test]
fn only_the_holder_publishes_the_next_epoch_with_a_key_it_has() {
    let mut ready = ready(1);
    let world = World::new();
    let mut stolen = epoch(&world, 2);
    stolen.possession = epoch(&world, 3).possession;
    let elsewhere = Epoch { number: 3, ..epoch(&world, 2) };
    let closed = Epoch { fields: vec![field("secret")], ..epoch(&world, 2) };
    let unsorted = Epoch { fields: vec![field("owner"), field("area_cm2")], ..epoch(&world, 2) };
    for (author, wrong) in [
        ("tax", epoch(&world, 2)),
        ("housing", epoch(&world, 3)),
        ("housing", stolen),
        ("housing", elsewhere),
        ("housing", closed),
        ("housing", unsorted),
    ] {
        let derived = ready.world.block(&mut ready.state, START_MS, &[by(author, Body::EpochPublished(wrong))]);
        assert_eq!(words(&derived), ["rejected"]);
    }
    let right = [by("housing", Body::EpochPublished(epoch(&world, 2)))];
    assert_eq!(ready.world.block(&mut ready.state, START_MS, &right), []);
    let former = ready.intent(9);
    assert_eq!(ready.refused(former), ReasonCode::EpochClosed, "the former epoch serves no new intent");
}

#[test]
fn overlays_follow_each_other_in_one_shape() {
    let mut ready = ready(1);
    let overlay = |revision, table| {
        by("housing", Body::OverlayPublished(Overlay { dataset: dataset_id(), epoch: 1, revision, table }))
    };
    let larger = LookupTable { rows: 2048, ..table(7) };
    let wrong = [overlay(2, table(7)), overlay(1, larger)];
    assert_eq!(words(&ready.world.block(&mut ready.state, START_MS, &wrong)), ["rejected", "rejected"]);
    assert_eq!(ready.world.block(&mut ready.state, START_MS, &[overlay(1, table(7))]), []);
    let permit = ready.permit(1);
    let (matrix, former, newest) =
        (table(1).digest(SuiteId::Intl), table(101).digest(SuiteId::Intl), table(7).digest(SuiteId::Intl));
    assert!(ready.stands(&[ready.completion(&permit, matrix, newest)]));
    assert!(ready.stands(&[ready.completion(&permit, matrix, former)]), "a question may be under way");
}

#[test]
fn a_completion_names_tables_in_force_or_cannot_stand() {
    let mut ready = ready(9);
    let permit = ready.permit(1);
    let (matrix, overlay) = (table(1).digest(SuiteId::Intl), table(101).digest(SuiteId::Intl));
    assert!(!ready.stands(&[ready.completion(&permit, overlay, matrix)]), "other tables");
    assert!(!ready.stands(&[by("housing", Body::Completion(completion(&permit)))]), "no record");
    let good = ready.completion(&permit, matrix, overlay);
    assert_eq!(ready.world.block(&mut ready.state, START_MS + 2, &[good]), []);
    let plain = ready.world.block(&mut ready.state, START_MS + 2, &[ask(START_MS, 77)]);
    let plain = permits(&plain).remove(0);
    assert!(!ready.stands(&[ready.completion(&plain, matrix, overlay)]), "a record where there was no lookup");
}

#[test]
fn a_void_closes_and_restores_only_as_the_charter_says() {
    for restores in [None, Some(true)] {
        let mut world = World::new();
        world.genesis.charter.restores_voided = restores;
        let mut ready = ready_with(world, 1);
        let permit = ready.permit(1);
        let wrong = void("tax", &permit, "not mine");
        assert_eq!(words(&ready.world.block(&mut ready.state, START_MS + 1, &[wrong])), ["rejected"]);
        assert!(!ready.stands(&[void("housing", &permit, &"x".repeat(201))]), "would be rejected and still verify");
        let done = ready.completion(&permit, table(1).digest(SuiteId::Intl), table(101).digest(SuiteId::Intl));
        assert!(!ready.stands(&[void("housing", &permit, "gone"), done.clone()]), "a void and an answer");
        assert!(!ready.stands(&[done, void("housing", &permit, "gone")]), "an answer and a void");
        assert_eq!(ready.world.block(&mut ready.state, START_MS + 1, &[void("housing", &permit, "gone")]), []);
        assert_eq!(ready.state.open_queries().count(), 0);
        let back = u32::from(restores != Some(true));
        assert_eq!((ready.uses(), ready.state.grant_used(&grant_id(1))), (back, u64::from(back)));
        let again = ready.intent(2);
        let decision = ready.decided("bank", again);
        assert_eq!(decision.permit().is_some(), restores == Some(true));
    }
}

#[test]
fn everything_comes_back_from_its_rows() {
    let mut ready = ready(3);
    let mut rows = BTreeMap::new();
    let world = World::new();
    let mut again = world.state();
    let entries: Vec<Vec<Entry>> = vec![
        [by("regulator", Body::PurposeRegistered(purpose())), by("housing", Body::DatasetPublished(dataset(1)))].into(),
        [by("housing", Body::PolicyAdopted(book(1)))].into(),
        ceremony(&world, &ready.group),
        [by("housing", Body::EpochPublished(epoch(&world, 1)))].into(),
    ];
    for block in entries {
        let execution = again.execute(again.height() + 1, START_MS, &world.batches(&block)).unwrap();
        execution.rows.iter().for_each(|row| drop(rows.insert(row.key.clone(), row.clone())));
        again.apply(execution);
    }
    let stored = rows.into_values().collect();
    let restored = State::restore(&world.genesis, again.height(), again.time_ms(), stored, vec![]).unwrap();
    assert_eq!(restored.digest(), again.digest());
    assert_eq!(restored.escrow(), again.escrow());
    assert_eq!(restored.epoch(&dataset_id()), again.epoch(&dataset_id()));
    ready.permit(1);
}

fn void(author: &str, permit: &Permit, reason: &str) -> Entry {
    let digest = Digest::of(SuiteId::Intl, Label::PERMIT, &to_bytes(permit));
    by(author, Body::Voided(Voided { intent: permit.intent, permit: digest, reason: reason.into() }))
}
