//! The offline verifier: good bundles of every ending, then every clause broken once with the step that must notice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use covenant_canon::{Digest, SuiteId, to_bytes};
use covenant_domain::*;
use covenant_ledger::*;
use support::*;

const SUITES: [SuiteId; 2] = [SuiteId::Sm, SuiteId::Intl];

#[test]
fn every_ending_verifies_in_both_suites() {
    for suite in SUITES {
        let world = World::new(suite);
        let words = Ending::ALL.map(|e| verdict(&world, &Story::new(&world, e).bundle(&world)).unwrap());
        assert_eq!(words, ["refused", "permitted", "answered", "lapsed"]);
    }
}

#[test]
fn a_report_lists_the_steps_in_order_up_to_the_first_failure() {
    let world = World::new(SuiteId::Intl);
    let bundle = Story::new(&world, Ending::Completed).bundle(&world);
    let steps: Vec<Step> = verify_bundle(&to_bytes(&bundle), &world.genesis).steps.iter().map(|s| s.step).collect();
    assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
    assert_eq!(steps.len(), 11);
    let mut cut = bundle;
    cut.decision.index += 1;
    let report = verify_bundle(&to_bytes(&cut), &world.genesis);
    assert_eq!(report.steps.last().map(|s| (s.step, s.ok)), Some((Step::DecisionInclusion, false)));
    assert!(report.steps.iter().rev().skip(1).all(|s| s.ok));
}

/// One clause: its name, the ending it is broken in, what breaks it, the step that must say no.
type Broken<T> = (&'static str, Ending, fn(&World, &mut T), Step);

/// What anyone can do to a file.
#[rustfmt::skip]
const IN_THE_FILE: &[Broken<Bundle>] = &[
    ("a later format", Ending::Open, |_, b| b.version = 2, Step::Format),
    ("another consortium", Ending::Open, |_, b| b.consortium = Digest([1; 32]), Step::TrustRoot),
    ("two signatures of four", Ending::Open, |_, b| { b.anchor.certificate.signatures.pop(); }, Step::BlockCertificate),
    ("no signature", Ending::Open, |_, b| b.anchor.certificate.signatures.clear(), Step::BlockCertificate),
    ("one signer twice", Ending::Open, |_, b| { let s = b.anchor.certificate.signatures[0].clone(); b.anchor.certificate.signatures[1] = s; }, Step::BlockCertificate),
    ("a stranger among four", Ending::Open, |_, b| b.anchor.certificate.signatures.push(CommitSignature { validator: id("stranger"), signature: vec![1; 64] }), Step::BlockCertificate),
    ("a fourth signature that is none", Ending::Open, |_, b| b.anchor.certificate.signatures.push(CommitSignature { validator: id("regulator"), signature: vec![1; 64] }), Step::BlockCertificate),
    ("a short signature", Ending::Open, |_, b| b.anchor.certificate.signatures[0].signature.truncate(63), Step::BlockCertificate),
    ("votes exchanged", Ending::Open, |_, b| { let s = &mut b.anchor.certificate.signatures; let first = s[0].signature.clone(); s[0].signature = s[1].signature.clone(); s[1].signature = first; }, Step::BlockCertificate),
    ("vote of another height", Ending::Open, |w, b| { let v = w.vote("bank", 8, 2, b.anchor.certificate.block); b.anchor.certificate.signatures[0] = v; }, Step::BlockCertificate),
    ("vote of another round", Ending::Open, |w, b| { let v = w.vote("bank", 7, 3, b.anchor.certificate.block); b.anchor.certificate.signatures[0] = v; }, Step::BlockCertificate),
    ("vote for another block", Ending::Open, |w, b| { let v = w.vote("bank", 7, 2, Digest([9; 32])); b.anchor.certificate.signatures[0] = v; }, Step::BlockCertificate),
    ("another round claimed", Ending::Open, |_, b| b.anchor.certificate.round += 1, Step::BlockCertificate),
    ("another height claimed", Ending::Open, |_, b| b.anchor.certificate.height += 1, Step::BlockCertificate),
    ("certificate of another block", Ending::Open, |_, b| b.anchor.certificate.block = Digest([9; 32]), Step::BlockCertificate),
    ("header: height", Ending::Open, |_, b| b.anchor.header.height += 1, Step::BlockCertificate),
    ("header: time", Ending::Open, |_, b| b.anchor.header.time_ms += 1, Step::BlockCertificate),
    ("header: log size", Ending::Open, |_, b| b.anchor.header.log.size += 1, Step::BlockCertificate),
    ("header: state", Ending::Open, |_, b| b.anchor.header.state = Digest::ZERO, Step::BlockCertificate),
    ("header: suite", Ending::Open, |w, b| b.anchor.header.suite = if w.suite() == SuiteId::Sm { SuiteId::Intl } else { SuiteId::Sm }, Step::BlockCertificate),
    ("header: consortium", Ending::Open, |_, b| b.anchor.header.consortium = Digest::ZERO, Step::BlockCertificate),
    ("intent: leaf shifted", Ending::Open, |_, b| b.intent.leaf.index += 1, Step::IntentInclusion),
    ("intent: leaf beyond the log", Ending::Open, |_, b| b.intent.leaf.index = u64::MAX, Step::IntentInclusion),
    ("intent: path of another leaf", Ending::Open, |_, b| { b.intent.leaf.path_sm3 = b.decision.path_sm3.clone(); b.intent.leaf.path_sha256 = b.decision.path_sha256.clone(); }, Step::IntentInclusion),
    ("intent: SM3 path right, SHA-256 path wrong", Ending::Open, |_, b| b.intent.leaf.path_sha256[0] = Digest::ZERO, Step::IntentInclusion),
    ("intent: SHA-256 path right, SM3 path wrong", Ending::Open, |_, b| b.intent.leaf.path_sm3[0] = Digest::ZERO, Step::IntentInclusion),
    ("intent: paths exchanged", Ending::Open, |_, b| std::mem::swap(&mut b.intent.leaf.path_sm3, &mut b.intent.leaf.path_sha256), Step::IntentInclusion),
    ("intent: path too long", Ending::Open, |_, b| b.intent.leaf.path_sm3.push(Digest::ZERO), Step::IntentInclusion),
    ("intent: no path", Ending::Open, |_, b| b.intent.leaf.path_sm3.clear(), Step::IntentInclusion),
    ("intent: later", Ending::Open, |_, b| b.intent.leaf.entry.made_ms += 1, Step::IntentInclusion),
    ("batch proof: position moved", Ending::Open, |_, b| b.intent.signed.index = 2, Step::IntentSignature),
    ("batch proof: position outside", Ending::Open, |_, b| b.intent.signed.index = 3, Step::IntentSignature),
    ("batch proof: count", Ending::Open, |_, b| b.intent.signed.count = 4, Step::IntentSignature),
    ("batch proof: count beyond all batches", Ending::Open, |_, b| b.intent.signed.count = u64::MAX, Step::IntentSignature),
    ("batch proof: path", Ending::Open, |_, b| b.intent.signed.path[0] = Digest::ZERO, Step::IntentSignature),
    ("batch proof: no path", Ending::Open, |_, b| b.intent.signed.path.clear(), Step::IntentSignature),
    ("batch proof: another signature", Ending::Completed, |_, b| { let Closure::Completed { completion, .. } = &b.closure else { panic!() }; b.intent.signed.signature = completion.signed.signature.clone(); }, Step::IntentSignature),
    ("intent exchanged for the decision", Ending::Open, |_, b| b.intent.leaf = b.decision.clone(), Step::IntentSignature),
    ("decision: leaf shifted", Ending::Open, |_, b| b.decision.index -= 1, Step::DecisionInclusion),
    ("decision: SM3 path wrong", Ending::Open, |_, b| b.decision.path_sm3[1] = Digest::ZERO, Step::DecisionInclusion),
    ("decision: SHA-256 path wrong", Ending::Open, |_, b| b.decision.path_sha256[1] = Digest::ZERO, Step::DecisionInclusion),
    ("decision: the intent in its place", Ending::Open, |_, b| b.decision = b.intent.leaf.clone(), Step::DecisionInclusion),
    ("a permit said to be a refusal", Ending::Open, |_, b| b.closure = Closure::Refused, Step::ClosureBinding),
    ("a refusal said to be open", Ending::Refused, |_, b| b.closure = Closure::Open, Step::ClosureBinding),
    ("closing block: two signatures", Ending::Completed, |_, b| { later(b).certificate.signatures.pop(); }, Step::ClosureCertificate),
    ("closing block: header", Ending::Completed, |_, b| later(b).header.time_ms -= 1, Step::ClosureCertificate),
    ("closing block: the opening one", Ending::Completed, |_, b| *later(b) = b.anchor.clone(), Step::ClosureCertificate),
    ("closing log: SM3 does not extend", Ending::Completed, |_, b| consistency(b).0[0] = Digest::ZERO, Step::ClosureCertificate),
    ("closing log: SHA-256 does not extend", Ending::Completed, |_, b| consistency(b).1[0] = Digest::ZERO, Step::ClosureCertificate),
    ("closing log: no proof", Ending::Lapsed, |_, b| consistency(b).0.clear(), Step::ClosureCertificate),
    ("completion: leaf shifted", Ending::Completed, |_, b| closing(b).index += 1, Step::ClosureInclusion),
    ("completion: SM3 path wrong", Ending::Completed, |_, b| closing(b).path_sm3[0] = Digest::ZERO, Step::ClosureInclusion),
    ("completion: SHA-256 path wrong", Ending::Completed, |_, b| closing(b).path_sha256[0] = Digest::ZERO, Step::ClosureInclusion),
    ("completion: batch position moved", Ending::Completed, |_, b| { let Closure::Completed { completion, .. } = &mut b.closure else { panic!() }; completion.signed.index = 0; }, Step::CompletionSignature),
    ("lapse: leaf shifted", Ending::Lapsed, |_, b| closing(b).index -= 1, Step::ClosureInclusion),
    ("lapse: due later", Ending::Lapsed, |_, b| { let Body::Lapse(l) = &mut closing(b).entry.body else { panic!() }; l.due_ms += 1; }, Step::ClosureInclusion),
    ("lapse shown as completion", Ending::Lapsed, |_, b| { let Closure::Lapsed { lapse, anchor, consistency_sm3, consistency_sha256 } = b.closure.clone() else { panic!() }; let completion = Box::new(Authored { leaf: *lapse, signed: b.intent.signed.clone() }); b.closure = Closure::Completed { completion, anchor, consistency_sm3, consistency_sha256 }; }, Step::CompletionSignature),
    ("completion shown as lapse", Ending::Completed, |_, b| { let Closure::Completed { completion, anchor, consistency_sm3, consistency_sha256 } = b.closure.clone() else { panic!() }; b.closure = Closure::Lapsed { lapse: Box::new(completion.leaf), anchor, consistency_sm3, consistency_sha256 }; }, Step::ClosureInclusion),
];

/// What only those who write the log could do: everything around the fault is in order.
#[rustfmt::skip]
const ON_THE_LOG: &[Broken<Story>] = &[
    ("intent signed by another member", Ending::Open, |_, s| s.intent_signer = "tax", Step::IntentSignature),
    ("intent of another author", Ending::Open, |_, s| { s.intent.author = Some(id("tax")); s.intent_signer = "tax"; }, Step::IntentSignature),
    ("intent without author", Ending::Open, |_, s| s.intent.author = None, Step::IntentSignature),
    ("intent of a stranger", Ending::Open, |_, s| { s.intent.author = Some(id("stranger")); s.the_intent().consumer = id("stranger"); }, Step::IntentSignature),
    ("a completion for an intent", Ending::Open, |_, s| s.intent.body = rejection(1), Step::IntentSignature),
    ("decision by a member", Ending::Open, |_, s| s.decision.author = Some(id("regulator")), Step::DecisionInclusion),
    ("decision of another block", Ending::Refused, |_, s| s.decision.made_ms -= 1, Step::DecisionInclusion),
    ("a rejection for a decision", Ending::Open, |_, s| s.decision.body = rejection(1), Step::DecisionBinding),
    ("decision of another intent", Ending::Open, |_, s| s.the_decision().intent = intent_id(2), Step::DecisionBinding),
    ("decision of another query", Ending::Refused, |_, s| s.the_decision().query = Digest::ZERO, Step::DecisionBinding),
    ("the intent asks something else", Ending::Refused, |_, s| s.the_intent().input = Digest::ZERO, Step::DecisionBinding),
    ("permit: intent", Ending::Open, |_, s| s.the_permit().intent = intent_id(2), Step::DecisionBinding),
    ("permit: query", Ending::Open, |_, s| s.the_permit().query = Digest::ZERO, Step::DecisionBinding),
    ("permit: consumer", Ending::Open, |_, s| s.the_permit().consumer = id("tax"), Step::DecisionBinding),
    ("permit: dataset", Ending::Open, |_, s| s.the_permit().dataset = DatasetId::new("cov:city/gov/housing/registry/loans").unwrap(), Step::DecisionBinding),
    ("permit: mode", Ending::Open, |_, s| s.the_permit().mode = Mode::Submit, Step::DecisionBinding),
    ("permit: height", Ending::Open, |_, s| s.the_permit().height = 6, Step::DecisionBinding),
    ("permit: policy", Ending::Open, |_, s| s.the_permit().policy = Digest::ZERO, Step::DecisionBinding),
    ("permit: a field that was not asked", Ending::Open, |_, s| s.the_permit().obligations.fields.push(field("address")), Step::DecisionBinding),
    ("closing block below the opening one", Ending::Completed, |_, s| s.heights.1 = 6, Step::ClosureCertificate),
    ("completion by another holder", Ending::Completed, |_, s| { s.closing.as_mut().unwrap().author = Some(id("tax")); s.closing_signer = "tax"; }, Step::CompletionSignature),
    ("completion signed by another holder", Ending::Completed, |_, s| s.closing_signer = "tax", Step::CompletionSignature),
    ("completion without author", Ending::Completed, |_, s| s.closing.as_mut().unwrap().author = None, Step::CompletionSignature),
    ("completion for another permit", Ending::Completed, |_, s| s.the_completion().permit = Digest::ZERO, Step::ClosureBinding),
    ("completion for another intent", Ending::Completed, |_, s| s.the_completion().intent = intent_id(2), Step::ClosureBinding),
    ("an entry that is no completion", Ending::Completed, |_, s| s.closing.as_mut().unwrap().body = Body::GrantChanged { grant: GrantId::from_parts(1, &[0; 10]), change: GrantChange::Revoked }, Step::ClosureBinding),
    ("completion at the very end of the permit", Ending::Completed, |_, s| s.closed_ms = EXPIRES_MS, Step::ClosureBinding),
    ("completion after the lapse", Ending::Completed, |_, s| s.closed_ms = EXPIRES_MS + 1, Step::ClosureBinding),
    ("lapse by a member", Ending::Lapsed, |_, s| s.closing.as_mut().unwrap().author = Some(id("housing")), Step::ClosureInclusion),
    ("lapse of another block", Ending::Lapsed, |_, s| s.closed_ms += 1, Step::ClosureInclusion),
    ("lapse of another intent", Ending::Lapsed, |_, s| s.the_lapse().intent = intent_id(2), Step::ClosureBinding),
    ("lapse due at another time", Ending::Lapsed, |_, s| s.the_lapse().due_ms -= 1, Step::ClosureBinding),
    ("lapse before its time", Ending::Lapsed, |_, s| { s.closed_ms -= 1; s.closing.as_mut().unwrap().made_ms -= 1; }, Step::ClosureBinding),
];

fn later(bundle: &mut Bundle) -> &mut Anchor {
    match &mut bundle.closure {
        Closure::Completed { anchor, .. } | Closure::Lapsed { anchor, .. } => anchor,
        _ => panic!("no closing block"),
    }
}

fn closing(bundle: &mut Bundle) -> &mut LeafProof {
    match &mut bundle.closure {
        Closure::Completed { completion, .. } => &mut completion.leaf,
        Closure::Lapsed { lapse, .. } => lapse,
        _ => panic!("no closing entry"),
    }
}

fn consistency(bundle: &mut Bundle) -> (&mut Vec<Digest>, &mut Vec<Digest>) {
    match &mut bundle.closure {
        Closure::Completed { consistency_sm3, consistency_sha256, .. }
        | Closure::Lapsed { consistency_sm3, consistency_sha256, .. } => (consistency_sm3, consistency_sha256),
        _ => panic!("no closing block"),
    }
}

#[test]
fn each_clause_broken_in_the_file_fails_at_its_step() {
    for suite in SUITES {
        let world = World::new(suite);
        for (name, ending, breaks, step) in IN_THE_FILE {
            let mut bundle = Story::new(&world, *ending).bundle(&world);
            breaks(&world, &mut bundle);
            assert_eq!(verdict(&world, &bundle), Err(*step), "{name} ({suite})");
        }
    }
}

#[test]
fn each_clause_broken_on_the_log_fails_at_its_step() {
    for suite in SUITES {
        let world = World::new(suite);
        for (name, ending, breaks, step) in ON_THE_LOG {
            let mut story = Story::new(&world, *ending);
            breaks(&world, &mut story);
            assert_eq!(verdict(&world, &story.bundle(&world)), Err(*step), "{name} ({suite})");
        }
    }
}

#[test]
fn every_step_of_a_bundle_is_broken_at_least_once() {
    let broken: std::collections::BTreeSet<Step> =
        IN_THE_FILE.iter().map(|b| b.3).chain(ON_THE_LOG.iter().map(|b| b.3)).collect();
    assert_eq!(broken.len(), 11, "{broken:?}");
}

#[test]
fn a_header_of_a_later_format_is_not_read_as_this_one() {
    let world = World::new(SuiteId::Intl);
    let mut bundle = Story::new(&world, Ending::Open).bundle(&world);
    bundle.anchor.header.version = 2;
    bundle.anchor.certificate = world.certify(&bundle.anchor.header, &VALIDATORS);
    assert_eq!(verdict(&world, &bundle), Err(Step::BlockCertificate));
}

#[test]
fn votes_of_another_consortium_or_of_prevotes_do_not_count() {
    let (world, mut other) = (World::new(SuiteId::Sm), World::new(SuiteId::Sm));
    other.genesis.created_ms += 1;
    let mut bundle = Story::new(&world, Ending::Open).bundle(&world);
    let (header, honest) = (bundle.anchor.header.clone(), bundle.anchor.certificate.clone());
    bundle.anchor.certificate = other.certify(&header, &VALIDATORS);
    assert_eq!(verdict(&world, &bundle), Err(Step::BlockCertificate));
    let prevote = vote_bytes(&world.genesis.digest(), VoteKind::Prevote, 7, 2, Some(header.id()), &id("bank"));
    let key = &world.keys[&id("bank")];
    let signed = covenant_suite::suite(world.suite()).sign(key, covenant_canon::Label::VOTE, &prevote).unwrap();
    bundle.anchor.certificate = honest;
    bundle.anchor.certificate.signatures[0].signature = signed.as_bytes().to_vec();
    assert_eq!(verdict(&world, &bundle), Err(Step::BlockCertificate));
}

#[test]
fn a_completion_that_stood_on_the_log_before_the_decision_closes_nothing() {
    // The holder guesses its permit, submits the completion beforehand and later points at the old leaf.
    let world = World::new(SuiteId::Intl);
    let bundle = Story::new(&world, Ending::Completed).bundle(&world);
    let Closure::Completed { completion, .. } = &bundle.closure else { panic!() };
    let early = completion.leaf.entry.clone();
    let mut log = Log(vec![early.clone(), bundle.intent.leaf.entry.clone(), bundle.decision.entry.clone()]);
    let anchor = |log: &Log, height, time_ms| {
        let header = header(&world, height, time_ms, log.roots(log.0.len()));
        Anchor { certificate: world.certify(&header, &VALIDATORS), header }
    };
    let first = anchor(&log, 7, OPENED_MS);
    let intent = Authored {
        leaf: log.proof(1, 3),
        signed: world.batch("bank", "bank", std::slice::from_ref(&bundle.intent.leaf.entry)).proof(0),
    };
    let decision = log.proof(2, 3);
    log.0.push(derived(OPENED_MS + 1, rejection(1)));
    let (consistency_sm3, consistency_sha256) = log.consistency(3, 4);
    let signed = world.batch("housing", "housing", &[early]).proof(0);
    let completion = Box::new(Authored { leaf: log.proof(0, 4), signed });
    let closure = Closure::Completed {
        completion,
        anchor: Box::new(anchor(&log, 8, OPENED_MS + 1)),
        consistency_sm3,
        consistency_sha256,
    };
    let forged = Bundle { intent, decision, anchor: first, closure, ..bundle };
    assert_eq!(verdict(&world, &forged), Err(Step::ClosureBinding));
}

#[test]
fn a_genesis_that_is_none_is_no_trust_root() {
    let world = World::new(SuiteId::Intl);
    let bytes = to_bytes(&Story::new(&world, Ending::Open).bundle(&world));
    let spoil: [fn(&mut Genesis); 5] = [
        |g| g.version = 2,
        |g| g.members.reverse(),
        |g| g.members[0].verifying_key = "intl:00".into(),
        |g| g.members.iter_mut().for_each(|m| m.roles.clear()),
        |g| g.suite = SuiteId::Sm,
    ];
    for spoil in spoil {
        let mut genesis = world.genesis.clone();
        spoil(&mut genesis);
        assert_eq!(verdict_of(&genesis, &bytes), Err(Step::TrustRoot));
    }
}

#[test]
fn a_charter_whose_vote_is_none_founds_nothing() {
    let genesis = |quorum_percent, objection_ms| {
        let mut genesis = World::new(SuiteId::Intl).genesis;
        genesis.charter.policy_vote = Some(covenant_domain::VoteRule { quorum_percent, objection_ms });
        genesis.check().map(drop)
    };
    assert!(genesis(51, 1).is_ok() && genesis(100, 1).is_ok());
    for (quorum_percent, objection_ms) in [(50, 1), (101, 1), (0, 1), (60, 0)] {
        assert!(matches!(genesis(quorum_percent, objection_ms), Err(GenesisError::Charter(_))), "{quorum_percent}");
    }
}
