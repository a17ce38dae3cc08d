//! Bodies, rates, times and failures behind.

use std::sync::atomic::Ordering;
use std::time::Duration;

use covenant_app::Rate;
use covenant_canon::SuiteId;
use covenant_client::Transport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{HOMES, World};

fn plan(purpose: &str) -> String {
    serde_json::json!({
        "dataset": HOMES, "purpose": purpose, "fields": ["owner"], "need": "verify",
        "authority": { "kind": "legal", "commitment": "00".repeat(32) },
    })
    .to_string()
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let world = World::with(SuiteId::Sm, |c| c.max_body_bytes = 10_000).await;
    let raw = world.raw("bank");
    assert_eq!(raw.post("/v1/plan", plan("x")).await.json()["mode"], "detail");
    let oversized = raw.post("/v1/queries", vec![b' '; 10_001]).await;
    assert_eq!((oversized.status, oversized.code().as_str()), (413, "body-too-large"));
    assert_eq!(raw.post_as("/v1/plan", plan("x").as_bytes(), "text/plain").await.code(), "unsupported-media-type");
    let charset = raw.post_as("/v1/plan", plan("x").as_bytes(), "application/json; charset=utf-8").await;
    assert_eq!(charset.status, 200);

    let syntax = raw.post("/v1/plan", "{\n  \"dataset\": nonsense").await.problem();
    assert!(syntax.code == "body-malformed" && syntax.detail.contains("line 2 column"), "{}", syntax.detail);
    let unknown = raw.post("/v1/queries", r#"{"batch":"","inputs":[],"surprise":1}"#).await.problem();
    assert!(unknown.detail.contains("surprise"), "{}", unknown.detail);
    let base64 = raw.post("/v1/entries", r#"{"batch":"AAA"}"#).await.problem();
    assert!(base64.code == "body-malformed" && base64.detail.contains("base64"), "{}", base64.detail);
    assert_eq!(raw.post("/v1/entries", r#"{"batch":"AAAA"}"#).await.code(), "batch-malformed");
    assert_eq!(raw.post("/v1/entries", "").await.code(), "body-malformed");
    let headers = raw.signed_now("GET", "/v1/members", b"x").to_headers();
    assert_eq!(raw.send("GET", "/v1/members", b"x", &headers).await.code(), "body-malformed");
}

#[tokio::test]
async fn too_many_requests_are_refused_per_member() {
    let rate = Rate { per_second: 1, burst: 3 };
    let world = World::with(SuiteId::Intl, |c| c.app.rate = rate).await;
    let raw = world.raw("bank");
    let mut refused = None;
    for _ in 0..20 {
        let answered = raw.get("/v1/ledger/tip").await;
        if answered.status == 429 {
            refused = Some(answered);
            break;
        }
    }
    let refused = refused.unwrap();
    assert_eq!(refused.code(), "too-many-requests");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(world.raw("insurer").get("/v1/ledger/tip").await.status, 200);
    // The client waits as told.
    world.client("bank", Transport::Rest).await.tip().await.unwrap();
}

#[tokio::test]
async fn replays_by_a_listener_do_not_use_up_the_rate() {
    let rate = Rate { per_second: 1, burst: 3 };
    let world = World::with(SuiteId::Intl, |c| c.app.rate = rate).await;
    let raw = world.raw("bank");
    let heard = raw.signed_now("GET", "/v1/members", b"").to_headers();
    assert_eq!(raw.send("GET", "/v1/members", b"", &heard).await.status, 200);
    for _ in 0..10 {
        assert_eq!(raw.send("GET", "/v1/members", b"", &heard).await.code(), "nonce-replayed");
    }
    assert_eq!(raw.get("/v1/members").await.status, 200);
}

#[tokio::test]
async fn failures_behind_become_problems() {
    let world = World::with(SuiteId::Sm, |c| c.request_timeout = Duration::from_millis(500)).await;
    let raw = world.raw("bank");
    let cases = [
        ("busy", 429, "backlog-full"),
        ("down", 503, "unavailable"),
        ("no", 422, "dataset-frozen"),
        ("panic", 500, "internal"),
        ("sleep", 504, "timeout"),
    ];
    for (purpose, status, code) in cases {
        let answered = raw.post("/v1/plan", plan(purpose)).await;
        assert_eq!((answered.status, answered.code().as_str()), (status, code), "{purpose}");
        assert!(!String::from_utf8_lossy(&answered.body).contains("secret"), "{purpose}");
    }
    let grpc = world.client("bank", Transport::Grpc).await;
    for (purpose, code) in [("no", "dataset-frozen"), ("panic", "internal")] {
        let request = serde_json::from_str(&plan(purpose)).unwrap();
        assert_eq!(grpc.plan(&request).await.unwrap_err().code(), Some(code));
    }
}

#[tokio::test]
async fn health_does_the_real_thing_and_is_not_a_lever() {
    let world = World::new().await;
    let raw = world.raw("bank");
    for _ in 0..10 {
        assert_eq!(raw.send("GET", "/v1/health", b"", &[]).await.status, 200);
    }
    assert!(world.fake.checks.load(Ordering::Relaxed) < 5, "one check serves many");
    let sick = World::new().await;
    sick.fake.sound.store(false, Ordering::Relaxed);
    let answered = sick.raw("bank").send("GET", "/v1/health", b"", &[]).await;
    assert_eq!((answered.status, answered.code().as_str()), (503, "unhealthy"));
    assert!(answered.problem().detail.contains("disk is full"));
    let grpc = sick.client("bank", Transport::Grpc).await;
    assert_eq!(grpc.health().await.unwrap_err().code(), Some("unhealthy"));
}

#[tokio::test]
async fn a_slow_writer_is_cut_off_and_shutdown_ends() {
    let world = World::with(SuiteId::Sm, |c| c.request_timeout = Duration::from_millis(300)).await;
    let raw = world.raw("bank");
    let mut stream = tokio::net::TcpStream::connect(world.running.local_addr()).await.unwrap();
    let signature = raw.signed_now("POST", "/v1/plan", b"");
    let headers: String = signature.to_headers().iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    let head = format!("POST /v1/plan HTTP/1.1\r\nhost: x\r\n{headers}content-length: 100\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 504");
    drop(stream);
    let World { running, stop, .. } = world;
    stop.send(()).unwrap();
    running.wait().await;
}
