//! The binary as a user meets it: help, keys, verification, rule books, and a small demo from end to end.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn covenant(args: &[&str], passphrase: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_covenant"));
    for name in ["GATEWAY", "KEY", "TRUST", "PASSPHRASE", "LOG"] {
        command.env_remove(format!("COVENANT_{name}"));
    }
    if let Some(passphrase) = passphrase {
        command.env("COVENANT_PASSPHRASE", passphrase);
    }
    command.args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn help_tells_the_exit_codes() {
    let help = covenant(&["--help"], None);
    assert!(help.status.success());
    for part in ["Exit codes:", "demo", "verify", "COVENANT_PASSPHRASE"] {
        assert!(out(&help).contains(part), "{part}: {}", out(&help));
    }
    assert_eq!(covenant(&["nonsense"], None).status.code(), Some(2));
}

#[test]
fn keys_are_private_and_open_with_their_passphrase_only() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bank.json");
    let new = ["keys", "new", "--member", "bank", "--suite", "sm", "--out", text(&file)];
    let without = covenant(&new, None);
    assert_eq!(without.status.code(), Some(2));
    assert!(err(&without).contains("COVENANT_PASSPHRASE"), "{}", err(&without));
    assert!(covenant(&new, Some("open sesame")).status.success());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(!covenant(&new, Some("open sesame")).status.success(), "never overwritten");
    let shown = covenant(&["keys", "show", text(&file), "--json"], None);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["id"], "bank");
    assert!(shown["verifying_key"].as_str().unwrap().starts_with("sm:"));
    assert!(covenant(&["keys", "show", text(&file), "--open"], Some("open sesame")).status.success());
    let wrong = covenant(&["keys", "show", text(&file), "--open"], Some("wrong"));
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("passphrase") && err(&wrong).contains("bank"), "{}", err(&wrong));
}

#[test]
fn what_cannot_be_read_ends_with_two() {
    let dir = tempfile::tempdir().unwrap();
    let garbage = dir.path().join("garbage");
    std::fs::write(&garbage, b"garbage").unwrap();
    let trust = covenant(&["verify", text(&garbage), "--trust", text(&garbage), "--json"], None);
    assert_eq!(trust.status.code(), Some(2));
    let document: Value = serde_json::from_slice(&trust.stdout).unwrap();
    assert!(document["error"]["message"].as_str().unwrap().contains("genesis"), "{document}");
    let missing = covenant(&["verify", text(&garbage)], None);
    assert_eq!(missing.status.code(), Some(2));
    assert!(err(&missing).contains("--trust"), "{}", err(&missing));
    let show = covenant(&["evidence", "show", text(&garbage)], None);
    assert_eq!(show.status.code(), Some(2));
}

#[test]
fn rule_books_are_checked_without_a_network() {
    let dir = tempfile::tempdir().unwrap();
    let (good, bad) = (dir.path().join("good.toml"), dir.path().join("bad.toml"));
    let rule =
        "[[rules]]\nname = \"all\"\nsubject = \"*\"\ndataset = \"*\"\nmode = \"*\"\npurpose = \"*\"\nfrom_hour = 0\n";
    let book = |until: u8| format!("holder = \"tax\"\nrevision = 1\n{rule}until_hour = {until}\neffect = \"allow\"\n");
    std::fs::write(&good, book(24)).unwrap();
    std::fs::write(&bad, book(0)).unwrap();
    let passed = covenant(&["policy", "check", text(&good)], None);
    assert!(passed.status.success() && out(&passed).contains("1 rules"), "{}{}", out(&passed), err(&passed));
    let refused = covenant(&["policy", "check", text(&bad)], None);
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("`all`"), "{}", err(&refused));
}

#[test]
fn rule_books_are_reviewed_and_compared_without_a_network() {
    let dir = tempfile::tempdir().unwrap();
    let founding =
        covenant_demo::Founding::open(dir.path(), "yungang", covenant_canon::SuiteId::Sm, covenant_demo::MEMBERS);
    let trust = founding.unwrap().genesis_file();
    let write = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut catalogue = vec!["--trust".to_owned(), text(&trust).to_owned(), "--datasets".to_owned()];
    for (i, dataset) in covenant_demo::catalogue::datasets().unwrap().iter().enumerate() {
        catalogue.push(write(&format!("d{i}.json"), json(dataset)));
    }
    catalogue.push("--purposes".to_owned());
    for (i, purpose) in covenant_demo::catalogue::purposes().unwrap().iter().enumerate() {
        catalogue.push(write(&format!("p{i}.json"), json(purpose)));
    }
    let mut book = covenant_demo::catalogue::rule_books().unwrap().remove(0);
    let old = write("old.json", json(&book));
    book.revision = 2;
    book.rules.retain(|rule| rule.name != "banks-mortgage");
    let new = write("new.json", json(&book));
    let run = |args: &[&str]| {
        let all: Vec<&str> = args.iter().copied().chain(catalogue.iter().map(String::as_str)).collect();
        covenant(&all, None)
    };
    let reviewed = run(&["policy", "review", &new, "--previous", &old]);
    let told = out(&reviewed);
    assert!(reviewed.status.success(), "{told}{}", err(&reviewed));
    for part in ["revision 2", "market-regulation", "premises", "review "] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let again = run(&["policy", "review", &old, "--previous", &old, "--json"]);
    assert_eq!(again.status.code(), Some(1), "the revision does not follow");
    let compared = run(&["policy", "diff", &old, &new, "--json"]);
    let compared: Value = serde_json::from_slice(&compared.stdout).unwrap();
    let changes = compared["changes"].as_array().unwrap();
    let closed = |c: &Value| c["member"] == "bank" && c["was"]["answer"] == "allowed" && c["now"]["answer"] == "silent";
    assert!(!changes.is_empty() && changes.iter().all(closed), "{changes:?}");
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

#[test]
fn an_absent_gateway_ends_with_three() {
    let dir = tempfile::tempdir().unwrap();
    let ended = covenant(&["demo", "--residents", "1", "--companies", "0", "--once", "--dir", text(dir.path())], None);
    assert_eq!(ended.status.code(), Some(1), "a city of one has no story");
    let (key, trust) = (dir.path().join("keys/bank.json"), dir.path().join("genesis.json"));
    let status = ["status", "--gateway", "http://127.0.0.1:1", "--key", text(&key), "--trust", text(&trust)];
    let away = covenant(&status, Some("covenant demo passphrase"));
    assert_eq!(away.status.code(), Some(3), "{}", err(&away));
}

#[test]
fn the_demo_s_evidence_verifies_and_its_ledger_rebuilds() {
    let dir = tempfile::tempdir().unwrap();
    let small = ["--residents", "400", "--companies", "80", "--suite", "intl", "--listen", "127.0.0.1:0"];
    let demo = [&["demo", "--once", "--json", "--dir", text(dir.path())][..], &small].concat();
    let told = covenant(&demo, None);
    assert!(told.status.success(), "{}{}", out(&told), err(&told));
    let document: Value = serde_json::from_slice(&told.stdout).unwrap();
    let evidence = document["summary"]["evidence"].as_array().unwrap();
    assert!(evidence.len() >= 4, "{document}");
    let trust = dir.path().join("genesis.json");
    let trust = text(&trust);
    for bundle in evidence {
        let file = bundle["file"].as_str().unwrap();
        let verified = covenant(&["verify", file, "--trust", trust, "--json"], None);
        assert_eq!(verified.status.code(), Some(0), "{}", out(&verified));
        let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
        assert_eq!(report["outcome"], bundle["outcome"]);
    }
    let mut bytes = std::fs::read(evidence[0]["file"].as_str().unwrap()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let changed = dir.path().join("changed.cov");
    std::fs::write(&changed, &bytes).unwrap();
    assert_ne!(covenant(&["verify", text(&changed), "--trust", trust], None).status.code(), Some(0));
    let store = format!("sqlite://{}", dir.path().join("housing/node.db").display());
    let rebuilt = covenant(&["ledger", "rebuild", "--store", &store, "--trust", trust, "--json"], None);
    assert!(rebuilt.status.success(), "{}{}", out(&rebuilt), err(&rebuilt));
    let rebuilt: Value = serde_json::from_slice(&rebuilt.stdout).unwrap();
    assert!(rebuilt["leaves"].as_u64() >= document["summary"]["leaves"].as_u64(), "{rebuilt}");
    let again = covenant(&demo, None);
    assert!(again.status.success(), "the folder opens again: {}{}", out(&again), err(&again));
}
