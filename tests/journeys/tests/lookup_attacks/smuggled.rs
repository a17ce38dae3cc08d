//! Another member's batch, passed on by a gateway that keeps to the rules, must not touch a lookup of the bank's: the
//! holder takes what is to be asked of its tables from the consumer alone.

use std::sync::Arc;

use covenant_api::{Base64Bytes, QueriesRequest, QueryInputItem};
use covenant_canon::{Digest, Label, from_bytes, to_bytes};
use covenant_domain::{Authority, Body, Entry, Intent, IntentId, MemberId, Mode, PurposeCode, SignedRetrieval};
use covenant_journeys::{Raw, dataset, fields, now_ms};
use covenant_ledger::{SignedBatch, verify_bundle};

use crate::spy::{Hook, Tricks};
use crate::world::{CREDIT, Gate, World, expected, found, shared};

/// A query of the tax office's own under the id of the bank's, with an input of its choice.
fn under_the_same_id(world: &World, intent: IntentId, input: &[u8]) -> QueriesRequest {
    let genesis = &world.consortium.founding.genesis;
    let (tax, keys) = (MemberId::new("tax").unwrap(), world.consortium.founding.identity("tax").unwrap());
    let intent = Intent {
        id: intent,
        consumer: tax.clone(),
        dataset: dataset(CREDIT),
        purpose: PurposeCode::new("mortgage-review").unwrap(),
        mode: Mode::Detail,
        fields: fields(&["balance_fen"]),
        authority: Authority::Legal { commitment: covenant_domain::Commitment([1; 32]), case: None },
        input: Digest::of(genesis.suite, Label::QUERY_INPUT, input),
        lookup: None,
    };
    let item = QueryInputItem { intent: intent.id, sealed: Base64Bytes(input.to_vec()) };
    let entry = Entry { author: Some(tax.clone()), made_ms: now_ms(), body: Body::Intent(intent) };
    let batch = SignedBatch::sign(&genesis.digest(), &tax, &[entry], &keys.signing).unwrap();
    QueriesRequest { batch: Base64Bytes(to_bytes(&batch)), inputs: vec![item], wait_ms: 0 }
}

/// Just before the bank's question is passed on, the tax office sends an input under the bank's id through the demo's own
/// gateway.
fn interfering(world: &'static World, input: Vec<u8>) -> Tricks {
    let hook: Hook = Arc::new(move |intent| {
        let request = under_the_same_id(world, intent, &input);
        Box::pin(async move {
            let identity = Arc::new(world.consortium.founding.identity("tax").unwrap());
            let raw = Raw::new(&world.consortium.url(), world.consortium.founding.genesis.digest(), identity);
            let told = raw.post_json("/v1/queries", &request).await;
            assert_ne!(told.status, 200, "{told:?}");
            // Time for the holder to run what it took.
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        })
    });
    Tricks { before: Some(("retrieve", hook)), ..Tricks::default() }
}

async fn unharmed(gate: &Gate, world: &World, n: usize) {
    let answer = match gate.look_up(&world.resident(n)).await {
        Ok(answer) => answer,
        Err(error) => {
            let intent = gate.spy.retrievals.lock().last().unwrap().retrieval.intent;
            let report = verify_bundle(&gate.bank.evidence(&intent).await.unwrap(), &world.consortium.founding.genesis);
            panic!("the ledger says `{:?}`, the bank has: {error}", report.outcome)
        }
    };
    assert_eq!(found(&answer), [expected(&world.city.residents[n])]);
    let kept: SignedRetrieval = from_bytes(&gate.bank.retrieval(&answer.intent).await.unwrap()).unwrap();
    assert_eq!(Some(&kept), gate.spy.retrievals.lock().last(), "the regulator would compute another answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_under_another_members_query_do_not_take_the_place_of_its_question() {
    let world = shared().await;
    let gate = world.gate(interfering(world, b"nothing in particular".to_vec())).await;
    unharmed(&gate, world, 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_under_another_members_query_is_not_run_in_its_place() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    unharmed(&gate, world, 61).await;
    // A retrieval that fits the tables, for the coming query, signed by nobody.
    let old = gate.spy.retrievals.lock()[0].clone();
    let hook: Hook = Arc::new(move |intent| {
        let mut forged = old.clone();
        forged.retrieval.intent = intent;
        let tricks = interfering(world, to_bytes(&forged));
        tricks.before.unwrap().1(intent)
    });
    gate.spy.be(Tricks { before: Some(("retrieve", hook)), ..Tricks::default() });
    unharmed(&gate, world, 62).await;
}
