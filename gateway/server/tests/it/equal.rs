//! REST and gRPC give equal results.

use covenant_client::{EpochPart, Transport};
use covenant_domain::{DatasetId, IntentId, Mode};

use super::policy::rule_book;
use super::support::{HOMES, World, case_about, question, retrieval};

#[tokio::test]
async fn both_transports_give_equal_results() {
    let world = World::new().await;
    let rest = world.client("bank", Transport::Rest).await;
    let grpc = world.client("bank", Transport::Grpc).await;
    assert_eq!(rest.consortium().await.unwrap(), grpc.consortium().await.unwrap());
    assert_eq!(rest.health().await.unwrap(), grpc.health().await.unwrap());
    assert_eq!(rest.tip().await.unwrap(), grpc.tip().await.unwrap());
    assert_eq!(rest.members().await.unwrap(), grpc.members().await.unwrap());
    assert_eq!(rest.purposes().await.unwrap(), grpc.purposes().await.unwrap());
    assert_eq!(rest.datasets().await.unwrap(), grpc.datasets().await.unwrap());
    let id = DatasetId::new(HOMES).unwrap();
    assert_eq!(rest.dataset(&id).await.unwrap(), grpc.dataset(&id).await.unwrap());
    assert_eq!(rest.grants().await.unwrap(), grpc.grants().await.unwrap());
    let wish = serde_json::json!({
        "dataset": HOMES, "purpose": "x", "fields": ["owner"], "need": "read",
        "authority": { "kind": "consent", "id": "0197f3c2-0000-7000-8000-000000000001" },
    });
    let wish = serde_json::from_value(wish).unwrap();
    assert_eq!(rest.plan(&wish).await.unwrap(), grpc.plan(&wish).await.unwrap());

    let book = rule_book("bank", true);
    assert_eq!(rest.simulate(&book, 5).await.unwrap(), grpc.simulate(&book, 5).await.unwrap());

    for mode in [Mode::Match, Mode::Submit] {
        let prepared = rest.prepare(vec![question(mode, "mortgage-review")]).unwrap();
        let over_rest = rest.send(&prepared).await.pop().unwrap().unwrap();
        let over_grpc = grpc.send(&prepared).await.pop().unwrap().unwrap();
        assert_eq!(over_rest, over_grpc);
        let intent = over_rest.intent;
        assert_eq!(rest.resume(&intent).await.unwrap(), grpc.resume(&intent).await.unwrap());
        assert_eq!(rest.evidence(&intent).await.unwrap(), grpc.evidence(&intent).await.unwrap());
        assert_eq!(rest.explain(&intent, true).await.unwrap(), grpc.explain(&intent, true).await.unwrap());
    }
}

#[tokio::test]
async fn both_transports_give_equal_lookups() {
    let world = World::new().await;
    let homes = DatasetId::new(HOMES).unwrap();
    let rest = world.client("bank", Transport::Rest).await;
    let grpc = world.client("bank", Transport::Grpc).await;
    assert_eq!(rest.epoch(&homes).await.unwrap(), grpc.epoch(&homes).await.unwrap());
    assert_eq!(rest.ceremonies().await.unwrap(), grpc.ceremonies().await.unwrap());
    for part in [EpochPart::Hint, EpochPart::OverlayLocator] {
        let over_rest = rest.epoch_file(&homes, 1, 0, part, 1000, 500).await.unwrap();
        assert_eq!(over_rest, grpc.epoch_file(&homes, 1, 0, part, 1000, 500).await.unwrap());
    }
    for client in [&rest, &grpc] {
        let intent = world.ask_lookup("bank").await;
        assert_eq!(rest.evaluation(&intent).await.unwrap(), grpc.evaluation(&intent).await.unwrap());
        client.retrieve(&intent, retrieval(intent)).await.unwrap();
        let stored = rest.retrieval(&intent).await.unwrap();
        assert!(stored == retrieval(intent) && stored == grpc.retrieval(&intent).await.unwrap());
    }

    let rest = world.client("housing", Transport::Rest).await;
    let grpc = world.client("housing", Transport::Grpc).await;
    assert_eq!(rest.build_state(&homes).await.unwrap(), grpc.build_state(&homes).await.unwrap());
    rest.build_epoch(&homes, 7).await.unwrap();
    assert_eq!(rest.build_state(&homes).await.unwrap(), grpc.build_state(&homes).await.unwrap());
    grpc.build_epoch(&homes, 7).await.unwrap();
    assert_eq!(rest.build_state(&homes).await.unwrap(), grpc.build_state(&homes).await.unwrap());
    rest.build_overlay(&homes).await.unwrap();
    grpc.build_overlay(&homes).await.unwrap();
    assert_eq!(rest.build_state(&homes).await.unwrap(), grpc.build_state(&homes).await.unwrap());
    assert_eq!(*world.fake.builds.lock(), [Some(7), Some(7), None, None].map(|days| (homes.clone(), days)));

    world.fake.cases.lock().push(case_about(IntentId::from_parts(1, &[5; 10]), None));
    let rest = world.client("trustee", Transport::Rest).await;
    let grpc = world.client("trustee", Transport::Grpc).await;
    assert_eq!(rest.cases().await.unwrap(), grpc.cases().await.unwrap());
    assert_eq!(rest.cases().await.unwrap().len(), 1);
}

/// What each transport says of a call that is refused.
macro_rules! refused {
    ($rest:expr, $grpc:expr, $code:literal, |$client:ident| $call:expr) => {{
        let [over_rest, over_grpc] = [$rest, $grpc].map(|$client| async move { $call.await.map(drop).unwrap_err() });
        let (over_rest, over_grpc) = (over_rest.await, over_grpc.await);
        assert_eq!((over_rest.code(), over_rest.to_string()), (Some($code), over_grpc.to_string()));
    }};
}

#[tokio::test]
async fn both_transports_give_equal_problems_of_lookups() {
    let world = World::new().await;
    let homes = &DatasetId::new(HOMES).unwrap();
    let other = &DatasetId::new("cov:city/gov/housing/registry/other").unwrap();
    let intent = &world.ask_lookup("bank").await;
    let unknown = &IntentId::from_parts(1, &[5; 10]);
    let (rest, grpc) =
        (&world.client("insurer", Transport::Rest).await, &world.client("insurer", Transport::Grpc).await);
    refused!(rest, grpc, "epoch-unknown", |c| c.epoch(other));
    refused!(rest, grpc, "epoch-file-unknown", |c| c.epoch_file(homes, 2, 0, EpochPart::Hint, 0, 1));
    refused!(rest, grpc, "parameter-invalid", |c| c.epoch_file(homes, 1, 0, EpochPart::Hint, 0, 0));
    refused!(rest, grpc, "not-a-party", |c| c.epoch_file(homes, 1, 0, EpochPart::Matrix, 0, 1));
    refused!(rest, grpc, "not-a-party", |c| c.build_epoch(homes, 1));
    refused!(rest, grpc, "not-a-party", |c| c.build_overlay(homes));
    refused!(rest, grpc, "not-a-party", |c| c.build_state(homes));
    refused!(rest, grpc, "not-a-party", |c| c.evaluation(intent));
    refused!(rest, grpc, "intent-unknown", |c| c.evaluation(unknown));
    refused!(rest, grpc, "not-a-party", |c| c.retrieve(intent, retrieval(*intent)));
    refused!(rest, grpc, "not-a-party", |c| c.retrieval(intent));
    refused!(rest, grpc, "not-a-party", |c| c.cases());
    let (rest, grpc) = (&world.client("bank", Transport::Rest).await, &world.client("bank", Transport::Grpc).await);
    refused!(rest, grpc, "input-mismatch", |c| c.retrieve(intent, retrieval(*unknown)));
    refused!(rest, grpc, "body-malformed", |c| c.retrieve(intent, vec![1]));
    refused!(rest, grpc, "retrieval-unknown", |c| c.retrieval(intent));
}

#[tokio::test]
async fn both_transports_give_equal_problems() {
    let world = World::new().await;
    let bank = world.client("bank", Transport::Rest).await;
    let intent = bank.ask(question(Mode::Match, "mortgage-review")).await.unwrap().intent;
    let unknown = IntentId::from_parts(1, &[5; 10]);
    let rest = world.client("insurer", Transport::Rest).await;
    let grpc = world.client("insurer", Transport::Grpc).await;
    for id in [&intent, &unknown] {
        let texts = [rest.evidence(id).await.unwrap_err(), grpc.evidence(id).await.unwrap_err()].map(|e| e.to_string());
        assert_eq!(texts[0], texts[1]);
        let texts = [rest.explain(id, true).await.unwrap_err(), grpc.explain(id, true).await.unwrap_err()];
        assert_eq!(texts[0].code(), texts[1].code());
    }
    assert_eq!(rest.resume(&intent).await.unwrap_err().code(), Some("not-a-party"));
    assert_eq!(grpc.resume(&intent).await.unwrap_err().code(), Some("not-a-party"));
}
