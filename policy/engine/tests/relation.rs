//! The decision is the plain relation of its clauses, whatever they are.
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
use proptest::prelude::*;
use support::*;

const QUERY: Digest = Digest([2; 32]);

/// A plain second writing of what may pass, over the clauses that the strategy varies.
fn plainly_allowed(world: &World, intent: &Intent) -> bool {
    let state = &world.grants[0];
    let (grant, consent) = (&state.grant, world.consent.as_ref().unwrap());
    let within = |from, until| from <= NOW_MS && NOW_MS < until;
    let open = |f: &FieldName| world.dataset.as_ref().unwrap().field(f).is_some_and(|f| f.modes.contains(&intent.mode));
    let sorted: Vec<_> = intent.fields.iter().collect::<BTreeSet<_>>().into_iter().collect();
    !intent.fields.is_empty()
        && sorted == intent.fields.iter().collect::<Vec<_>>()
        && intent.fields.iter().all(|f| grant.fields.contains(f) && open(f))
        && intent.fields.iter().all(|f| consent.consent.scopes[0].fields.contains(f))
        && grant.modes.contains(&intent.mode)
        && consent.consent.modes.contains(&intent.mode)
        && world.purpose.as_ref().unwrap().modes.contains(&intent.mode)
        && !state.revoked
        && state.suspended_by.is_empty()
        && within(grant.valid_from_ms, grant.valid_until_ms)
        && within(consent.consent.valid_from_ms, consent.consent.valid_until_ms)
        && consent.status == ConsentStatus::Active
        && intent.id.time_ms().abs_diff(NOW_MS) <= 300_000
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_decision_is_the_plain_relation_and_a_pure_function(
        fields in prop::collection::vec(prop::sample::select(vec!["name", "overdue_count", "defaults", "income", "nonsense"]), 0..4),
        mode in prop::sample::select(Mode::ALL.to_vec()),
        modes in prop::sample::subsequence(Mode::ALL.to_vec(), 0..=3),
        status in prop::sample::select(vec![ConsentStatus::Active, ConsentStatus::Active, ConsentStatus::Active, ConsentStatus::Paused]),
        shift in prop::array::uniform5(-1i64..=1),
        revoked in prop::bool::weighted(0.1),
        sort: bool,
    ) {
        let (mut world, mut intent) = (World::new(), intent());
        let at = |shift: i64| NOW_MS.saturating_add_signed(shift);
        intent.mode = mode;
        intent.fields = fields.iter().map(|f| field(f)).collect();
        if sort {
            intent.fields.sort();
            intent.fields.dedup();
        }
        intent.id = IntentId::from_parts(at(300_000 + shift[4]), &[1; 10]);
        world.the_grant().revoked = revoked;
        if !modes.is_empty() {
            world.the_grant().grant.modes = modes;
        }
        (world.the_grant().grant.valid_from_ms, world.the_grant().grant.valid_until_ms) = (at(shift[0]), at(shift[1] + 1));
        (world.the_consent().consent.valid_from_ms, world.the_consent().consent.valid_until_ms) = (at(shift[2]), at(shift[3] + 1));
        world.the_consent().status = status;
        let terms = decide(&world, &intent, QUERY, &moment());
        prop_assert_eq!(terms.decision.permit().is_some(), plainly_allowed(&world, &intent));
        prop_assert_eq!(&decide(&world, &intent, QUERY, &moment()), &terms);
        world.compile();
        prop_assert_eq!(&decide(&world, &intent, QUERY, &moment()), &terms, "a fresh guard answers the same");
        if let Some(permit) = terms.decision.permit() {
            prop_assert!(permit.obligations.fields.iter().all(|f| world.grants[0].grant.fields.contains(f)));
            prop_assert!(permit.obligations.masked.iter().all(|f| permit.obligations.fields.contains(f)));
        }
    }
}
