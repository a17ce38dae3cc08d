//! What a rule book must be to be compiled.

use std::collections::BTreeSet;

use covenant_domain::{AutoRule, Effect, GuardRule, MemberId, Mode, RiskLevel, RuleBook, RuleObligations};

/// Most rules of one rule book: casbin walks those that may speak for every question.
const MAX_RULES: usize = 400;
/// Most role links of one rule book.
const MAX_LINKS: usize = 400;
/// Most rules of automatic approval.
const MAX_AUTO: usize = 100;
/// Most names in one list of a rule.
const MAX_NAMES: usize = 200;

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
    /// Roles that have each other.
    #[error("rule book of `{holder}`: roles have each other in a circle, `{}`: take one link out", cycle.join("` has `"))]
    Cycle {
        /// The holder.
        holder: MemberId,
        /// The circle; its first role stands at the end again.
        cycle: Vec<String>,
    },
    /// A chain of roles longer than the evaluator follows.
    #[error(
        "rule book of `{holder}`: `{foot}` stands under a chain of more than {} roles: flatten it",
        super::roles::MAX_DEPTH
    )]
    Deep {
        /// The holder.
        holder: MemberId,
        /// The lowest of the chain.
        foot: String,
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

/// Checks everything but the role hierarchy.
pub(super) fn check(book: &RuleBook) -> Result<(), GuardError> {
    let holder = || book.holder.clone();
    if book.rules.len() > MAX_RULES || book.roles.len() > MAX_LINKS {
        return Err(GuardError::TooLarge { holder: holder(), rules: book.rules.len(), links: book.roles.len() });
    }
    let guards = book.rules.iter().map(|r| (r.name.as_str(), fault(r)));
    named(&book.holder, guards)?;
    named(&book.holder, book.auto.iter().map(|r| (r.name.as_str(), auto_fault(r))))?;
    let of_book = |rule: &str, fault| Err(GuardError::Rule { holder: holder(), rule: rule.into(), fault });
    if book.auto.len() > MAX_AUTO {
        return of_book("auto", "at most 100 rules of automatic approval");
    }
    if book.roles.iter().all(|l| plain(&l.member) && plain(&l.role)) {
        return Ok(());
    }
    of_book("roles", "role names are 1 to 60 characters of `a-z`, `0-9`, `-` and `_`")
}

/// Each name plain and given once, each rule without fault.
fn named<'a>(
    holder: &MemberId,
    rules: impl Iterator<Item = (&'a str, Option<&'static str>)>,
) -> Result<(), GuardError> {
    let mut names = BTreeSet::new();
    for (name, fault) in rules {
        let fault = match (plain(name), names.insert(name)) {
            (false, _) => Some("its name must be 1 to 60 characters of `a-z`, `0-9`, `-` and `_`"),
            (_, false) => Some("another rule has this name"),
            _ => fault,
        };
        if let Some(fault) = fault {
            return Err(GuardError::Rule { holder: holder.clone(), rule: name.to_owned(), fault });
        }
    }
    Ok(())
}

fn plain(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=60).contains(&text.len()) && text.bytes().all(allowed)
}

fn plain_or_any(text: &str) -> bool {
    text == "*" || plain(text)
}

fn fault(rule: &GuardRule) -> Option<&'static str> {
    if ![&rule.subject, &rule.dataset, &rule.purpose].into_iter().all(|n| plain_or_any(n)) {
        return Some("subject, dataset and purpose are `*` or 1 to 60 characters of `a-z`, `0-9`, `-` and `_`");
    }
    if rule.mode != "*" && rule.mode.parse::<Mode>().is_err() {
        return Some("mode is `*`, `match`, `lookup`, `detail` or `submit`");
    }
    if rule.from_hour >= rule.until_hour || rule.until_hour > 24 {
        return Some("hours must satisfy 0 <= from_hour < until_hour <= 24");
    }
    if rule.fields.len() > MAX_NAMES {
        return Some("a rule names at most 200 fields");
    }
    match (&rule.obligations, rule.effect) {
        (None, _) => None,
        (Some(_), Effect::Forbid) => Some("a rule that forbids has no obligations: nothing is answered"),
        (Some(obligations), Effect::Allow) => obligations_fault(obligations),
    }
}

fn obligations_fault(obligations: &RuleObligations) -> Option<&'static str> {
    let RuleObligations { masked, max_rows, rate_per_minute, k_minimum, notify, .. } = obligations;
    if [max_rows, rate_per_minute, k_minimum].into_iter().any(|n| *n == Some(0)) {
        return Some("max_rows, rate_per_minute and k_minimum are at least 1: to allow nothing, forbid");
    }
    (masked.len() > MAX_NAMES || notify.len() > MAX_NAMES).then_some("a rule masks at most 200 fields")
}

fn auto_fault(rule: &AutoRule) -> Option<&'static str> {
    if !plain_or_any(&rule.subject) || !plain_or_any(&rule.dataset) {
        return Some("subject and dataset are `*` or 1 to 60 characters of `a-z`, `0-9`, `-` and `_`");
    }
    if rule.purposes.is_empty() || rule.modes.is_empty() {
        return Some("automatic approval names its purposes and modes, at least one each");
    }
    if rule.purposes.len() > MAX_NAMES || rule.modes.len() > MAX_NAMES || rule.fields.len() > MAX_NAMES {
        return Some("a rule names at most 200 purposes, modes or fields");
    }
    if rule.highest_risk == RiskLevel::High {
        return Some("a request of high risk needs a person: highest_risk is `low` or `medium`");
    }
    (rule.max_per_day == 0 || rule.max_valid_days == 0)
        .then_some("max_per_day and max_valid_days are at least 1: to approve nothing, leave the rule out")
}
