//! A slow and obvious evaluator, written from docs/policy.md without casbin or any index, agrees with `decide` on more
//! than 100 000 generated cases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use covenant_canon::{Digest, SuiteId};
use covenant_domain::*;
use covenant_engine::*;
use support::*;

const BOOKS: u64 = 800;
const CASES_PER_BOOK: u64 = 150;

/// splitmix64: the same cases on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len() as u64) as usize]
    }

    fn chance(&mut self, in_hundred: u64) -> bool {
        self.roll(100) < in_hundred
    }

    fn some<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        of.iter().filter(|_| self.chance(50)).cloned().collect()
    }
}

const NAMES: [&str; 7] = ["bank-a", "bank-b", "finance", "licensed", "insider", "guest", "nobody"];
const FIELDS: [&str; 4] = ["defaults", "income", "name", "overdue_count"];
const GRADES: [Grade; 3] = [Grade::General, Grade::Important, Grade::Core];

fn a_rule(dice: &mut Dice, number: u64) -> GuardRule {
    let from_hour = dice.roll(24) as u8;
    let effect = if dice.chance(88) { Effect::Allow } else { Effect::Forbid };
    let fields: Vec<FieldName> = FIELDS.iter().map(|f| field(f)).collect();
    let any = |dice: &mut Dice, of: &[&str]| if dice.chance(50) { "*".to_owned() } else { (*dice.one(of)).to_owned() };
    let (subject, dataset) = (any(dice, &NAMES), any(dice, &["credit", "credit", "homes"]));
    let mode = any(dice, &["match", "detail", "lookup", "submit"]);
    let (all_day, whole, open) = (dice.chance(60), dice.chance(50), dice.chance(60));
    GuardRule {
        name: format!("rule-{number}"),
        subject,
        dataset,
        mode,
        purpose: any(dice, &["mortgage-review", "mortgage-review", "marketing"]),
        from_hour: if all_day { 0 } else { from_hour },
        until_hour: if all_day { 24 } else { from_hour + 1 + dice.roll(24 - u64::from(from_hour)) as u8 },
        effect,
        ground: *dice.one(&[Ground::Any, Ground::Any, Ground::Consent, Ground::Legal]),
        days: *dice.one(&[DayKind::Any, DayKind::Any, DayKind::Working, DayKind::Free]),
        grade: if open { None } else { Some(*dice.one(&GRADES)) },
        fields: if whole { vec![] } else { dice.some(&fields) },
        obligations: (effect == Effect::Allow && dice.chance(40)).then(|| RuleObligations {
            masked: dice.some(&fields),
            max_rows: dice.chance(50).then(|| 1 + dice.roll(4) as u32),
            rate_per_minute: dice.chance(40).then(|| 1 + dice.roll(4) as u32),
            k_minimum: dice.chance(20).then(|| 1 + dice.roll(3) as u32),
            release_after_receipt: dice.chance(30),
            notify: dice.some(&[Notify::Subject, Notify::Steward, Notify::Regulator]),
        }),
    }
}

/// Links go from a name to a later one, so there is no circle.
fn a_book(dice: &mut Dice) -> RuleBook {
    let mut roles = Vec::new();
    for _ in 0..dice.roll(6) {
        let low = dice.roll(NAMES.len() as u64 - 1);
        let high = low + 1 + dice.roll(NAMES.len() as u64 - 1 - low);
        roles.push(RoleLink { member: NAMES[low as usize].into(), role: NAMES[high as usize].into() });
    }
    let count = 2 + dice.roll(12);
    let rules = (0..count).map(|n| a_rule(dice, n)).collect();
    RuleBook { holder: id("credit-centre"), revision: 4, rules, roles, auto: vec![] }
}

/// Shakes the parts of the allowed case that the reference knows.
fn shake(dice: &mut Dice, world: &mut World, intent: &mut Intent) -> Moment {
    let now_ms = NOW_MS + dice.roll(24) * HOUR_MS;
    *intent = support::intent();
    intent.id = IntentId::from_parts(now_ms, &[3; 10]);
    intent.consumer = id(dice.one::<&str>(&["bank-a", "bank-b"]));
    intent.mode = *dice.one(&[Mode::Match, Mode::Detail, Mode::Submit]);
    let fields: Vec<FieldName> = FIELDS.iter().map(|f| field(f)).collect();
    intent.fields = dice.some(&fields);
    if intent.fields.is_empty() {
        intent.fields = vec![field("name")];
    }
    if dice.chance(50) {
        intent.authority = legal(Some("2026-17"));
    }
    world.working_day = dice.chance(50);
    world.the_dataset().grade = *dice.one(&GRADES);
    world.the_grant().revoked = dice.chance(5);
    world.the_grant().grant.consumer = intent.consumer.clone();
    world.the_grant().grant.fields = if dice.chance(90) { fields.clone() } else { dice.some(&fields) };
    let consent = world.the_consent();
    consent.consent.consumer = intent.consumer.clone();
    let by_law = ConsentKind::LegalAuthority { case: CaseNumber::new("2026-17").unwrap(), sealed_until_ms: None };
    consent.consent.kind = if dice.chance(30) { by_law } else { ConsentKind::Consent };
    consent.status = if dice.chance(95) { ConsentStatus::Active } else { ConsentStatus::Paused };
    world.used = BTreeMap::from([((grant_id(1), now_ms - now_ms % (24 * HOUR_MS)), 96 + dice.roll(5))]);
    world.rate = BTreeMap::from([((grant_id(1), now_ms - now_ms % 60_000), dice.roll(4))]);
    Moment { time_ms: now_ms, ..moment() }
}

/// What the reference says: the codes of a refusal by the rules or whatever else, or the obligations.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Yes(Obligations),
    No,
}

fn has(links: &[(String, String)], who: &str, subject: &str) -> bool {
    subject == "*" || who == subject || links.iter().any(|(from, to)| from == who && has(links, to, subject))
}

fn speaks(rule: &GuardRule, links: &[(String, String)], world: &World, intent: &Intent, moment: &Moment) -> bool {
    let hour = (moment.time_ms / HOUR_MS + 8) % 24;
    let recorded = world.consent.as_ref().is_some_and(|c| c.consent.kind != ConsentKind::Consent);
    let legal = matches!(intent.authority, Authority::Legal { .. }) || recorded;
    let grade = world.dataset.as_ref().unwrap().grade;
    if !has(links, intent.consumer.as_str(), &rule.subject) {
        return false;
    }
    if rule.dataset != "*" && rule.dataset != "credit" {
        return false;
    }
    if rule.mode != "*" && rule.mode != intent.mode.name() {
        return false;
    }
    if rule.purpose != "*" && rule.purpose != intent.purpose.as_str() {
        return false;
    }
    if hour < u64::from(rule.from_hour) || hour >= u64::from(rule.until_hour) {
        return false;
    }
    if (rule.ground == Ground::Consent && legal) || (rule.ground == Ground::Legal && !legal) {
        return false;
    }
    if (rule.days == DayKind::Working && !world.working_day) || (rule.days == DayKind::Free && world.working_day) {
        return false;
    }
    let asked: BTreeSet<_> = intent.fields.iter().collect();
    let named: BTreeSet<_> = rule.fields.iter().collect();
    if rule.effect == Effect::Allow {
        rule.grade.is_none_or(|g| grade <= g) && (named.is_empty() || asked.is_subset(&named))
    } else {
        rule.grade.is_none_or(|g| grade >= g) && (named.is_empty() || !asked.is_disjoint(&named))
    }
}

/// The whole decision once more: conditions beside the rules, the rules, and what they demand.
fn reference(book: &RuleBook, world: &World, intent: &Intent, moment: &Moment) -> Said {
    let (dataset, grant) = (world.dataset.as_ref().unwrap(), &world.grants[0].grant);
    let consent = world.consent.as_ref().unwrap();
    let mut links: Vec<(String, String)> = book.roles.iter().map(|l| (l.member.clone(), l.role.clone())).collect();
    links.extend(world.members.values().map(|m| (m.id.to_string(), m.class.name().to_owned())));
    let speaking: Vec<&GuardRule> = book.rules.iter().filter(|r| speaks(r, &links, world, intent, moment)).collect();
    if speaking.iter().any(|r| r.effect == Effect::Forbid) || speaking.is_empty() {
        return Said::No;
    }
    for name in &intent.fields {
        let open = dataset.field(name).unwrap().modes.contains(&intent.mode);
        let consented =
            consent.consent.scopes[0].fields.contains(name) || matches!(intent.authority, Authority::Legal { .. });
        if !open || !consented || !grant.fields.contains(name) {
            return Said::No;
        }
    }
    if let Authority::Consent { .. } = intent.authority
        && (consent.status != ConsentStatus::Active || !consent.consent.modes.contains(&intent.mode))
    {
        return Said::No;
    }
    if world.grants[0].revoked || !grant.modes.contains(&intent.mode) || world.used.values().any(|used| *used >= 100) {
        return Said::No;
    }
    let mut said = Obligations {
        fields: intent.fields.clone(),
        masked: vec![],
        max_rows: dataset.max_rows.min(grant.max_rows),
        release: if dataset.grade == Grade::General { Release::AfterPermit } else { Release::AfterReceipt },
        data_life_days: 30,
        rate_per_minute: None,
        k_minimum: None,
        notify: vec![],
    };
    let mut masked: BTreeSet<FieldName> = BTreeSet::from([field("name")]);
    let mut notify = BTreeSet::new();
    for demand in speaking.iter().filter_map(|r| r.obligations.as_ref()) {
        masked.extend(demand.masked.iter().cloned());
        notify.extend(demand.notify.iter().copied());
        if let Some(rows) = demand.max_rows {
            said.max_rows = said.max_rows.min(rows);
        }
        if let Some(rate) = demand.rate_per_minute {
            said.rate_per_minute = Some(said.rate_per_minute.unwrap_or(u32::MAX).min(rate));
        }
        if let Some(k) = demand.k_minimum {
            said.k_minimum = Some(said.k_minimum.unwrap_or(0).max(k));
        }
        if demand.release_after_receipt {
            said.release = Release::AfterReceipt;
        }
    }
    if said.k_minimum.is_some_and(|k| k > 1) {
        return Said::No;
    }
    let in_this_minute = *world.rate.values().next().unwrap();
    if said.rate_per_minute.is_some_and(|rate| in_this_minute >= u64::from(rate)) {
        return Said::No;
    }
    said.masked = intent.fields.iter().filter(|f| masked.contains(f)).cloned().collect();
    said.notify = notify.into_iter().collect();
    Said::Yes(said)
}

/// A world in which nothing but what [`shake`] moves stands in the way.
fn open_world() -> World {
    let mut world = World::new();
    let modes = vec![Mode::Match, Mode::Detail, Mode::Submit];
    world.members.insert(id("bank-b"), member("bank-b", Class::Finance, &[Role::Consumer]));
    world.the_purpose().needs_consent = false;
    world.the_purpose().modes.clone_from(&modes);
    world.the_grant().grant.modes = vec![Mode::Match, Mode::Detail, Mode::Submit];
    for bounds in [NOW_MS - HOUR_MS, NOW_MS + 48 * HOUR_MS] {
        let early = bounds < NOW_MS;
        let grant = &mut world.grants[0].grant;
        *(if early { &mut grant.valid_from_ms } else { &mut grant.valid_until_ms }) = bounds;
        let consent = &mut world.consent.as_mut().unwrap().consent;
        *(if early { &mut consent.valid_from_ms } else { &mut consent.valid_until_ms }) = bounds;
    }
    world.the_dataset().fields.iter_mut().for_each(|f| f.modes.push(Mode::Submit));
    world
}

#[test]
fn decisions_agree_with_the_reference_in_more_than_100_000_cases() {
    let (mut dice, mut permitted, mut total) = (Dice(20_261_125), 0_u64, 0_u64);
    let mut world = open_world();
    let mut intent = support::intent();
    for _ in 0..BOOKS {
        let book = a_book(&mut dice);
        world.guard = Some(Guard::compile(SuiteId::Sm, &book, world.members.values()).unwrap());
        for _ in 0..CASES_PER_BOOK {
            let moment = shake(&mut dice, &mut world, &mut intent);
            let decision = decide(&world, &intent, Digest::ZERO, &moment).decision;
            let decided = decision.permit().map_or(Said::No, |p| Said::Yes(p.obligations.clone()));
            let said = reference(&book, &world, &intent, &moment);
            assert_eq!(decided, said, "{intent:?}\n{book:#?}\n{:?}", decision.reasons);
            assert!(decision.reasons.iter().all(|r| r.code != ReasonCode::GuardFailed), "{:?}", decision.reasons);
            permitted += u64::from(said != Said::No);
            total += 1;
        }
    }
    assert!(total >= 100_000);
    // Cases that are all refused, or all permitted, would show nothing.
    assert!(permitted > total / 20 && permitted < total / 2, "{permitted} of {total} are permitted");
}
