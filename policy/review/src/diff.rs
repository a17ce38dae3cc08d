//! Which questions two rule books of one holder answer differently.

use covenant_canon::SuiteId;
use covenant_domain::{DatasetId, DayKind, FieldName, Ground, MemberId, Mode, PurposeCode, RuleBook, RuleObligations};
use covenant_engine::{Guard, GuardError, GuardVerdict};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::Catalogue;
use crate::space::{Route, Space};

/// What a book says to a question, without the names of its rules.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// A rule allows and none forbids.
    #[n(0)]
    Allowed {
        /// What the rules demand.
        #[n(0)]
        obligations: RuleObligations,
    },
    /// A rule forbids.
    #[n(1)]
    Forbidden,
    /// No rule speaks.
    #[n(2)]
    Silent,
    /// Could not be evaluated.
    #[n(3)]
    Failed,
}

impl Answer {
    fn of(verdict: GuardVerdict) -> Self {
        match verdict {
            GuardVerdict::Allows { obligations, .. } => Self::Allowed { obligations },
            GuardVerdict::Forbids { .. } => Self::Forbidden,
            GuardVerdict::Silent => Self::Silent,
            GuardVerdict::Failed { .. } => Self::Failed,
        }
    }

    /// Whether it is a yes.
    pub fn is_yes(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// Questions that differ in nothing but neighbouring hours, and get another answer than before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Change {
    /// The dataset.
    #[n(0)]
    pub dataset: DatasetId,
    /// Its fields, each asked alone.
    #[n(1)]
    pub fields: Vec<FieldName>,
    /// Who asks.
    #[n(2)]
    pub member: MemberId,
    /// Why.
    #[n(3)]
    pub purpose: PurposeCode,
    /// How.
    #[n(4)]
    pub mode: Mode,
    /// On which ground.
    #[n(5)]
    pub ground: Ground,
    /// On which days.
    #[n(6)]
    pub days: DayKind,
    /// From this hour.
    #[n(7)]
    pub from_hour: u8,
    /// Until this hour.
    #[n(8)]
    pub until_hour: u8,
    /// What was said.
    #[n(9)]
    pub was: Answer,
    /// What would be said.
    #[n(10)]
    pub now: Answer,
}

/// How two books differ.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Difference {
    /// Questions compared, each hour of the day counted.
    #[n(0)]
    pub questions: u64,
    /// Whether there were more than the cap, so that some were left out.
    #[n(1)]
    pub truncated: bool,
    /// What differs.
    #[n(2)]
    pub changes: Vec<Change>,
}

impl Difference {
    /// Hours of questions that were refused and are allowed now.
    pub fn widened(&self) -> u64 {
        let opened = self.changes.iter().filter(|c| c.now.is_yes() && !c.was.is_yes());
        opened.map(|c| u64::from(c.until_hour.saturating_sub(c.from_hour))).sum()
    }
}

/// Compares two books on all questions that either can tell apart: consumers × own datasets × fields × modes × purposes
/// × hours × kinds of day × grounds.
///
/// # Errors
/// [`GuardError`] of the book that does not compile.
pub fn diff(
    suite: SuiteId,
    old: &RuleBook,
    new: &RuleBook,
    catalogue: &Catalogue<'_>,
) -> Result<Difference, GuardError> {
    let before = Guard::compile(suite, old, catalogue.members)?;
    let after = Guard::compile(suite, new, catalogue.members)?;
    let space = Space::of(&[old, new]);
    let (routes, truncated) = space.routes(new, catalogue);
    let changes = routes.iter().flat_map(|route| changes(&before, &after, &space, route)).collect();
    Ok(Difference { questions: 24 * routes.len() as u64, truncated, changes })
}

fn changes(before: &Guard, after: &Guard, space: &Space, route: &Route<'_>) -> Vec<Change> {
    let mut out: Vec<Change> = Vec::new();
    for (from_hour, until_hour) in space.bands.iter().copied() {
        let question = route.question(from_hour);
        let (was, now) = (Answer::of(before.ask(&question)), Answer::of(after.ask(&question)));
        if was == now {
            continue;
        }
        match out.last_mut() {
            Some(last) if last.until_hour == from_hour && last.was == was && last.now == now => {
                last.until_hour = until_hour;
            }
            _ => out.push(Change {
                dataset: route.dataset.id.clone(),
                fields: route.fields.clone(),
                member: route.member.id.clone(),
                purpose: route.purpose.code.clone(),
                mode: route.mode,
                ground: route.ground,
                days: route.days,
                from_hour,
                until_hour,
                was,
                now,
            }),
        }
    }
    out
}
