//! A gateway that throws questions away wins nothing: the query lapses, on record, and nothing was answered.

use covenant_canon::SuiteId;
use covenant_client::QueryState;
use covenant_journeys::replace_charter;
use covenant_ledger::{Charter, verify_bundle};

use crate::spy::Tricks;
use crate::world::{World, expected, found};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_whose_question_is_thrown_away_lapses() {
    let dir = tempfile::tempdir().unwrap();
    replace_charter(dir.path(), SuiteId::Sm, Charter { completion_ms: 8_000, ..Charter::default() });
    let world = World::open(dir.path(), |_| {}).await;
    let gate = world.gate(Tricks { drops_retrieval: true, ..Tricks::default() }).await;
    let who = world.resident(5);
    let ticket = gate.consents(std::slice::from_ref(&who), 2).await.remove(0);
    let lost = gate.bank.look_up(gate.question(&ticket, &who)).await.unwrap();
    assert_eq!(lost.state, QueryState::Lapsed);
    assert!(lost.answer.is_none() && lost.evidence.is_none());
    let evidence = gate.bank.evidence(&lost.intent).await.unwrap();
    assert!(verify_bundle(&evidence, &world.consortium.founding.genesis).verified);
    // Too late for the question that was thrown away, and for another evaluation.
    let question = gate.spy.retrievals.lock()[0].clone();
    let late = gate.bank.retrieve(&lost.intent, covenant_canon::to_bytes(&question));
    gate.spy.be(Tricks::default());
    assert_eq!(late.await.unwrap_err().code(), Some("not-permitted"));
    assert_eq!(gate.bank.evaluation(&lost.intent).await.unwrap_err().code(), Some("not-permitted"));
    let answer = gate.bank.look_up(gate.question(&ticket, &who)).await.unwrap();
    assert_eq!(found(&answer), [expected(&world.city.residents[5])]);
}
