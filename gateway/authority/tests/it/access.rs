//! Every address against everybody.

use covenant_api::{RequestSignature, SignedContent};
use covenant_authority::{ROUTES, Who};
use reqwest::Method;
use reqwest::header::COOKIE;
use serde_json::Value;

use crate::login::session;
use crate::support::{World, now_ms};

const ID: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const CONSENT: &str = "0197f3c2-0000-7000-8000-000000000000";

fn target(path: &str) -> String {
    let id = if path.contains("/consents/") || path.contains("/representations/") { CONSENT } else { ID };
    path.replace("{id}", id).replace("{purpose}", "mortgage-review")
}

fn signed(world: &World, member: &str, method: &str, target: &str, nonce: u8) -> Vec<(&'static str, String)> {
    let identity = world.identity(member);
    let content = SignedContent { consortium: &world.consortium(), method, target, body: b"" };
    let signature = RequestSignature::sign(&content, &identity.member, now_ms(), [nonce; 16], &identity.signing);
    signature.unwrap().to_headers().to_vec()
}

async fn told(world: &World, method: &str, target: &str, headers: &[(&'static str, String)]) -> (u16, String) {
    let method: Method = method.parse().unwrap();
    let request = world.browser().request(method, world.at(target));
    let request = headers.iter().fold(request, |r, (name, value)| r.header(*name, value));
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let code = answer.json::<Value>().await.ok().and_then(|v| v["code"].as_str().map(str::to_owned));
    (status, code.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_is_served_to_those_it_is_for_and_to_no_others() {
    let world = World::open().await;
    let (cookie, _) = session(&world, 0).await;
    let token = ("authorization", format!("Bearer {}", world.token(0).await.as_str()));
    for (at, route) in (0_u8..).zip(ROUTES) {
        let target = target(route.path);
        let call = async |headers: &[(&'static str, String)]| told(&world, route.method, &target, headers).await;
        let name = format!("{} {}", route.method, route.path);
        let nobody = call(&[]).await;
        let citizen = call(std::slice::from_ref(&token)).await;
        let headers = signed(&world, "bank", route.method, &target, 2 * at);
        let consumer = call(&headers).await;
        assert_ne!(nobody.1, "route-unknown", "{name} is not served");
        assert_ne!(nobody.1, "method-not-allowed", "{name} is not served");
        match route.who {
            Who::Anyone if route.operation == "loginCallback" => assert_eq!(nobody.1, "login-state-invalid"),
            Who::Anyone => assert!(nobody.0 < 400, "{name}: {nobody:?}"),
            Who::Consumer => {
                assert_eq!(
                    (nobody.1.as_str(), citizen.1.as_str()),
                    ("signature-missing", "signature-missing"),
                    "{name}"
                );
                assert!(
                    ["consent-request-unknown", "unsupported-media-type"].contains(&consumer.1.as_str()),
                    "{name}: {consumer:?}"
                );
            }
            Who::Operator => {
                assert_eq!(
                    (nobody.1.as_str(), citizen.1.as_str()),
                    ("signature-missing", "signature-missing"),
                    "{name}"
                );
                assert!(
                    ["not-authoriser", "unsupported-media-type"].contains(&consumer.1.as_str()),
                    "{name}: {consumer:?}"
                );
            }
            Who::Citizen => {
                assert_eq!((nobody.1.as_str(), consumer.1.as_str()), ("login-missing", "login-missing"), "{name}");
                assert!(!["login-missing", "token-invalid"].contains(&citizen.1.as_str()), "{name}: {citizen:?}");
                let carried = call(&[(COOKIE.as_str(), cookie.clone())]).await;
                if route.method != "GET" {
                    assert_eq!(carried.1, "csrf-missing", "{name}");
                }
            }
        }
        if matches!(route.who, Who::Consumer | Who::Operator) {
            assert_eq!(call(&headers).await.1, "nonce-replayed", "{name}: the same call again");
            let other = signed(&world, "bank", route.method, "/elsewhere", 2 * at + 1);
            assert_eq!(call(&other).await.1, "signature-invalid", "{name}: signed for another address");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_the_authority_are_read_strictly() {
    let world = World::open().await;
    let token = world.token(0).await;
    let post = async |body: &str, kind: &str| {
        let target = world.at(&format!("/v1/my/requests/{ID}/approve"));
        let request = world.browser().post(target).bearer_auth(token.as_str()).header("content-type", kind);
        let answer = request.body(body.to_owned()).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["code"].as_str().unwrap().to_owned()
    };
    let fine = format!("{{\"terms\": \"{ID}\"}}");
    assert_eq!(post(&fine, "application/json; charset=utf-8").await, "consent-request-unknown");
    assert_eq!(post(&fine, "text/plain").await, "unsupported-media-type", "what a form of another site could send");
    assert_eq!(post(&format!("{{\"terms\": \"{ID}\", \"more\": 1}}"), "application/json").await, "body-malformed");
    assert_eq!(post("{", "application/json").await, "body-malformed");
    assert_eq!(post(&"x".repeat(300_000), "application/json").await, "body-too-large");
}
