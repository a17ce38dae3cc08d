//! What the tests of this crate read: the law of the house as data ([`law`]), the manifests, the sources and the pages.
//!
//! It checks nothing by itself; the tests beside it do.
#![deny(missing_docs)]
#![allow(clippy::panic, reason = "a file that cannot be read fails the test that asked for it")]

pub mod law;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{MetadataCommand, Package};

/// Folders that hold our own sources.
const AREAS: [&str; 7] = ["schemas", "privacy", "policy", "node", "gateway", "deploy", "tests"];

/// The repository's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The text of a file, by its path from the root.
pub fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("`{path}` cannot be read: {e}"))
}

/// Every package of the workspace as its manifest says; nothing is resolved, so no network is asked.
pub fn packages() -> Vec<Package> {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps().other_options(["--offline".to_owned()]);
    command.exec().unwrap_or_else(|e| panic!("cargo metadata: {e}")).packages
}

/// The room's short name: `covenant-ledger` is `ledger`.
pub fn room(package: &str) -> Option<&str> {
    package.strip_prefix("covenant-")
}

/// Rust sources below our folders, as paths from the root, sorted.
pub fn sources() -> Vec<String> {
    let mut found = Vec::new();
    for area in AREAS {
        collect(&root().join(area), &mut found);
    }
    found.sort();
    found
}

fn collect(folder: &Path, found: &mut Vec<String>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("`{}` cannot be read: {e}", folder.display()));
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("node_modules") {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            let below = path.strip_prefix(root()).unwrap_or(&path);
            found.push(below.display().to_string());
        }
    }
}

/// Names of all test functions of the house.
pub fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in sources() {
        let mut marked = false;
        for line in text(&path).lines().map(str::trim) {
            marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            if let Some(name) = function(line) {
                if marked {
                    names.insert(name.to_owned());
                }
                marked = false;
            }
        }
    }
    names
}

fn function(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}

/// Cells of the rows of every table in a page, without heads and rulers.
pub fn rows(page: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = page.lines().collect();
    let is_ruler = |line: &str| line.starts_with("|-") || line.starts_with("| -");
    let is_row = |at: usize, line: &str| {
        line.starts_with('|') && !is_ruler(line) && !lines.get(at + 1).is_some_and(|next| is_ruler(next))
    };
    let rows = lines.iter().enumerate().filter(|(at, line)| is_row(*at, line));
    rows.map(|(_, line)| line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect()).collect()
}

/// Words in back-ticks that could be names of functions.
pub fn quoted_names(cell: &str) -> Vec<String> {
    let plain =
        |w: &&str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    cell.split('`').skip(1).step_by(2).filter(plain).map(str::to_owned).collect()
}
