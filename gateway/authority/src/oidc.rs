//! The relying party: login at the identity provider by authorization code with PKCE, and identity tokens checked
//! against the provider's keys.
//!
//! Back-channel calls are plain HTTP; a provider beyond this machine is reached through a TLS proxy nearby
//! (`back_channel`). Redirects are not followed, answers are capped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use covenant_api::Problem;
use covenant_domain::{Subject, SubjectKind};
use openidconnect::core::{
    CoreGenderClaim, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::url::Url;
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, ClientId, HttpRequest, HttpResponse, IdToken, IssuerUrl, Nonce,
    PkceCodeChallenge, SignatureVerificationError,
};
use rand::Rng as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::config::OidcConfig;
use crate::problem::{Trouble, internal, trouble};

/// Longest answer of a provider, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;
/// How long the provider's documents are used before they are fetched again, in milliseconds.
const FRESH_MS: u64 = 3_600_000;
/// How soon an unknown key may have them fetched again, in milliseconds.
const AGAIN_MS: u64 = 30_000;

/// Claims beside those of the standard.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct Named {
    #[serde(flatten)]
    pub(crate) all: BTreeMap<String, serde_json::Value>,
}

impl AdditionalClaims for Named {}

/// An identity token with them.
pub(crate) type Token = IdToken<Named, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// What the browser is sent away with, and what is kept for its return.
#[derive(Debug)]
pub(crate) struct Departure {
    pub(crate) url: String,
    pub(crate) state: String,
    pub(crate) secrets: LoginSecrets,
}

/// Kept sealed until the browser returns.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LoginSecrets {
    nonce: String,
    verifier: String,
}

/// A failed call to the provider.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("the provider is not reachable: {0}")]
    Reach(String),
    #[error("the provider's answer is longer than {MAX_ANSWER} bytes")]
    TooLong,
}

/// The service before its provider.
pub(crate) struct RelyingParty {
    config: OidcConfig,
    secret: Option<Zeroizing<String>>,
    http: Http,
    clock: Arc<dyn Clock>,
    known: tokio::sync::Mutex<Option<(Arc<CoreProviderMetadata>, u64)>>,
}

/// 256 random bits in hex.
pub(crate) fn random_token() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

impl RelyingParty {
    pub(crate) fn new(
        config: OidcConfig,
        secret: Option<Zeroizing<String>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(15))
            .build()?;
        let http = Http { client, issuer: config.issuer.clone(), proxy: config.back_channel.clone() };
        Ok(Self { config, secret, http, clock, known: tokio::sync::Mutex::default() })
    }

    pub(crate) fn config(&self) -> &OidcConfig {
        &self.config
    }

    /// Begins a login.
    pub(crate) async fn depart(&self) -> Result<Departure, Problem> {
        let provider = self.provider(FRESH_MS).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (state, nonce) = (random_token(), random_token());
        let mut url: Url = provider.authorization_endpoint().url().clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", &self.config.redirect_url)
            .append_pair("scope", "openid")
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", "S256");
        let secrets = LoginSecrets { nonce, verifier: verifier.into_secret() };
        Ok(Departure { url: url.into(), state, secrets })
    }

    /// Ends a login: exchanges the code and checks the token with the nonce of this login.
    pub(crate) async fn arrive(&self, code: &str, secrets: &LoginSecrets) -> Result<Subject, Problem> {
        let token = self.exchange(code, secrets).await?;
        let nonce = Nonce::new(secrets.nonce.clone());
        self.check(&token, Some(&nonce)).await
    }

    /// Who a token that was sent along names. It came from the provider for this service, whichever login it was.
    pub(crate) async fn bearer(&self, token: &str) -> Result<Subject, Problem> {
        self.check(token, None).await
    }

    pub(crate) async fn exchange(&self, code: &str, secrets: &LoginSecrets) -> Result<Zeroizing<String>, Problem> {
        let provider = self.provider(FRESH_MS).await?;
        let endpoint = provider.token_endpoint().map(|e| e.url().to_string());
        let endpoint = endpoint.ok_or_else(|| away("its discovery document names no token endpoint"))?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.config.redirect_url),
            ("client_id", &self.config.client_id),
            ("code_verifier", &secrets.verifier),
        ];
        if let Some(secret) = &self.secret {
            form.push(("client_secret", secret));
        }
        let body = openidconnect::url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = openidconnect::http::Request::post(endpoint)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(body.into_bytes())
            .map_err(|e| internal("ask for the token", e))?;
        let answer = self.http.call(request).await.map_err(|e| away(&e.to_string()))?;
        if !answer.status().is_success() {
            return Err(trouble(Trouble::TokenInvalid, "the provider did not accept the code: log in again"));
        }
        #[derive(Deserialize)]
        struct Answer {
            id_token: String,
        }
        let answer: Answer =
            serde_json::from_slice(answer.body()).map_err(|_| away("its token answer holds no identity token"))?;
        Ok(Zeroizing::new(answer.id_token))
    }

    async fn check(&self, token: &str, nonce: Option<&Nonce>) -> Result<Subject, Problem> {
        let token: Token = token.parse().map_err(|_| invalid("it is no signed token"))?;
        let first = self.claims(&token, nonce, FRESH_MS).await;
        match first {
            // The provider may have changed its keys since they were fetched.
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                self.claims(&token, nonce, AGAIN_MS).await
            }
            other => other,
        }
        .map_err(|e| invalid(&e.to_string()))
        .and_then(|found| found)
    }

    async fn claims(
        &self,
        token: &Token,
        nonce: Option<&Nonce>,
        fresh_ms: u64,
    ) -> Result<Result<Subject, Problem>, ClaimsVerificationError> {
        let provider = match self.provider(fresh_ms).await {
            Ok(provider) => provider,
            Err(problem) => return Ok(Err(problem)),
        };
        let client = ClientId::new(self.config.client_id.clone());
        let (now, skew) = (self.now(), TimeDelta::seconds(i64::from(self.config.skew_s)));
        let verifier =
            CoreIdTokenVerifier::new_public_client(client, provider.issuer().clone(), provider.jwks().clone())
                .set_allowed_algs([
                    CoreJwsSigningAlgorithm::EdDsa,
                    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
                    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
                ])
                .set_time_fn(move || now - skew)
                .set_issue_time_verifier_fn(move |issued| {
                    if issued > now + skew { Err("issued in the future".into()) } else { Ok(()) }
                });
        let claims = match nonce {
            Some(nonce) => token.claims(&verifier, nonce)?,
            None => token.claims(&verifier, |_: Option<&Nonce>| Ok(()))?,
        };
        Ok(self.person(claims.subject().as_str(), &claims.additional_claims().all))
    }

    /// The person or company that the configured claims name.
    fn person(&self, sub: &str, claims: &BTreeMap<String, serde_json::Value>) -> Result<Subject, Problem> {
        let text = |claim: &str| if claim == "sub" { Some(sub) } else { claims.get(claim).and_then(|v| v.as_str()) };
        let (resident, company) = (&self.config.resident_claim, &self.config.company_claim);
        let found = match (text(resident), text(company)) {
            (Some(number), _) => Subject::of_kind(SubjectKind::Resident, number),
            (None, Some(code)) => Subject::of_kind(SubjectKind::Company, code),
            (None, None) => {
                let detail = format!("the token has neither claim `{resident}` nor `{company}`");
                return Err(trouble(Trouble::PersonUnknown, detail));
            }
        };
        found.map_err(|e| trouble(Trouble::PersonUnknown, format!("the number in the token does not hold: {e}")))
    }

    fn now(&self) -> DateTime<Utc> {
        let ms = i64::try_from(self.clock.now_ms()).unwrap_or(i64::MAX);
        DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The provider's documents, not older than this.
    async fn provider(&self, fresh_ms: u64) -> Result<Arc<CoreProviderMetadata>, Problem> {
        let now_ms = self.clock.now_ms();
        let mut known = self.known.lock().await;
        if let Some((metadata, fetched_ms)) = &*known
            && now_ms.saturating_sub(*fetched_ms) < fresh_ms
        {
            return Ok(Arc::clone(metadata));
        }
        let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(|e| internal("read the issuer's URL", e))?;
        let found = Arc::new(self.http.discover(issuer).await.map_err(|reason| away(&reason))?);
        *known = Some((Arc::clone(&found), now_ms));
        Ok(found)
    }
}

/// The back channel.
#[derive(Clone)]
struct Http {
    client: reqwest::Client,
    issuer: String,
    proxy: Option<String>,
}

impl Http {
    /// The provider's documents (OpenID Connect Discovery 4.3: the issuer must be the one that was asked for).
    async fn discover(&self, issuer: IssuerUrl) -> Result<CoreProviderMetadata, String> {
        let at = format!("{}/.well-known/openid-configuration", issuer.as_str().trim_end_matches('/'));
        let metadata: CoreProviderMetadata = self.fetch(&at).await?;
        if metadata.issuer() != &issuer {
            return Err(format!("the discovery document is of `{}`", metadata.issuer().as_str()));
        }
        let keys: CoreJsonWebKeySet = self.fetch(metadata.jwks_uri().as_str()).await?;
        Ok(metadata.set_jwks(keys))
    }

    async fn fetch<T: DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let request = openidconnect::http::Request::get(url).header("accept", "application/json").body(Vec::new());
        let answer = self.call(request.map_err(|e| e.to_string())?).await.map_err(|e| e.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("`{url}` answers with status {}", answer.status()));
        }
        serde_json::from_slice(answer.body()).map_err(|e| format!("`{url}` cannot be read: {e}"))
    }

    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, CallError> {
        let reach = |e: &dyn std::fmt::Display| CallError::Reach(e.to_string());
        if let Some(there) = &self.proxy {
            let moved = redirected(&request.uri().to_string(), &self.issuer, there);
            *request.uri_mut() = moved.parse().map_err(|e| reach(&e))?;
        }
        let request = reqwest::Request::try_from(request).map_err(|e| reach(&e))?;
        let mut answer = self.client.execute(request).await.map_err(|e| reach(&e.without_url()))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| reach(&e.without_url()))? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER {
                return Err(CallError::TooLong);
            }
        }
        let mut response = HttpResponse::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// The same address by way of the proxy, when it is at the issuer's origin.
fn redirected(url: &str, issuer: &str, proxy: &str) -> String {
    let origin = |text: &str| Url::parse(text).map(|u| u.origin().ascii_serialization()).unwrap_or_default();
    match url.strip_prefix(&origin(issuer)) {
        Some(rest) => format!("{}{rest}", proxy.trim_end_matches('/')),
        None => url.to_owned(),
    }
}

fn invalid(reason: &str) -> Problem {
    trouble(Trouble::TokenInvalid, format!("the identity token does not hold ({reason}): log in again"))
}

fn away(reason: &str) -> Problem {
    trouble(Trouble::ProviderUnavailable, format!("the identity provider: {reason}")).retry_after(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_issuers_own_addresses_go_through_the_proxy() {
        let moved = |url| redirected(url, "https://id.example/realms/a", "http://127.0.0.1:9443/");
        assert_eq!(moved("https://id.example/token"), "http://127.0.0.1:9443/token");
        assert_eq!(moved("https://other.example/token"), "https://other.example/token");
    }
}
