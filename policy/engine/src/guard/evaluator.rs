//! Casbin, given the rows that may speak about a question and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use casbin::function_map::OperatorFunction;
use casbin::rhai::Dynamic;
use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};
use covenant_domain::{DayKind, Effect, FieldName, Grade, Ground, GuardRule, Mode, RuleBook};

use super::GuardQuestion;
use super::roles::Roles;

/// A forbid overrides every allow; nothing allowed means no. What tells most rows of one part apart stands first, the
/// walks over fields and roles last.
const MODEL: &str = r#"
[request_definition]
r = sub, obj, act, purpose, hour, ground, day, grade, fields

[policy_definition]
p = sub, obj, act, purpose, from, until, ground, day, least, most, fields, eft

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = p.from <= r.hour && r.hour < p.until && (p.ground == "*" || p.ground == r.ground) && (p.day == "*" || p.day == r.day) && (p.purpose == "*" || p.purpose == r.purpose) && (p.obj == "*" || p.obj == r.obj) && (p.act == "*" || p.act == r.act) && p.least <= r.grade && r.grade <= p.most && (p.fields == "*" || speaks(r.fields, p.fields)) && (p.sub == "*" || g(r.sub, p.sub))
"#;

/// Most groups that datasets are divided into, beside the one of datasets that no rule names.
const DATASET_GROUPS: usize = 15;
/// Most groups that purposes are divided into, beside the one of purposes that no rule names.
const PURPOSE_GROUPS: usize = 7;

/// Group of datasets, mode, group of purposes.
type Part = (usize, Mode, usize);

/// One enforcer for each group of datasets, mode and group of purposes; parts of equal rows share one. A row that names
/// another dataset, mode or purpose could not match, so leaving it out changes no verdict; evaluation costs some
/// microseconds a row, so it changes the time.
pub(super) struct Evaluator {
    datasets: Groups,
    purposes: Groups,
    parts: BTreeMap<Part, usize>,
    enforcers: Vec<Enforcer>,
}

/// Names that rules use, divided into a few groups; group 0 is for names that no rule uses.
struct Groups(BTreeMap<String, usize>);

impl Groups {
    fn of<'a>(names: impl Iterator<Item = &'a String>, most: usize) -> Self {
        let named: BTreeSet<&String> = names.filter(|n| *n != "*").collect();
        Self(named.into_iter().enumerate().map(|(i, n)| (n.clone(), 1 + i % most)).collect())
    }

    fn of_name(&self, name: &str) -> usize {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Whether a pattern may fit a name of the group.
    fn may_fit(&self, pattern: &str, group: usize) -> bool {
        pattern == "*" || self.0.get(pattern) == Some(&group)
    }

    fn all(&self) -> impl Iterator<Item = usize> + use<> {
        0..=self.0.values().max().copied().unwrap_or(0)
    }
}

impl Evaluator {
    pub(super) async fn build(book: &RuleBook, roles: &Roles) -> casbin::Result<Self> {
        let datasets = Groups::of(book.rules.iter().map(|r| &r.dataset), DATASET_GROUPS);
        let purposes = Groups::of(book.rules.iter().map(|r| &r.purpose), PURPOSE_GROUPS);
        let mut out = Self { datasets, purposes, parts: BTreeMap::new(), enforcers: Vec::new() };
        let model = DefaultModel::from_str(MODEL).await?;
        let mut known: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        for part in out.all_parts() {
            let places = out.places(book, part);
            // Casbin has its own idea of a book without rows.
            if places.is_empty() {
                continue;
            }
            let number = match known.get(&places) {
                Some(number) => *number,
                None => {
                    let rows = places.iter().filter_map(|place| book.rules.get(*place)).map(row).collect();
                    out.add(&model, rows).await?;
                    out.enforcers.len() - 1
                }
            };
            known.insert(places, number);
            out.parts.insert(part, number);
        }
        // Setting a manager empties it, so links come last.
        if let Some(enforcer) = out.enforcers.first() {
            let manager = enforcer.get_role_manager();
            roles.links().for_each(|(member, role)| manager.write().add_link(member, role, None));
        }
        Ok(out)
    }

    /// Another enforcer, with the role graph of the first.
    async fn add(&mut self, model: &DefaultModel, rows: Vec<Vec<String>>) -> casbin::Result<()> {
        let mut enforcer = Enforcer::new(model.clone(), MemoryAdapter::default()).await?;
        enforcer.add_function("speaks", OperatorFunction::Arg2(speaks));
        if let Some(first) = self.enforcers.first() {
            enforcer.set_role_manager(first.get_role_manager())?;
        }
        enforcer.add_policies(rows).await?;
        self.enforcers.push(enforcer);
        Ok(())
    }

    /// Whether a rule allows and none forbids.
    pub(super) fn allows(&self, question: &GuardQuestion) -> casbin::Result<bool> {
        let dataset = self.datasets.of_name(&question.dataset);
        let part = (dataset, question.mode, self.purposes.of_name(question.purpose.as_str()));
        let Some(enforcer) = self.parts.get(&part).and_then(|number| self.enforcers.get(*number)) else {
            return Ok(false);
        };
        let hour = two_digits(question.hour);
        let ground = if question.legal { "legal" } else { "consent" };
        let day = if question.working_day { "working" } else { "free" };
        enforcer.enforce((
            question.consumer.as_str(),
            question.dataset.as_str(),
            question.mode.name(),
            question.purpose.as_str(),
            hour.as_str(),
            ground,
            day,
            grade(question.grade),
            listed(&question.fields).as_str(),
        ))
    }

    fn all_parts(&self) -> Vec<Part> {
        let modes = self.datasets.all().flat_map(|d| Mode::ALL.map(|mode| (d, mode)));
        modes.flat_map(|(d, mode)| self.purposes.all().map(move |p| (d, mode, p))).collect()
    }

    /// Places of the rules that may speak in a part.
    fn places(&self, book: &RuleBook, (dataset, mode, purpose): Part) -> Vec<usize> {
        let mine = |r: &GuardRule| {
            self.datasets.may_fit(&r.dataset, dataset)
                && (r.mode == "*" || r.mode == mode.name())
                && self.purposes.may_fit(&r.purpose, purpose)
        };
        book.rules.iter().enumerate().filter(|(_, r)| mine(r)).map(|(place, _)| place).collect()
    }
}

/// A rule as casbin reads it. INVARIANT: no number reaches casbin; hours and grades are compared as texts.
fn row(rule: &GuardRule) -> Vec<String> {
    let allow = rule.effect == Effect::Allow;
    let (from, until) = (two_digits(rule.from_hour), two_digits(rule.until_hour));
    let ground = match rule.ground {
        Ground::Any => "*",
        Ground::Consent => "consent",
        Ground::Legal => "legal",
    };
    let day = match rule.days {
        DayKind::Any => "*",
        DayKind::Working => "working",
        DayKind::Free => "free",
    };
    let (least, most) = match rule.grade {
        None => ("a", "c"),
        Some(most) if allow => ("a", grade(most)),
        Some(least) => (grade(least), "c"),
    };
    let fields = match (rule.fields.is_empty(), allow) {
        (true, _) => "*".to_owned(),
        (false, true) => format!("all{}", listed(&rule.fields)),
        (false, false) => format!("any{}", listed(&rule.fields)),
    };
    let effect = if allow { "allow" } else { "deny" };
    let texts = [
        &*rule.subject,
        &rule.dataset,
        &rule.mode,
        &rule.purpose,
        &from,
        &until,
        ground,
        day,
        least,
        most,
        &fields,
        effect,
    ];
    texts.map(str::to_owned).to_vec()
}

fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::General => "a",
        Grade::Important => "b",
        Grade::Core => "c",
    }
}

fn two_digits(hour: u8) -> String {
    format!("{hour:02}")
}

/// Each name behind a comma; a comma is no letter of a name.
fn listed(fields: &[FieldName]) -> String {
    fields.iter().fold(String::new(), |text, field| text + "," + field.as_str())
}

/// `speaks(asked, "all,a,b")`: every field asked is among them; `speaks(asked, "any,a,b")`: one is.
#[expect(clippy::needless_pass_by_value, reason = "casbin's shape of a function")]
fn speaks(asked: Dynamic, rule: Dynamic) -> Dynamic {
    let (asked, rule) = (asked.to_string(), rule.to_string());
    let mut asked = asked.split(',').skip(1).peekable();
    let mut named = rule.split(',');
    let kind = named.next();
    let named: BTreeSet<&str> = named.collect();
    let spoken = match kind {
        Some("all") => asked.peek().is_some() && asked.all(|field| named.contains(field)),
        _ => asked.any(|field| named.contains(field)),
    };
    spoken.into()
}
