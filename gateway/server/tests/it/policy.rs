//! Rule books tried on past queries.

use covenant_client::Transport;
use covenant_domain::{Effect, GuardRule, RuleBook};

use super::support::{World, id};

pub(crate) fn rule_book(holder: &str, with_rule: bool) -> RuleBook {
    let rule = GuardRule { name: "all".into(), effect: Effect::Allow, ..GuardRule::default() };
    let rules = with_rule.then_some(rule).into_iter().collect();
    RuleBook { holder: id(holder), revision: 1, rules, roles: vec![], auto: vec![] }
}

#[tokio::test]
async fn a_book_is_tried_for_its_holder_and_regulators_only() {
    let world = World::new().await;
    for transport in [Transport::Rest, Transport::Grpc] {
        let (housing, regulator) =
            (world.client("housing", transport).await, world.client("regulator", transport).await);
        for client in [&housing, &regulator] {
            let tried = client.simulate(&rule_book("housing", true), 7).await.unwrap();
            assert_eq!((tried.compared, tried.height), (7, 3));
        }
        let bank = world.client("bank", transport).await;
        let refused = bank.simulate(&rule_book("housing", true), 7).await.unwrap_err();
        assert_eq!(refused.code(), Some("not-a-party"));
        for last in [0, 10_001] {
            let refused = housing.simulate(&rule_book("housing", true), last).await.unwrap_err();
            assert_eq!(refused.code(), Some("parameter-invalid"));
        }
        let refused = housing.simulate(&rule_book("housing", false), 7).await.unwrap_err();
        assert_eq!(refused.code(), Some("policy-invalid"));
    }
}

#[tokio::test]
async fn a_body_that_is_no_rule_book_is_refused() {
    let world = World::new().await;
    let raw = world.raw("housing");
    for body in [serde_json::json!({}), serde_json::json!({ "book": { "holder": "housing" }, "last": 1 })] {
        assert_eq!(raw.post("/v1/policy/simulate", body.to_string()).await.code(), "body-malformed");
    }
}
