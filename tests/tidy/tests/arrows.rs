//! Who may depend on whom.

use std::collections::BTreeMap;

use cargo_metadata::{Dependency, DependencyKind, Package};
use covenant_tidy::{law, packages, room, text};

fn rooms(packages: &[Package]) -> impl Iterator<Item = (&str, &Dependency)> {
    packages.iter().flat_map(|p| p.dependencies.iter().filter_map(|d| Some((room(&p.name)?, d))))
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{} break(s) of the law:\n  {}", faults.len(), faults.join("\n  "));
}

#[test]
fn every_room_stands_on_a_floor() {
    let packages = packages();
    let names: Vec<&str> = packages.iter().filter_map(|p| room(&p.name)).collect();
    assert_eq!(names.len(), packages.len(), "every package is named `covenant-<room>`");
    let homeless: Vec<_> = names.iter().filter(|n| law::floor(n).is_none() && !law::TESTS.contains(n)).collect();
    assert!(homeless.is_empty(), "give {homeless:?} a floor in tests/tidy/src/law.rs and docs/ARCHITECTURE.md");
    let gone: Vec<_> = law::FLOORS.iter().filter(|(room, _)| !names.contains(room)).collect();
    assert!(gone.is_empty(), "{gone:?} are in the law but not in the workspace");
}

/// Tests of a room may lean on its neighbours of the same floor, never on a higher one.
#[test]
fn arrows_point_down() {
    let mut faults = Vec::new();
    let packages = packages();
    for (from, dependency) in rooms(&packages) {
        let Some(to) = room(&dependency.name) else { continue };
        let Some(own) = law::floor(from) else { continue };
        let for_tests = dependency.kind == DependencyKind::Development;
        match law::floor(to) {
            Some(floor) if floor < own => {}
            Some(floor) if floor == own && (for_tests || law::SAME_FLOOR.contains(&(from, to))) => {}
            Some(floor) => faults.push(format!("{from} (floor {own}) -> {to} (floor {floor})")),
            None => faults.push(format!("{from} (floor {own}) -> {to}, which is a room of tests")),
        }
    }
    none(&faults);
}

#[test]
fn pure_floors_name_no_impure_crate() {
    let packages = packages();
    let impure = rooms(&packages).filter(|(from, dependency)| {
        let pure = law::floor(from).is_some_and(|f| f <= law::PURE);
        pure && dependency.kind != DependencyKind::Development && law::IMPURE.contains(&dependency.name.as_str())
    });
    none(&impure.map(|(from, dependency)| format!("{from} names {}", dependency.name)).collect::<Vec<_>>());
}

#[test]
fn some_crates_are_named_in_one_room_only() {
    let packages = packages();
    let mut faults = Vec::new();
    for (from, dependency) in rooms(&packages) {
        let name = dependency.name.as_str();
        let ours = law::NAMED_ONLY_BY.iter().find(|(start, _)| name.starts_with(start));
        if let Some((_, allowed)) = ours
            && !allowed.contains(&from)
            && !law::TESTS.contains(&from)
        {
            faults.push(format!("{from} names {name}, which only {allowed:?} may"));
        }
        let oracle = law::ORACLES.iter().find(|(oracle, _)| *oracle == name);
        if let Some((_, of)) = oracle
            && (dependency.kind != DependencyKind::Development || from != *of)
        {
            faults.push(format!("{from} names {name}, an oracle for the tests of {of} alone"));
        }
    }
    none(&faults);
}

#[test]
fn there_is_one_curve_crate() {
    let lock = text("Cargo.lock");
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in lock.lines() {
        let value = |key: &str| line.strip_prefix(key).and_then(|rest| rest.strip_suffix('"'));
        if let Some(found) = value("name = \"") {
            name = found;
        } else if let Some(version) = value("version = \"") {
            versions.entry(name).or_default().push(version);
        }
    }
    let (curve, version) = law::CURVE;
    assert_eq!(versions.get(curve), Some(&vec![version]), "{curve} must be there once, at {version}");
}
