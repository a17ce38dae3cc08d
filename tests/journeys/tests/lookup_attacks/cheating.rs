//! A holder whose table is not the one on the ledger: it is not served, and earlier answers can still be computed again.

use std::path::{Path, PathBuf};

use covenant_canon::SuiteId;
use covenant_client::{Client, Found, LookupQuestion};
use covenant_demo::Consortium;
use covenant_domain::{MemberId, Subject};
use covenant_journeys::{Desk, dataset, running_city};

use crate::world::{CREDIT, World, city, expected, found, question, subject, terms};

/// The file of sealed rows of the first epoch.
fn matrix(dir: &Path) -> PathBuf {
    let root = dir.join(MemberId::new("credit-centre").unwrap().as_str()).join("epochs");
    let of_dataset = std::fs::read_dir(root).unwrap().next().unwrap().unwrap().path();
    of_dataset.join("00000001/matrix.bin")
}

async fn asked(consortium: &Consortium, who: &[Subject]) -> Vec<Found> {
    let bank: Client = consortium.client("bank").await.unwrap();
    let desk = Desk::new(consortium.client("authorisation").await.unwrap(), &bank);
    let identity = consortium.founding.identity("bank").unwrap();
    let mut all = Vec::new();
    for (subject, ticket) in who.iter().zip(desk.issue(who.iter().map(|s| (s.clone(), terms(1))).collect()).await) {
        let question: LookupQuestion = question(subject, ticket.ground(&identity, subject).unwrap());
        all.push(bank.look_up(question).await.unwrap());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_table_is_not_served() {
    let dir = tempfile::tempdir().unwrap();
    let (city, _) = city();
    let who: Vec<Subject> = city.residents[..6].iter().map(subject).collect();
    let world = World::open(dir.path(), |_| {}).await;
    let regulator = world.consortium.client("regulator").await.unwrap();
    regulator.mirror_epoch(&dataset(CREDIT)).await.unwrap();
    let first = asked(&world.consortium, &who[..1]).await.remove(0);
    assert_eq!(found(&first), [expected(&city.residents[0])]);
    assert!(regulator.recompute(&first.intent).await.unwrap().equal);
    world.consortium.stop().await;

    let path = matrix(dir.path());
    let honest = std::fs::read(&path).unwrap();
    let one: Vec<u8> = honest.iter().enumerate().map(|(i, b)| if i == honest.len() / 2 { b ^ 1 } else { *b }).collect();
    let all: Vec<u8> = honest.iter().map(|b| b ^ 1).collect();
    for table in [one, all] {
        std::fs::write(&path, &table).unwrap();
        let consortium = running_city(dir.path(), SuiteId::Sm, &city, |_| {}).await;
        let bank = consortium.client("bank").await.unwrap();
        let desk = Desk::new(consortium.client("authorisation").await.unwrap(), &bank);
        let ticket = desk.issue(vec![(who[0].clone(), terms(1))]).await.remove(0);
        let ground = ticket.ground(&consortium.founding.identity("bank").unwrap(), &who[0]).unwrap();
        let told = bank.look_up(question(&who[0], ground)).await;
        // The consumer may hear of it from the holder, or from the ledger when the permit is voided first.
        assert!(
            told.as_ref().map_or(true, |f| f.answer.is_none()),
            "answered from a table that is not the one on the ledger: {told:?}"
        );
        let regulator = consortium.client("regulator").await.unwrap();
        assert!(regulator.recompute(&first.intent).await.unwrap().equal, "the earlier answer was right");
        consortium.stop().await;
    }
    std::fs::write(&path, &honest).unwrap();
    let consortium = running_city(dir.path(), SuiteId::Sm, &city, |_| {}).await;
    for (answer, resident) in asked(&consortium, &who).await.iter().zip(&city.residents) {
        assert_eq!(found(answer), [expected(resident)]);
    }
    consortium.stop().await;
}
