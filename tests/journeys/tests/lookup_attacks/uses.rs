//! What the ledger allows: so many uses as the subject gave, none once it is paused or revoked, and one subject only.

use std::sync::Arc;

use covenant_api::{Base64Bytes, QueriesRequest};
use covenant_canon::{Digest, Label, to_bytes};
use covenant_client::{ClientError, Found, Ground, LookupQuestion, QueryState, Transport};
use covenant_domain::{Authority, Body, ConsentChange, IntentId, ReasonCode as R};
use covenant_journeys::{Raw, now_ms};
use covenant_ledger::verify_bundle;

use crate::spy::Tricks;
use crate::world::{Gate, World, expected, found, question, shared};

/// Refused for this reason, without data, and nothing was sent to the holder.
async fn refused(gate: &Gate, world: &World, question: LookupQuestion, code: R) {
    let before = (gate.spy.count("evaluate"), gate.spy.count("retrieve"));
    let reply: Found = gate.bank.look_up(question).await.unwrap();
    assert_eq!(reply.state, QueryState::Refused, "{code:?}");
    assert!(reply.reasons.iter().any(|r| r.code == code), "{code:?}: {:?}", reply.reasons);
    assert!(reply.answer.is_none() && reply.evidence.is_none());
    assert_eq!((gate.spy.count("evaluate"), gate.spy.count("retrieve")), before);
    let evaluation = gate.bank.evaluation(&reply.intent).await;
    assert_eq!(evaluation.unwrap_err().code(), Some("not-permitted"), "{code:?}");
    let evidence = gate.bank.evidence(&reply.intent).await.unwrap();
    assert!(verify_bundle(&evidence, &world.consortium.founding.genesis).verified);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_uses_are_two_lookups_and_a_pause_or_revocation_ends_them() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    let who = world.resident(11);
    let ticket = gate.consents(std::slice::from_ref(&who), 2).await.remove(0);
    for _ in 0..2 {
        let answer = gate.bank.look_up(gate.question(&ticket, &who)).await.unwrap();
        assert_eq!(found(&answer), [expected(&world.city.residents[11])]);
    }
    refused(&gate, world, gate.question(&ticket, &who), R::ConsentExhausted).await;
    assert_eq!(gate.bank.consent(&ticket.consent.id).await.unwrap().uses, 2);

    let ticket = gate.consents(std::slice::from_ref(&who), 9).await.remove(0);
    gate.desk.change(ticket.consent.id, ConsentChange::Paused).await;
    refused(&gate, world, gate.question(&ticket, &who), R::ConsentPaused).await;
    gate.desk.change(ticket.consent.id, ConsentChange::Resumed).await;
    assert_eq!(found(&gate.bank.look_up(gate.question(&ticket, &who)).await.unwrap()).len(), 1);
    gate.desk.change(ticket.consent.id, ConsentChange::Revoked).await;
    refused(&gate, world, gate.question(&ticket, &who), R::ConsentRevoked).await;
    assert_eq!(gate.bank.consent(&ticket.consent.id).await.unwrap().uses, 1, "refusals cost no use");
}

/// Changes an intent as its consumer may, with its digest put right.
async fn altered(world: &World, gate: &Gate, raw: &Raw, change: impl Fn(&mut covenant_domain::Intent)) -> Found {
    let batch = gate.spy.batches.lock().last().cloned().unwrap();
    let request = QueriesRequest { batch: Base64Bytes(to_bytes(&batch)), inputs: Vec::new(), wait_ms: 5_000 };
    let suite = world.consortium.founding.genesis.suite;
    let request = raw.altered(&request, |entry| {
        entry.made_ms = now_ms();
        let Body::Intent(intent) = &mut entry.body else { panic!("no intent") };
        change(intent);
        intent.input = Digest::of(suite, Label::QUERY_INPUT, &to_bytes(intent.lookup.as_ref().unwrap()));
    });
    let told = raw.post_json("/v1/queries", &request).await;
    let result = told.results().remove(0);
    let (state, reasons) = (result.state, result.reasons);
    Found { intent: result.intent, state, reasons, voided: None, answer: None, evidence: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_consent_is_good_for_one_subject() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    let identity = Arc::new(world.consortium.founding.identity("bank").unwrap());
    let who = [world.resident(12), world.resident(13)];
    let tickets = gate.consents(&who, 9).await;
    for n in 14..20 {
        let stranger = tickets[0].ground(&identity, &world.resident(n));
        assert!(matches!(stranger, Err(ClientError::Ticket { .. })));
        // With the opening by force, no proof can be made.
        let (id, commitment) = (tickets[0].consent.id, tickets[0].consent.commitment);
        let ground = Ground::Consent { id, commitment, opening: tickets[0].open(&identity).unwrap() };
        let tried = gate.bank.look_up(question(&world.resident(n), ground)).await;
        assert!(matches!(tried, Err(ClientError::Ticket { .. })), "{tried:?}");
        // With the commitment of the stranger's own, the ledger knows better.
        let ground = Ground::Consent {
            id,
            commitment: tickets[1].consent.commitment,
            opening: tickets[1].open(&identity).unwrap(),
        };
        refused(&gate, world, question(&who[1], ground), R::ClaimInvalid).await;
    }
    assert_eq!(gate.bank.consent(&tickets[0].consent.id).await.unwrap().uses, 0);

    // The claim of a query that was permitted, in intents of the bank's making.
    let answer = gate.bank.look_up(gate.question(&tickets[0], &who[0])).await.unwrap();
    assert_eq!(found(&answer), [expected(&world.city.residents[12])]);
    let raw = Raw::new(&gate.url(), world.consortium.founding.genesis.digest(), identity);
    let other = altered(world, &gate, &raw, |intent| intent.id = IntentId::from_parts(now_ms(), &[8; 10])).await;
    let consent = tickets[1].consent.id;
    let moved = altered(world, &gate, &raw, |intent| {
        intent.id = IntentId::from_parts(now_ms(), &[9; 10]);
        intent.authority = Authority::Consent { id: consent };
    })
    .await;
    for reply in [other, moved] {
        assert!(reply.reasons.iter().any(|r| r.code == R::ClaimInvalid), "{:?}: {:?}", reply.state, reply.reasons);
    }
    let uses = |n: usize| gate.bank.consent(&tickets[n].consent.id);
    assert_eq!((uses(0).await.unwrap().uses, uses(1).await.unwrap().uses), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lookups_at_once_share_the_uses() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    let who = world.resident(15);
    let ticket = gate.consents(std::slice::from_ref(&who), 2).await.remove(0);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let (bank, question) = (gate.bank.clone(), gate.question(&ticket, &who));
        running.spawn(async move { bank.look_up(question).await.unwrap() });
    }
    let replies = running.join_all().await;
    let answered = replies.iter().filter(|r| r.state == QueryState::Answered).count();
    let exhausted = |r: &&Found| r.state == QueryState::Refused && r.reasons[0].code == R::ConsentExhausted;
    assert_eq!((answered, replies.iter().filter(exhausted).count()), (2, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_is_its_consumers_alone() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    let answer = gate.look_up(&world.resident(16)).await.unwrap();
    assert_eq!(found(&answer).len(), 1);
    let question = to_bytes(&gate.spy.retrievals.lock()[0]);
    for stranger in ["tax", "housing", "credit-centre", "authorisation"] {
        let client = gate.client(stranger, Transport::Rest).await;
        let evaluation = client.evaluation(&answer.intent).await.unwrap_err();
        assert_eq!(evaluation.code(), Some("not-a-party"), "{stranger}");
        assert_eq!(client.retrieval(&answer.intent).await.unwrap_err().code(), Some("not-a-party"), "{stranger}");
        let sent = client.retrieve(&answer.intent, question.clone()).await.unwrap_err();
        assert_eq!(sent.code(), Some("not-a-party"), "{stranger}");
    }
    // Once answered, the bank cannot have the subject evaluated again either.
    assert_eq!(gate.bank.evaluation(&answer.intent).await.unwrap_err().code(), Some("not-permitted"));
}
