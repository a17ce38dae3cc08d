//! Requests that are not what their signature says. Every signed address is tried.

use covenant_api::{Access, HEADERS, ROUTES};
use covenant_client::Identity;

use super::support::{HOMES, World, id};

/// An address of each signed route.
fn signed_targets() -> Vec<(&'static str, String)> {
    let signed = ROUTES.iter().filter(|r| r.access == Access::Signed);
    let uuid = "0197f3c2-0000-7000-8000-000000000001";
    signed
        .map(|r| {
            let of_dataset = ["dataset", "versions", "catalogueItem", "epoch", "buildState"].contains(&r.operation);
            let digest = "01".repeat(32);
            let of_entry = r.operation == "receipt";
            let path = r.path.replace(
                "{id}",
                if of_dataset {
                    HOMES
                } else if of_entry {
                    &digest
                } else {
                    uuid
                },
            );
            (r.method, path.replace("{intent}", uuid).replace("{part}", "hint"))
        })
        .collect()
}

#[tokio::test]
async fn no_signed_address_answers_without_a_good_signature() {
    let world = World::new().await;
    let raw = world.raw("bank");
    let now = super::support::now_ms();
    for (method, target) in signed_targets() {
        let good = raw.sign(method, &target, b"", now, rand::random());
        for missing in HEADERS {
            let headers: Vec<_> = good.to_headers().into_iter().filter(|h| h.0 != missing).collect();
            let answered = raw.send(method, &target, b"", &headers).await;
            assert_eq!((answered.status, answered.code().as_str()), (401, "signature-missing"), "{target}");
            assert!(answered.headers.contains_key("www-authenticate"));
            let garbled: Vec<_> =
                good.to_headers().into_iter().map(|h| if h.0 == missing { (h.0, "?".to_owned()) } else { h }).collect();
            assert_eq!(raw.send(method, &target, b"", &garbled).await.code(), "signature-malformed", "{target}");
        }
        let elsewhere = raw.sign(method, "/v1/elsewhere", b"", now, rand::random()).to_headers();
        assert_eq!(raw.send(method, &target, b"", &elsewhere).await.code(), "signature-invalid", "{target}");
        let other_body = raw.sign(method, &target, b"{}", now, rand::random()).to_headers();
        assert_eq!(raw.send(method, &target, b"{ }", &other_body).await.code(), "signature-invalid", "{target}");
        for stale in [now - 61_000, now + 70_000] {
            let headers = raw.sign(method, &target, b"", stale, rand::random()).to_headers();
            assert_eq!(raw.send(method, &target, b"", &headers).await.code(), "request-stale", "{target}");
        }
    }
}

#[tokio::test]
async fn a_request_counts_once() {
    let world = World::new().await;
    let raw = world.raw("bank");
    let headers = raw.signed_now("GET", "/v1/ledger/tip", b"").to_headers();
    assert_eq!(raw.send("GET", "/v1/ledger/tip", b"", &headers).await.status, 200);
    let again = raw.send("GET", "/v1/ledger/tip", b"", &headers).await;
    assert_eq!((again.status, again.code().as_str()), (401, "nonce-replayed"));
}

#[tokio::test]
async fn strangers_and_other_consortia_are_refused() {
    let world = World::new().await;
    let mut raw = world.raw("bank");
    raw.consortium = covenant_canon::Digest([1; 32]);
    assert_eq!(raw.get("/v1/members").await.code(), "signature-invalid");
    let mut raw = world.raw("bank");
    raw.identity = std::sync::Arc::new(Identity::generate(id("bank"), world.genesis.suite));
    assert_eq!(raw.get("/v1/members").await.code(), "signature-invalid");
    raw.identity = std::sync::Arc::new(Identity::generate(id("nobody"), world.genesis.suite));
    assert_eq!(raw.get("/v1/members").await.code(), "member-unknown");
}

#[tokio::test]
async fn grpc_checks_the_same() {
    use covenant_wire::v1::gateway_client::GatewayClient;
    use covenant_wire::{seal_call, v1};
    let world = World::new().await;
    let raw = world.raw("bank");
    let mut stub = GatewayClient::connect(world.running.base_url()).await.unwrap();
    let target = "/covenant.v1.Gateway/Tip";
    let good = raw.signed_now("POST", target, b"");
    stub.tip(seal_call(&good, vec![])).await.unwrap();
    let code = |s: tonic::Status| s.metadata().get("covenant-code").unwrap().to_str().unwrap().to_owned();
    assert_eq!(code(stub.tip(seal_call(&good, vec![])).await.unwrap_err()), "nonce-replayed");
    let fresh = || raw.signed_now("POST", target, b"");
    assert_eq!(code(stub.tip(seal_call(&fresh(), vec![8, 1])).await.unwrap_err()), "signature-invalid");
    assert_eq!(code(stub.members(seal_call(&fresh(), vec![])).await.unwrap_err()), "signature-invalid");
    assert_eq!(code(stub.tip(v1::SignedCall::default()).await.unwrap_err()), "signature-missing");
    let mut short = seal_call(&fresh(), vec![]);
    short.nonce.pop();
    assert_eq!(code(stub.tip(short).await.unwrap_err()), "signature-malformed");
    let junk = raw.signed_now("POST", "/covenant.v1.Gateway/Plan", &[0xff]);
    assert_eq!(code(stub.plan(seal_call(&junk, vec![0xff])).await.unwrap_err()), "body-malformed");
    // A REST signature is none for gRPC.
    let rest = raw.signed_now("GET", "/v1/ledger/tip", b"");
    assert_eq!(code(stub.tip(seal_call(&rest, vec![])).await.unwrap_err()), "signature-invalid");
}
