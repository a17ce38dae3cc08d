//! What the book says must be there.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;

use covenant_tidy::{law, quoted_names, root, rows, sources, tests, text};

#[test]
fn decisions_are_numbered_without_gaps() {
    let entries = std::fs::read_dir(root().join("docs/adr")).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(!names.is_empty());
    for (number, name) in (1..).zip(&names) {
        let well_named = name.starts_with(&format!("{number:04}-"))
            && name.ends_with(".md")
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
        assert!(well_named, "`{name}` should be `{number:04}-title.md`");
        let page = text(&format!("docs/adr/{name}"));
        for head in ["# ", "## Context", "## Decision", "## Consequences"] {
            assert!(page.lines().any(|l| l.starts_with(head)), "`{name}` lacks `{head}`");
        }
    }
}

/// Names in the last cell of a row that are no test.
fn missing(row: &[String], known: &BTreeSet<String>) -> Vec<String> {
    quoted_names(row.last().map_or("", String::as_str)).into_iter().filter(|n| !known.contains(n)).collect()
}

#[test]
fn every_invariant_has_a_test() {
    let (rows, known) = (rows(&text("docs/invariants.md")), tests());
    let mut faults = Vec::new();
    for id in (1..=23).map(|n| format!("I{n}")) {
        let own: Vec<_> = rows.iter().filter(|r| r.first().is_some_and(|c| *c == id)).collect();
        let [row] = own.as_slice() else {
            faults.push(format!("{id} has {} rows, one is expected", own.len()));
            continue;
        };
        let cell = row.last().map_or("", String::as_str);
        let later = law::NOT_BUILT.contains(&id.as_str()) && cell.contains("later issue ");
        if quoted_names(cell).is_empty() && !later {
            faults.push(format!("{id} names no test"));
        }
        faults.extend(missing(row, &known).into_iter().map(|n| format!("{id} names `{n}`, which does not exist")));
    }
    assert!(faults.is_empty(), "docs/invariants.md:\n  {}", faults.join("\n  "));
}

#[test]
fn every_threat_has_a_test() {
    let (rows, known) = (rows(&text("docs/threat-model.md")), tests());
    let mut faults = Vec::new();
    let threats: Vec<_> = rows.iter().filter(|r| r.first().is_some_and(|c| c.starts_with('T'))).collect();
    assert!(threats.len() > 10, "the table of threats was not found");
    for row in threats {
        let id = row.first().map_or("", String::as_str);
        if quoted_names(row.last().map_or("", String::as_str)).is_empty() {
            faults.push(format!("{id} names no test"));
        }
        faults.extend(missing(row, &known).into_iter().map(|n| format!("{id} names `{n}`, which does not exist")));
    }
    assert!(faults.is_empty(), "docs/threat-model.md:\n  {}", faults.join("\n  "));
}

#[test]
fn both_readmes_show_the_two_commands() {
    for page in ["README.md", "README.zh-CN.md"] {
        for command in ["cargo run --release -- demo", "cargo test --workspace"] {
            assert!(text(page).contains(command), "`{page}` does not show `{command}`");
        }
    }
}

/// Paths in back-ticks that begin with one of our folders must exist.
#[test]
fn pages_name_files_that_exist() {
    let mut faults = Vec::new();
    let known: BTreeSet<String> = sources().into_iter().collect();
    for page in pages() {
        for word in text(&page).split('`').skip(1).step_by(2) {
            let ours = ["schemas/", "privacy/", "policy/", "node/", "gateway/", "deploy/", "docs/"];
            let plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-.".contains(&b));
            let file = word.rsplit('/').next().is_some_and(|name| name.contains('.'));
            if plain && file && ours.iter().any(|o| word.starts_with(o)) {
                let there = known.contains(word) || root().join(word).exists();
                if !there {
                    faults.push(format!("{page} names `{word}`, which does not exist"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn pages() -> Vec<String> {
    let mut out = vec!["README.md".to_owned(), "README.zh-CN.md".to_owned()];
    let mut folders = vec!["docs".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap().flatten() {
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.ends_with(".md") {
                out.push(path);
            }
        }
    }
    out
}
