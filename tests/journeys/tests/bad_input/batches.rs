//! Signed batches that do not hold, and inputs that do not belong to them.

use covenant_api::{Base64Bytes, QueriesRequest, QueryState};
use covenant_canon::{from_bytes, to_bytes};
use covenant_domain::{Body, Entry, GrantChange, GrantId, IntentId, MemberId};
use covenant_journeys::{fields, now_ms};
use covenant_ledger::SignedBatch;
use covenant_store::Input;

use crate::World;

const QUERIES: &str = "/v1/queries";
const ENTRIES: &str = "/v1/entries";

impl World {
    /// A request that would be answered.
    fn request(&self) -> (IntentId, QueriesRequest) {
        let prepared = self.bank.prepare(vec![self.licence(Some("2026-2"))]).unwrap();
        let intent = prepared.intents()[0].clone().unwrap();
        (intent, prepared.requests().next().unwrap().clone())
    }
}

fn entries(request: &QueriesRequest) -> Vec<Entry> {
    let batch: SignedBatch = from_bytes(&request.batch.0).unwrap();
    batch.entries.iter().map(|e| from_bytes(e).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_do_not_hold() {
    let world = World::new(12).await;
    let before = world.leaves().await;
    signed_by_others(&world).await;
    inputs_of_others(&world).await;
    in_the_wrong_place(&world).await;
    assert_eq!(world.leaves().await, before, "a refused batch left something on the ledger");
    reused(&world).await;
    too_old(&world).await;
    rejected_on_the_ledger(&world).await;
    input_swapped_behind_the_gateway(&world).await;
    world.close().await;
}

async fn signed_by_others(world: &World) {
    let (tax, bank) = (world.caller("tax"), MemberId::new("bank").unwrap());
    let (_, request) = world.request();
    let forged = QueriesRequest { batch: tax.batch(&bank, &entries(&request)), ..request.clone() };
    world.raw.post_json(QUERIES, &forged).await.is(400, "batch-invalid");
    // A batch of the bank's own with an entry in the name of another; then another's batch as it is.
    let foreign: Vec<Entry> = {
        let named = |mut entry: Entry| {
            entry.author = Some(tax.identity.member.clone());
            if let Body::Intent(intent) = &mut entry.body {
                intent.consumer = tax.identity.member.clone();
            }
            entry
        };
        entries(&request).into_iter().map(named).collect()
    };
    let mut mixed: SignedBatch = from_bytes(&request.batch.0).unwrap();
    mixed.entries = foreign.iter().map(|e| to_bytes(e).into()).collect();
    let mixed = QueriesRequest { batch: to_bytes(&mixed).into(), ..request.clone() };
    world.raw.post_json(QUERIES, &mixed).await.is(403, "foreign-author");
    let foreign = QueriesRequest { batch: tax.batch(&tax.identity.member, &foreign), ..request };
    world.raw.post_json(QUERIES, &foreign).await.is(403, "foreign-author");
}

async fn inputs_of_others(world: &World) {
    let ((_, first), (_, second)) = (world.request(), world.request());
    let swapped = |change: &dyn Fn(&mut QueriesRequest)| {
        let mut request = first.clone();
        change(&mut request);
        request
    };
    let cases = [
        swapped(&|r| r.inputs.clear()),
        swapped(&|r| r.inputs.push(second.inputs[0].clone())),
        swapped(&|r| r.inputs[0].intent = second.inputs[0].intent),
        swapped(&|r| r.inputs[0].sealed = second.inputs[0].sealed.clone()),
        swapped(&|r| r.inputs[0].sealed.0[40] ^= 1),
    ];
    for case in &cases {
        world.raw.post_json(QUERIES, case).await.is(400, "input-mismatch");
    }
}

async fn in_the_wrong_place(world: &World) {
    let (_, request) = world.request();
    let author = world.raw.identity.member.clone();
    let intents = world.raw.entries(&author, &entries(&request));
    world.raw.post_json(ENTRIES, &intents).await.is(400, "intent-elsewhere");
    let change = Body::GrantChanged { grant: GrantId::from_parts(1, &[1; 10]), change: GrantChange::Revoked };
    let entry = Entry { author: Some(author.clone()), made_ms: now_ms(), body: change };
    let batch = world.raw.batch(&author, &[entry]);
    let request = QueriesRequest { batch, inputs: vec![], wait_ms: 0 };
    world.raw.post_json(QUERIES, &request).await.is(400, "not-an-intent");
}

/// An id stands for one query for good.
async fn reused(world: &World) {
    let (intent, request) = world.request();
    assert_eq!(world.raw.post_json(QUERIES, &request).await.status, 200);
    assert_eq!(world.bank.resume(&intent).await.unwrap().state, QueryState::Answered);
    let other = world.raw.altered(&request, |entry| {
        let Body::Intent(intent) = &mut entry.body else { panic!("not an intent") };
        intent.fields = fields(&["company_name", "expires_on"]);
    });
    let told = world.raw.post_json(QUERIES, &other).await;
    told.is(422, "intent-reused");
    assert_eq!(told.body.matches(&intent.to_string()).count(), 1, "said twice: {told:?}");
    // Twice in one batch, with different content.
    let (_, request) = world.request();
    let mut twice = entries(&request);
    twice.extend(entries(&world.raw.altered(&request, |entry| entry.made_ms += 1)));
    let batch = world.raw.batch(&world.raw.identity.member, &twice);
    let doubled = QueriesRequest { batch, inputs: [&request.inputs[..], &request.inputs[..]].concat(), wait_ms: 0 };
    let told = world.raw.post_json(QUERIES, &doubled).await;
    assert!(["intent-reused", "input-mismatch"].contains(&told.code.as_str()), "{told:?}");
}

async fn too_old(world: &World) {
    let (_, request) = world.request();
    let old = world.raw.altered(&request, |entry| entry.made_ms -= 301_000);
    world.raw.post_json(QUERIES, &old).await.is(422, "entry-stale");
    // Nor does a fresh entry help an id from long ago: ids are remembered for the same window.
    for id in [now_ms() - 301_000, now_ms() + 600_000].map(|time_ms| IntentId::from_parts(time_ms, &[5; 10])) {
        let mut old = world.raw.altered(&request, |entry| {
            let Body::Intent(intent) = &mut entry.body else { panic!("not an intent") };
            intent.id = id;
        });
        old.inputs[0].intent = id;
        world.raw.post_json(QUERIES, &old).await.is(422, "entry-stale");
        let error = world.bank.evidence(&id).await.unwrap_err();
        assert_eq!(error.code(), Some("intent-unknown"), "{error}");
    }
}

/// What may be ordered but not done is on the ledger with its reason, and changes nothing.
async fn rejected_on_the_ledger(world: &World) {
    let grant = GrantId::from_parts(1, &[9; 10]);
    let unknown = Body::GrantChanged { grant, change: GrantChange::Revoked };
    let outcome = world.bank.publish(vec![unknown]).await.unwrap();
    assert_eq!(outcome[0].rejected, Some(format!("no grant {grant} is on the ledger")));
    let known = world.bank.grants().await.unwrap()[0].state.grant.clone();
    let tax = world.consortium.client("tax").await.unwrap();
    let foreign = Body::GrantChanged { grant: known.id, change: GrantChange::Revoked };
    if known.holder.as_str() != "tax" {
        let outcome = tax.publish(vec![foreign]).await.unwrap();
        assert_eq!(outcome[0].rejected, Some(format!("grant {} is not `tax`'s to change", known.id)));
    }
}

/// Whoever sits between gateway and holder cannot swap an input: the holder looks again, and records what it did.
async fn input_swapped_behind_the_gateway(world: &World) {
    let ((intent, request), (_, other)) = (world.request(), world.request());
    let holder = world.consortium.node("market-regulation").unwrap();
    let Base64Bytes(sealed) = other.inputs[0].sealed.clone();
    let consumer = world.raw.identity.member.clone();
    holder.deliver(vec![Input { intent, consumer, sealed, received_ms: now_ms() }]).await.unwrap();
    holder.submit(from_bytes(&request.batch.0).unwrap()).await.unwrap();
    let reply = world.bank.resume(&intent).await.unwrap();
    let answer = reply.answer.as_ref().unwrap();
    assert_eq!(answer.failure.as_deref(), Some("input is not the one the intent names"));
    assert!(answer.rows.is_empty() && answer.matches.is_empty());
    assert!(world.bank.verify_reply(&reply).await.unwrap().verified);
}
