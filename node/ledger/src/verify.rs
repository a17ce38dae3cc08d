//! The offline verifier: bytes and a trust root in, the first failing step out.

mod inclusion;
mod receipt;

use covenant_canon::{Digest, HashAlgorithm, Label, from_bytes, to_bytes};
use covenant_domain::{Answer, Body, Decision, Intent, Lapse, Permit};
use serde::Serialize;

use crate::answer::check_answer;
use crate::merkle::verify_consistency;
use crate::{Anchor, Authored, Bundle, Closure, Genesis, Handover, Trust};

use inclusion::{included, included_derived};
pub use receipt::{verify_evidence, verify_receipt};

/// The steps of verification in their order. Names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The file is a bundle in canonical bytes.
    Format,
    /// It belongs to the consortium of the trust root.
    TrustRoot,
    /// The members of its blocks follow from those of the genesis.
    Handover,
    /// The intent's block is final under the validators of its height.
    BlockCertificate,
    /// The intent is a leaf of the log of that block, in both profiles.
    IntentInclusion,
    /// The consumer signed the intent.
    IntentSignature,
    /// The decision is a leaf of the same log.
    DecisionInclusion,
    /// The decision is on this very intent, and its permit keeps within it.
    DecisionBinding,
    /// The closing block is final, later, and extends the log of the first.
    ClosureCertificate,
    /// The completion or lapse is a leaf of its log.
    ClosureInclusion,
    /// The holder signed the completion.
    CompletionSignature,
    /// The completion uses this very permit; a lapse closes this very intent.
    ClosureBinding,
    /// The sealed answer at hand is the recorded one, its fields match the commitments and were granted.
    Answer,
    /// Of a receipt: the entry is a leaf of the log of its block, in both profiles.
    EntryInclusion,
    /// Of a receipt: its author signed the entry.
    EntrySignature,
    /// Of a receipt: no leaf behind it in its block rejects it.
    EntryEffect,
}

impl Step {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::TrustRoot => "trust_root",
            Self::Handover => "handover",
            Self::BlockCertificate => "block_certificate",
            Self::IntentInclusion => "intent_inclusion",
            Self::IntentSignature => "intent_signature",
            Self::DecisionInclusion => "decision_inclusion",
            Self::DecisionBinding => "decision_binding",
            Self::ClosureCertificate => "closure_certificate",
            Self::ClosureInclusion => "closure_inclusion",
            Self::CompletionSignature => "completion_signature",
            Self::ClosureBinding => "closure_binding",
            Self::Answer => "answer",
            Self::EntryInclusion => "entry_inclusion",
            Self::EntrySignature => "entry_signature",
            Self::EntryEffect => "entry_effect",
        }
    }
}

/// The result of one step.
#[derive(Debug, Clone, Serialize)]
pub struct StepResult {
    /// The step.
    pub step: Step,
    /// Whether it holds.
    pub ok: bool,
    /// What was checked, or what failed.
    pub detail: String,
}

/// The result of verification.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether every step holds.
    pub verified: bool,
    /// The first step that does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<Step>,
    /// Steps up to and including the first failure.
    pub steps: Vec<StepResult>,
    /// What the bundle proves, when it verifies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// Collects steps until one fails.
struct Walk {
    steps: Vec<StepResult>,
}

/// Marks that a step failed; the report holds which.
struct Stop;

impl Walk {
    fn step(&mut self, step: Step, ok: bool, detail: impl Into<String>) -> Result<(), Stop> {
        self.steps.push(StepResult { step, ok, detail: detail.into() });
        if ok { Ok(()) } else { Err(Stop) }
    }

    fn finish(self, outcome: Result<String, Stop>) -> Report {
        let failed = self.steps.iter().find(|s| !s.ok).map(|s| s.step);
        Report { verified: outcome.is_ok(), failed, steps: self.steps, outcome: outcome.ok() }
    }
}

/// Verifies a bundle against the trust root, without network or clock.
///
/// Proves: the consumer asked this, the ledger decided this under this rule book, the holder recorded this completion,
/// and more than two thirds of the validators made both final in one log. Does not prove that the holder's record is
/// true to life, nor who the query was about.
pub fn verify_bundle(bytes: &[u8], genesis: &Genesis) -> Report {
    let mut walk = Walk { steps: Vec::new() };
    let outcome = check(&mut walk, bytes, genesis).map(|(_, outcome)| outcome);
    walk.finish(outcome)
}

/// As [`verify_bundle`], and that `sealed` is the recorded answer and `opened` its content.
pub fn verify_answer(bytes: &[u8], genesis: &Genesis, sealed: &[u8], opened: &Answer) -> Report {
    let mut walk = Walk { steps: Vec::new() };
    let outcome = check(&mut walk, bytes, genesis).and_then(|(bundle, outcome)| {
        let result = check_answer(&bundle, genesis, sealed, opened);
        let detail =
            result.clone().err().unwrap_or_else(|| "answer is the recorded one; withheld fields stay withheld".into());
        walk.step(Step::Answer, result.is_ok(), detail)?;
        Ok(outcome)
    });
    walk.finish(outcome)
}

/// The members of the consortium that the evidence is of, if the trust root is its, and all handovers follow.
fn trusted(
    walk: &mut Walk,
    consortium: &Digest,
    genesis: &Genesis,
    handovers: Option<&[Handover]>,
) -> Result<Trust, Stop> {
    let mut trust = match Trust::new(genesis) {
        Ok(trust) if consortium == trust.consortium() => trust,
        Ok(trust) => {
            let text = format!("evidence is of consortium {consortium}, trust root is {}", trust.consortium());
            return Err(fail(walk, Step::TrustRoot, text));
        }
        Err(error) => return Err(fail(walk, Step::TrustRoot, in_words(&error))),
    };
    walk.step(Step::TrustRoot, true, format!("consortium `{}`, suite {}", genesis.consortium, genesis.suite))?;
    if let Some(handovers) = handovers {
        let followed = trust.follow(handovers);
        let detail = match &followed {
            Ok(()) => format!("roster {} follows from the genesis", trust.latest().roster().number),
            Err(error) => in_words(error),
        };
        walk.step(Step::Handover, followed.is_ok(), detail)?;
    }
    Ok(trust)
}

/// An error with its causes.
fn in_words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |e| e.source()).map(|e| format!(": {e}"));
    std::iter::once(error.to_string()).chain(causes).collect()
}

fn check(walk: &mut Walk, bytes: &[u8], genesis: &Genesis) -> Result<(Bundle, String), Stop> {
    let bundle = match from_bytes::<Bundle>(bytes) {
        Ok(bundle) if bundle.version == 1 => bundle,
        Ok(bundle) => {
            return Err(fail(walk, Step::Format, format!("bundle has version {}, this build reads 1", bundle.version)));
        }
        Err(error) => return Err(fail(walk, Step::Format, error.to_string())),
    };
    walk.step(Step::Format, true, "canonical bundle, version 1")?;
    let trust = trusted(walk, &bundle.consortium, genesis, bundle.handovers.as_deref())?;
    let case = Case { genesis, trust: &trust };
    let decision = case.opening(walk, &bundle)?;
    let outcome = case.closure(walk, &bundle, &decision)?;
    Ok((bundle, outcome))
}

fn fail(walk: &mut Walk, step: Step, detail: String) -> Stop {
    let _always = walk.step(step, false, detail);
    Stop
}

struct Case<'a> {
    genesis: &'a Genesis,
    trust: &'a Trust,
}

impl Case<'_> {
    /// Intent, decision and their block.
    fn opening(&self, walk: &mut Walk, bundle: &Bundle) -> Result<Decision, Stop> {
        let anchor = &bundle.anchor;
        self.certificate(walk, Step::BlockCertificate, anchor)?;
        let included = included(&bundle.intent.leaf, anchor);
        walk.step(Step::IntentInclusion, included, format!("leaf {}", bundle.intent.leaf.index))?;
        let entry = &bundle.intent.leaf.entry;
        let Body::Intent(intent) = &entry.body else {
            return Err(fail(walk, Step::IntentSignature, "first entry is not an intent".into()));
        };
        let signed = entry.author.as_ref() == Some(&intent.consumer) && self.signed(&bundle.intent, anchor);
        walk.step(Step::IntentSignature, signed, format!("signed by consumer `{}`", intent.consumer))?;
        walk.step(
            Step::DecisionInclusion,
            included_derived(&bundle.decision, anchor),
            format!("leaf {}", bundle.decision.index),
        )?;
        let result = self.binding(intent, bundle);
        let detail = match &result {
            Ok(decision) => format!("decides this intent: {} reason(s)", decision.reasons.len()),
            Err(error) => error.clone(),
        };
        walk.step(Step::DecisionBinding, result.is_ok(), detail)?;
        result.map_err(|_| Stop)
    }

    fn binding(&self, intent: &Intent, bundle: &Bundle) -> Result<Decision, String> {
        let (leaf, height) = (&bundle.decision, bundle.anchor.header.height);
        let Body::Decision(decision) = &leaf.entry.body else { return Err("second entry is not a decision".into()) };
        if leaf.index <= bundle.intent.leaf.index {
            return Err("decision stands before the intent".into());
        }
        let query = Digest::of(self.genesis.suite, Label::INTENT, &to_bytes(intent));
        if decision.intent != intent.id || decision.query != query {
            return Err("decision is on another intent".into());
        }
        if let Some(permit) = decision.permit() {
            check_permit(permit, decision, intent, height)?;
        }
        Ok(decision.clone())
    }

    /// Completion or lapse and their block.
    fn closure(&self, walk: &mut Walk, bundle: &Bundle, decision: &Decision) -> Result<String, Stop> {
        match &bundle.closure {
            Closure::Refused => {
                let ok = decision.permit().is_none();
                walk.step(Step::ClosureBinding, ok, "refused: there is nothing to complete")?;
                Ok("refused".into())
            }
            Closure::Open => {
                // What a later block says cannot be told from this file: an open bundle proves the permit, not how it ended.
                let ok = decision.permit().is_some();
                let height = bundle.anchor.header.height;
                walk.step(Step::ClosureBinding, ok, format!("permitted as of block {height}; its end is not shown"))?;
                Ok("permitted".into())
            }
            Closure::Completed { completion, anchor, consistency_sm3, consistency_sha256 } => {
                self.later(walk, &bundle.anchor, anchor, consistency_sm3, consistency_sha256)?;
                walk.step(
                    Step::ClosureInclusion,
                    included(&completion.leaf, anchor),
                    format!("leaf {}", completion.leaf.index),
                )?;
                self.completion(walk, bundle, completion, anchor, decision)?;
                let voided = matches!(completion.leaf.entry.body, Body::Voided(_));
                Ok(if voided { "voided by its holder" } else { "answered" }.into())
            }
            Closure::Lapsed { lapse, anchor, consistency_sm3, consistency_sha256 } => {
                self.later(walk, &bundle.anchor, anchor, consistency_sm3, consistency_sha256)?;
                walk.step(Step::ClosureInclusion, included_derived(lapse, anchor), format!("leaf {}", lapse.index))?;
                let due = |l: &Lapse| decision.permit().is_some_and(|p| p.expires_ms == l.due_ms);
                let ok = matches!(&lapse.entry.body, Body::Lapse(l)
                    if l.intent == decision.intent && due(l) && anchor.header.time_ms >= l.due_ms);
                let after = lapse.index > bundle.decision.index;
                walk.step(Step::ClosureBinding, ok && after, "the permit ran out")?;
                Ok("lapsed".into())
            }
        }
    }

    fn completion(
        &self,
        walk: &mut Walk,
        bundle: &Bundle,
        completion: &Authored,
        anchor: &Anchor,
        decision: &Decision,
    ) -> Result<(), Stop> {
        let Some(permit) = decision.permit() else {
            return Err(fail(walk, Step::CompletionSignature, "completion without a permit".into()));
        };
        let by_holder =
            completion.leaf.entry.author.as_ref() == Some(&permit.holder) && self.signed(completion, anchor);
        walk.step(Step::CompletionSignature, by_holder, format!("signed by holder `{}`", permit.holder))?;
        let digest = Digest::of(self.genesis.suite, Label::PERMIT, &to_bytes(permit));
        let uses = matches!(&completion.leaf.entry.body,
            Body::Completion(c) if c.intent == decision.intent && c.permit == digest
                && c.lookup.is_some() == permit.epoch.is_some()
                && c.lookup.as_ref().is_none_or(|record| record.retrieved == c.fields_root))
            || matches!(&completion.leaf.entry.body,
                Body::Voided(v) if v.intent == decision.intent && v.permit == digest);
        // INVARIANT: a block holds no completion by the holder of a query that is closed or overdue (`node/state`), so
        // one that stands in time is the one that closed it.
        let fault = if !uses {
            Some("the completion is for another permit")
        } else if anchor.header.time_ms >= permit.expires_ms {
            Some("the completion came after the permit ran out")
        } else if completion.leaf.index <= bundle.decision.index {
            Some("the completion stands before the decision")
        } else {
            None
        };
        walk.step(Step::ClosureBinding, fault.is_none(), fault.unwrap_or("the completion uses this permit, in time"))
    }

    fn certificate(&self, walk: &mut Walk, step: Step, anchor: &Anchor) -> Result<(), Stop> {
        let (header, certificate) = (&anchor.header, &anchor.certificate);
        if !anchor.belongs_to(self.trust.consortium(), self.trust.suite()) {
            return Err(fail(walk, step, format!("certificate is not for block {}", header.height)));
        }
        let result = self.trust.certified(anchor);
        let detail = match &result {
            Ok(()) => format!("block {} final by {} signatures", header.height, certificate.signatures.len()),
            Err(error) => error.to_string(),
        };
        walk.step(step, result.is_ok(), detail)
    }

    fn later(
        &self,
        walk: &mut Walk,
        first: &Anchor,
        second: &Anchor,
        sm3: &[Digest],
        sha256: &[Digest],
    ) -> Result<(), Stop> {
        self.certificate(walk, Step::ClosureCertificate, second)?;
        let (old, new) = (&first.header.log, &second.header.log);
        let consistent = |algorithm, path: &[Digest]| {
            verify_consistency(algorithm, old.size, new.size, path, old.of(algorithm), new.of(algorithm))
        };
        let ok = second.header.height >= first.header.height
            && consistent(HashAlgorithm::Sm3, sm3)
            && consistent(HashAlgorithm::Sha256, sha256);
        if ok {
            Ok(())
        } else {
            Err(fail(walk, Step::ClosureCertificate, "the later log does not extend the earlier one".into()))
        }
    }

    /// Whether its author signed the entry, with the key it had at the height of the block.
    fn signed(&self, authored: &Authored, anchor: &Anchor) -> bool {
        let entry = &authored.leaf.entry;
        let membership = self.trust.at(anchor.header.height);
        let keys = entry.author.as_ref().and_then(|a| Some((a, membership.keys(a)?)));
        keys.is_some_and(|(author, keys)| {
            authored.signed.verify(self.trust.consortium(), author, &to_bytes(entry), &keys.verifying)
        })
    }
}

fn check_permit(permit: &Permit, decision: &Decision, intent: &Intent, height: u64) -> Result<(), String> {
    let same = permit.intent == intent.id
        && permit.query == decision.query
        && permit.consumer == intent.consumer
        && permit.dataset == intent.dataset
        && permit.mode == intent.mode
        && permit.height == height
        && permit.epoch == intent.lookup.as_ref().map(|claim| claim.epoch)
        && Some(permit.policy) == decision.policy;
    if !same {
        return Err("permit does not repeat the intent".into());
    }
    match permit.obligations.fields.iter().find(|f| !intent.fields.contains(f)) {
        Some(field) => Err(format!("permit grants field `{field}` that was not asked")),
        None => Ok(()),
    }
}
