//! The service from outside: for consumers, operators and citizens at a command line.

use std::sync::Arc;
use std::time::Duration;

use covenant_api::{Nonce, Problem, RequestSignature, SignedContent};
use covenant_canon::Digest;
use covenant_client::Identity;
use covenant_domain::{ConsentChange, ConsentId, PurposeCode};
use openidconnect::url::Url;
use rand::Rng as _;
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use crate::clock::{Clock, SystemClock};
use crate::config::OidcConfig;
use crate::notice::NoticeText;
use crate::oidc::RelyingParty;
use crate::problem::Trouble;
use crate::terms::NewRequest;
use crate::view::{
    Approval, Changed, MyConsent, MyRequest, MyUse, NewRepresentation, Registered, RequestView, ServiceView,
    SessionView,
};

/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// How long a person may take to log in.
const LOGIN: Duration = Duration::from_secs(300);

/// Why a call to the service failed.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The service said no.
    #[error(transparent)]
    Problem(#[from] Box<Problem>),
    /// It is not there.
    #[error("the authorisation service at `{base}` is not reachable: {reason}")]
    Reach {
        /// Its address.
        base: String,
        /// Why.
        reason: String,
    },
    /// It answers something else.
    #[error("the authorisation service does not speak this protocol: {0}")]
    Protocol(String),
    /// The request could not be signed.
    #[error("signing the request failed")]
    Sign(#[from] covenant_suite::SuiteError),
    /// The login did not come about.
    #[error("login: {0}")]
    Login(String),
}

impl RemoteError {
    /// The stable code, when the service refused.
    pub fn code(&self) -> Option<&str> {
        if let Self::Problem(problem) = self { Some(&problem.code) } else { None }
    }
}

type Reached<T> = Result<T, RemoteError>;

/// A service at an address.
#[derive(Debug, Clone)]
pub struct Remote {
    base: String,
    http: reqwest::Client,
}

enum Credential<'a> {
    None,
    Member(&'a Identity, &'a Digest),
    Token(&'a str),
}

impl Remote {
    /// A service at an address such as `http://127.0.0.1:8700`; connects lazily.
    ///
    /// # Errors
    /// [`RemoteError::Reach`] when no client can be made.
    pub fn new(base: &str) -> Reached<Self> {
        let base = base.trim_end_matches('/').to_owned();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(60))
            .build();
        match http {
            Ok(http) => Ok(Self { base, http }),
            Err(e) => Err(RemoteError::Reach { base, reason: e.to_string() }),
        }
    }

    /// Which service this is.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn service(&self) -> Reached<ServiceView> {
        self.get("/v1/service", Credential::None).await
    }

    /// The notice text of a purpose; nothing when it has none.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn notice(&self, purpose: &PurposeCode) -> Reached<Option<NoticeText>> {
        match self.get(&format!("/v1/notices/{purpose}"), Credential::None).await {
            Err(error) if error.code() == Some(Trouble::NoticeUnknown.as_str()) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Posts a consumer's request.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn request(&self, identity: &Identity, new: &NewRequest) -> Reached<RequestView> {
        let who = Credential::Member(identity, &new.terms.consortium);
        self.post("/v1/consent-requests", who, Some(new)).await
    }

    /// Where a consumer's request stands.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn status(&self, identity: &Identity, consortium: &Digest, id: &Digest) -> Reached<RequestView> {
        self.get(&format!("/v1/consent-requests/{id}"), Credential::Member(identity, consortium)).await
    }

    /// Takes a consumer's request back.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn withdraw(&self, identity: &Identity, consortium: &Digest, id: &Digest) -> Reached<RequestView> {
        let who = Credential::Member(identity, consortium);
        decode(&self.send(Method::DELETE, &format!("/v1/consent-requests/{id}"), who, Vec::new()).await?)
    }

    /// Registers a representation, for the service's operator.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn register(
        &self,
        identity: &Identity,
        consortium: &Digest,
        new: &NewRepresentation,
    ) -> Reached<Registered> {
        self.post("/v1/representations", Credential::Member(identity, consortium), Some(new)).await
    }

    /// Ends a representation, for the service's operator.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn end_representation(&self, identity: &Identity, consortium: &Digest, id: &str) -> Reached<()> {
        let who = Credential::Member(identity, consortium);
        self.send(Method::DELETE, &format!("/v1/representations/{id}"), who, Vec::new()).await.map(|_| ())
    }

    /// Who a token names.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn session(&self, token: &str) -> Reached<SessionView> {
        self.get("/v1/my/session", Credential::Token(token)).await
    }

    /// Requests that wait for the citizen.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn my_requests(&self, token: &str) -> Reached<Vec<MyRequest>> {
        self.get("/v1/my/requests", Credential::Token(token)).await
    }

    /// Agrees to a request as it was shown.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn approve(&self, token: &str, shown: &MyRequest) -> Reached<Changed> {
        let notice = shown.notice.as_ref().map(|n| n.digest);
        let approval = Approval { terms: shown.id, notice };
        let target = format!("/v1/my/requests/{}/approve", shown.id);
        self.post(&target, Credential::Token(token), Some(&approval)).await
    }

    /// Declines a request.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn decline(&self, token: &str, id: &Digest) -> Reached<()> {
        let target = format!("/v1/my/requests/{id}/decline");
        self.send(Method::POST, &target, Credential::Token(token), Vec::new()).await.map(|_| ())
    }

    /// The citizen's consents.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn my_consents(&self, token: &str) -> Reached<Vec<MyConsent>> {
        self.get("/v1/my/consents", Credential::Token(token)).await
    }

    /// Pauses, resumes or revokes a consent.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn change(&self, token: &str, id: &ConsentId, change: ConsentChange) -> Reached<Changed> {
        let verb = match change {
            ConsentChange::Paused => "pause",
            ConsentChange::Resumed => "resume",
            ConsentChange::Revoked => "revoke",
        };
        self.post(&format!("/v1/my/consents/{id}/{verb}"), Credential::Token(token), None::<&()>).await
    }

    /// Every use of the citizen's data.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn my_uses(&self, token: &str) -> Reached<Vec<MyUse>> {
        self.get("/v1/my/uses", Credential::Token(token)).await
    }

    async fn get<T: DeserializeOwned>(&self, target: &str, who: Credential<'_>) -> Reached<T> {
        decode(&self.send(Method::GET, target, who, Vec::new()).await?)
    }

    async fn post<T: DeserializeOwned>(
        &self,
        target: &str,
        who: Credential<'_>,
        body: Option<&impl Serialize>,
    ) -> Reached<T> {
        let body = body.map(serde_json::to_vec).transpose().map_err(|e| RemoteError::Protocol(e.to_string()))?;
        decode(&self.send(Method::POST, target, who, body.unwrap_or_default()).await?)
    }

    async fn send(&self, method: Method, target: &str, who: Credential<'_>, body: Vec<u8>) -> Reached<Vec<u8>> {
        let mut request = self.http.request(method.clone(), format!("{}{target}", self.base));
        match who {
            Credential::None => {}
            Credential::Token(token) => request = request.bearer_auth(token),
            Credential::Member(identity, consortium) => {
                let content = SignedContent { consortium, method: method.as_str(), target, body: &body };
                let mut nonce = Nonce::default();
                rand::rng().fill_bytes(&mut nonce);
                let now_ms = SystemClock.now_ms();
                let signed = RequestSignature::sign(&content, &identity.member, now_ms, nonce, &identity.signing)?;
                for (name, value) in signed.to_headers() {
                    request = request.header(name, value);
                }
            }
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body);
        }
        let reach = |e: reqwest::Error| RemoteError::Reach { base: self.base.clone(), reason: e.to_string() };
        let mut answer = request.send().await.map_err(reach)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reach)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_ANSWER {
                return Err(RemoteError::Protocol("its answer is too long".into()));
            }
        }
        if answer.status().is_success() {
            return Ok(bytes);
        }
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Err(RemoteError::Problem(Box::new(problem))),
            Err(_) => Err(RemoteError::Protocol(format!("status {} without a problem document", answer.status()))),
        }
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Reached<T> {
    serde_json::from_slice(bytes).map_err(|e| RemoteError::Protocol(e.to_string()))
}

/// Logs in at the service's identity provider and gives the identity token: by a browser that comes back to a port of
/// this machine (RFC 8252), `show` being given the address to open. At the demo's provider, `demo_citizen` clicks a
/// name instead.
///
/// # Errors
/// [`RemoteError::Login`].
pub async fn log_in(
    service: &ServiceView,
    demo_citizen: Option<usize>,
    show: impl FnOnce(&str),
) -> Reached<Zeroizing<String>> {
    let failed = |e: &dyn std::fmt::Display| RemoteError::Login(e.to_string());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|e| failed(&e))?;
    let port = listener.local_addr().map_err(|e| failed(&e))?.port();
    let config = OidcConfig::public(&service.issuer, &service.client_id, &format!("http://127.0.0.1:{port}/"));
    let party = RelyingParty::new(config, None, Arc::new(SystemClock)).map_err(|e| failed(&e))?;
    let departure = party.depart().await.map_err(|e| failed(&e))?;
    let returned = match demo_citizen {
        Some(at) => clicked(&departure.url, at).await?,
        None => {
            show(&departure.url);
            let waited = tokio::time::timeout(LOGIN, returned(&listener)).await;
            waited.map_err(|_| RemoteError::Login("nobody logged in within five minutes".into()))??
        }
    };
    let value = |name: &str| returned.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if value("state").as_deref() != Some(departure.state.as_str()) {
        return Err(RemoteError::Login("the answer is not to this login".into()));
    }
    let code = value("code").ok_or_else(|| RemoteError::Login("the provider did not log you in".into()))?;
    party.exchange(&code, &departure.secrets).await.map_err(|e| failed(&e))
}

async fn clicked(url: &str, citizen: usize) -> Reached<Url> {
    let failed = |e: &dyn std::fmt::Display| RemoteError::Login(e.to_string());
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|e| failed(&e))?;
    let answer = client.get(format!("{url}&citizen={citizen}")).send().await.map_err(|e| failed(&e))?;
    let location = answer.headers().get("location").and_then(|v| v.to_str().ok());
    let location = location.ok_or_else(|| RemoteError::Login(format!("the provider has no citizen {citizen}")))?;
    Url::parse(location).map_err(|e| failed(&e))
}

/// The address with which the browser came back.
async fn returned(listener: &TcpListener) -> Reached<Url> {
    let failed = |e: &dyn std::fmt::Display| RemoteError::Login(e.to_string());
    loop {
        let (mut stream, _) = listener.accept().await.map_err(|e| failed(&e))?;
        let mut head = vec![0; 8192];
        let length = stream.read(&mut head).await.map_err(|e| failed(&e))?;
        let text = String::from_utf8_lossy(head.get(..length).unwrap_or_default()).into_owned();
        let target = text.split(' ').nth(1).unwrap_or_default();
        // Browsers ask for an icon too.
        if !target.starts_with("/?") {
            let _gone = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
            continue;
        }
        let page = "您已登录，请回到终端。 You are logged in: back to the terminal.";
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\r\n{page}",
            page.len()
        );
        let _gone = stream.write_all(answer.as_bytes()).await;
        return Url::parse(&format!("http://127.0.0.1{target}")).map_err(|e| failed(&e));
    }
}
