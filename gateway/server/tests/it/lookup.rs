//! Private lookups: asked without input, evaluated, retrieved.

use std::sync::atomic::Ordering;

use covenant_api::{QueriesRequest, RetrievalRequest};
use covenant_canon::to_bytes;
use covenant_client::{ClientError, Transport};
use covenant_domain::{Evaluation, IntentId, Mode};

use super::support::{Answered, World, field, lookup_intent, question, retrieval};

async fn post(world: &World, member: &str, request: &QueriesRequest) -> Answered {
    world.raw(member).post("/v1/queries", serde_json::to_vec(request).unwrap()).await
}

async fn send(world: &World, member: &str, intent: &IntentId, bytes: Vec<u8>) -> Answered {
    let body = serde_json::to_vec(&RetrievalRequest { retrieval: bytes.into() }).unwrap();
    world.raw(member).post(&format!("/v1/queries/{intent}/retrieval"), body).await
}

#[tokio::test]
async fn a_lookup_goes_from_permit_to_answer() {
    let world = World::new().await;
    let raw = world.raw("bank");
    let intent = world.ask_lookup("bank").await;
    let evaluation = raw.get(&format!("/v1/queries/{intent}/evaluation")).await;
    assert_eq!(serde_json::from_slice::<Evaluation>(&evaluation.body).unwrap().intent, intent);
    let nothing = raw.get(&format!("/v1/queries/{intent}/retrieval")).await;
    assert_eq!((nothing.status, nothing.code().as_str()), (404, "retrieval-unknown"));
    let sent = send(&world, "bank", &intent, retrieval(intent)).await;
    assert_eq!((sent.status, sent.body.len()), (202, 0));
    assert_eq!(raw.get(&format!("/v1/queries/{intent}")).await.json()["state"], "answered");
    for member in ["bank", "regulator"] {
        let stored = world.raw(member).get(&format!("/v1/queries/{intent}/retrieval")).await;
        assert_eq!(stored.headers["content-type"], "application/cbor");
        assert_eq!(stored.body, retrieval(intent), "{member}");
    }
}

#[tokio::test]
async fn a_lookup_is_its_consumers_alone() {
    let world = World::new().await;
    let intent = world.ask_lookup("bank").await;
    for member in ["insurer", "housing", "regulator", "trustee", "authority"] {
        let raw = world.raw(member);
        assert_eq!(raw.get(&format!("/v1/queries/{intent}/evaluation")).await.code(), "not-a-party", "{member}");
        assert_eq!(send(&world, member, &intent, retrieval(intent)).await.code(), "not-a-party", "{member}");
        if member != "regulator" {
            assert_eq!(raw.get(&format!("/v1/queries/{intent}/retrieval")).await.code(), "not-a-party", "{member}");
        }
    }
    let unknown = IntentId::from_parts(1, &[5; 10]);
    for what in ["evaluation", "retrieval"] {
        let answered = world.raw("bank").get(&format!("/v1/queries/{unknown}/{what}")).await;
        assert_eq!((answered.status, answered.code().as_str()), (404, "intent-unknown"));
    }
    assert_eq!(send(&world, "bank", &unknown, retrieval(unknown)).await.code(), "intent-unknown");
    assert!(world.fake.retrievals.lock().is_empty(), "none of it reached the holder");
}

#[tokio::test]
async fn wrong_retrievals_are_refused() {
    let world = World::new().await;
    let (intent, other) = (world.ask_lookup("bank").await, world.ask_lookup("bank").await);
    assert_eq!(send(&world, "bank", &intent, retrieval(other)).await.code(), "input-mismatch");
    let mut trailing = retrieval(intent);
    trailing.push(0);
    for bytes in [vec![], vec![0xff; 100], retrieval(intent)[..1000].to_vec(), trailing] {
        assert_eq!(send(&world, "bank", &intent, bytes).await.code(), "body-malformed");
    }
    let raw = world.raw("bank");
    let target = format!("/v1/queries/{intent}/retrieval");
    for body in [r#"{"retrieval":"AAA"}"#, r#"{}"#, r#"{"retrieval":"","more":1}"#, ""] {
        assert_eq!(raw.post(&target, body).await.code(), "body-malformed", "{body}");
    }
    let long = send(&world, "bank", &intent, vec![0; 1024 * 1024]).await;
    assert_eq!((long.status, long.code().as_str()), (413, "body-too-large"));
    assert!(world.fake.retrievals.lock().is_empty());
}

#[tokio::test]
async fn what_is_no_permitted_lookup_has_no_evaluation() {
    let world = World::new().await;
    let client = world.client("bank", Transport::Rest).await;
    for (mode, purpose) in [(Mode::Match, "slow"), (Mode::Submit, "mortgage-review")] {
        let prepared = client.prepare(vec![question(mode, purpose)]).unwrap();
        post(&world, "bank", prepared.requests().next().unwrap()).await;
        let intent = prepared.intents()[0].as_ref().unwrap();
        let answered = world.raw("bank").get(&format!("/v1/queries/{intent}/evaluation")).await;
        assert_eq!((answered.status, answered.code().as_str()), (409, "not-permitted"));
    }
}

#[tokio::test]
async fn lookups_come_without_input_and_others_with_one() {
    let world = World::new().await;
    let client = world.client("bank", Transport::Rest).await;
    let suite = world.genesis.suite;
    let lookup = || lookup_intent(suite, "bank", "mortgage-review");
    let sealed: QueriesRequest =
        client.prepare(vec![question(Mode::Match, "mortgage-review")]).unwrap().requests().next().unwrap().clone();
    let batch: covenant_ledger::SignedBatch = covenant_canon::from_bytes(&sealed.batch.0).unwrap();
    let entry: covenant_domain::Entry = covenant_canon::from_bytes(&batch.entries[0]).unwrap();
    let covenant_domain::Body::Intent(matching) = entry.body else { panic!("not an intent") };

    let with_input = lookup();
    let mut request = world.request("bank", std::slice::from_ref(&with_input));
    request.inputs.push(covenant_api::QueryInputItem { intent: with_input.id, sealed: vec![1].into() });
    assert_eq!(post(&world, "bank", &request).await.code(), "input-mismatch");

    let mut other_claim = lookup();
    other_claim.lookup.as_mut().unwrap().epoch = 2;
    assert_eq!(post(&world, "bank", &world.request("bank", &[other_claim])).await.code(), "input-mismatch");

    let mixed = [lookup(), matching.clone(), lookup()];
    let without = world.request("bank", &mixed);
    assert_eq!(post(&world, "bank", &without).await.code(), "input-mismatch");
    let mut misplaced = QueriesRequest { inputs: sealed.inputs.clone(), ..without.clone() };
    misplaced.inputs[0].intent = mixed[0].id;
    assert_eq!(post(&world, "bank", &misplaced).await.code(), "input-mismatch");
    assert_eq!(world.fake.asked.load(Ordering::Relaxed), 0, "none of it reached the consortium");

    let good = post(&world, "bank", &QueriesRequest { inputs: sealed.inputs, ..without }).await.json();
    let states: Vec<_> = good.as_array().unwrap().iter().map(|r| r["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["permitted", "answered", "permitted"]);

    // Without a claim there is nothing to hold against the digest: the ledger's to refuse.
    let bare = covenant_domain::Intent { lookup: None, ..lookup() };
    assert_eq!(post(&world, "bank", &world.request("bank", &[bare])).await.status, 200);
}

#[tokio::test]
async fn a_question_never_seals_the_subject_of_a_lookup() {
    let world = World::new().await;
    let client = world.client("bank", Transport::Rest).await;
    let questions = vec![question(Mode::Lookup, "mortgage-review"), question(Mode::Match, "mortgage-review")];
    let replies = client.ask_many(questions).await;
    assert!(matches!(replies[0], Err(ClientError::LookupSealed)));
    assert!(replies[1].is_ok(), "it only fails itself");
}
