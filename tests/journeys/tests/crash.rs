//! The process is killed at every step of the walk. After a restart nothing is lost, nothing half-written, and no answer
//! was released without its record.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use covenant_api::QueryState;
use covenant_canon::SuiteId;
use covenant_client::{Client, Ground, Question, Reply};
use covenant_daemon::Steps;
use covenant_demo::city::City;
use covenant_demo::{Consortium, catalogue};
use covenant_domain::{DatasetId, FieldName, IntentId, Mode, PurposeCode, Subject, Value};
use covenant_journeys::running_city;

const DIR: &str = "COVENANT_CRASH_DIR";
const AT: &str = "COVENANT_CRASH_AT";

fn city() -> City {
    City::generate(1, 60, 20)
}

fn question(city: &City) -> Question {
    let name = |n: &str| FieldName::new(n).unwrap();
    Question {
        dataset: DatasetId::new(&format!("cov:{}/gov/market-regulation/licensing/licences", catalogue::CONSORTIUM))
            .unwrap(),
        purpose: PurposeCode::new("account-opening").unwrap(),
        mode: Mode::Detail,
        fields: vec![name("company_name"), name("status")],
        subject: Subject::Company(city.companies[0].code.clone()),
        ground: Ground::Legal { case: Some("K-1".into()) },
        claims: vec![],
    }
}

/// Run in a process of its own by the test below; does nothing otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Ok(dir), Ok(at)) = (std::env::var(DIR), std::env::var(AT)) else { return };
    let dir = PathBuf::from(dir);
    let armed = Arc::new(AtomicBool::new(false));
    let trigger = armed.clone();
    let steps = Steps::with(Arc::new(move |step| {
        if step == at && trigger.load(Ordering::SeqCst) {
            // No destructor, no flush: as if killed.
            std::process::abort();
        }
    }));
    let city = city();
    let consortium = running_city(&dir, SuiteId::Sm, &city, |s| s.steps = steps).await;
    let bank = consortium.client("bank").await.unwrap();
    let prepared = bank.prepare(vec![question(&city)]).unwrap();
    let intent = prepared.intents()[0].clone().unwrap();
    std::fs::write(dir.join("intent"), intent.to_string()).unwrap();
    armed.store(true, Ordering::SeqCst);
    let reply = bank.send(&prepared).await.pop().unwrap().unwrap();
    std::fs::write(dir.join("answered"), format!("{:?}", reply.state)).unwrap();
    // Completions of general data come after the answer: let the walk go to its end.
    tokio::time::sleep(Duration::from_secs(5)).await;
}

async fn settled(client: &Client, intent: &IntentId) -> Reply {
    for _ in 0..200 {
        let reply = client.resume(intent).await.unwrap();
        if reply.state == QueryState::Unknown || (reply.state.is_final() && reply.receipted) {
            return reply;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the query did not come to an end within twenty seconds");
}

async fn after_the_crash(dir: &Path, at: &str) {
    let city = city();
    let consortium = running_city(dir, SuiteId::Sm, &city, |_| {}).await;
    let bank = consortium.client("bank").await.unwrap();
    let intent: IntentId = std::fs::read_to_string(dir.join("intent")).unwrap().parse().unwrap();
    let reply = settled(&bank, &intent).await;
    let released_before = dir.join("answered").exists();
    if reply.state == QueryState::Unknown {
        assert!(!released_before, "{at}: an answer left and its query is not on record");
    } else {
        check_answer(&bank, &city, &reply, at).await;
    }
    // Asking anew works, and all replicas agree and follow from their blocks.
    let again = bank.ask(question(&city)).await.unwrap();
    let again = settled(&bank, &again.intent).await;
    check_answer(&bank, &city, &again, at).await;
    check_replicas(&consortium, at).await;
    consortium.stop().await;
}

async fn check_answer(bank: &Client, city: &City, reply: &Reply, at: &str) {
    assert_eq!(reply.state, QueryState::Answered, "{at}");
    let answer = reply.answer.as_ref().unwrap();
    let name = answer.value(&FieldName::new("company_name").unwrap());
    assert_eq!(name, Some(&Value::Text(city.companies[0].name.clone())), "{at}");
    let report = bank.verify_reply(reply).await.unwrap();
    assert!(report.verified, "{at}: {report:?}");
}

async fn check_replicas(consortium: &Consortium, at: &str) {
    let tip = consortium.nodes[0].tip();
    let mut digests = Vec::new();
    for node in &consortium.nodes {
        for _ in 0..100 {
            if node.tip().height >= tip.height {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        node.rebuild().await.unwrap_or_else(|e| panic!("{at}: {}: {e}", node.member()));
        digests.push((node.tip().height, node.with_state(|s| s.digest())));
        let intents = node.with_state(|s| s.open_queries().count());
        assert_eq!(intents, 0, "{at}: nothing stays open");
    }
    let highest = digests.iter().max_by_key(|d| d.0).unwrap().1;
    let at_highest = digests.iter().filter(|d| d.0 == digests.iter().map(|d| d.0).max().unwrap());
    assert!(at_highest.clone().count() >= 3, "{at}: {digests:?}");
    assert!(at_highest.into_iter().all(|d| d.1 == highest), "{at}: replicas differ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_every_step() {
    for at in Steps::ALL {
        let dir = tempfile::tempdir().unwrap();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--test-threads=1"])
            .env(DIR, dir.path())
            .env(AT, at)
            .output()
            .unwrap();
        assert!(!status.status.success(), "{at}: the walk never passed this step");
        assert!(dir.path().join("intent").exists(), "{at}: {}", String::from_utf8_lossy(&status.stderr));
        after_the_crash(dir.path(), at).await;
    }
}
