//! Login, sessions, tokens, and those who forge them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use covenant_authority::provider::{ProviderConfig, serve_provider};
use covenant_authority::{Approval, AuthorityConfig, OidcConfig, ServiceView, log_in, serve};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey as _};
use reqwest::StatusCode;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::{Value, json};

use crate::support::{CLIENT, World, code, provider_config, zhang};

fn set_cookie(answer: &reqwest::Response, name: &str) -> String {
    let mut all = answer.headers().get_all(SET_COOKIE).into_iter().map(|v| v.to_str().unwrap());
    let line = all.rfind(|v| v.starts_with(name)).unwrap().to_owned();
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Lax"), "{line}");
    line.split(';').next().unwrap().to_owned()
}

/// The way to the provider and back: callback target and the login's cookie.
async fn returned(world: &World, citizen: usize) -> (String, String) {
    let left = world.browser().get(world.at("/v1/login")).send().await.unwrap();
    assert_eq!(left.status(), StatusCode::SEE_OTHER);
    let (carried, url) = (set_cookie(&left, "covenant-login"), left.headers()[LOCATION].to_str().unwrap().to_owned());
    let chosen = world.browser().get(format!("{url}&citizen={citizen}")).send().await.unwrap();
    let back = chosen.headers()[LOCATION].to_str().unwrap();
    (back.strip_prefix("http://authority.test").unwrap().to_owned(), carried)
}

async fn arrive(world: &World, target: &str, carried: &str) -> reqwest::Response {
    world.browser().get(world.at(target)).header(COOKIE, carried).send().await.unwrap()
}

/// A browser's session: its cookie and its own token.
pub async fn session(world: &World, citizen: usize) -> (String, String) {
    let (target, carried) = returned(world, citizen).await;
    let answer = arrive(world, &target, &carried).await;
    assert_eq!((answer.status(), answer.headers()[LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/app"));
    let cookie = set_cookie(&answer, "covenant-session");
    let shown = world.browser().get(world.at("/v1/my/session")).header(COOKIE, &cookie).send().await.unwrap();
    let shown: Value = shown.json().await.unwrap();
    (cookie, shown["csrf"].as_str().unwrap().to_owned())
}

async fn problem(answer: reqwest::Response) -> String {
    assert!(!answer.status().is_success(), "{}", answer.status());
    answer.json::<Value>().await.unwrap()["code"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_logs_in_and_a_change_needs_the_sessions_own_token() {
    let world = World::open().await;
    world.request("bank", world.wish(), &zhang()).await.unwrap();
    let (cookie, csrf) = session(&world, 0).await;
    let shown = world.browser().get(world.at("/v1/my/requests")).header(COOKIE, &cookie).send().await.unwrap();
    let shown: Value = shown.json().await.unwrap();
    let id = shown[0]["id"].as_str().unwrap();
    let approval = Approval { terms: id.parse().unwrap(), notice: Some(world.shown().text) };
    let target = world.at(&format!("/v1/my/requests/{id}/approve"));
    let approve = async |token: Option<&str>| {
        let request = world.browser().post(&target).header(COOKIE, &cookie).json(&approval);
        let request = token.into_iter().fold(request, |r, token| r.header("covenant-csrf", token));
        request.send().await.unwrap()
    };
    let (_, another) = session(&world, 0).await;
    for wrong in [None, Some(""), Some("x"), Some(another.as_str())] {
        assert_eq!(problem(approve(wrong).await).await, "csrf-missing");
    }
    assert!(world.ledger.consents().is_empty());
    assert_eq!(approve(Some(&csrf)).await.status(), StatusCode::OK);
    let logout = world.browser().post(world.at("/v1/my/logout")).header(COOKIE, &cookie).header("covenant-csrf", &csrf);
    assert_eq!(logout.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let after = world.browser().get(world.at("/v1/my/uses")).header(COOKIE, &cookie).send().await.unwrap();
    assert_eq!(problem(after).await, "session-expired");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_with_its_time() {
    let world = World::open().await;
    let (cookie, _) = session(&world, 0).await;
    let uses = async || world.browser().get(world.at("/v1/my/uses")).header(COOKIE, &cookie).send().await.unwrap();
    assert!(uses().await.status().is_success());
    world.clock.pass(31 * 60_000);
    assert_eq!(problem(uses().await).await, "session-expired");
    let guessed =
        world.browser().get(world.at("/v1/my/uses")).header(COOKIE, "covenant-session=00").send().await.unwrap();
    assert_eq!(problem(guessed).await, "session-expired");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_ends_once_and_in_the_browser_that_began_it() {
    let world = World::open().await;
    let (target, carried) = returned(&world, 0).await;
    let refused = async |target: &str, carried: &str| problem(arrive(&world, target, carried).await).await;
    assert_eq!(refused(&target, "a=b").await, "login-state-invalid", "another browser");
    let (other, other_carried) = returned(&world, 1).await;
    assert_eq!(refused(&target, &other_carried).await, "login-state-invalid", "another login of this browser");
    assert_eq!(arrive(&world, &target, &carried).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(refused(&target, &carried).await, "login-state-invalid", "the same again");
    let state = |target: &str| target.split("state=").nth(1).unwrap().to_owned();
    let code_of = |target: &str| target.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let (third, third_carried) = returned(&world, 0).await;
    let injected = format!("/v1/login/callback?code={}&state={}", code_of(&other), state(&third));
    assert_eq!(refused(&injected, &third_carried).await, "token-invalid", "another login's code");
    let denied = "/v1/login/callback?error=access_denied";
    assert_eq!(refused(denied, &carried).await, "token-invalid");
    let (late, carried) = returned(&world, 0).await;
    world.clock.pass(11 * 60_000);
    assert_eq!(refused(&late, &carried).await, "login-state-invalid", "too late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_with_another_logins_nonce_is_refused() {
    let world = World::open().await;
    let left = world.browser().get(world.at("/v1/login")).send().await.unwrap();
    let (carried, url) = (set_cookie(&left, "covenant-login"), left.headers()[LOCATION].to_str().unwrap().to_owned());
    let nonce = url.split("nonce=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    for (nonce_sent, status) in [("0".repeat(64), StatusCode::UNAUTHORIZED), (nonce.clone(), StatusCode::UNAUTHORIZED)]
    {
        // The provider signs whatever nonce the address says; the second try finds the login spent.
        let chosen =
            world.browser().get(format!("{}&citizen=0", url.replace(&nonce, &nonce_sent))).send().await.unwrap();
        let back = chosen.headers()[LOCATION].to_str().unwrap();
        let answer = arrive(&world, back.strip_prefix("http://authority.test").unwrap(), &carried).await;
        assert_eq!(answer.status(), status);
        let expected = if nonce_sent == nonce { "login-state-invalid" } else { "token-invalid" };
        assert_eq!(problem(answer).await, expected);
    }
}

/// An Ed25519 key in PKCS#8.
fn forger(kid: &str) -> CoreEdDsaPrivateSigningKey {
    let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    der.extend_from_slice(&[9; 32]);
    let body = base64::engine::general_purpose::STANDARD.encode(&der);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(kid.into()))).unwrap()
}

fn part(token: &str, at: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_tokens_are_refused() {
    let world = World::open().await;
    let token = world.token(1).await;
    assert!(world.remote.my_uses(&token).await.is_ok());
    let (head, claims) = (part(&token, 0), part(&token, 1));
    let signature = token.rsplit('.').next().unwrap().to_owned();
    let mut other = claims.clone();
    other["resident_number"] = zhang().expose().into();
    let sign = |head: &Value, claims: &Value, kid: &str| {
        let text = format!("{}.{}", encoded(head), encoded(claims));
        let made = forger(kid).sign(&CoreJwsSigningAlgorithm::EdDsa, text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(made))
    };
    let kid = head["kid"].as_str().unwrap();
    let mut strange = head.clone();
    strange["kid"] = "strange".into();
    let none = json!({ "alg": "none" });
    let hs = json!({ "alg": "HS256", "kid": kid });
    let mut nameless = head.clone();
    nameless.as_object_mut().unwrap().remove("kid");
    let forged = [
        ("altered claims", format!("{}.{}.{signature}", encoded(&head), encoded(&other))),
        ("no algorithm", format!("{}.{}.", encoded(&none), encoded(&other))),
        ("no signature", format!("{}.{}.", encoded(&head), encoded(&claims))),
        ("symmetric", format!("{}.{}.{signature}", encoded(&hs), encoded(&other))),
        ("wrong key, right name", sign(&head, &other, kid)),
        ("wrong key, wrong name", sign(&strange, &other, "strange")),
        ("wrong key, no name", sign(&nameless, &other, kid)),
        ("no token", "x".to_owned()),
        ("empty", String::new()),
    ];
    for (what, forged) in forged {
        assert_eq!(code(world.remote.my_uses(&forged).await), "token-invalid", "{what}");
    }
    let basic = world.browser().get(world.at("/v1/my/uses")).basic_auth("a", Some("b")).send().await.unwrap();
    assert_eq!(problem(basic).await, "token-invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_hold_for_their_time_audience_and_issuer() {
    let world = World::open().await;
    let token = world.token(0).await;
    world.clock.pass(15 * 60_000 + 30_000);
    assert!(world.remote.my_uses(&token).await.is_ok(), "within the skew");
    world.clock.pass(60_000);
    assert_eq!(code(world.remote.my_uses(&token).await), "token-invalid", "expired");
    let token = world.token(0).await;
    world.clock.go_back(2 * 60_000);
    assert_eq!(code(world.remote.my_uses(&token).await), "token-invalid", "issued in the future");
    let other = ProviderConfig { client_id: "another".into(), ..provider_config() };
    let other = serve_provider(other, world.clock.clone()).await.unwrap();
    let view = ServiceView {
        issuer: other.issuer().into(),
        client_id: "another".into(),
        ..world.remote.service().await.unwrap()
    };
    let token = log_in(&view, Some(0), |_| {}).await.unwrap();
    assert_eq!(code(world.remote.my_uses(&token).await), "token-invalid", "another issuer");
    let oidc = OidcConfig { issuer: other.issuer().into(), ..world.config.oidc.clone() };
    assert_eq!(oidc.client_id, CLIENT);
    let config = AuthorityConfig { oidc, database: "sqlite::memory:".into(), ..world.config.clone() };
    let second = serve(config, world.identities[0].clone(), world.ledger.clone(), world.clock.clone()).await.unwrap();
    let remote = covenant_authority::Remote::new(&second.base_url()).unwrap();
    assert_eq!(code(remote.my_uses(&token).await), "token-invalid", "another audience");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_without_a_number_names_nobody() {
    let world = World::open().await;
    let token = world.token(4).await;
    assert_eq!(code(world.remote.my_uses(&token).await), "person-unknown");
    assert!(log_in(&world.remote.service().await.unwrap(), Some(99), |_| {}).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_provider_is_for_demos_on_this_machine() {
    let clock = std::sync::Arc::new(covenant_authority::SystemClock);
    let quiet = ProviderConfig { demo: false, ..provider_config() };
    assert!(serve_provider(quiet, clock.clone()).await.unwrap_err().to_string().contains("demo = true"));
    let open = ProviderConfig { listen: ([0, 0, 0, 0], 0).into(), ..provider_config() };
    assert!(serve_provider(open, clock).await.unwrap_err().to_string().contains("loopback"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_provider_keeps_to_the_protocol() {
    let world = World::open().await;
    let left = world.browser().get(world.at("/v1/login")).send().await.unwrap();
    let url = left.headers()[LOCATION].to_str().unwrap().to_owned();
    let page = world.browser().get(&url).send().await.unwrap();
    assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let page = page.text().await.unwrap();
    assert!(page.contains("Xiao Ming") && !page.contains(zhang().expose()) && !page.contains("<script"));
    let status = async |url: String| world.browser().get(url).send().await.unwrap().status();
    let elsewhere = url.replace("authority.test", "evil.test");
    assert_eq!(status(format!("{elsewhere}&citizen=0")).await, StatusCode::BAD_REQUEST, "no open redirect");
    assert_eq!(status(url.replace(CLIENT, "other")).await, StatusCode::BAD_REQUEST);
    assert_eq!(status(url.replace("=S256", "=plain")).await, StatusCode::BAD_REQUEST);
    let chosen = world.browser().get(format!("{url}&citizen=0")).send().await.unwrap();
    let back = chosen.headers()[LOCATION].to_str().unwrap().to_owned();
    let one = back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let exchange = async || {
        let form = format!(
            "grant_type=authorization_code&code={one}&client_id={CLIENT}&code_verifier={}&redirect_uri={}",
            "v".repeat(43),
            "http%3A%2F%2Fauthority.test%2Fv1%2Flogin%2Fcallback"
        );
        let request = world.browser().post(format!("{}/token", world.provider.issuer())).body(form);
        request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap().status()
    };
    assert_eq!(exchange().await, StatusCode::BAD_REQUEST, "not the verifier");
    assert_eq!(exchange().await, StatusCode::BAD_REQUEST, "and the code is spent");
}
