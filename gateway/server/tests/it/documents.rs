//! Public documents and addresses.

use covenant_api::{Code, ROUTES};
use covenant_ledger::Genesis;

use super::support::World;

#[tokio::test]
async fn the_served_openapi_is_the_committed_one() {
    let world = World::new().await;
    let served = world.raw("bank").send("GET", "/openapi.json", b"", &[]).await.json();
    let committed: serde_json::Value = serde_json::from_str(include_str!("../../../api/openapi.json")).unwrap();
    assert_eq!(served, committed);
}

#[tokio::test]
async fn every_route_of_the_table_is_served() {
    let world = World::new().await;
    let raw = world.raw("bank");
    for route in ROUTES {
        let target = route.path.replace("{id}", "x").replace("{intent}", "x").replace("{part}", "x");
        let answered = raw.send(route.method, &target, b"", &[]).await;
        assert!(![404, 405].contains(&answered.status), "{target}");
        let taken = |method| ROUTES.iter().any(|r| r.path == route.path && r.method == method);
        let wrong = if route.method == "GET" { "POST" } else { "GET" };
        let wrong = if taken(wrong) { "DELETE" } else { wrong };
        assert_eq!(raw.send(wrong, &target, b"", &[]).await.code(), Code::MethodNotAllowed.as_str(), "{target}");
    }
    for target in ["/v2", "/v1/", "/v1/queries/x/y", "/covenant.v1.Gateway"] {
        assert_eq!(raw.send("GET", target, b"", &[]).await.code(), Code::RouteUnknown.as_str(), "{target}");
    }
}

#[tokio::test]
async fn the_trust_root_is_public() {
    let world = World::new().await;
    let served = world.raw("bank").send("GET", "/v1/consortium", b"", &[]).await.json();
    let genesis: Genesis = serde_json::from_value(served["genesis"].clone()).unwrap();
    assert_eq!(genesis, world.genesis);
    assert_eq!(served["digest"], genesis.digest().to_string());
    assert_eq!(world.raw("bank").send("GET", "/healthz", b"", &[]).await.body, b"ok");
}

#[tokio::test]
async fn the_index_page_brings_all_it_needs() {
    let world = World::new().await;
    let page = world.raw("bank").send("GET", "/", b"", &[]).await;
    let text = String::from_utf8(page.body).unwrap();
    assert!(text.contains("信约") && text.contains("Covenant") && text.contains(">42<"));
    for outside in ["<script", "src=", "<link", "@import", "url("] {
        assert!(!text.contains(outside), "{outside}");
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("'sha256-"));
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert!(!text.contains("{{"));
}
