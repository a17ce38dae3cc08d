//! `covenant policy test`: what a rule book is meant to say, written down beside it.

use std::path::Path;

use covenant_canon::SuiteId;
use covenant_domain::{DayKind, FieldName, Grade, Ground, MemberId, Mode, PurposeCode, RuleBook};
use covenant_engine::{Guard, GuardQuestion, GuardVerdict};
use covenant_ledger::Genesis;
use serde::Deserialize;
use serde_json::json;

use super::read;
use crate::document::Document;
use crate::error::CliError;
use crate::files;

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

/// A question and the answer that is meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    consumer: MemberId,
    dataset: String,
    mode: Mode,
    purpose: PurposeCode,
    hour: u8,
    #[serde(default)]
    day: DayKind,
    #[serde(default)]
    ground: Ground,
    #[serde(default = "general")]
    grade: Grade,
    #[serde(default)]
    fields: Vec<FieldName>,
    expect: Expected,
    rule: Option<String>,
}

fn general() -> Grade {
    Grade::General
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expected {
    Allow,
    Forbid,
    Silent,
}

impl Case {
    fn question(&self) -> GuardQuestion {
        GuardQuestion {
            consumer: self.consumer.clone(),
            dataset: self.dataset.clone(),
            mode: self.mode,
            purpose: self.purpose.clone(),
            hour: self.hour,
            working_day: self.day != DayKind::Free,
            legal: self.ground == Ground::Legal,
            grade: self.grade,
            fields: self.fields.clone(),
        }
    }

    /// What went wrong, if anything did.
    fn fault(&self, guard: &Guard) -> Option<String> {
        if self.hour > 23 {
            return Some("hour is 0 to 23".into());
        }
        let (said, words, rules) = match guard.ask(&self.question()) {
            GuardVerdict::Allows { rules, .. } => (Expected::Allow, "allowed", rules),
            GuardVerdict::Forbids { rules } => (Expected::Forbid, "forbidden", rules),
            GuardVerdict::Silent => (Expected::Silent, "not spoken of", Vec::new()),
            GuardVerdict::Failed { error } => return Some(format!("could not be evaluated: {error}")),
        };
        let by = if rules.is_empty() { String::new() } else { format!(" by `{}`", rules.join("`, `")) };
        match &self.rule {
            _ if said != self.expect => Some(format!("is {words}{by}")),
            Some(rule) if !rules.contains(rule) => Some(format!("is {words}{by}, not by `{rule}`")),
            _ => None,
        }
    }
}

/// Asks a book all questions of a file; fails when one is answered otherwise than meant.
pub(super) fn run(book: &Path, cases: &Path, trust: Option<&Genesis>) -> Result<Document, CliError> {
    let book: RuleBook = read(book)?;
    let Cases { cases } = files::read_value(cases, "a file of cases")?;
    let (suite, members) = trust.map_or((SuiteId::Sm, &[][..]), |g| (g.suite, &g.members));
    let guard = Guard::compile(suite, &book, members)?;
    let outcomes: Vec<(&str, Option<String>)> = cases.iter().map(|c| (c.name.as_str(), c.fault(&guard))).collect();
    let failed = outcomes.iter().filter(|(_, fault)| fault.is_some()).count();
    let mut lines: Vec<String> = outcomes.iter().map(line).collect();
    lines.push(format!("{} of {} cases are answered as meant", outcomes.len() - failed, outcomes.len()));
    let machine: Vec<_> = outcomes.iter().map(|(name, fault)| json!({ "case": name, "fault": fault })).collect();
    Ok(Document::new(lines.join("\n"), &machine).demanding(failed == 0))
}

fn line((name, fault): &(&str, Option<String>)) -> String {
    match fault {
        None => format!("✓ {name}"),
        Some(fault) => format!("✗ {name}: {fault}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Exit;

    const BOOK: &str = r#"
holder = "credit-centre"
revision = 1
roles = [{ member = "bank", role = "licensed" }]

[[rules]]
name = "banks-by-day"
subject = "licensed"
dataset = "credit"
mode = "match"
purpose = "mortgage-review"
from_hour = 8
until_hour = 20
effect = "allow"
days = "working"

[[rules]]
name = "no-income"
subject = "*"
dataset = "*"
mode = "*"
purpose = "*"
from_hour = 0
until_hour = 24
effect = "forbid"
fields = ["income"]
"#;

    fn case(name: &str, more: &str, expect: &str) -> String {
        format!(
            "[[case]]\nname = \"{name}\"\nconsumer = \"bank\"\ndataset = \"credit\"\nmode = \"match\"\n\
             purpose = \"mortgage-review\"\nhour = 10\nexpect = \"{expect}\"\n{more}\n"
        )
    }

    fn tested(cases: &str) -> Document {
        let dir = tempfile::tempdir().unwrap();
        let (book, file) = (dir.path().join("book.toml"), dir.path().join("cases.toml"));
        std::fs::write(&book, BOOK).unwrap();
        std::fs::write(&file, cases).unwrap();
        run(&book, &file, None).unwrap()
    }

    #[test]
    fn cases_that_hold_pass_and_others_say_what_was_answered() {
        let good = [
            case("day", "rule = \"banks-by-day\"\nfields = [\"name\"]", "allow"),
            case("weekend", "day = \"free\"", "silent"),
            case("income", "fields = [\"income\", \"name\"]\nrule = \"no-income\"", "forbid"),
        ];
        let document = tested(&good.concat());
        assert_eq!(document.exit, Exit::Done, "{}", document.human);
        let document = tested(&case("weekend", "day = \"free\"", "allow"));
        assert_eq!(document.exit, Exit::No);
        assert!(document.human.contains("✗ weekend: is not spoken of"), "{}", document.human);
        let document = tested(&case("other", "rule = \"nights\"", "allow"));
        assert!(document.human.contains("is allowed by `banks-by-day`, not by `nights`"), "{}", document.human);
    }
}
