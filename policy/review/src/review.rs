//! The review of one rule book.

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::{Effect, MemberId, RuleBook};
use covenant_engine::{Guard, GuardError};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, FindingCode, Severity};
use crate::reach::{Reach, reach};
use crate::space::{Catalogue, Space};
use crate::{Difference, diff, names, pairs};

/// What a rule book does, on the catalogue as it was when it was reviewed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Review {
    /// Whose book.
    #[n(0)]
    pub holder: MemberId,
    /// Which revision.
    #[n(1)]
    pub revision: u32,
    /// Digest of the book.
    #[n(2)]
    pub book: Digest,
    /// What was found, the gravest first.
    #[n(3)]
    pub findings: Vec<Finding>,
    /// Who could see what, once granted.
    #[n(4)]
    pub reach: Vec<Reach>,
    /// Whether the cap on questions left ways out of `reach`.
    #[n(5)]
    pub truncated: bool,
    /// How it differs from the book before.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
}

impl Review {
    /// Digest of the whole review: voters compare it.
    pub fn digest(&self, suite: SuiteId) -> Digest {
        Digest::of(suite, Label::REVIEW, &to_bytes(self))
    }

    /// Whether the book can be adopted.
    pub fn passes(&self) -> bool {
        self.findings.iter().all(|f| f.severity < Severity::Error)
    }
}

/// Reviews a book against the one before and the catalogue. A book that does not compile gets the reason as its finding.
pub fn review(suite: SuiteId, book: &RuleBook, previous: Option<&RuleBook>, catalogue: &Catalogue<'_>) -> Review {
    let mut out = Review {
        holder: book.holder.clone(),
        revision: book.revision,
        book: Digest::of(suite, Label::POLICY, &to_bytes(book)),
        findings: names::findings(book, catalogue),
        reach: Vec::new(),
        truncated: false,
        difference: None,
    };
    match Guard::compile(suite, book, catalogue.members) {
        Err(error) => out.findings.push(refused(&error)),
        Ok(guard) => {
            out.findings.extend(pairs::findings(&guard, &book.rules, catalogue.members));
            let space = Space::of(&[book]);
            let (routes, truncated) = space.routes(book, catalogue);
            (out.reach, out.truncated) = (reach(&guard, &space, &routes), truncated);
        }
    }
    if let Some(previous) = previous {
        out.difference = diff(suite, previous, book, catalogue).ok();
        out.findings.extend(since(book, previous, out.difference.as_ref()));
    }
    out.findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
    out.findings.dedup();
    out
}

fn refused(error: &GuardError) -> Finding {
    let (code, rule) = match error {
        GuardError::Cycle { .. } | GuardError::Deep { .. } => (FindingCode::CyclicRoles, "roles"),
        GuardError::Rule { rule, .. } => (FindingCode::Refused, rule.as_str()),
        GuardError::TooLarge { .. } | GuardError::Evaluator { .. } => (FindingCode::Refused, "book"),
    };
    Finding::new(Severity::Error, code, rule, error.to_string())
}

fn since(book: &RuleBook, previous: &RuleBook, difference: Option<&Difference>) -> Vec<Finding> {
    let mut out = Vec::new();
    if book.holder != previous.holder || book.revision != previous.revision.saturating_add(1) {
        let detail = format!(
            "revision {} of `{}` does not follow revision {} of `{}`",
            book.revision, book.holder, previous.revision, previous.holder
        );
        out.push(Finding::new(Severity::Error, FindingCode::Revision, "book", detail));
    }
    for forbid in previous.rules.iter().filter(|r| r.effect == Effect::Forbid && !book.rules.contains(r)) {
        let detail = format!("the forbid `{}` of revision {} is gone or changed", forbid.name, previous.revision);
        out.push(Finding::new(Severity::Warning, FindingCode::ForbidGone, "book", detail));
    }
    if let Some(hours) = difference.map(Difference::widened).filter(|hours| *hours > 0) {
        let detail = format!("{hours} questions (one an hour of the day) that were refused are allowed now");
        out.push(Finding::new(Severity::Note, FindingCode::Widened, "book", detail));
    }
    out
}
