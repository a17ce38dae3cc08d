//! Requests that are refused before anything is read: nothing of them reaches the ledger.

use std::sync::Arc;

use covenant_api::QueryState;
use covenant_canon::{Digest, SuiteId};
use covenant_client::Identity;
use covenant_domain::MemberId;
use covenant_journeys::{Raw, now_ms};

use crate::World;

const QUERIES: &str = "/v1/queries";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_not_what_they_should_be() {
    let world = World::new(11).await;
    let prepared = world.bank.prepare(vec![world.licence(Some("2026-1"))]).unwrap();
    let good = serde_json::to_vec(prepared.requests().next().unwrap()).unwrap();
    let before = world.leaves().await;

    unsigned_or_badly_signed(&world, &good).await;
    not_the_member(&world, &good).await;
    bodies(&world, &good).await;
    assert_eq!(world.leaves().await, before, "a refused request left something on the ledger");

    replayed(&world, good).await;
    world.close().await;
}

async fn unsigned_or_badly_signed(world: &World, good: &[u8]) {
    let raw = &world.raw;
    raw.send(QUERIES, good.to_vec(), &[]).await.is(401, "signature-missing");
    let now = now_ms();
    let signed = raw.sign("POST", QUERIES, good, now);
    let mut headers = signed.to_headers();
    headers[3].1.truncate(40);
    raw.send(QUERIES, good.to_vec(), &headers).await.is(401, "signature-malformed");

    // Ahead of time and long ago; the signature itself is right.
    for created in [now - 65_000, now + 600_000] {
        let signed = raw.sign("POST", QUERIES, good, created);
        raw.send(QUERIES, good.to_vec(), &signed.to_headers()).await.is(401, "request-stale");
    }
    let mut later = raw.sign("POST", QUERIES, good, now);
    later.created_ms += 1;
    raw.send(QUERIES, good.to_vec(), &later.to_headers()).await.is(401, "signature-invalid");
    for (method, target, body) in [("GET", QUERIES, good), ("POST", "/v1/entries", good), ("POST", QUERIES, &good[1..])]
    {
        let signed = raw.sign(method, target, body, now);
        raw.send(QUERIES, good.to_vec(), &signed.to_headers()).await.is(401, "signature-invalid");
    }
}

async fn not_the_member(world: &World, good: &[u8]) {
    let url = world.consortium.url();
    let named = |name: &str| Arc::new(Identity::generate(MemberId::new(name).unwrap(), SuiteId::Sm));
    let stranger = Raw::new(&url, world.raw.consortium, named("stranger"));
    stranger.post(QUERIES, good.to_vec()).await.is(401, "member-unknown");
    let imposter = Raw::new(&url, world.raw.consortium, named("bank"));
    imposter.post(QUERIES, good.to_vec()).await.is(401, "signature-invalid");
    // Signed by the bank for another consortium in which it has the same keys.
    let elsewhere = Raw::new(&url, Digest([7; 32]), world.raw.identity.clone());
    elsewhere.post(QUERIES, good.to_vec()).await.is(401, "signature-invalid");
    // The tax bureau passes on what the bank sent.
    world.caller("tax").post(QUERIES, good.to_vec()).await.is(403, "foreign-author");
}

async fn bodies(world: &World, good: &[u8]) {
    let raw = &world.raw;
    let mut oversized = good.to_vec();
    oversized.resize(1024 * 1024 + 1, b' ');
    raw.post(QUERIES, oversized).await.is(413, "body-too-large");
    raw.post(QUERIES, good[..good.len() / 2].to_vec()).await.is(400, "body-malformed");
    let text = String::from_utf8(good.to_vec()).unwrap();
    let batch = text.split('"').nth(3).unwrap();
    let with = |shorter: &str| text.replacen(batch, shorter, 1).into_bytes();
    raw.post(QUERIES, with(&batch[..batch.len() - 3])).await.is(400, "body-malformed");
    raw.post(QUERIES, with(&batch[..batch.len() / 8 * 4])).await.is(400, "batch-malformed");
    raw.post(QUERIES, with("not base64!")).await.is(400, "body-malformed");
    raw.post(QUERIES, text.replacen("\"inputs\"", "\"extra\":1,\"inputs\"", 1).into_bytes())
        .await
        .is(400, "body-malformed");
    raw.post(QUERIES, text.replacen("\"wait_ms\":0", "\"wait_ms\":30001", 1).into_bytes())
        .await
        .is(400, "wait-too-long");
    raw.post("/v1/nothing", Vec::new()).await.is(404, "route-unknown");
}

/// The very same request twice: the second is refused, and neither debited nor answered twice.
async fn replayed(world: &World, good: Vec<u8>) {
    let raw = &world.raw;
    let signed = raw.sign("POST", QUERIES, &good, now_ms()).to_headers();
    let first = raw.send(QUERIES, good.clone(), &signed).await;
    assert_eq!(first.status, 200, "{first:?}");
    let intent = first.results()[0].intent;
    raw.send(QUERIES, good.clone(), &signed).await.is(401, "nonce-replayed");
    // Signed anew it is the same query, and harmless.
    let again = raw.post(QUERIES, good).await;
    assert_eq!((again.status, again.results()[0].intent), (200, intent), "{again:?}");
    let reply = world.bank.resume(&intent).await.unwrap();
    assert_eq!(reply.state, QueryState::Answered);
    let used: u64 = world.bank.grants().await.unwrap().iter().map(|g| g.used_in_window).sum();
    assert_eq!(used, 1, "one query was debited once");
}
