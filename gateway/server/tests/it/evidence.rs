//! Who may read evidence and explanations, and in which form.

use covenant_canon::from_bytes;
use covenant_client::Transport;
use covenant_domain::{CaseOutcome, IntentId, Mode};
use covenant_ledger::{Bundle, verify_bundle};

use super::support::{World, case_about, question};

#[tokio::test]
async fn parties_and_regulators_read_and_nobody_else() {
    let world = World::new().await;
    let client = world.client("bank", Transport::Rest).await;
    for mode in [Mode::Match, Mode::Submit] {
        let intent = client.ask(question(mode, "mortgage-review")).await.unwrap().intent;
        for (member, status) in
            [("bank", 200), ("housing", 200), ("regulator", 200), ("insurer", 403), ("authority", 403)]
        {
            for what in ["evidence", "explanation", "explanation?replay=true"] {
                let answered = world.raw(member).get(&format!("/v1/queries/{intent}/{what}")).await;
                assert_eq!(answered.status, status, "{member} {what} {mode}");
                if status == 403 {
                    assert_eq!(answered.code(), "not-a-party");
                }
            }
        }
    }
    let unknown = IntentId::from_parts(1, &[5; 10]);
    for what in ["evidence", "explanation"] {
        let answered = world.raw("bank").get(&format!("/v1/queries/{unknown}/{what}")).await;
        assert_eq!((answered.status, answered.code().as_str()), (404, "intent-unknown"));
    }
}

#[tokio::test]
async fn a_trustee_reads_the_evidence_of_an_open_case_alone() {
    let world = World::new().await;
    let (about, other) = (world.ask_lookup("bank").await, world.ask_lookup("bank").await);
    let raw = world.raw("trustee");
    let status = async |intent: &IntentId| raw.get(&format!("/v1/queries/{intent}/evidence")).await.status;
    assert_eq!((status(&about).await, status(&other).await), (403, 403));
    world.fake.cases.lock().push(case_about(about, None));
    assert_eq!((status(&about).await, status(&other).await), (200, 403));
    assert_eq!(raw.get(&format!("/v1/queries/{about}/explanation")).await.status, 403);
    *world.fake.cases.lock() = vec![case_about(about, Some(CaseOutcome::Excluded))];
    assert_eq!(status(&about).await, 403, "the case is closed");
    *world.fake.cases.lock() = vec![case_about(about, None)];
    let consumer = world.raw("insurer").get(&format!("/v1/queries/{about}/evidence")).await;
    assert_eq!(consumer.code(), "not-a-party", "a case opens nothing to others");
}

#[tokio::test]
async fn evidence_comes_in_two_forms_of_one_content() {
    let world = World::new().await;
    let client = world.client("bank", Transport::Rest).await;
    let intent = client.ask(question(Mode::Match, "mortgage-review")).await.unwrap().intent;
    let target = format!("/v1/queries/{intent}/evidence");
    let raw = world.raw("bank");
    let cbor = raw.get_accepting(&target, "application/cbor").await;
    assert_eq!(cbor.headers["content-type"], "application/cbor");
    assert!(verify_bundle(&cbor.body, &world.genesis).verified);
    let json = raw.get_accepting(&target, "text/html, application/json;q=0.9").await;
    let read: Bundle = serde_json::from_slice(&json.body).unwrap();
    assert_eq!(read, from_bytes(&cbor.body).unwrap());
    assert_eq!(raw.get_accepting(&target, "image/png").await.code(), "not-acceptable");
}

#[tokio::test]
async fn explanations_replay_when_asked() {
    let world = World::new().await;
    for transport in [Transport::Rest, Transport::Grpc] {
        let client = world.client("bank", transport).await;
        let intent = client.ask(question(Mode::Submit, "mortgage-review")).await.unwrap().intent;
        assert_eq!(client.explain(&intent, false).await.unwrap().replayed_equal, None);
        assert_eq!(client.explain(&intent, true).await.unwrap().replayed_equal, Some(true));
    }
    let intent = world.client("bank", Transport::Rest).await.ask(question(Mode::Match, "early")).await.unwrap().intent;
    let answered = world.raw("bank").get(&format!("/v1/queries/{intent}/explanation?replay=maybe")).await;
    assert_eq!(answered.code(), "parameter-invalid");
}
