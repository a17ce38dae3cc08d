//! Nodes that stop, lose their database, run out of disk, or never hear of a query.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use covenant_api::QueryState;
use covenant_canon::{SuiteId, from_bytes};
use covenant_client::authorise::Terms;
use covenant_client::{Client, Ground, Question, Reply};
use covenant_demo::city::City;
use covenant_domain::{ConsentScope, MemberId, Mode, PurposeCode, Subject};
use covenant_journeys::{Desk, Town, dataset, fields, now_ms, replace_charter, running_city, settled, skipped, until};
use covenant_ledger::{Charter, SignedBatch, verify_bundle};

const HOUR_MS: u64 = 3_600_000;

fn city() -> City {
    City::generate(21, 300, 60)
}

/// The market bureau's licence of a company, as the bank may ask for it.
fn licence(city: &City, company: usize) -> Question {
    Question {
        dataset: dataset("market-regulation/licensing/licences"),
        purpose: PurposeCode::new("account-opening").unwrap(),
        mode: Mode::Detail,
        fields: fields(&["company_name", "status"]),
        subject: Subject::Company(city.companies[company].code.clone()),
        ground: Ground::Legal { case: Some("2026-7".into()) },
        claims: Vec::new(),
    }
}

/// The housing bureau's record of a company's premises, as the market bureau may compare it.
fn premises(city: &City, company: usize) -> Question {
    Question {
        dataset: dataset("housing/registry/premises"),
        purpose: PurposeCode::new("address-verification").unwrap(),
        mode: Mode::Match,
        fields: fields(&["address"]),
        subject: Subject::Company(city.companies[company].code.clone()),
        ground: Ground::Legal { case: None },
        claims: Vec::new(),
    }
}

async fn answered(client: &Client, questions: Vec<Question>) -> Vec<Reply> {
    let mut replies = Vec::new();
    for reply in client.ask_many(questions).await {
        let reply = reply.unwrap();
        assert!(reply.state == QueryState::Answered && reply.answer.as_ref().unwrap().failure.is_none(), "{reply:?}");
        replies.push(reply);
    }
    replies
}

/// An error with all its causes.
fn told(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", told(cause)),
        None => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_away_catches_up() {
    let (dir, city) = (tempfile::tempdir().unwrap(), city());
    let mut town = Town::open(dir.path(), &city).await;
    let bank = town.client("bank").await;
    let bureau = town.client("market-regulation").await;
    answered(&bank, vec![licence(&city, 0)]).await;
    let before = settled(&town.all()).await;

    town.stop("tax").await;
    for company in 0..5 {
        answered(&bank, vec![licence(&city, company)]).await;
        answered(&bureau, vec![premises(&city, company)]).await;
    }
    let without = settled(&town.all()).await;
    assert_ne!(without, before);
    town.start("tax").await.unwrap();
    assert_eq!(settled(&town.all()).await, without, "the node came to another state");
    town.node("tax").rebuild().await.unwrap();

    // A holder is away: queries to the others go on, and to it once it is back.
    town.stop("housing").await;
    answered(&bank, vec![licence(&city, 6)]).await;
    town.start("housing").await.unwrap();
    answered(&bureau, vec![premises(&city, 6)]).await;
    settled(&town.all()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_is_refused_and_replaced_from_the_peers() {
    let (dir, city) = (tempfile::tempdir().unwrap(), city());
    let mut town = Town::open(dir.path(), &city).await;
    let bank = town.client("bank").await;
    answered(&bank, (0..20).map(|n| licence(&city, n)).collect()).await;
    settled(&town.all()).await;

    town.stop("tax").await;
    let file = town.database("tax");
    assert!(!file.with_extension("db-wal").exists(), "the log is folded in when a node stops");
    flip_in_the_middle(&file);
    let error = told(&town.start("tax").await.unwrap_err());
    assert!(error.contains("node.db") && error.contains("damaged") && error.contains("restore"), "{error}");
    println!("{error}");
    answered(&bank, vec![licence(&city, 1)]).await;

    // The records of the department are in another file; the ledger comes back from the others.
    fs::remove_file(&file).unwrap();
    town.start("tax").await.unwrap();
    settled(&town.all()).await;
    answered(&bank, vec![licence(&city, 2)]).await;
    let digest = settled(&town.all()).await;
    assert_eq!(town.node("tax").with_state(|s| s.digest()), digest);
    let (own, other) = (town.node("tax").rebuild().await.unwrap(), town.node("housing").rebuild().await.unwrap());
    assert_eq!(own, other);
}

/// Bytes of every page in the middle third.
fn flip_in_the_middle(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let pages = bytes.len() / 4096;
    for page in pages / 3..pages * 2 / 3 {
        bytes[page * 4096..][..64].iter_mut().for_each(|byte| *byte ^= 0xa5);
    }
    fs::write(file, bytes).unwrap();
}

/// A small file system of its own, gone when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount(mebibytes: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={mebibytes}m");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        mount.is_ok_and(|o| o.status.success()).then_some(Self(dir))
    }

    fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    /// Writes until nothing fits any more.
    fn fill(&self) -> PathBuf {
        let file = self.path().join("filler");
        let mut out = fs::File::create(&file).unwrap();
        for size in [1 << 16, 1 << 12] {
            while std::io::Write::write_all(&mut out, &vec![1; size]).is_ok() {}
        }
        file
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_on_a_full_disk_stops_and_the_others_go_on() {
    let Some(disk) = Disk::mount(16) else {
        return skipped("a_node_on_a_full_disk_stops_and_the_others_go_on", "no tmpfs can be mounted here");
    };
    let (dir, city) = (tempfile::tempdir().unwrap(), city());
    let mut town = Town::open(dir.path(), &city).await;
    let bank = town.client("bank").await;
    town.stop("tax").await;
    town.stores.insert(MemberId::new("tax").unwrap(), disk.path().join("node.db"));
    town.start("tax").await.unwrap();
    answered(&bank, vec![licence(&city, 0)]).await;
    settled(&town.all()).await;

    let tax = town.node("tax");
    let filler = disk.fill();
    let mut asked = 0;
    let failure = loop {
        answered(&bank, (0..10).map(|n| licence(&city, n)).collect()).await;
        asked += 10;
        assert!(asked <= 400, "the node never noticed that its disk is full");
        if let Ok(failure) = tokio::time::timeout(std::time::Duration::from_millis(50), tax.failed()).await {
            break told(&*failure);
        }
    };
    println!("after {asked} queries: {failure}");
    assert!(failure.contains("node.db") && failure.contains("no room left"), "{failure}");
    let fault = tax.probe().await.unwrap_err();
    assert!(fault.contains("consensus"), "a node whose consensus has stopped is not sound: {fault}");
    let stood = tax.tip().height;
    let others = town.all().into_iter().filter(|n| n.member().as_str() != "tax").collect::<Vec<_>>();
    answered(&bank, vec![licence(&city, 11)]).await;
    settled(&others).await;
    assert_eq!(tax.tip().height, stood, "a stopped node does not go on");
    tax.rebuild().await.unwrap();
    drop(tax);
    town.stop("tax").await;

    fs::remove_file(filler).unwrap();
    town.start("tax").await.unwrap();
    answered(&bank, vec![licence(&city, 12)]).await;
    settled(&town.all()).await;
    town.node("tax").rebuild().await.unwrap();
    town.stop("tax").await;
}

/// The holder's node never gets the input: the query closes as lapsed, with proof, and what it used up stays used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_without_its_input_lapses() {
    let (dir, city) = (tempfile::tempdir().unwrap(), city());
    replace_charter(dir.path(), SuiteId::Sm, Charter { completion_ms: 1_500, ..Charter::default() });
    let consortium = running_city(dir.path(), SuiteId::Sm, &city, |_| {}).await;
    let bank = consortium.client("bank").await.unwrap();
    let desk = Desk::new(consortium.client("authorisation").await.unwrap(), &bank);
    let credit = dataset("credit-centre/scoring/credit");
    let terms = Terms {
        consumer: bank.member().clone(),
        purpose: PurposeCode::new("mortgage-review").unwrap(),
        scopes: vec![ConsentScope { dataset: credit.clone(), fields: fields(&["defaulted"]) }],
        modes: vec![Mode::Detail],
        valid_from_ms: now_ms() - HOUR_MS,
        valid_until_ms: now_ms() + HOUR_MS,
        max_uses: 2,
        data_life_days: 1,
    };
    let subject = || Subject::Resident(city.residents[0].number.clone());
    let ticket = desk.issue(vec![(subject(), terms)]).await.remove(0);
    let identity = consortium.founding.identity("bank").unwrap();
    let question = || Question {
        dataset: credit.clone(),
        purpose: PurposeCode::new("mortgage-review").unwrap(),
        mode: Mode::Detail,
        fields: fields(&["defaulted"]),
        subject: subject(),
        ground: ticket.ground(&identity, &subject()).unwrap(),
        claims: Vec::new(),
    };

    let prepared = bank.prepare(vec![question(), licence(&city, 0)]).unwrap();
    let batch: SignedBatch = from_bytes(&prepared.requests().next().unwrap().batch.0).unwrap();
    consortium.nodes[1].submit(batch).await.unwrap();
    for intent in prepared.intents() {
        let intent = intent.as_ref().unwrap();
        let reply = bank.resume(intent).await.unwrap();
        assert!(reply.state == QueryState::Lapsed && reply.answer.is_none() && reply.sealed.is_none(), "{reply:?}");
        let report = verify_bundle(&bank.evidence(intent).await.unwrap(), bank.trust());
        assert!(report.verified && report.outcome.as_deref().unwrap().contains("lapsed"), "{report:?}");
    }
    let used = || async { bank.grants().await.unwrap().iter().map(|g| g.used_in_window).sum::<u64>() };
    assert_eq!((used().await, bank.consent(&ticket.consent.id).await.unwrap().uses), (2, 1), "nothing is given back");

    // Too late: the input comes after the end, and nothing comes of it.
    let late = bank.send(&prepared).await;
    assert!(late.iter().all(|r| r.as_ref().unwrap().state == QueryState::Lapsed), "{late:?}");
    answered(&bank, vec![question()]).await;
    let again = bank.ask(question()).await.unwrap();
    assert_eq!(again.state, QueryState::Refused, "the lapsed query took one of two uses: {again:?}");
    until("the queries are closed", async || {
        consortium.nodes.iter().all(|n| n.with_state(|s| s.open_queries().count()) == 0).then_some(())
    })
    .await;
    settled(&consortium.nodes).await;
    consortium.stop().await;
}
