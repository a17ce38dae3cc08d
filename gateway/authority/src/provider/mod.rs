//! An identity provider for the demo and for tests: it asks for no proof of anything. It listens on this machine only
//! and does not start unless the configuration says `demo = true`.

mod page;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::url::Url;
use openidconnect::{
    Audience, IdTokenClaims, IssuerUrl, JsonWebKeyId, Nonce, PkceCodeChallenge, PkceCodeVerifier, PrivateSigningKey,
    StandardClaims, SubjectIdentifier,
};
use parking_lot::Mutex;
use rand::Rng as _;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::oidc::{Named, Token, random_token};

/// How long a code may wait to be exchanged, in milliseconds.
const CODE_MS: u64 = 60_000;
/// How long a token holds, in seconds.
const TOKEN_S: i64 = 900;

/// Somebody who may log in by a click.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoCitizen {
    /// Name on the page.
    pub name: String,
    /// Resident number.
    #[serde(default)]
    pub resident_number: Option<String>,
    /// Unified social credit code, for a company.
    #[serde(default)]
    pub uscc: Option<String>,
}

/// The provider's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Must be true: nobody starts it by accident.
    #[serde(default)]
    pub demo: bool,
    /// Where to listen, on this machine.
    pub listen: SocketAddr,
    /// The only client.
    pub client_id: String,
    /// Where it may be sent back to; loopback addresses with any port besides, for the command line.
    pub redirect_urls: Vec<String>,
    /// Who may log in.
    pub citizens: Vec<DemoCitizen>,
}

/// Why the provider does not start.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Not a demo.
    #[error("the embedded identity provider proves nobody's identity: it starts only with `demo = true`")]
    NotDemo,
    /// Another machine could reach it.
    #[error("the embedded identity provider listens on a loopback address only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The port.
    #[error("the embedded identity provider cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The key.
    #[error("the embedded identity provider has no key: {0}")]
    Key(String),
}

/// A running provider; it stops when this is dropped.
#[derive(Debug)]
pub struct RunningProvider {
    issuer: String,
    task: JoinHandle<()>,
}

impl RunningProvider {
    /// Its issuer URL.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

impl Drop for RunningProvider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Granted {
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    citizen: usize,
    expires_ms: u64,
}

struct Inner {
    config: ProviderConfig,
    issuer: String,
    key: CoreEdDsaPrivateSigningKey,
    clock: Arc<dyn Clock>,
    codes: Mutex<BTreeMap<String, Granted>>,
}

/// Starts the provider with a key made now.
///
/// # Errors
/// [`ProviderError`].
pub async fn serve_provider(config: ProviderConfig, clock: Arc<dyn Clock>) -> Result<RunningProvider, ProviderError> {
    if !config.demo {
        return Err(ProviderError::NotDemo);
    }
    if !config.listen.ip().is_loopback() {
        return Err(ProviderError::NotLoopback(config.listen));
    }
    let listen = config.listen;
    let listener = TcpListener::bind(listen).await.map_err(|e| ProviderError::Listen(listen, e))?;
    let address = listener.local_addr().map_err(|e| ProviderError::Listen(listen, e))?;
    let issuer = format!("http://{address}");
    let key = fresh_key().map_err(ProviderError::Key)?;
    let inner = Inner { config, issuer: issuer.clone(), key, clock, codes: Mutex::default() };
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .with_state(Arc::new(inner));
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the identity provider ended");
        }
    });
    Ok(RunningProvider { issuer, task })
}

/// An Ed25519 key in PKCS#8 (RFC 8410), which is how the library takes one.
fn fresh_key() -> Result<CoreEdDsaPrivateSigningKey, String> {
    let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    der.extend_from_slice(&seed);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&der));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(random_token())))
}

type Shared = State<Arc<Inner>>;

async fn discovery(State(inner): Shared) -> Response {
    let issuer = &inner.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "scopes_supported": ["openid"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
    }))
    .into_response()
}

async fn jwks(State(inner): Shared) -> Response {
    Json(CoreJsonWebKeySet::new(vec![inner.key.as_verification_key()])).into_response()
}

#[derive(Debug, Deserialize)]
struct Asked {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    state: String,
    nonce: Option<String>,
    code_challenge: String,
    code_challenge_method: String,
    /// Which citizen was clicked.
    citizen: Option<usize>,
}

/// Shows the citizens, or sends the browser back as one of them.
async fn authorize(State(inner): Shared, Query(asked): Query<Asked>) -> Response {
    if asked.client_id != inner.config.client_id || !inner.may_return_to(&asked.redirect_uri) {
        // INVARIANT never send anybody to an address that was not registered.
        return (StatusCode::BAD_REQUEST, "unknown client or address of return").into_response();
    }
    if asked.response_type != "code" || asked.code_challenge_method != "S256" {
        return (StatusCode::BAD_REQUEST, "only `code` with S256 is served").into_response();
    }
    match asked.citizen.filter(|at| *at < inner.config.citizens.len()) {
        Some(citizen) => inner.send_back(asked, citizen),
        None => show(&inner, &asked),
    }
}

fn show(inner: &Inner, asked: &Asked) -> Response {
    let link = |at: usize| {
        let mut query = openidconnect::url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("response_type", &asked.response_type).append_pair("client_id", &asked.client_id);
        query.append_pair("redirect_uri", &asked.redirect_uri).append_pair("state", &asked.state);
        query.append_pair("code_challenge", &asked.code_challenge).append_pair("code_challenge_method", "S256");
        if let Some(nonce) = &asked.nonce {
            query.append_pair("nonce", nonce);
        }
        format!("/authorize?{}", query.append_pair("citizen", &at.to_string()).finish())
    };
    let names = inner.config.citizens.iter().enumerate().map(|(at, c)| (c.name.as_str(), link(at)));
    let headers = [(CONTENT_SECURITY_POLICY, page::POLICY), (CACHE_CONTROL, "no-store")];
    (headers, Html(page::page(names))).into_response()
}

impl Inner {
    fn may_return_to(&self, url: &str) -> bool {
        // RFC 8252, 7.3: a native client returns to a loopback address with whatever port it got.
        let native = Url::parse(url).is_ok_and(|u| {
            u.scheme() == "http" && u.host_str() == Some("127.0.0.1") && u.path() == "/" && u.query().is_none()
        });
        native || self.config.redirect_urls.iter().any(|known| known == url)
    }

    fn send_back(&self, asked: Asked, citizen: usize) -> Response {
        let Ok(mut url) = Url::parse(&asked.redirect_uri) else { return StatusCode::BAD_REQUEST.into_response() };
        let (code, now_ms) = (random_token(), self.clock.now_ms());
        url.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked.state);
        let granted = Granted {
            redirect_uri: asked.redirect_uri,
            challenge: asked.code_challenge,
            nonce: asked.nonce,
            citizen,
            expires_ms: now_ms + CODE_MS,
        };
        let mut codes = self.codes.lock();
        codes.retain(|_, g| g.expires_ms > now_ms);
        codes.insert(code, granted);
        (StatusCode::FOUND, [(LOCATION, url.to_string())]).into_response()
    }
}

#[derive(Deserialize)]
struct Exchange {
    grant_type: String,
    code: String,
    redirect_uri: String,
    client_id: String,
    code_verifier: String,
}

async fn token(State(inner): Shared, Form(asked): Form<Exchange>) -> Response {
    let refused = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    // Taken out whatever happens: a code serves once.
    let Some(granted) = inner.codes.lock().remove(&asked.code) else { return refused("invalid_grant") };
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(asked.code_verifier));
    let holds = asked.grant_type == "authorization_code"
        && asked.client_id == inner.config.client_id
        && asked.redirect_uri == granted.redirect_uri
        && challenge.as_str() == granted.challenge
        && granted.expires_ms > inner.clock.now_ms();
    if !holds {
        return refused("invalid_grant");
    }
    match inner.token_of(&granted) {
        Some(token) => {
            let answer = json!({ "access_token": random_token(), "token_type": "Bearer", "id_token": token });
            ([(CACHE_CONTROL, "no-store")], Json(answer)).into_response()
        }
        None => refused("server_error"),
    }
}

impl Inner {
    fn token_of(&self, granted: &Granted) -> Option<String> {
        let citizen = self.config.citizens.get(granted.citizen)?;
        let mut all = BTreeMap::new();
        for (claim, value) in [("resident_number", &citizen.resident_number), ("uscc", &citizen.uscc)] {
            if let Some(value) = value {
                all.insert(claim.to_owned(), value.clone().into());
            }
        }
        let now: DateTime<Utc> = DateTime::from_timestamp_millis(i64::try_from(self.clock.now_ms()).ok()?)?;
        let subject = URL_SAFE_NO_PAD.encode(granted.citizen.to_string());
        let claims = IdTokenClaims::new(
            IssuerUrl::new(self.issuer.clone()).ok()?,
            vec![Audience::new(self.config.client_id.clone())],
            now + TimeDelta::seconds(TOKEN_S),
            now,
            StandardClaims::new(SubjectIdentifier::new(subject)),
            Named { all },
        )
        .set_nonce(granted.nonce.clone().map(Nonce::new));
        Token::new(claims, &self.key, CoreJwsSigningAlgorithm::EdDsa, None, None).ok().map(|t| t.to_string())
    }
}
