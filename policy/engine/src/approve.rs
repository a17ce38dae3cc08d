//! Access requests that a holder's rule book approves without a person.

use covenant_domain::{AccessRequest, AutoRule, Grant, Quota, RiskLevel};

use crate::Guard;

const DAY_MS: u64 = 24 * 3_600_000;

/// The name of the rule that approves the request; none when a person must look at it. The caller has checked the
/// request itself: its signature, that dataset, purpose and fields exist, and that the holder may grant them.
pub fn auto_approval<'a>(guard: &'a Guard, request: &AccessRequest) -> Option<&'a str> {
    let grant = &request.grant.grant;
    let risk = request.risk.level();
    // INVARIANT: high risk needs a person, whatever a rule says.
    if risk >= RiskLevel::High || &grant.holder != guard.holder() {
        return None;
    }
    let approves = |rule: &&AutoRule| {
        risk <= rule.highest_risk && guard.has_role(&grant.consumer, &rule.subject) && covers(rule, grant)
    };
    guard.auto().iter().find(approves).map(|rule| rule.name.as_str())
}

/// Whether all that a grant allows lies within the rule.
fn covers(rule: &AutoRule, grant: &Grant) -> bool {
    let lasts_ms = grant.valid_until_ms.saturating_sub(grant.valid_from_ms);
    (rule.dataset == "*" || rule.dataset == grant.dataset.name())
        && rule.purposes.contains(&grant.purpose)
        && !grant.modes.is_empty()
        && grant.modes.iter().all(|mode| rule.modes.contains(mode))
        && !grant.fields.is_empty()
        && (rule.fields.is_empty() || grant.fields.iter().all(|field| rule.fields.contains(field)))
        && per_day(&grant.quota).is_some_and(|queries| queries <= u128::from(rule.max_per_day))
        && lasts_ms <= u64::from(rule.max_valid_days).saturating_mul(DAY_MS)
}

/// Most queries that a quota allows in a day of whole windows; a window longer than a day may be spent in one. None for
/// a window of no length.
fn per_day(quota: &Quota) -> Option<u128> {
    let windows = DAY_MS.div_ceil(if quota.window_ms == 0 { return None } else { quota.window_ms });
    Some(u128::from(quota.limit) * u128::from(windows))
}

#[cfg(test)]
mod tests {
    use covenant_canon::SuiteId;
    use covenant_domain::{
        DatasetId, FieldName, GrantId, MemberId, Mode, PurposeCode, RequestId, RiskAnswer, RiskRecord, RoleLink,
        RuleBook, SignedGrant,
    };

    use super::*;

    fn field(name: &str) -> FieldName {
        FieldName::new(name).unwrap()
    }

    fn rule() -> AutoRule {
        AutoRule {
            name: "small".into(),
            subject: "licensed".into(),
            dataset: "credit".into(),
            purposes: vec![PurposeCode::new("mortgage-review").unwrap()],
            modes: vec![Mode::Match],
            fields: vec![field("loans")],
            max_per_day: 240,
            max_valid_days: 90,
            highest_risk: RiskLevel::Medium,
        }
    }

    fn guard(auto: Vec<AutoRule>) -> Guard {
        let roles = vec![RoleLink { member: "bank".into(), role: "licensed".into() }];
        let holder = MemberId::new("credit-centre").unwrap();
        let book = RuleBook { holder, revision: 1, rules: vec![], roles, auto };
        Guard::compile(SuiteId::Sm, &book, []).unwrap()
    }

    fn request() -> AccessRequest {
        let answer = |level| RiskAnswer { level, answer: "little".into() };
        let grant = Grant {
            id: GrantId::from_parts(1, &[1; 10]),
            holder: MemberId::new("credit-centre").unwrap(),
            consumer: MemberId::new("bank").unwrap(),
            dataset: DatasetId::new("cov:city/gov/credit-centre/core/credit").unwrap(),
            purpose: PurposeCode::new("mortgage-review").unwrap(),
            modes: vec![Mode::Match],
            fields: vec![field("loans")],
            quota: Quota { limit: 10, window_ms: 3_600_000 },
            valid_from_ms: 7,
            valid_until_ms: 7 + 90 * DAY_MS,
            data_life_days: 1,
            max_rows: 1,
            supersedes: None,
        };
        AccessRequest {
            id: RequestId::from_parts(1, &[2; 10]),
            subsystem: "loans".into(),
            dataset_revision: 1,
            grant: SignedGrant { grant, consumer_signature: String::new() },
            risk: RiskRecord {
                data: answer(RiskLevel::Low),
                scene: answer(RiskLevel::Medium),
                mode: answer(RiskLevel::Low),
                audience: answer(RiskLevel::Low),
                author: "wang".into(),
                reviewer: "li".into(),
            },
        }
    }

    type Broken = (&'static str, fn(&mut AccessRequest));

    /// The approved request with one thing too much.
    const BROKEN: &[Broken] = &[
        ("another consumer", |r| r.grant.grant.consumer = MemberId::new("shop").unwrap()),
        ("another holder", |r| r.grant.grant.holder = MemberId::new("tax").unwrap()),
        ("another dataset", |r| {
            r.grant.grant.dataset = DatasetId::new("cov:city/gov/credit-centre/core/scores").unwrap();
        }),
        ("another purpose", |r| r.grant.grant.purpose = PurposeCode::new("marketing").unwrap()),
        ("one mode more", |r| r.grant.grant.modes.push(Mode::Detail)),
        ("no mode", |r| r.grant.grant.modes.clear()),
        ("one field more", |r| r.grant.grant.fields.push(FieldName::new("name").unwrap())),
        ("no field", |r| r.grant.grant.fields.clear()),
        ("one query more in an hour", |r| r.grant.grant.quota.limit = 11),
        ("a week's quota that could be spent in a day", |r| {
            r.grant.grant.quota = Quota { limit: 241, window_ms: 7 * DAY_MS };
        }),
        ("the most queries there are", |r| r.grant.grant.quota = Quota { limit: u64::MAX, window_ms: 1 }),
        ("a window of no length", |r| r.grant.grant.quota.window_ms = 0),
        ("a moment longer", |r| r.grant.grant.valid_until_ms += 1),
        ("for ever", |r| (r.grant.grant.valid_from_ms, r.grant.grant.valid_until_ms) = (0, u64::MAX)),
        ("high risk in one dimension", |r| r.risk.audience.level = RiskLevel::High),
    ];

    #[test]
    fn a_request_within_a_rule_is_approved_and_one_thing_too_much_is_not() {
        let guard = guard(vec![rule()]);
        assert_eq!(auto_approval(&guard, &request()), Some("small"));
        for (what, breaks) in BROKEN {
            let mut broken = request();
            breaks(&mut broken);
            assert_eq!(auto_approval(&guard, &broken), None, "{what}");
        }
    }

    #[test]
    fn the_first_rule_that_covers_is_named_and_no_rule_covers_nothing() {
        let strict = AutoRule { name: "low-only".into(), highest_risk: RiskLevel::Low, ..rule() };
        let guard = guard(vec![strict, rule()]);
        assert_eq!(auto_approval(&guard, &request()), Some("small"));
        let mut low = request();
        low.risk.scene.level = RiskLevel::Low;
        assert_eq!(auto_approval(&guard, &low), Some("low-only"));
        assert_eq!(auto_approval(&self::guard(vec![]), &request()), None);
    }

    #[test]
    fn rules_that_approve_high_risk_or_name_no_purpose_are_refused() {
        let compiles = |auto: AutoRule| {
            let holder = MemberId::new("credit-centre").unwrap();
            let book = RuleBook { holder, revision: 1, rules: vec![], roles: vec![], auto: vec![auto] };
            Guard::compile(SuiteId::Sm, &book, []).is_ok()
        };
        assert!(compiles(rule()));
        assert!(!compiles(AutoRule { highest_risk: RiskLevel::High, ..rule() }));
        assert!(!compiles(AutoRule { purposes: vec![], ..rule() }));
        assert!(!compiles(AutoRule { modes: vec![], ..rule() }));
        assert!(!compiles(AutoRule { max_per_day: 0, ..rule() }));
        assert!(!compiles(AutoRule { subject: "a b".into(), ..rule() }));
    }
}
