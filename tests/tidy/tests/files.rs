//! How sources look.

use std::collections::BTreeSet;

use covenant_tidy::{law, packages, room, root, sources, text};

/// Rust sources below `src/` of rooms on the pure floors, with their text before the first test module.
fn pure_sources() -> Vec<(String, String)> {
    let mut out = Vec::new();
    for package in packages() {
        let pure = room(&package.name).and_then(law::floor).is_some_and(|f| f <= law::PURE);
        let folder = package.manifest_path.parent().map(|p| p.as_std_path().to_owned()).unwrap_or_default();
        let below = folder.strip_prefix(root()).map(|p| format!("{}/src/", p.display())).unwrap_or_default();
        if !pure {
            continue;
        }
        for path in sources().into_iter().filter(|p| p.starts_with(&below)) {
            let is_test = path.ends_with("tests.rs") || path.contains("/tests/");
            if !is_test {
                let whole = text(&path);
                let code = whole.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
                out.push((path, code));
            }
        }
    }
    assert!(out.len() > 20, "the pure floors were not found");
    out
}

#[test]
fn no_file_is_too_long() {
    let listed = text("tests/tidy/long_files.txt");
    let listed: BTreeSet<&str> = listed.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).collect();
    let mut long = BTreeSet::new();
    let mut faults = Vec::new();
    let sources = sources();
    for path in &sources {
        let lines = text(path).lines().count();
        if lines > law::MOST_LINES {
            faults.push(format!("{path} has {lines} lines, {} is the limit: split it", law::MOST_LINES));
        }
        if lines > law::MANY_LINES {
            long.insert(path.as_str());
        }
    }
    let grown = long.difference(&listed).map(|p| format!("{p} has more than {} lines: split it", law::MANY_LINES));
    let shrunk = listed.difference(&long).map(|p| format!("{p} is no longer long: take it off the list, for good"));
    faults.extend(grown.chain(shrunk));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn pure_floors_document_everything() {
    let bare: Vec<String> = pure_sources()
        .into_iter()
        .filter(|(path, code)| path.ends_with("src/lib.rs") && !code.contains("#![deny(missing_docs)]"))
        .map(|(path, _)| path)
        .collect();
    assert!(bare.is_empty(), "these lack `#![deny(missing_docs)]`: {bare:?}");
}

#[test]
fn pure_floors_have_no_clock_file_socket_or_randomness() {
    let mut faults = Vec::new();
    for (path, code) in pure_sources() {
        for (number, line) in (1..).zip(code.lines()) {
            let code = line.split("//").next().unwrap_or_default();
            for word in law::IMPURE_WORDS.iter().filter(|w| code.contains(**w)) {
                faults.push(format!("{path}:{number} names {word}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_is_left_to_do() {
    let mut faults = Vec::new();
    for path in sources().iter().filter(|p| !p.starts_with("tests/tidy/")) {
        for (number, line) in (1..).zip(text(path).lines()) {
            let code = line.split("//").next().unwrap_or_default();
            for word in ["todo!", "unimplemented!", "dbg!"] {
                if code.contains(&format!("{word}(")) {
                    faults.push(format!("{path}:{number} holds {word}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
