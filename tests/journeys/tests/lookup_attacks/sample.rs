//! Whoever is on record is found with exactly the granted fields; who is not gives no row; and only the bank can tell.

use std::collections::{BTreeMap, BTreeSet};

use covenant_client::{Found, Transport};
use covenant_demo::city::Resident;
use covenant_domain::Subject;
use covenant_journeys::ledger_bytes;
use covenant_ledger::verify_bundle;

use crate::spy::Tricks;
use crate::world::{Gate, expected, found, shared, subject};

/// What others than the bank can measure of a lookup.
fn measured(gate: &Gate, found: &Found) -> [usize; 4] {
    let [intent, decision, completion] = ledger_bytes(found.evidence.as_ref().unwrap());
    [intent, decision, completion, gate.spy.sealed.lock()[&found.intent].len()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_of_the_city_is_found_and_nobody_else() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    let present: Vec<&Resident> = world.city.residents.iter().step_by(4).take(64).collect();
    let mut subjects: Vec<Subject> = present.iter().map(|r| subject(r)).collect();
    subjects.extend(world.absent.iter().take(24).cloned());
    let tickets = gate.consents(&subjects, 1).await;
    gate.bank.prepare_lookups(&tickets[0].consent.scopes[0].dataset).await.unwrap();
    let mut running = tokio::task::JoinSet::new();
    let mut answers: BTreeMap<usize, Found> = BTreeMap::new();
    for (n, (subject, ticket)) in subjects.iter().zip(&tickets).enumerate() {
        let (bank, question) = (gate.bank.clone(), gate.question(ticket, subject));
        running.spawn(async move { (n, bank.look_up(question).await.unwrap()) });
        if running.len() == 8 {
            answers.extend(running.join_next().await.map(Result::unwrap));
        }
    }
    answers.extend(running.join_all().await);
    let (mut seen, mut lengths) = (BTreeSet::new(), BTreeSet::new());
    for (n, answer) in &answers {
        let rows = found(answer);
        match present.get(*n) {
            Some(resident) => assert_eq!(rows, [expected(resident)], "resident {n}"),
            None => assert!(rows.is_empty(), "somebody was found who is not on record"),
        }
        assert!(verify_bundle(answer.evidence.as_ref().unwrap(), &world.consortium.founding.genesis).verified);
        seen.insert(measured(&gate, answer));
    }
    for retrieval in gate.spy.retrievals.lock().iter() {
        let retrieval = &retrieval.retrieval;
        lengths.insert((retrieval.table_query.len(), retrieval.overlay_query.len()));
    }
    assert_eq!(answers.len(), 88);
    assert_eq!(seen.len(), 1, "hit and miss are told apart by size: {seen:?}");
    assert_eq!(lengths.len(), 1, "hit and miss are told apart by question: {lengths:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hit_and_miss_take_the_same_messages_over_both_transports() {
    let world = shared().await;
    for transport in [Transport::Rest, Transport::Grpc] {
        let gate = world.gate(Tricks::default()).await;
        let bank = gate.client("bank", transport).await;
        let resident = &world.city.residents[7];
        let mut counted = BTreeSet::new();
        for (n, who) in [subject(resident), world.absent[0].clone()].iter().cycle().take(6).enumerate() {
            let ticket = gate.consents(std::slice::from_ref(who), 1).await.remove(0);
            let before = gate.spy.calls();
            let rows = found(&bank.look_up(gate.question(&ticket, who)).await.unwrap());
            let wanted = if n % 2 == 0 { vec![expected(resident)] } else { vec![] };
            assert_eq!(rows, wanted, "{transport:?}");
            let mut calls = gate.spy.calls();
            calls.iter_mut().for_each(|(method, count)| *count -= before.get(method).copied().unwrap_or(0));
            // How often the bank looks whether a block is there depends on the block alone.
            calls.remove("progress");
            // The first lookup fetches the epoch as well.
            if n > 1 {
                counted.insert(calls);
            }
        }
        assert_eq!(counted.len(), 1, "{transport:?}: hit and miss are told apart by messages: {counted:?}");
        let calls = counted.pop_first().unwrap();
        assert!(["ask", "evaluate", "retrieve", "evidence", "epoch"].iter().all(|m| calls[m] == 1), "{calls:?}");
    }
}
