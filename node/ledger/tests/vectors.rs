//! Frozen bundles: `tests/vectors/ledger/v1/`. `COVENANT_BLESS=1` writes them anew; do so only with a new format version.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use std::path::PathBuf;

use covenant_canon::{Digest, SuiteId, to_bytes};
use covenant_domain::*;
use covenant_ledger::*;
use serde_json::{Value, json};
use support::*;

/// A change and the step that must notice it; the first of each suite is the good one.
type Made = (&'static str, Ending, fn(&mut Story), fn(&mut Bundle), Option<Step>);

#[rustfmt::skip]
const MADE: &[Made] = &[
    ("completed", Ending::Completed, |_| {}, |_| {}, None),
    ("refused", Ending::Refused, |_| {}, |_| {}, None),
    ("open", Ending::Open, |_| {}, |_| {}, None),
    ("lapsed", Ending::Lapsed, |_| {}, |_| {}, None),
    ("bad-version", Ending::Open, |_| {}, |b| b.version = 2, Some(Step::Format)),
    ("bad-consortium", Ending::Open, |_| {}, |b| b.consortium = Digest::ZERO, Some(Step::TrustRoot)),
    ("bad-two-signatures", Ending::Open, |_| {}, |b| drop(b.anchor.certificate.signatures.pop()), Some(Step::BlockCertificate)),
    ("bad-intent-leaf", Ending::Open, |_| {}, |b| b.intent.leaf.index += 1, Some(Step::IntentInclusion)),
    ("bad-intent-sha256-path", Ending::Open, |_| {}, |b| b.intent.leaf.path_sha256[0] = Digest::ZERO, Some(Step::IntentInclusion)),
    ("bad-intent-signer", Ending::Open, |s| s.intent_signer = "tax", |_| {}, Some(Step::IntentSignature)),
    ("bad-decision-author", Ending::Open, |s| s.decision.author = Some(id("tax")), |_| {}, Some(Step::DecisionInclusion)),
    ("bad-permit-field", Ending::Open, |s| s.the_permit().obligations.fields.push(field("address")), |_| {}, Some(Step::DecisionBinding)),
    ("bad-closing-height", Ending::Completed, |s| s.heights.1 = 6, |_| {}, Some(Step::ClosureCertificate)),
    ("bad-lapse-time", Ending::Lapsed, |s| s.closed_ms += 1, |_| {}, Some(Step::ClosureInclusion)),
    ("bad-completion-signer", Ending::Completed, |s| s.closing_signer = "tax", |_| {}, Some(Step::CompletionSignature)),
    ("bad-completion-permit", Ending::Completed, |s| s.the_completion().permit = Digest::ZERO, |_| {}, Some(Step::ClosureBinding)),
    ("bad-completion-late", Ending::Completed, |s| s.closed_ms = EXPIRES_MS, |_| {}, Some(Step::ClosureBinding)),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/ledger/v1")
}

fn document(suite: SuiteId) -> Value {
    let world = World::new(suite);
    let bundles: Vec<Value> = MADE
        .iter()
        .map(|(name, ending, tell, spoil, failed)| {
            let mut story = Story::new(&world, *ending);
            tell(&mut story);
            let mut bundle = story.bundle(&world);
            spoil(&mut bundle);
            json!({ "name": name, "bundle": hex::encode(to_bytes(&bundle)), "failed": failed })
        })
        .collect();
    let story = Story::new(&world, Ending::Completed);
    json!({
        "about": "Evidence bundles, format version 1: `failed` is the first step that must fail, null when all hold.",
        "genesis": world.genesis,
        "sealed": hex::encode(&story.sealed),
        "answer": story.answer,
        "bundles": bundles,
    })
}

#[test]
fn frozen_bundles_keep_their_bytes_and_their_verdicts() {
    for suite in [SuiteId::Sm, SuiteId::Intl] {
        let path = folder().join(format!("bundles-{suite}.json"));
        let made = document(suite);
        if std::env::var_os("COVENANT_BLESS").is_some() {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
        }
        let text = std::fs::read_to_string(&path).expect("vectors are missing: run with COVENANT_BLESS=1");
        let frozen: Value = serde_json::from_str(&text).unwrap();
        let genesis: Genesis = serde_json::from_value(frozen["genesis"].clone()).unwrap();
        for vector in frozen["bundles"].as_array().unwrap() {
            let bytes = hex::decode(vector["bundle"].as_str().unwrap()).unwrap();
            let failed = serde_json::to_value(verify_bundle(&bytes, &genesis).failed).unwrap();
            assert_eq!(failed, vector["failed"], "{suite}: {}", vector["name"]);
        }
        let sealed = hex::decode(frozen["sealed"].as_str().unwrap()).unwrap();
        let answer: Answer = serde_json::from_value(frozen["answer"].clone()).unwrap();
        let bytes = hex::decode(frozen["bundles"][0]["bundle"].as_str().unwrap()).unwrap();
        assert!(verify_answer(&bytes, &genesis, &sealed, &answer).verified);
        assert!(frozen == made, "{suite}: this build writes other bytes than the frozen ones");
    }
}
