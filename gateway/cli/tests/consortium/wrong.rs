//! What must not start: each fault is named, and nothing is left running or half written.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::house::{House, REGULATOR, covenant, err, good, text};

/// Replaces text in a file, where it must be.
fn edit(path: &Path, from: &str, to: &str) {
    let old = std::fs::read_to_string(path).unwrap();
    assert!(old.contains(from), "`{from}` is not in {old}");
    std::fs::write(path, old.replace(from, to)).unwrap();
}

/// What a node says that does not start.
fn refused(config: &Path) -> String {
    let mut command = covenant(["node", "--config", text(config)]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().unwrap();
    let told = err(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    told
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_wrong_configuration_is_named() {
    let house = House::founded(&["housing", "tax"], &BTreeMap::new());
    let spoilt = |name: &str, spoil: &dyn Fn(&Path)| {
        let home = house.path().join("spoilt");
        copy(&house.home("tax"), &home);
        spoil(&home);
        println!("{name}");
        let told = refused(&home.join("node.toml"));
        std::fs::remove_dir_all(&home).unwrap();
        told
    };
    let config = |from: &'static str, to: &'static str| move |home: &Path| edit(&home.join("node.toml"), from, to);
    type Case<'a> = (&'a str, &'a dyn Fn(&Path), &'a [&'a str]);
    let cases: [Case<'_>; 9] = [
        ("format", &config("format = 1", "format = 9"), &["node.toml", "format 9", "reads 1"]),
        ("unknown key", &config("observe", "observer"), &["node.toml", "observer"]),
        ("another member", &config("member = \"tax\"", "member = \"housing\""), &["housing"]),
        ("a stranger", &config("member = \"tax\"", "member = \"nobody\""), &["nobody"]),
        ("no genesis", &|home| std::fs::remove_file(home.join("genesis.json")).unwrap(), &["genesis.json"]),
        ("a changed genesis", &|home| edit(&home.join("genesis.json"), "\"city\"", "\"town\""), &["`city`", "`town`"]),
        ("passphrase", &|home| std::fs::write(home.join("passphrase"), "wrong").unwrap(), &["passphrase"]),
        (
            "another's certificate",
            &|home| {
                for part in ["node.pem", "node.key"] {
                    std::fs::copy(house.home("housing").join("tls").join(part), home.join("tls").join(part)).unwrap();
                }
            },
            &["housing"],
        ),
        (
            "no certificate of the key",
            &|home| std::fs::write(home.join("tls/node.key"), "no key").unwrap(),
            &["node.key"],
        ),
    ];
    for (name, spoil, parts) in cases {
        // A line that is not there by default is put there first.
        let told = spoilt(name, &|home| {
            if name == "unknown key" {
                edit(&home.join("node.toml"), "[tls]", "observe = true\n[tls]");
            }
            spoil(home);
        });
        for part in parts {
            assert!(told.contains(part), "{name}: `{part}` is not in: {told}");
        }
    }
}

#[test]
fn a_taken_port_and_a_second_process_are_named() {
    let mut house = House::running(&["housing"], &BTreeMap::new());
    let told = refused(&house.config("housing"));
    assert!(told.contains("127.0.0.1:") || told.contains("in use"), "{told}");
    house.purpose("still-there");
    house.stop("housing");
}

#[test]
fn a_spoilt_database_and_one_of_another_consortium_are_named() {
    let mut house = House::running(&["housing"], &BTreeMap::new());
    for number in 0..5 {
        house.purpose(&format!("purpose-{number}"));
    }
    house.stop("housing");
    let database = house.home("housing").join("data/node.db");
    let whole = std::fs::read(&database).unwrap();

    std::fs::write(&database, &whole[..whole.len() / 2]).unwrap();
    let told = refused(&house.config("housing"));
    assert!(told.contains("database") || told.contains("node.db") || told.contains("malformed"), "{told}");
    let trust = house.home("housing").join("genesis.json");
    let url = house.database("housing");
    let check = covenant(["ledger", "check", "--store", &url, "--trust", text(&trust)]).output().unwrap();
    assert!(!check.status.success());

    std::fs::write(&database, &whole).unwrap();
    let other = house.path().with_extension("other");
    good(&mut covenant([
        "init",
        "--members",
        text(&house.path().with_file_name("members.toml")),
        "--out",
        text(&other),
    ]));
    std::fs::copy(other.join("housing/genesis.json"), &trust).unwrap();
    let told = refused(&house.config("housing"));
    assert!(told.contains("genesis") || told.contains("consortium") || told.contains("key"), "{told}");

    std::fs::copy(house.home(REGULATOR).join("genesis.json"), &trust).unwrap();
    house.start("housing");
    house.purpose("whole-again");
}
