//! One ledger on two kinds of database: what is stored differs, what it means does not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use covenant_canon::{Digest, SuiteId};
use covenant_demo::city::City;
use covenant_demo::{Consortium, Line, Story};
use covenant_domain::MemberId;
use covenant_journeys::{Postgres, running_city, settled};

const ON_POSTGRES: [&str; 2] = ["credit-centre", "tax"];

/// The city with two of its four replicas on PostgreSQL.
async fn mixed(dir: &Path, city: &City, urls: &BTreeMap<MemberId, String>) -> Consortium {
    running_city(dir, SuiteId::Sm, city, |settings| settings.stores = urls.clone()).await
}

/// Tells the story, waits until all replicas agree, and executes the ledger again at each of them.
async fn tell(consortium: &Consortium, city: &City) -> (Digest, BTreeMap<&'static str, u64>) {
    let mut steps = 0;
    let mut count = |line: Line| steps += u32::from(line.opens);
    Story::new(consortium, city, &mut count).unwrap().tell().await.unwrap().stop().await;
    assert!(steps >= 9);
    let digest = settled(&consortium.nodes).await;
    let mut all = Vec::new();
    for node in &consortium.nodes {
        all.push(node.rebuild().await.unwrap_or_else(|e| panic!("{}: {e}", node.member())));
    }
    assert!(all.windows(2).all(|two| two[0] == two[1]), "{all:?}");
    (digest, all.remove(0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_and_postgresql_hold_one_ledger() {
    let Some(server) = Postgres::start("sqlite_and_postgresql_hold_one_ledger") else { return };
    let started = Instant::now();
    let url = |id: &str| (MemberId::new(id).unwrap(), server.database(&id.replace('-', "_")));
    let urls: BTreeMap<_, _> = ON_POSTGRES.into_iter().map(url).collect();
    let (dir, city) = (tempfile::tempdir().unwrap(), City::generate(5, 300, 60));

    let consortium = mixed(dir.path(), &city, &urls).await;
    let (first, before) = tell(&consortium, &city).await;
    consortium.stop().await;
    for member in ["credit-centre", "housing", "market-regulation", "tax"] {
        let file = dir.path().join(member).join("node.db");
        assert_eq!(file.exists(), !ON_POSTGRES.contains(&member), "{member}'s replica is where it should not be");
    }

    let consortium = mixed(dir.path(), &city, &urls).await;
    let again = settled(&consortium.nodes).await;
    assert_eq!(again, first, "a restart changed the state");
    let (second, after) = tell(&consortium, &city).await;
    assert!(second != first && after["blocks"] > before["blocks"] && after["leaves"] > before["leaves"]);
    consortium.stop().await;
    println!("{before:?}, then {after:?}, in {:?}", started.elapsed());
}
