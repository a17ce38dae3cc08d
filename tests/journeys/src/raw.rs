//! A caller that does not keep to the rules.

use std::sync::Arc;

use covenant_api::{Base64Bytes, EntriesRequest, QueriesRequest, QueryResult, RequestSignature, SignedContent};
use covenant_canon::{Digest, from_bytes, to_bytes};
use covenant_client::Identity;
use covenant_domain::{Entry, MemberId};
use covenant_ledger::SignedBatch;
use rand::Rng;
use serde::Serialize;

use crate::now_ms;

/// Sends what it likes in a member's name, signed or not.
pub struct Raw {
    http: reqwest::Client,
    url: String,
    /// What it signs requests for.
    pub consortium: Digest,
    /// Whose keys it has.
    pub identity: Arc<Identity>,
}

/// What the gateway said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// HTTP status.
    pub status: u16,
    /// Code of the problem document; empty when there is none.
    pub code: String,
    /// The body.
    pub body: String,
}

impl Told {
    /// The results of a query request.
    ///
    /// # Panics
    /// When the body is something else.
    pub fn results(&self) -> Vec<QueryResult> {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// Demands a status and a code.
    ///
    /// # Panics
    /// When it is something else, or carries a sealed answer.
    #[track_caller]
    pub fn is(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code.as_str()), (status, code), "{self:?}");
        assert!(!self.body.contains("\"sealed\""), "data came with a refusal: {self:?}");
    }
}

impl Raw {
    /// A caller with a member's keys.
    ///
    /// # Panics
    /// When no HTTP client can be made.
    pub fn new(url: &str, consortium: Digest, identity: Arc<Identity>) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { http, url: url.to_owned(), consortium, identity }
    }

    /// Signs a request with a fresh nonce.
    ///
    /// # Panics
    /// With negligible probability.
    pub fn sign(&self, method: &str, target: &str, body: &[u8], created_ms: u64) -> RequestSignature {
        let mut nonce = [0; 16];
        rand::rng().fill_bytes(&mut nonce);
        let content = SignedContent { consortium: &self.consortium, method, target, body };
        RequestSignature::sign(&content, &self.identity.member, created_ms, nonce, &self.identity.signing).unwrap()
    }

    /// Posts a body with some headers.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send(&self, target: &str, body: Vec<u8>, headers: &[(&str, String)]) -> Told {
        let mut request = self.http.post(format!("{}{target}", self.url)).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = request.body(body).send().await.unwrap();
        let status = response.status().as_u16();
        let body = String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned();
        let json: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        let code = json.get("code").and_then(|c| c.as_str()).unwrap_or_default().to_owned();
        Told { status, code, body }
    }

    /// Posts a body signed as it should be.
    pub async fn post(&self, target: &str, body: Vec<u8>) -> Told {
        let signature = self.sign("POST", target, &body, now_ms());
        self.send(target, body, &signature.to_headers()).await
    }

    /// Posts a JSON document signed as it should be.
    ///
    /// # Panics
    /// When it cannot be encoded.
    pub async fn post_json(&self, target: &str, body: &impl Serialize) -> Told {
        self.post(target, serde_json::to_vec(body).unwrap()).await
    }

    /// Signs entries as a batch with the keys at hand, in whoever's name.
    ///
    /// # Panics
    /// When they make no batch.
    pub fn batch(&self, author: &MemberId, entries: &[Entry]) -> Base64Bytes {
        to_bytes(&SignedBatch::sign(&self.consortium, author, entries, &self.identity.signing).unwrap()).into()
    }

    /// A query request whose entries were changed and signed again.
    ///
    /// # Panics
    /// When the request holds no batch.
    pub fn altered(&self, request: &QueriesRequest, change: impl Fn(&mut Entry)) -> QueriesRequest {
        let batch: SignedBatch = from_bytes(&request.batch.0).unwrap();
        let mut entries: Vec<Entry> = batch.entries.iter().map(|e| from_bytes(e).unwrap()).collect();
        entries.iter_mut().for_each(change);
        QueriesRequest { batch: self.batch(&self.identity.member, &entries), ..request.clone() }
    }

    /// The same entries as a request for the ledger alone.
    pub fn entries(&self, author: &MemberId, entries: &[Entry]) -> EntriesRequest {
        EntriesRequest { batch: self.batch(author, entries) }
    }
}
