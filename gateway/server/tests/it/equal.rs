//! REST and gRPC give equal results.

use covenant_client::Transport;
use covenant_domain::{DatasetId, IntentId, Mode};

use super::support::{HOMES, World, question};

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
