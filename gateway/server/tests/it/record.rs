//! Administrative entries, consents and the catalogue.

use covenant_api::EntriesRequest;
use covenant_canon::to_bytes;
use covenant_client::authorise::{Terms, issue};
use covenant_client::{ClientError, Transport};
use covenant_domain::{Body, ConsentChange, ConsentId, ConsentScope, DatasetId, Mode, PurposeCode, Subject};

use super::support::{HOMES, PERSON, World, field, id, question};

fn terms() -> Terms {
    Terms {
        consumer: id("bank"),
        purpose: PurposeCode::new("mortgage-review").unwrap(),
        scopes: vec![ConsentScope { dataset: DatasetId::new(HOMES).unwrap(), fields: vec![field("owner")] }],
        modes: vec![Mode::Match],
        valid_from_ms: 0,
        valid_until_ms: u64::MAX,
        max_uses: 3,
        data_life_days: 30,
    }
}

#[tokio::test]
async fn a_consent_goes_from_the_service_to_the_consumer_and_into_a_question() {
    let world = World::new().await;
    let service = world.client("authority", Transport::Rest).await;
    let subject = Subject::parse(PERSON).unwrap();
    let bank = world.identity("bank");
    let (body, ticket) = issue(&subject, terms(), bank.opening.sealing_key()).unwrap();
    let consent = ticket.consent.id;
    let change = Body::ConsentChanged { consent, change: ConsentChange::Paused };
    let outcomes = service.publish(vec![body, change]).await.unwrap();
    assert!(outcomes[0].rejected.is_none());
    assert!(outcomes[1].rejected.as_ref().unwrap().contains("consent_changed"), "rejections are outcomes");

    let client = world.client("bank", Transport::Rest).await;
    let mut asked = question(Mode::Match, "mortgage-review");
    asked.ground = ticket.ground(&bank, &subject).unwrap();
    assert!(client.ask(asked).await.unwrap().answer.is_some());

    for (member, sees) in
        [("bank", true), ("authority", true), ("housing", true), ("regulator", true), ("insurer", false)]
    {
        let answered = world.raw(member).get(&format!("/v1/consents/{consent}")).await;
        assert_eq!(answered.status == 200, sees, "{member}");
    }
    let nobody = ConsentId::from_parts(1, &[9; 10]);
    assert_eq!(client.consent(&nobody).await.unwrap_err().code(), Some("consent-unknown"));
}

#[tokio::test]
async fn queries_and_foreign_batches_are_not_entries() {
    let world = World::new().await;
    let client = world.client("bank", Transport::Rest).await;
    let prepared = client.prepare(vec![question(Mode::Match, "mortgage-review")]).unwrap();
    let batch = prepared.requests().next().unwrap().batch.clone();
    let body = serde_json::to_vec(&EntriesRequest { batch }).unwrap();
    assert_eq!(world.raw("bank").post("/v1/entries", &body).await.code(), "intent-elsewhere");
    assert_eq!(world.raw("insurer").post("/v1/entries", &body).await.code(), "foreign-author");

    let entry = covenant_domain::Entry {
        author: Some(id("bank")),
        made_ms: 1,
        body: Body::ConsentChanged { consent: ConsentId::from_parts(1, &[1; 10]), change: ConsentChange::Revoked },
    };
    let key = world.identity("bank");
    let batch = covenant_ledger::SignedBatch::sign(&world.genesis.digest(), &key.member, &[entry], &key.signing);
    let batch = to_bytes(&batch.unwrap()).into();
    let body = serde_json::json!({ "batch": covenant_api::EntriesRequest { batch }.batch, "inputs": [] });
    assert_eq!(world.raw("bank").post("/v1/queries", body.to_string()).await.code(), "not-an-intent");
    let posted = world.raw("bank").post("/v1/entries", serde_json::json!({ "batch": body["batch"] }).to_string()).await;
    assert_eq!(posted.status, 201);
}

#[tokio::test]
async fn the_catalogue_is_served_to_members() {
    let world = World::new().await;
    let client = world.client("bank", Transport::Rest).await;
    assert_eq!(client.members().await.unwrap(), world.genesis.members);
    assert_eq!(client.purposes().await.unwrap().len(), 1);
    let dataset = client.datasets().await.unwrap().pop().unwrap();
    assert_eq!(client.dataset(&dataset.id).await.unwrap(), dataset);
    let escaped = world.raw("bank").get("/v1/datasets/cov%3Acity%2Fgov%2Fhousing%2Fregistry%2Fhomes").await;
    assert_eq!(escaped.json()["id"], HOMES);
    let unknown = DatasetId::new("cov:city/gov/housing/registry/other").unwrap();
    assert_eq!(client.dataset(&unknown).await.unwrap_err().code(), Some("dataset-unknown"));
    assert_eq!(world.raw("bank").get("/v1/datasets/nonsense").await.code(), "parameter-invalid");
    assert_eq!(client.tip().await.unwrap().height, 42);
    assert_eq!(client.grants().await.unwrap().len(), 1);
    assert_eq!(world.client("insurer", Transport::Grpc).await.grants().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_client_trusts_its_own_genesis_only() {
    let world = World::new().await;
    let mut other = world.genesis.clone();
    other.created_ms += 1;
    let connect = |trust| covenant_client::Client::connect("placeholder", world.identity("bank"), trust);
    assert!(matches!(connect(other.clone()).await, Err(ClientError::Address { .. })));
    let base = world.running.base_url();
    let refused = covenant_client::Client::connect(&base, world.identity("bank"), other).await;
    assert!(matches!(refused, Err(ClientError::OtherConsortium { .. })));
    let stranger = std::sync::Arc::new(covenant_client::Identity::generate(id("bank"), world.genesis.suite));
    let refused = covenant_client::Client::connect(&base, stranger, world.genesis.clone()).await;
    assert!(matches!(refused, Err(ClientError::NotMember { .. })));
}
