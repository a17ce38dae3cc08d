//! A holder's guard rules, evaluated by casbin.

mod check;
mod evaluator;
mod roles;

use std::collections::BTreeMap;

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::{
    AutoRule, DayKind, Effect, FieldName, Grade, Ground, GuardRule, Member, MemberId, Mode, PurposeCode, RuleBook,
    RuleObligations,
};
use futures::executor::block_on;
use parking_lot::Mutex;

pub use check::GuardError;
use evaluator::Evaluator;
use roles::{RoleFault, Roles};

/// Distinct questions remembered between changes of the rule book.
const MEMORY: usize = 4096;

/// What is asked of the guard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GuardQuestion {
    /// The consumer.
    pub consumer: MemberId,
    /// Short name of the dataset.
    pub dataset: String,
    /// Mode.
    pub mode: Mode,
    /// Purpose.
    pub purpose: PurposeCode,
    /// Hour of the day, UTC+8.
    pub hour: u8,
    /// Whether the day is a working day.
    pub working_day: bool,
    /// Whether the query rests on the law alone, without a consent.
    pub legal: bool,
    /// Grade of the dataset.
    pub grade: Grade,
    /// Fields asked.
    pub fields: Vec<FieldName>,
}

/// What the guard says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardVerdict {
    /// A rule allows and none forbids.
    Allows {
        /// The rules that allow.
        rules: Vec<String>,
        /// What they demand of the answer, all of them together.
        obligations: RuleObligations,
    },
    /// At least one rule forbids.
    Forbids {
        /// The rules that forbid.
        rules: Vec<String>,
    },
    /// No rule speaks.
    Silent,
    /// Evaluation failed; counts as no.
    Failed {
        /// The evaluator's words.
        error: String,
    },
}

/// A rule book made ready: the evaluator and what it has answered so far. Answers depend on nothing but the question,
/// so remembering them changes no decision.
pub struct Guard {
    holder: MemberId,
    revision: u32,
    digest: Digest,
    evaluator: Evaluator,
    roles: Roles,
    rules: Vec<GuardRule>,
    auto: Vec<AutoRule>,
    memory: Mutex<BTreeMap<GuardQuestion, GuardVerdict>>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guard({} revision {}, {} rules)", self.holder, self.revision, self.rules.len())
    }
}

impl Guard {
    /// Compiles a rule book. `members` get their class as a role; nothing else of them is visible to rules.
    ///
    /// # Errors
    /// [`GuardError`] naming the rule or the roles at fault.
    pub fn compile<'a>(
        suite: SuiteId,
        book: &RuleBook,
        members: impl IntoIterator<Item = &'a Member>,
    ) -> Result<Self, GuardError> {
        check::check(book)?;
        let holder = || book.holder.clone();
        let roles = Roles::close(book, members).map_err(|fault| match fault {
            RoleFault::Cycle(cycle) => GuardError::Cycle { holder: holder(), cycle },
            RoleFault::Deep(foot) => GuardError::Deep { holder: holder(), foot },
        })?;
        let evaluator = |source| GuardError::Evaluator { holder: holder(), source };
        Ok(Self {
            holder: holder(),
            revision: book.revision,
            digest: Digest::of(suite, Label::POLICY, &to_bytes(book)),
            evaluator: block_on(Evaluator::build(book, &roles)).map_err(evaluator)?,
            roles,
            rules: book.rules.clone(),
            auto: book.auto.clone(),
            memory: Mutex::default(),
        })
    }

    /// Whose rule book.
    pub fn holder(&self) -> &MemberId {
        &self.holder
    }

    /// Digest of the rule book, recorded with every decision.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Revision of the rule book.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// Its rules of automatic approval.
    pub fn auto(&self) -> &[AutoRule] {
        &self.auto
    }

    /// Whether a member is the subject of a rule: by its id, by a role of the hierarchy, or because it is `*`.
    pub fn has_role(&self, member: &MemberId, subject: &str) -> bool {
        self.roles.has(member.as_str(), subject)
    }

    /// Whether one name of a rule is, or has, another: `bank` has `licensed`, everybody is `*`.
    pub fn inherits(&self, name: &str, subject: &str) -> bool {
        self.roles.has(name, subject)
    }

    /// Answers a question.
    pub fn ask(&self, question: &GuardQuestion) -> GuardVerdict {
        if let Some(known) = self.memory.lock().get(question) {
            return known.clone();
        }
        let verdict = self.evaluate(question);
        let mut memory = self.memory.lock();
        if memory.len() >= MEMORY {
            memory.clear();
        }
        memory.insert(question.clone(), verdict.clone());
        verdict
    }

    /// Casbin decides; the walk over the rules tells why and what they demand. INVARIANT: a yes is explained by an
    /// allow and contradicted by no forbid. Where the two differ, nothing is allowed.
    fn evaluate(&self, question: &GuardQuestion) -> GuardVerdict {
        let allows = match self.evaluator.allows(question) {
            Ok(allows) => allows,
            Err(error) => return GuardVerdict::Failed { error: error.to_string() },
        };
        let speaking = |effect: Effect| -> Vec<&GuardRule> {
            self.rules.iter().filter(|r| r.effect == effect && self.speaks(r, question)).collect()
        };
        let names = |rules: &[&GuardRule]| rules.iter().map(|r| r.name.clone()).collect();
        let (allowing, forbidding) = (speaking(Effect::Allow), speaking(Effect::Forbid));
        match (allows, forbidding.is_empty(), allowing.is_empty()) {
            (true, true, false) => {
                let obligations = allowing.iter().filter_map(|r| r.obligations.as_ref());
                let obligations = obligations.fold(RuleObligations::default(), |all, one| all.and(one));
                GuardVerdict::Allows { rules: names(&allowing), obligations }
            }
            (false, false, _) => GuardVerdict::Forbids { rules: names(&forbidding) },
            (false, true, true) => GuardVerdict::Silent,
            _ => GuardVerdict::Failed { error: "evaluator and rules disagree".into() },
        }
    }

    /// Whether a rule is about the question.
    fn speaks(&self, rule: &GuardRule, question: &GuardQuestion) -> bool {
        let fits = |pattern: &str, value: &str| pattern == "*" || pattern == value;
        fits(&rule.dataset, &question.dataset)
            && fits(&rule.mode, question.mode.name())
            && fits(&rule.purpose, question.purpose.as_str())
            && (rule.from_hour..rule.until_hour).contains(&question.hour)
            && matches!(
                (rule.ground, question.legal),
                (Ground::Any, _) | (Ground::Legal, true) | (Ground::Consent, false)
            )
            && matches!(
                (rule.days, question.working_day),
                (DayKind::Any, _) | (DayKind::Working, true) | (DayKind::Free, false)
            )
            && speaks_of_data(rule, question)
            && self.roles.has(question.consumer.as_str(), &rule.subject)
    }
}

/// Grade and fields: an allow is bounded by them, a forbid is drawn by them.
fn speaks_of_data(rule: &GuardRule, question: &GuardQuestion) -> bool {
    let asked = &question.fields;
    let named = |field: &FieldName| rule.fields.contains(field);
    match rule.effect {
        Effect::Allow => {
            rule.grade.is_none_or(|most| question.grade <= most)
                && (rule.fields.is_empty() || (!asked.is_empty() && asked.iter().all(named)))
        }
        Effect::Forbid => {
            rule.grade.is_none_or(|least| question.grade >= least)
                && (rule.fields.is_empty() || asked.iter().any(named))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_domain::{Class, Names, RoleLink};

    fn rule(name: &str, subject: &str, mode: &str, effect: Effect) -> GuardRule {
        GuardRule {
            name: name.into(),
            subject: subject.into(),
            dataset: "credit".into(),
            mode: mode.into(),
            purpose: "*".into(),
            from_hour: 8,
            until_hour: 20,
            effect,
            ..GuardRule::default()
        }
    }

    fn guard(rules: Vec<GuardRule>) -> Result<Guard, GuardError> {
        let roles = vec![RoleLink { member: "finance".into(), role: "licensed".into() }];
        let book =
            RuleBook { holder: MemberId::new("credit-centre").unwrap(), revision: 1, rules, roles, auto: vec![] };
        let bank = Member {
            id: MemberId::new("bank-a").unwrap(),
            names: Names::new("银行", "Bank"),
            class: Class::Finance,
            roles: vec![],
            verifying_key: String::new(),
            sealing_key: String::new(),
        };
        Guard::compile(SuiteId::Sm, &book, [&bank])
    }

    fn question(consumer: &str, mode: Mode, hour: u8) -> GuardQuestion {
        GuardQuestion {
            consumer: MemberId::new(consumer).unwrap(),
            dataset: "credit".into(),
            mode,
            purpose: PurposeCode::new("mortgage").unwrap(),
            hour,
            working_day: true,
            legal: false,
            grade: Grade::Important,
            fields: vec![field("balance"), field("loans")],
        }
    }

    fn field(name: &str) -> FieldName {
        FieldName::new(name).unwrap()
    }

    fn allowed(guard: &Guard, question: &GuardQuestion) -> bool {
        matches!(guard.ask(question), GuardVerdict::Allows { .. })
    }

    #[test]
    fn roles_are_inherited_and_forbid_overrides() {
        let rules = vec![
            rule("licensed-may", "licensed", "*", Effect::Allow),
            rule("no-submit", "bank-a", "submit", Effect::Forbid),
        ];
        let guard = guard(rules).unwrap();
        assert_eq!(
            guard.ask(&question("bank-a", Mode::Detail, 10)),
            GuardVerdict::Allows { rules: vec!["licensed-may".into()], obligations: RuleObligations::default() }
        );
        assert_eq!(
            guard.ask(&question("bank-a", Mode::Submit, 10)),
            GuardVerdict::Forbids { rules: vec!["no-submit".into()] }
        );
        assert_eq!(guard.ask(&question("bank-a", Mode::Detail, 20)), GuardVerdict::Silent);
        assert_eq!(guard.ask(&question("stranger", Mode::Detail, 10)), GuardVerdict::Silent);
    }

    #[test]
    fn rules_that_would_run_as_code_or_never_match_are_refused() {
        let mut code = rule("x", "bank-a", "*", Effect::Allow);
        code.subject = "eval(true)".into();
        assert!(matches!(guard(vec![code]), Err(GuardError::Rule { .. })));
        let mut hours = rule("x", "bank-a", "*", Effect::Allow);
        hours.from_hour = 20;
        assert!(guard(vec![hours]).is_err());
        assert!(guard(vec![rule("x", "a", "*", Effect::Allow), rule("x", "b", "*", Effect::Allow)]).is_err());
        assert!(guard(vec![rule("x", "a", "peek", Effect::Allow)]).is_err());
    }

    #[test]
    fn ground_and_days_narrow_a_rule() {
        let allow = GuardRule { ground: Ground::Consent, days: DayKind::Working, ..rule("a", "*", "*", Effect::Allow) };
        let guard = guard(vec![allow]).unwrap();
        let asked = question("bank-a", Mode::Detail, 10);
        assert!(allowed(&guard, &asked));
        assert!(!allowed(&guard, &GuardQuestion { legal: true, ..asked.clone() }));
        assert!(!allowed(&guard, &GuardQuestion { working_day: false, ..asked }));
    }

    #[test]
    fn an_allow_reaches_up_to_its_grade_and_a_forbid_down_to_it() {
        let grades = [Grade::General, Grade::Important, Grade::Core];
        let allow = GuardRule { grade: Some(Grade::Important), ..rule("a", "*", "*", Effect::Allow) };
        let forbid = GuardRule { grade: Some(Grade::Important), ..rule("f", "*", "*", Effect::Forbid) };
        let verdicts = |guard: &Guard| {
            grades.map(|grade| allowed(guard, &GuardQuestion { grade, ..question("bank-a", Mode::Detail, 10) }))
        };
        assert_eq!(verdicts(&guard(vec![allow]).unwrap()), [true, true, false]);
        let all = rule("a", "*", "*", Effect::Allow);
        assert_eq!(verdicts(&guard(vec![all, forbid]).unwrap()), [true, false, false]);
    }

    #[test]
    fn asking_for_more_fields_never_opens_a_door() {
        let allow = GuardRule { fields: vec![field("balance"), field("loans")], ..rule("a", "*", "*", Effect::Allow) };
        let forbid = GuardRule { fields: vec![field("loans")], ..rule("f", "*", "*", Effect::Forbid) };
        let ask = |guard: &Guard, fields: &[&str]| {
            let fields = fields.iter().map(|f| field(f)).collect();
            allowed(guard, &GuardQuestion { fields, ..question("bank-a", Mode::Detail, 10) })
        };
        let narrow = guard(vec![allow]).unwrap();
        assert!(ask(&narrow, &["balance"]) && ask(&narrow, &["balance", "loans"]));
        assert!(!ask(&narrow, &["balance", "name"]) && !ask(&narrow, &[]));
        let barred = guard(vec![rule("a", "*", "*", Effect::Allow), forbid]).unwrap();
        assert!(ask(&barred, &["balance"]));
        assert!(!ask(&barred, &["balance", "loans"]) && !ask(&barred, &["loans"]));
    }

    #[test]
    fn all_rules_that_allow_have_their_demands_met() {
        let demanding = |name: &str, rows, rate| GuardRule {
            obligations: Some(RuleObligations {
                max_rows: Some(rows),
                rate_per_minute: rate,
                ..RuleObligations::default()
            }),
            ..rule(name, "*", "*", Effect::Allow)
        };
        let rules = vec![demanding("a", 5, None), demanding("b", 2, Some(6)), rule("c", "*", "*", Effect::Allow)];
        let GuardVerdict::Allows { rules, obligations } =
            guard(rules).unwrap().ask(&question("bank-a", Mode::Detail, 10))
        else {
            panic!("refused")
        };
        assert_eq!(rules, ["a", "b", "c"]);
        assert_eq!((obligations.max_rows, obligations.rate_per_minute), (Some(2), Some(6)));
    }

    #[test]
    fn circles_of_roles_and_demands_of_a_forbid_are_refused() {
        let roles = vec![
            RoleLink { member: "finance".into(), role: "licensed".into() },
            RoleLink { member: "licensed".into(), role: "finance".into() },
        ];
        let holder = MemberId::new("tax").unwrap();
        let book = RuleBook { holder, revision: 1, rules: vec![], roles, auto: vec![] };
        let error = Guard::compile(SuiteId::Sm, &book, []).unwrap_err();
        assert!(matches!(error, GuardError::Cycle { .. }));
        assert!(error.to_string().contains("`finance` has `licensed` has `finance`"), "{error}");
        let mut forbid = rule("f", "*", "*", Effect::Forbid);
        forbid.obligations = Some(RuleObligations::default());
        assert!(matches!(guard(vec![forbid]), Err(GuardError::Rule { .. })));
        let mut none = rule("a", "*", "*", Effect::Allow);
        none.obligations = Some(RuleObligations { max_rows: Some(0), ..RuleObligations::default() });
        assert!(matches!(guard(vec![none]), Err(GuardError::Rule { .. })));
    }
}
