//! The life of datasets and rights on a whole consortium: found, exported, revised, suspended, deprecated, signed by two.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

use covenant_api::{CatalogueQuery, QueryState};
use covenant_canon::SuiteId;
use covenant_client::{Client, Ground, Question, Reply};
use covenant_demo::Consortium;
use covenant_demo::city::City;
use covenant_domain::*;
use covenant_journeys::{codes, dataset, fields, now_ms, running_city};

const LICENCES: &str = "market-regulation/licensing/licences";
const HOUR_MS: u64 = 3_600_000;

/// Publishes and tells why the ledger rejected it, if it did.
async fn publish(client: &Client, body: Body) -> Option<String> {
    client.publish(vec![body]).await.unwrap().pop().unwrap().rejected
}

async fn ask(bank: &Client, city: &City) -> Reply {
    let question = Question {
        dataset: dataset(LICENCES),
        purpose: PurposeCode::new("account-opening").unwrap(),
        mode: Mode::Detail,
        fields: fields(&["company_name", "status"]),
        subject: Subject::Company(city.companies[0].code.clone()),
        ground: Ground::Legal { case: Some("2026-1".into()) },
        claims: Vec::new(),
    };
    bank.ask(question).await.unwrap()
}

fn changed(change: DatasetChange) -> Body {
    Body::DatasetChanged { dataset: dataset(LICENCES), change }
}

async fn city(dir: &std::path::Path) -> (City, Consortium) {
    let city = City::generate(5, 60, 20);
    let consortium = running_city(dir, SuiteId::Sm, &city, |_| {}).await;
    (city, consortium)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dataset_lives_and_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (city, consortium) = city(dir.path()).await;
    let bank = consortium.client("bank").await.unwrap();
    let holder = consortium.client("market-regulation").await.unwrap();
    let regulator = consortium.client("regulator").await.unwrap();
    let id = dataset(LICENCES);

    // Found in both languages, exported, and its two revisions read back.
    for q in ["营业执照", "BUSINESS licence", "法定代表人"] {
        let page = bank.catalogue(&CatalogueQuery { q: q.into(), ..CatalogueQuery::default() }).await.unwrap();
        assert!(page.items.iter().any(|i| i.dataset.id == id), "{q}");
    }
    let second =
        Dataset {
            revision: 2, names: Names::new("营业执照库", "Licence store"), ..bank.dataset(&id).await.unwrap()
        };
    let skipped = Dataset { revision: 5, ..second.clone() };
    assert!(publish(&holder, Body::DatasetPublished(skipped)).await.unwrap().contains("the next is 2"));
    assert_eq!(publish(&holder, Body::DatasetPublished(second.clone())).await, None);
    let versions = bank.dataset_versions(&id).await.unwrap();
    assert_eq!(versions.iter().map(|v| v.dataset.revision).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(versions[1].dataset, second);
    let page = bank.catalogue(&CatalogueQuery { q: "执照库".into(), ..CatalogueQuery::default() }).await.unwrap();
    assert_eq!(page.total, 1, "the index follows the ledger");
    let exported = bank.catalogue_export(Some("https://share.example")).await.unwrap();
    assert!(exported.contains("营业执照库") && exported.contains("https://share.example/v1/datasets/cov:"));

    // Suspended by the regulator: refused until it resumes.
    assert_eq!(ask(&bank, &city).await.state, QueryState::Answered);
    assert_eq!(publish(&regulator, changed(DatasetChange::Suspended)).await, None);
    assert_eq!(bank.catalogue_item(&id).await.unwrap().stage, DatasetStage::Suspended);
    let refused = ask(&bank, &city).await;
    assert!(refused.state == QueryState::Refused && codes(&refused).contains(&ReasonCode::DatasetSuspended));
    assert!(bank.verify_reply(&refused).await.unwrap().verified);
    assert_eq!(publish(&regulator, changed(DatasetChange::Resumed)).await, None);
    assert_eq!(ask(&bank, &city).await.state, QueryState::Answered);

    // Deprecated: answered within the grace period, not after it.
    let successor = Some(dataset("housing/registry/premises"));
    let grace = |until_ms| changed(DatasetChange::Deprecated { until_ms, successor: successor.clone() });
    assert_eq!(publish(&holder, grace(now_ms() + HOUR_MS)).await, None);
    assert_eq!(ask(&bank, &city).await.state, QueryState::Answered);
    assert!(bank.catalogue_export(None).await.unwrap().contains("distribution-status/DEPRECATED"));
    let until_ms = now_ms() + 3_000;
    assert_eq!(publish(&holder, grace(until_ms)).await, None);
    tokio::time::sleep(std::time::Duration::from_millis(until_ms.saturating_sub(now_ms()) + 50)).await;
    let refused = ask(&bank, &city).await;
    assert!(codes(&refused).contains(&ReasonCode::DatasetArchived), "{:?}", refused.reasons);
    assert_eq!(bank.catalogue_item(&id).await.unwrap().stage, DatasetStage::Archived);
    assert!(publish(&holder, grace(now_ms() + HOUR_MS)).await.unwrap().contains("archived for good"));
    consortium.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bureaus_sign_a_right() {
    let dir = tempfile::tempdir().unwrap();
    let (_, consortium) = city(dir.path()).await;
    let housing = consortium.client("housing").await.unwrap();
    let tax = consortium.client("tax").await.unwrap();
    let bank = consortium.client("bank").await.unwrap();
    let homes = dataset("housing/registry/homes");
    let cosigners = vec![tax.member().clone()];
    let register = Dataset { revision: 2, cosigners, ..housing.dataset(&homes).await.unwrap() };
    assert_eq!(publish(&housing, Body::DatasetPublished(register)).await, None);

    let (record, salt) = (b"unit 1, owner A".as_slice(), [7; 32]);
    let id = |n: u8| RightId::from_parts(now_ms(), &[n; 10]);
    let change = |id: RightId, kind, follows| RightChange {
        id,
        dataset: homes.clone(),
        kind,
        record: housing.right_digest(&id, &salt, record),
        follows,
    };
    let (first, second) = (id(1), id(2));
    assert_eq!(publish(&housing, Body::RightProposed(change(first, RightKind::Registration, None))).await, None);
    let pledge = || Body::RightProposed(change(second, RightKind::Pledge, Some(first)));
    assert!(publish(&tax, pledge()).await.unwrap().contains("lacks signatures"));
    assert!(publish(&bank, Body::RightSigned(first)).await.unwrap().contains("not `bank`'s to sign"));
    assert_eq!(publish(&tax, Body::RightSigned(first)).await, None);
    assert_eq!(publish(&tax, pledge()).await, None);
    assert_eq!(publish(&housing, Body::RightSigned(second)).await, None);

    let state = tax.right(&first).await.unwrap();
    assert!(state.effective_ms > 0 && state.followed_by == Some(second));
    assert_eq!(state.change.record, tax.right_digest(&first, &salt, record), "both bureaus open it alike");
    assert_ne!(state.change.record, tax.right_digest(&first, &salt, b"unit 1, owner B"));
    assert_ne!(state.change.record, tax.right_digest(&first, &[8; 32], record));
    assert_eq!(bank.right(&first).await.unwrap_err().code(), Some("not-a-party"));
    let regulator = consortium.client("regulator").await.unwrap();
    assert_eq!(regulator.right(&second).await.unwrap().signed.len(), 2);
    consortium.stop().await;
}
