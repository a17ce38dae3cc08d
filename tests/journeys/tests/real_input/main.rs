//! Real public tables through the whole path: imported by mapping files, asked a thousand mixed questions through the
//! gateway, every answer held against a plain reading of the CSV.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests are tests"
)]

mod asker;
mod founding;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use covenant_client::Reply;
use covenant_daemon::Node;
use covenant_journeys::{Dice, settled, skipped, until};
use covenant_ledger::{verify_answer, verify_bundle};
use covenant_source::{ImportOptions, Vault};

use asker::{Asker, Expect, Shape};
use founding::{World, found};
use table::Table;

const SEED: u64 = 20_260_101;
const QUESTIONS: usize = 1_000;
const BATCH: usize = 125;

/// A question that was asked.
struct Asked {
    expect: Expect,
    shape: Shape,
    reply: Reply,
}

/// The public tables, where they are.
fn shared(test: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let dir = std::env::var_os("COVENANT_SHARED_DATA").map_or(beside, PathBuf::from);
    if dir.join("credit_card_clients.csv").exists() {
        return Some(dir);
    }
    // The tables are no part of the project: CI says so where it finds none, and then this is no failure.
    match std::env::var("COVENANT_WITHOUT_SHARED_DATA").as_deref() {
        Ok("1") => println!("SKIPPED {test}: no public tables on this machine"),
        _ => skipped(test, "no public tables: set COVENANT_SHARED_DATA"),
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_questions_about_three_public_tables() {
    let Some(data) = shared("real_input") else { return };
    let (dir, started) = (tempfile::tempdir().unwrap(), Instant::now());
    let World { consortium, tables, imported } = found(dir.path(), &data).await;
    // The mapping files were written for these files: every row fits, none is refused.
    let all = BTreeMap::from([
        ("business_licences", (14_573, 0)),
        ("credit_card_clients", (30_000, 0)),
        ("property_assessments", (2_930, 0)),
    ]);
    assert_eq!(imported, all, "rows imported and rejected");
    println!("47 503 rows imported, rules published: {:?}", started.elapsed());

    let lender = consortium.client("lender").await.unwrap();
    let authorisation = consortium.client("authorisation").await.unwrap();
    let mut asker = Asker::new(&consortium.founding, &tables, Dice::new(SEED));
    asker.collect_consents(authorisation, &lender).await;
    let asking = Instant::now();
    let mut asked: Vec<Asked> = Vec::new();
    for _ in 0..QUESTIONS / BATCH {
        let (questions, expected): (Vec<_>, Vec<_>) = (0..BATCH).map(|_| asker.question()).unzip();
        for ((expect, shape), reply) in expected.into_iter().zip(lender.ask_many(questions).await) {
            asked.push(Asked { expect, shape, reply: reply.unwrap() });
        }
    }
    println!("{} questions in batches of {BATCH}: {:?}", asked.len(), asking.elapsed());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (n, Asked { expect, shape, reply }) in asked.iter().enumerate() {
        expect.check(n, &tables[shape.table], reply);
        *counts.entry(expect.name()).or_default() += 1;
    }
    println!("{counts:?}");
    assert!(counts.len() == 5 && counts.values().all(|c| *c >= 15), "a kind of question hardly came up: {counts:?}");
    let compared = told_apart_by_length(&tables, &asked);
    assert!(compared >= 10, "only {compared} kinds of question had both hits and misses");

    let mut dice = Dice::new(SEED + 1);
    for n in 0..20 {
        let reply = loop {
            let reply = &asked[dice.below(asked.len())].reply;
            if (n < 15) == reply.answer.is_some() {
                break reply;
            }
        };
        verified(&lender, reply).await;
    }
    settled(&consortium.nodes).await;
    rebuilt(&consortium.nodes[1]).await;
    consortium.stop().await;
}

async fn rebuilt(node: &Node) {
    let counts = node.rebuild().await.unwrap();
    assert!(counts["leaves"] > 2 * QUESTIONS as u64, "{counts:?}");
}

/// Offline: from the bundle, the trust root and what the consumer holds.
async fn verified(lender: &covenant_client::Client, reply: &Reply) {
    until("the bundle verifies", async || {
        let bundle = lender.evidence(&reply.intent).await.unwrap();
        let report = match (&reply.sealed, &reply.answer) {
            (Some(sealed), Some(answer)) => verify_answer(&bundle, lender.trust(), sealed, answer),
            _ => verify_bundle(&bundle, lender.trust()),
        };
        // General data may be here before its completion; a report that fails for another reason never turns.
        report.verified.then_some(())
    })
    .await;
}

/// Whoever carries an answer must not tell hit, miss and failure apart by its length: it follows from what was asked.
fn told_apart_by_length(tables: &[Table], asked: &[Asked]) -> usize {
    let mut lengths: BTreeMap<_, BTreeMap<usize, BTreeSet<&str>>> = BTreeMap::new();
    for Asked { expect, shape, reply } in asked {
        if let Some(sealed) = &reply.sealed {
            lengths.entry(shape).or_default().entry(sealed.len()).or_default().insert(expect.name());
        }
    }
    for (shape, lengths) in &lengths {
        let name = tables[shape.table].dataset.id.name();
        assert_eq!(lengths.len(), 1, "`{name}` {shape:?}: sealed lengths tell the outcomes apart: {lengths:?}");
    }
    lengths.values().filter(|l| l.values().any(|kinds| kinds.len() > 1)).count()
}

/// A stricter mapping: what it refuses is told row by row, and only those rows are left out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rejected_row_is_explained() {
    let Some(data) = shared("real_input") else { return };
    let (dir, file) = (tempfile::tempdir().unwrap(), data.join("business_licences.csv"));
    let table = Table::read(&data, "business_licences");
    let mapping = table.stricter(&["city", "zip"]);
    // By hand: the rows in which one of the two cells is empty, with the line they stand on.
    let mut empty = Vec::new();
    for row in 0..table.cells.len() {
        let missing = ["City", "Zip"].into_iter().find(|c| table.cell(row, c).trim().is_empty());
        // One line each, after the header.
        empty.extend(missing.map(|column| (row as u64 + 2, column.to_owned())));
    }
    assert_eq!(empty.len(), 7);
    let vault = Vault::open(&format!("sqlite://{}", dir.path().join("vault.db").display())).await.unwrap();
    let rejects = dir.path().join("rejects.csv");
    let refuse = ImportOptions { rejects: Some(rejects.clone()), ..Default::default() };
    let refused = vault.import(&table.dataset, &mapping, &file, refuse.clone(), &mut |_| {}).await.unwrap_err();
    assert!(refused.to_string().starts_with("7 of 14573 rows are refused"), "{refused}");
    assert_eq!(vault.count(&table.dataset.id).await.unwrap(), 0, "all or nothing");

    let keep_going = ImportOptions { keep_going: true, ..refuse };
    let report = vault.import(&table.dataset, &mapping, &file, keep_going, &mut |_| {}).await.unwrap();
    assert_eq!((report.rows, report.imported, report.rejected), (14_573, 14_566, 7));
    let told: Vec<_> = report.first_rejects.iter().map(|r| (r.line, r.column.clone())).collect();
    assert_eq!(told, empty);
    assert!(report.first_rejects.iter().all(|r| r.reason.contains("is empty but required")), "{report:?}");
    assert_eq!(csv::Reader::from_path(rejects).unwrap().into_records().count(), 7);
}
