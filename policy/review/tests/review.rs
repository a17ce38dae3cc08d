//! One book in good order, then every finding reached by one slip.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

use std::collections::BTreeSet;

use covenant_canon::{SuiteId, from_bytes, to_bytes};
use covenant_domain::*;
use covenant_review::*;

const SUITE: SuiteId = SuiteId::Sm;

fn field(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

fn member(name: &str, class: Class, roles: &[Role]) -> Member {
    Member {
        id: MemberId::new(name).unwrap(),
        names: Names::new(name, name),
        class,
        roles: roles.to_vec(),
        verifying_key: String::new(),
        sealing_key: String::new(),
    }
}

fn members() -> Vec<Member> {
    vec![
        member("bank-a", Class::Finance, &[Role::Consumer]),
        member("bank-b", Class::Finance, &[Role::Consumer]),
        member("tax", Class::Government, &[Role::Consumer, Role::Holder]),
        member("credit-centre", Class::Government, &[Role::Holder]),
    ]
}

fn purposes() -> Vec<Purpose> {
    let purpose = |code: &str, modes: &[Mode]| Purpose {
        code: PurposeCode::new(code).unwrap(),
        names: Names::new(code, code),
        legal_basis: "law".into(),
        needs_consent: true,
        needs_case: false,
        modes: modes.to_vec(),
        retention_days: 30,
        needs_record: None,
    };
    vec![purpose("mortgage-review", &[Mode::Match, Mode::Detail]), purpose("audit", &[Mode::Match])]
}

fn datasets() -> Vec<Dataset> {
    let one = |name: &str, mask, modes: &[Mode]| {
        let plain = Field::new(field(name), Names::new(name, name), FieldKind::Text, modes);
        Field { personal: true, mask, ..plain }
    };
    let both = [Mode::Match, Mode::Detail];
    let dataset = |name: &str, grade, fields| {
        let id = DatasetId::new(&format!("cov:city/gov/credit-centre/core/{name}")).unwrap();
        let plain = Dataset::new(id, MemberId::new("credit-centre").unwrap(), Names::new(name, name), fields);
        Dataset { grade, max_rows: 2, ..plain }
    };
    vec![
        dataset(
            "credit",
            Grade::Important,
            vec![one("income", None, &both), one("name", Some(Mask::Keep { first: 1, last: 0 }), &both)],
        ),
        dataset("scores", Grade::Core, vec![one("score", None, &[Mode::Match])]),
    ]
}

fn rule(name: &str, subject: &str, mode: &str, effect: Effect) -> GuardRule {
    GuardRule {
        name: name.into(),
        subject: subject.into(),
        dataset: "credit".into(),
        mode: mode.into(),
        purpose: "mortgage-review".into(),
        from_hour: 8,
        until_hour: 20,
        effect,
        ..GuardRule::default()
    }
}

fn book(revision: u32, rules: Vec<GuardRule>) -> RuleBook {
    let roles = vec![RoleLink { member: "finance".into(), role: "licensed".into() }];
    RuleBook { holder: MemberId::new("credit-centre").unwrap(), revision, rules, roles, auto: vec![] }
}

fn good() -> Vec<GuardRule> {
    vec![rule("banks-match", "licensed", "match", Effect::Allow)]
}

fn reviewed(book: &RuleBook, previous: Option<&RuleBook>) -> Review {
    let (datasets, purposes, members) = (datasets(), purposes(), members());
    let catalogue = Catalogue { datasets: &datasets, purposes: &purposes, members: &members };
    review(SUITE, book, previous, &catalogue)
}

fn codes(rules: Vec<GuardRule>) -> BTreeSet<FindingCode> {
    reviewed(&book(1, rules), None).findings.iter().map(|f| f.code).collect()
}

#[test]
fn a_book_in_good_order_has_no_findings_and_a_plain_reach() {
    let review = reviewed(&book(1, good()), None);
    assert_eq!(review.findings, []);
    assert!(review.passes() && !review.truncated);
    let who: Vec<&str> = review.reach.iter().map(|r| r.member.as_str()).collect();
    assert_eq!(who, ["bank-a", "bank-b"]);
    assert_eq!(review.reach[0].fields, [field("income"), field("name")]);
    assert_eq!((review.reach[0].mode, &review.reach[0].hours), (Mode::Match, &vec![(8, 20)]));
    assert_eq!(review.digest(SUITE), reviewed(&book(1, good()), None).digest(SUITE));
    assert_eq!(from_bytes::<Review>(&to_bytes(&review)).unwrap(), review);
    let mut other = good();
    other[0].until_hour = 21;
    assert_ne!(review.digest(SUITE), reviewed(&book(1, other), None).digest(SUITE));
}

type Slip = (FindingCode, fn(&mut Vec<GuardRule>));

fn demanding(obligations: RuleObligations) -> GuardRule {
    GuardRule { obligations: Some(obligations), ..rule("demanding", "bank-a", "detail", Effect::Allow) }
}

const SLIPS: &[Slip] = &[
    (FindingCode::Refused, |r| r[0].until_hour = 0),
    (FindingCode::Conflict, |r| r.push(rule("no-b", "bank-b", "match", Effect::Forbid))),
    (FindingCode::Unreachable, |r| r.push(rule("none", "*", "*", Effect::Forbid))),
    (FindingCode::UnknownDataset, |r| r[0].dataset = "homes".into()),
    (FindingCode::UnknownPurpose, |r| r[0].purpose = "marketing".into()),
    (FindingCode::UnknownSubject, |r| r[0].subject = "bank-z".into()),
    (FindingCode::UnknownField, |r| r[0].fields = vec![field("salary")]),
    (FindingCode::IdleMode, |r| r[0].mode = "submit".into()),
    (FindingCode::IdleGrade, |r| r[0].grade = Some(Grade::General)),
    (FindingCode::Duplicate, |r| r.push(rule("again", "licensed", "match", Effect::Allow))),
    (FindingCode::Redundant, |r| r.push(rule("a-too", "bank-a", "match", Effect::Allow))),
    (FindingCode::WiderThanPurpose, |r| r[0].mode = "*".into()),
    (FindingCode::WideOpen, |r| {
        r.push(GuardRule { name: "all".into(), effect: Effect::Allow, ..GuardRule::default() })
    }),
    (FindingCode::MaskMissing, |r| {
        r.push(demanding(RuleObligations { masked: vec![field("income")], ..RuleObligations::default() }));
    }),
    (FindingCode::GroupUnmet, |r| {
        r.push(demanding(RuleObligations { k_minimum: Some(5), ..RuleObligations::default() }));
    }),
];

#[test]
fn every_slip_is_found() {
    for (code, slip) in SLIPS {
        let mut rules = good();
        slip(&mut rules);
        let found = codes(rules);
        assert!(found.contains(code), "{code:?}: {found:?}");
    }
}

#[test]
fn findings_name_the_rule_and_the_gravest_stands_first() {
    let mut rules = good();
    rules.push(rule("no-b", "bank-b", "match", Effect::Forbid));
    rules.push(rule("homes", "bank-a", "match", Effect::Allow));
    rules[2].dataset = "homes".into();
    let findings = reviewed(&book(1, rules), None).findings;
    assert_eq!((findings[0].severity, findings[0].rule.as_str()), (Severity::Warning, "homes"));
    assert!(findings[1].detail.contains("`no-b`") && findings[1].rule == "banks-match");
    let mut circle = book(1, good());
    circle.roles.push(RoleLink { member: "licensed".into(), role: "finance".into() });
    let review = reviewed(&circle, None);
    assert!(!review.passes());
    assert_eq!(review.findings[0].code, FindingCode::CyclicRoles);
    assert_eq!(review.reach, []);
}

#[test]
fn rules_that_stand_apart_are_no_conflict() {
    let mut forbid = rule("no-b", "bank-b", "match", Effect::Forbid);
    forbid.from_hour = 20;
    forbid.until_hour = 24;
    let mut rules = good();
    rules.push(forbid);
    assert_eq!(codes(rules), BTreeSet::new());
    let mut rules = good();
    rules[0].fields = vec![field("income")];
    rules.push(GuardRule { fields: vec![field("name")], ..rule("no-name", "*", "*", Effect::Forbid) });
    assert_eq!(codes(rules), BTreeSet::new());
}

#[test]
fn reach_is_what_the_guard_allows_hour_by_hour() {
    let mut rules = good();
    rules.push(GuardRule { from_hour: 12, until_hour: 13, ..rule("lunch", "bank-b", "*", Effect::Forbid) });
    rules.push(GuardRule {
        days: DayKind::Working,
        ground: Ground::Legal,
        fields: vec![field("income")],
        ..rule("tax", "tax", "detail", Effect::Allow)
    });
    let review = reviewed(&book(1, rules), None);
    let of = |who: &str| review.reach.iter().filter(|r| r.member.as_str() == who).cloned().collect::<Vec<_>>();
    assert!(of("bank-b").iter().all(|r| r.hours == [(8, 12), (13, 20)]));
    let tax = of("tax");
    assert_eq!(tax.len(), 1, "{tax:?}");
    assert_eq!((tax[0].days, tax[0].ground, &tax[0].fields), (DayKind::Working, Ground::Legal, &vec![field("income")]));
}

#[test]
fn a_difference_names_questions_and_joins_hours() {
    let (datasets, purposes, members) = (datasets(), purposes(), members());
    let catalogue = Catalogue { datasets: &datasets, purposes: &purposes, members: &members };
    let old = book(1, good());
    assert_eq!(diff(SUITE, &old, &old, &catalogue).unwrap().changes, []);
    let mut later = good();
    later[0].until_hour = 22;
    later.push(rule("no-b", "bank-b", "match", Effect::Forbid));
    let difference = diff(SUITE, &old, &book(2, later), &catalogue).unwrap();
    let told: Vec<_> = difference
        .changes
        .iter()
        .map(|c| (c.member.as_str(), c.from_hour, c.until_hour, c.was.is_yes(), c.now.is_yes()))
        .collect();
    assert_eq!(
        told,
        [("bank-a", 20, 22, false, true), ("bank-b", 8, 20, true, false), ("bank-b", 20, 22, false, true)]
    );
    assert_eq!((difference.widened(), difference.truncated), (4, false));
    // Three consumers, two datasets with two and one modes that a purpose serves: (match twice, detail once), match twice.
    assert_eq!(difference.questions, 24 * 3 * (3 + 2));
}

#[test]
fn a_demand_more_is_a_difference_too() {
    let (datasets, purposes, members) = (datasets(), purposes(), members());
    let catalogue = Catalogue { datasets: &datasets, purposes: &purposes, members: &members };
    let mut slower = good();
    slower[0].obligations = Some(RuleObligations { rate_per_minute: Some(6), ..RuleObligations::default() });
    let difference = diff(SUITE, &book(1, good()), &book(2, slower), &catalogue).unwrap();
    assert_eq!(difference.changes.len(), 2);
    assert!(difference.changes.iter().all(|c| c.was.is_yes() && c.now.is_yes()));
}

#[test]
fn against_the_book_before_lost_forbids_and_wrong_revisions_are_told() {
    let mut before = good();
    before.push(rule("no-b", "bank-b", "*", Effect::Forbid));
    let before = book(1, before);
    let review = reviewed(&book(2, good()), Some(&before));
    let codes: Vec<_> = review.findings.iter().map(|f| f.code).collect();
    assert_eq!(codes, [FindingCode::ForbidGone, FindingCode::Widened]);
    assert_eq!(review.difference.unwrap().widened(), 12);
    let review = reviewed(&book(3, good()), Some(&before));
    assert!(!review.passes(), "a revision is left out");
}

#[test]
fn more_questions_than_the_cap_are_cut_and_said_so() {
    let (datasets, purposes) = (datasets(), purposes());
    let many: Vec<Member> =
        (0..45_000).map(|n| member(&format!("bank-{n}"), Class::Finance, &[Role::Consumer])).collect();
    let catalogue = Catalogue { datasets: &datasets, purposes: &purposes, members: &many };
    let empty = book(1, vec![]);
    let review = review(SUITE, &empty, None, &catalogue);
    assert!(review.truncated);
}
