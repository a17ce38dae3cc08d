//! Requests by hand, to send what no client would.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use covenant_api::{Problem, RequestSignature, SignedContent};
use covenant_canon::Digest;
use covenant_client::Identity;

pub struct Raw {
    pub base: String,
    pub identity: Arc<Identity>,
    pub consortium: Digest,
    http: reqwest::Client,
}

/// A response.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answered {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The problem, checked to be served as one.
    pub fn problem(&self) -> Problem {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!((problem.status, self.headers["covenant-code"].to_str().unwrap()), (self.status, &*problem.code));
        problem
    }

    pub fn code(&self) -> String {
        self.problem().code
    }
}

pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

impl Raw {
    pub fn new(base: String, identity: Arc<Identity>, consortium: Digest) -> Self {
        Self { base, identity, consortium, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub fn sign(&self, method: &str, target: &str, body: &[u8], created_ms: u64, nonce: [u8; 16]) -> RequestSignature {
        let content = SignedContent { consortium: &self.consortium, method, target, body };
        RequestSignature::sign(&content, &self.identity.member, created_ms, nonce, &self.identity.signing).unwrap()
    }

    pub fn signed_now(&self, method: &str, target: &str, body: &[u8]) -> RequestSignature {
        self.sign(method, target, body, now_ms(), rand::random())
    }

    pub async fn get(&self, target: &str) -> Answered {
        self.send("GET", target, &[], &self.signed_now("GET", target, &[]).to_headers()).await
    }

    pub async fn get_accepting(&self, target: &str, accept: &str) -> Answered {
        let mut headers = self.signed_now("GET", target, &[]).to_headers().to_vec();
        headers.push(("accept", accept.to_owned()));
        self.send("GET", target, &[], &headers).await
    }

    pub async fn post(&self, target: &str, body: impl AsRef<[u8]>) -> Answered {
        self.post_as(target, body.as_ref(), "application/json").await
    }

    pub async fn post_as(&self, target: &str, body: &[u8], kind: &str) -> Answered {
        let mut headers = self.signed_now("POST", target, body).to_headers().to_vec();
        headers.push(("content-type", kind.to_owned()));
        self.send("POST", target, body, &headers).await
    }

    pub async fn send(&self, method: &str, target: &str, body: &[u8], headers: &[(&'static str, String)]) -> Answered {
        let mut request =
            self.http.request(method.parse().unwrap(), format!("{}{target}", self.base)).body(body.to_vec());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answered { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }
}
