//! A holder's guard rules, evaluated by casbin.

use std::collections::BTreeMap;

use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi, RbacApi};
use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::{Effect, GuardRule, Member, MemberId, Mode, PurposeCode, RuleBook};
use futures::executor::block_on;
use parking_lot::Mutex;

/// Most rules of one rule book: casbin walks them all for every question.
const MAX_RULES: usize = 400;
/// Most role links of one rule book.
const MAX_LINKS: usize = 400;
/// Distinct questions remembered between changes of the rule book.
const MEMORY: usize = 4096;

/// A forbid overrides every allow; nothing allowed means no. Cheap comparisons stand before the role walk.
const MODEL: &str = r#"
[request_definition]
r = sub, obj, act, purpose, hour

[policy_definition]
p = sub, obj, act, purpose, from, until, eft, name

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = (p.obj == "*" || p.obj == r.obj) && (p.act == "*" || p.act == r.act) && (p.purpose == "*" || p.purpose == r.purpose) && p.from <= r.hour && r.hour < p.until && (p.sub == "*" || g(r.sub, p.sub))
"#;

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
}

/// What the guard says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardVerdict {
    /// A rule allows and none forbids.
    Allows {
        /// The rules that allow.
        rules: Vec<String>,
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

/// Why a rule book cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// Too many rules or role links.
    #[error("rule book of `{holder}` has {rules} rules and {links} role links: at most {MAX_RULES} and {MAX_LINKS}")]
    TooLarge {
        /// The holder.
        holder: MemberId,
        /// Rules found.
        rules: usize,
        /// Links found.
        links: usize,
    },
    /// A rule that no question could ever meet, or that casbin would read as code.
    #[error("rule `{rule}` of `{holder}`: {fault}")]
    Rule {
        /// The holder.
        holder: MemberId,
        /// The rule.
        rule: String,
        /// What is wrong.
        fault: &'static str,
    },
    /// The evaluator does not take the rules.
    #[error("rule book of `{holder}` is not accepted by the evaluator")]
    Evaluator {
        /// The holder.
        holder: MemberId,
        /// Its words.
        #[source]
        source: casbin::Error,
    },
}

/// A rule book made ready: the evaluator and what it has answered so far. Answers depend on nothing but the question,
/// so remembering them changes no decision.
pub struct Guard {
    holder: MemberId,
    revision: u32,
    digest: Digest,
    enforcer: Enforcer,
    rules: BTreeMap<String, Effect>,
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
    /// [`GuardError`] naming the rule at fault.
    pub fn compile<'a>(
        suite: SuiteId,
        book: &RuleBook,
        members: impl IntoIterator<Item = &'a Member>,
    ) -> Result<Self, GuardError> {
        check(book)?;
        let evaluator = |source| GuardError::Evaluator { holder: book.holder.clone(), source };
        let enforcer = block_on(build(book, members)).map_err(evaluator)?;
        Ok(Self {
            holder: book.holder.clone(),
            revision: book.revision,
            digest: Digest::of(suite, Label::POLICY, &to_bytes(book)),
            enforcer,
            rules: book.rules.iter().map(|r| (r.name.clone(), r.effect)).collect(),
            memory: Mutex::default(),
        })
    }

    /// Digest of the rule book, recorded with every decision.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Revision of the rule book.
    pub fn revision(&self) -> u32 {
        self.revision
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

    fn evaluate(&self, question: &GuardQuestion) -> GuardVerdict {
        let GuardQuestion { consumer, dataset, mode, purpose, hour } = question;
        let hour = two_digits(*hour);
        let request = (consumer.as_str(), dataset.as_str(), mode.name(), purpose.as_str(), hour.as_str());
        match self.enforcer.enforce(request) {
            Err(error) => GuardVerdict::Failed { error: error.to_string() },
            Ok(true) => GuardVerdict::Allows { rules: self.speaking(question, Effect::Allow) },
            Ok(false) => match self.speaking(question, Effect::Forbid) {
                forbidding if forbidding.is_empty() => GuardVerdict::Silent,
                rules => GuardVerdict::Forbids { rules },
            },
        }
    }

    /// Names of the rules that meet the question, for the explanation. Casbin decides; this only tells why.
    fn speaking(&self, question: &GuardQuestion, effect: Effect) -> Vec<String> {
        let roles = self.enforcer.get_role_manager();
        let has = |subject: &str| {
            subject == "*"
                || subject == question.consumer.as_str()
                || roles.write().has_link(question.consumer.as_str(), subject, None)
        };
        let fits = |pattern: &str, value: &str| pattern == "*" || pattern == value;
        let meets = |p: &[String]| {
            let hour = |i: usize| p.get(i).and_then(|t| t.parse::<u8>().ok());
            let text = |i: usize| p.get(i).map_or("", String::as_str);
            fits(text(1), &question.dataset)
                && fits(text(2), question.mode.name())
                && fits(text(3), question.purpose.as_str())
                && hour(4).is_some_and(|from| from <= question.hour)
                && hour(5).is_some_and(|until| question.hour < until)
                && has(text(0))
        };
        let policies = self.enforcer.get_policy();
        let names = policies.iter().filter(|p| meets(p)).filter_map(|p| p.get(7).cloned());
        names.filter(|name| self.rules.get(name) == Some(&effect)).collect()
    }
}

fn check(book: &RuleBook) -> Result<(), GuardError> {
    if book.rules.len() > MAX_RULES || book.roles.len() > MAX_LINKS {
        let (rules, links) = (book.rules.len(), book.roles.len());
        return Err(GuardError::TooLarge { holder: book.holder.clone(), rules, links });
    }
    let mut names = std::collections::BTreeSet::new();
    for rule in &book.rules {
        let fault = if names.insert(&rule.name) { fault(rule) } else { Some("another rule has this name") };
        if let Some(fault) = fault {
            return Err(GuardError::Rule { holder: book.holder.clone(), rule: rule.name.clone(), fault });
        }
    }
    let plain_links = book.roles.iter().all(|l| plain(&l.member) && plain(&l.role));
    if plain_links {
        return Ok(());
    }
    let fault = "role names are 1 to 60 characters of `a-z`, `0-9`, `-` and `_`";
    Err(GuardError::Rule { holder: book.holder.clone(), rule: "roles".into(), fault })
}

fn plain(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=60).contains(&text.len()) && text.bytes().all(allowed)
}

fn fault(rule: &GuardRule) -> Option<&'static str> {
    let names = [&rule.subject, &rule.dataset, &rule.purpose];
    if !plain(&rule.name) {
        return Some("its name must be 1 to 60 characters of `a-z`, `0-9`, `-` and `_`");
    }
    if names.into_iter().any(|n| n != "*" && !plain(n)) {
        return Some("subject, dataset and purpose are `*` or 1 to 60 characters of `a-z`, `0-9`, `-` and `_`");
    }
    if rule.mode != "*" && rule.mode.parse::<Mode>().is_err() {
        return Some("mode is `*`, `match`, `lookup`, `detail` or `submit`");
    }
    if rule.from_hour >= rule.until_hour || rule.until_hour > 24 {
        return Some("hours must satisfy 0 <= from_hour < until_hour <= 24");
    }
    None
}

fn two_digits(hour: u8) -> String {
    format!("{hour:02}")
}

async fn build<'a>(book: &RuleBook, members: impl IntoIterator<Item = &'a Member>) -> casbin::Result<Enforcer> {
    let model = DefaultModel::from_str(MODEL).await?;
    let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
    // INVARIANT: no number reaches casbin; hours are compared as two-digit texts.
    let policies = book.rules.iter().map(|r| {
        let effect = if r.effect == Effect::Allow { "allow" } else { "deny" };
        let (from, until) = (two_digits(r.from_hour), two_digits(r.until_hour));
        [&*r.subject, &r.dataset, &r.mode, &r.purpose, &from, &until, effect, &r.name].map(str::to_owned).to_vec()
    });
    enforcer.add_policies(policies.collect()).await?;
    for member in members {
        enforcer.add_role_for_user(member.id.as_str(), member.class.name(), None).await?;
    }
    for link in &book.roles {
        enforcer.add_role_for_user(&link.member, &link.role, None).await?;
    }
    Ok(enforcer)
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
        }
    }

    fn guard(rules: Vec<GuardRule>) -> Result<Guard, GuardError> {
        let roles = vec![RoleLink { member: "finance".into(), role: "licensed".into() }];
        let book = RuleBook { holder: MemberId::new("credit-centre").unwrap(), revision: 1, rules, roles };
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
        }
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
            GuardVerdict::Allows { rules: vec!["licensed-may".into()] }
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
}
