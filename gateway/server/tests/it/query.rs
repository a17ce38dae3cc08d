//! Questions through the client, and hostile ones by hand.

use std::sync::atomic::Ordering;
use std::time::Duration;

use covenant_api::{Code, QueriesRequest};
use covenant_canon::SuiteId;
use covenant_client::{ClientError, QueryState, Transport};
use covenant_domain::{Body, Entry, MatchOutcome, Mode, Value};
use covenant_ledger::SignedBatch;

use super::support::{Raw, World, field, question};

fn prepared(client: &covenant_client::Client, mode: Mode) -> QueriesRequest {
    // What the client would send, as JSON and back.
    let prepared = client.prepare(vec![question(mode, "mortgage-review")]).unwrap();
    serde_json::from_slice(&serde_json::to_vec(prepared.requests().next().unwrap()).unwrap()).unwrap()
}

async fn post(raw: &Raw, request: &QueriesRequest) -> super::support::Answered {
    raw.post("/v1/queries", serde_json::to_vec(request).unwrap()).await
}

#[tokio::test]
async fn both_suites_and_both_transports_answer_and_verify() {
    for (suite, transport) in [(SuiteId::Sm, Transport::Rest), (SuiteId::Intl, Transport::Grpc)] {
        let world = World::with(suite, |_| {}).await;
        let client = world.client("bank", transport).await;
        let reply = client.ask(question(Mode::Match, "mortgage-review")).await.unwrap();
        assert_eq!((reply.state, reply.receipted), (QueryState::Answered, true));
        assert_eq!(reply.answer.as_ref().unwrap().matches[0].outcome, MatchOutcome::Equal);
        let report = client.verify_reply(&reply).await.unwrap();
        assert!(report.verified, "{report:?}");
        assert_eq!(client.resume(&reply.intent).await.unwrap(), reply);
        assert!(client.verify(&reply.intent).await.unwrap().verified);

        let detail = client.ask(question(Mode::Detail, "mortgage-review")).await.unwrap();
        let answer = detail.answer.unwrap();
        assert_eq!(answer.value(&field("owner")), Some(&Value::Text("欧阳修".into())));
        assert_eq!(answer.value(&field("address")), None);

        let refused = client.ask(question(Mode::Submit, "mortgage-review")).await.unwrap();
        assert_eq!((refused.state, refused.answer.is_none()), (QueryState::Refused, true));
        assert_eq!(refused.reasons.len(), 1);
        assert!(client.verify_reply(&refused).await.unwrap().verified);
    }
}

#[tokio::test]
async fn many_questions_share_signatures_and_fail_alone() {
    let world = World::new().await;
    let client = world.client("bank", Transport::Rest).await;
    let mut questions: Vec<_> = (0..600).map(|_| question(Mode::Match, "mortgage-review")).collect();
    questions[7].dataset = "cov:city/gov/nobody/registry/homes".parse().unwrap();
    let replies = client.ask_many(questions).await;
    assert_eq!(replies.len(), 600);
    for (index, reply) in replies.iter().enumerate() {
        match reply {
            Ok(reply) => assert_eq!(reply.state, QueryState::Answered),
            Err(error) => assert!(index == 7 && matches!(error, ClientError::HolderUnknown { .. }), "{error}"),
        }
    }
    assert_eq!(world.fake.asked.load(Ordering::Relaxed), 2, "at most 512 to a signature");
}

#[tokio::test]
async fn a_batcher_coalesces() {
    let world = World::new().await;
    let client = world.client("bank", Transport::Grpc).await;
    let batcher = client.batcher(512, Duration::from_millis(50));
    let asks = (0..100).map(|_| batcher.ask(question(Mode::Match, "mortgage-review")));
    for reply in futures::future::join_all(asks).await {
        assert_eq!(reply.unwrap().state, QueryState::Answered);
    }
    assert!(world.fake.asked.load(Ordering::Relaxed) < 20);
}

#[tokio::test]
async fn sending_again_gives_the_same() {
    let world = World::new().await;
    let (client, raw) = (world.client("bank", Transport::Rest).await, world.raw("bank"));
    let request = prepared(&client, Mode::Detail);
    let first = post(&raw, &request).await;
    let second = post(&raw, &request).await;
    assert_eq!((first.status, first.json()), (second.status, second.json()));
    assert_eq!(first.json()[0]["state"], "answered");
}

#[tokio::test]
async fn what_is_not_final_is_returned_as_it_is() {
    let world = World::new().await;
    let (client, raw) = (world.client("bank", Transport::Rest).await, world.raw("bank"));
    let prepared = client.prepare(vec![question(Mode::Match, "slow")]).unwrap();
    let intent = *prepared.intents()[0].as_ref().unwrap();
    let target = format!("/v1/queries/{intent}?wait_ms=10");
    assert_eq!(raw.get(&target).await.json()["state"], "unknown");
    let request = prepared.requests().next().unwrap();
    assert_eq!(post(&raw, request).await.json()[0]["state"], "permitted");
    assert_eq!(raw.get(&target).await.json()["state"], "permitted");
    assert_eq!(raw.get(&format!("/v1/queries/{intent}?wait_ms=30001")).await.code(), Code::WaitTooLong.as_str());
    assert_eq!(raw.get(&format!("/v1/queries/{intent}?wait=1")).await.code(), Code::ParameterInvalid.as_str());
    assert_eq!(raw.get("/v1/queries/nonsense").await.code(), Code::ParameterInvalid.as_str());
    let early = client.ask(question(Mode::Match, "early")).await.unwrap();
    assert!(!early.receipted);
}

#[tokio::test]
async fn a_voided_query_is_final_and_says_why() {
    let world = World::new().await;
    for transport in [Transport::Rest, Transport::Grpc] {
        let client = world.client("bank", transport).await;
        let reply = client.ask(question(Mode::Match, "void")).await.unwrap();
        assert_eq!((reply.state, reply.voided.as_deref()), (QueryState::Voided, Some("no key of epoch 1")));
        assert!(reply.answer.is_none() && client.resume(&reply.intent).await.unwrap() == reply);
    }
}

#[tokio::test]
async fn another_members_query_shows_nothing() {
    let world = World::new().await;
    let bank = world.client("bank", Transport::Rest).await;
    let intent = bank.ask(question(Mode::Match, "mortgage-review")).await.unwrap().intent;
    for stranger in ["insurer", "housing", "regulator"] {
        let answered = world.raw(stranger).get(&format!("/v1/queries/{intent}")).await;
        assert_eq!(answered.code(), Code::NotAParty.as_str(), "{stranger}");
    }
}

#[tokio::test]
async fn an_intent_id_of_another_member_cannot_be_taken_over() {
    let world = World::new().await;
    let bank = world.client("bank", Transport::Rest).await;
    let insurer = world.client("insurer", Transport::Rest).await;
    let taken = bank.ask(question(Mode::Match, "mortgage-review")).await.unwrap().intent;
    let mut request = prepared(&insurer, Mode::Match);
    let batch: SignedBatch = covenant_canon::from_bytes(&request.batch.0).unwrap();
    let mut entry: Entry = covenant_canon::from_bytes(&batch.entries[0]).unwrap();
    if let Body::Intent(intent) = &mut entry.body {
        intent.id = taken;
    }
    let key = world.identity("insurer");
    let batch = SignedBatch::sign(&world.genesis.digest(), &key.member, &[entry], &key.signing).unwrap();
    request.batch = covenant_canon::to_bytes(&batch).into();
    request.inputs[0].intent = taken;
    // The fake ignores a known id without opening its input.
    world.fake.ignore_known.store(true, Ordering::Relaxed);
    assert_eq!(post(&world.raw("insurer"), &request).await.code(), Code::NotAParty.as_str());
}

#[tokio::test]
async fn batches_and_inputs_must_hold() {
    let world = World::new().await;
    let (client, raw) = (world.client("bank", Transport::Rest).await, world.raw("bank"));
    let good = prepared(&client, Mode::Match);
    let altered = |change: &dyn Fn(&mut QueriesRequest)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    type Change = &'static dyn Fn(&mut QueriesRequest);
    let cases: [(&str, Change); 6] = [
        ("batch-malformed", &|r| r.batch.0.truncate(50)),
        ("batch-malformed", &|r| r.batch.0.push(0)),
        ("batch-invalid", &|r| *r.batch.0.last_mut().unwrap() ^= 1),
        ("input-mismatch", &|r| r.inputs.clear()),
        ("input-mismatch", &|r| r.inputs[0].sealed.0.push(0)),
        ("wait-too-long", &|r| r.wait_ms = 30_001),
    ];
    for (code, change) in cases {
        let answered = post(&raw, &altered(change)).await;
        assert_eq!(answered.code(), code);
    }
    let foreign = post(&world.raw("insurer"), &good).await;
    assert_eq!((foreign.status, foreign.code().as_str()), (403, "foreign-author"));
    assert_eq!(world.fake.asked.load(Ordering::Relaxed), 0, "none of it reached the consortium");
}
