//! Rules held against each other.

use covenant_domain::{DayKind, Effect, Grade, Ground, GuardRule, Member, Mode};
use covenant_engine::Guard;

use crate::finding::{Finding, FindingCode, Severity};

/// Conflicts, dead rules and repetitions.
pub(crate) fn findings(guard: &Guard, rules: &[GuardRule], members: &[Member]) -> Vec<Finding> {
    let mut out = Vec::new();
    for (place, rule) in rules.iter().enumerate() {
        for other in rules.iter().skip(place + 1) {
            out.extend(repetition(guard, rule, other));
        }
    }
    let of = |effect| rules.iter().filter(move |r| r.effect == effect);
    for allow in of(Effect::Allow) {
        let over = of(Effect::Forbid).find(|forbid| forbid_covers(guard, forbid, allow));
        if let Some(forbid) = over {
            let detail = format!("rule `{}` forbids all it allows: one of the two is idle", forbid.name);
            out.push(Finding::new(Severity::Warning, FindingCode::Unreachable, &allow.name, detail));
            continue;
        }
        for forbid in of(Effect::Forbid).filter(|forbid| overlap(guard, allow, forbid, members)) {
            let detail = format!("rule `{}` forbids part of what it allows; there the forbid wins", forbid.name);
            out.push(Finding::new(Severity::Note, FindingCode::Conflict, &allow.name, detail));
        }
    }
    out
}

fn repetition(guard: &Guard, rule: &GuardRule, other: &GuardRule) -> Option<Finding> {
    let renamed = GuardRule { name: rule.name.clone(), ..other.clone() };
    if &renamed == rule {
        let detail = format!("says the same as rule `{}`: leave one out", rule.name);
        return Some(Finding::new(Severity::Warning, FindingCode::Duplicate, &other.name, detail));
    }
    let idle = |narrow: &GuardRule, wide: &GuardRule| {
        let detail = format!("rule `{}` says all it says", wide.name);
        Finding::new(Severity::Note, FindingCode::Redundant, &narrow.name, detail)
    };
    let redundant = |narrow: &GuardRule, wide: &GuardRule| {
        narrow.effect == wide.effect && narrow.obligations.is_none() && same_covers(guard, wide, narrow)
    };
    match (redundant(other, rule), redundant(rule, other)) {
        (true, _) => Some(idle(other, rule)),
        (_, true) => Some(idle(rule, other)),
        _ => None,
    }
}

/// Whether a rule speaks on every question that another of its effect speaks on.
fn same_covers(guard: &Guard, wide: &GuardRule, narrow: &GuardRule) -> bool {
    let fields =
        wide.fields.is_empty() || (!narrow.fields.is_empty() && narrow.fields.iter().all(|f| wide.fields.contains(f)));
    let grade = match (wide.effect, wide.grade, narrow.grade) {
        (_, None, _) => true,
        (Effect::Allow, Some(wide), Some(narrow)) => narrow <= wide,
        (Effect::Forbid, Some(wide), Some(narrow)) => narrow >= wide,
        (Effect::Allow, Some(wide), None) => wide == Grade::Core,
        (Effect::Forbid, Some(wide), None) => wide == Grade::General,
    };
    fields && grade && frame_covers(guard, wide, narrow)
}

/// Whether a forbid speaks on every question that an allow speaks on.
fn forbid_covers(guard: &Guard, forbid: &GuardRule, allow: &GuardRule) -> bool {
    // Whatever an allow with fields allows asks for some of them, and a forbid with fields needs but one.
    let fields = forbid.fields.is_empty()
        || (!allow.fields.is_empty() && allow.fields.iter().all(|f| forbid.fields.contains(f)));
    let grade = forbid.grade.is_none_or(|least| least == Grade::General);
    fields && grade && frame_covers(guard, forbid, allow)
}

/// Subject, dataset, mode, purpose, hours, ground and days.
fn frame_covers(guard: &Guard, wide: &GuardRule, narrow: &GuardRule) -> bool {
    let text = |wide: &str, narrow: &str| wide == "*" || wide == narrow;
    guard.inherits(&narrow.subject, &wide.subject)
        && text(&wide.dataset, &narrow.dataset)
        && covers_mode(&wide.mode, &narrow.mode)
        && text(&wide.purpose, &narrow.purpose)
        && wide.from_hour <= narrow.from_hour
        && narrow.until_hour <= wide.until_hour
        && (wide.ground == Ground::Any || wide.ground == narrow.ground)
        && (wide.days == DayKind::Any || wide.days == narrow.days)
}

fn covers_mode(wide: &str, narrow: &str) -> bool {
    wide == "*" || wide == narrow
}

/// Whether some question is spoken of by both an allow and a forbid.
fn overlap(guard: &Guard, allow: &GuardRule, forbid: &GuardRule, members: &[Member]) -> bool {
    let text = |a: &str, b: &str| a == "*" || b == "*" || a == b;
    let (a, b) = (&allow.subject, &forbid.subject);
    let both = members.iter().any(|m| guard.has_role(&m.id, a) && guard.has_role(&m.id, b));
    (both || guard.inherits(a, b) || guard.inherits(b, a))
        && text(&allow.dataset, &forbid.dataset)
        && text(&allow.mode, &forbid.mode)
        && text(&allow.purpose, &forbid.purpose)
        && allow.from_hour < forbid.until_hour
        && forbid.from_hour < allow.until_hour
        && (allow.ground == Ground::Any || forbid.ground == Ground::Any || allow.ground == forbid.ground)
        && (allow.days == DayKind::Any || forbid.days == DayKind::Any || allow.days == forbid.days)
        && allow.grade.zip(forbid.grade).is_none_or(|(most, least)| least <= most)
        && (allow.fields.is_empty()
            || forbid.fields.is_empty()
            || allow.fields.iter().any(|f| forbid.fields.contains(f)))
}

/// The modes that a rule speaks about.
pub(crate) fn modes(rule: &GuardRule) -> Vec<Mode> {
    Mode::ALL.into_iter().filter(|mode| rule.mode == "*" || rule.mode == mode.name()).collect()
}
