//! The demo's story, in both suites.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use covenant_canon::SuiteId;
use covenant_demo::Story;
use covenant_demo::city::City;
use covenant_journeys::running_city;

async fn told(suite: SuiteId) {
    let dir = tempfile::tempdir().unwrap();
    let city = City::generate(1, 400, 80);
    let consortium = running_city(dir.path(), suite, &city, |_| {}).await;
    let mut lines = Vec::new();
    let mut tell = |line: covenant_demo::Line| lines.push(line);
    let desk = Story::new(&consortium, &city, &mut tell).unwrap().tell().await.unwrap();
    assert!(lines.iter().filter(|l| l.opens).count() >= 9);
    desk.stop().await;
    consortium.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_shangmi_suite() {
    told(SuiteId::Sm).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_international_suite() {
    told(SuiteId::Intl).await;
}
