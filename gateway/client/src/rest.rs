//! JSON over HTTP.

use async_trait::async_trait;
use bytes::Bytes;
use covenant_api::{
    ConsentStatusView, Consortium, EntriesRequest, EntryResult, Explanation, GrantStatusView, HealthReport,
    PlanRequest, PlanResponse, Problem, QueriesRequest, QueryResult, Tip,
};
use covenant_domain::{ConsentId, Dataset, DatasetId, IntentId, Member, Purpose};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::link::{Link, Signer};
use crate::{ClientConfig, ClientError};

type Reached<T> = Result<T, ClientError>;

/// Longest answer that is read, in bytes: 512 answers of the largest kind come in several.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

const JSON: &str = "application/json";

pub(crate) struct Rest {
    base: String,
    http: reqwest::Client,
    signer: Signer,
}

impl Rest {
    /// Connects lazily. Proxies of the environment are not used: the gateway is inside the network.
    pub(crate) fn new(base: &str, config: &ClientConfig, signer: Signer) -> Reached<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(config.connect_timeout)
            .timeout(config.wait + std::time::Duration::from_secs(15))
            .build()
            .map_err(|e| unreachable(base, &e))?;
        Ok(Self { base: base.to_owned(), http, signer })
    }

    async fn get<T: DeserializeOwned>(&self, target: &str) -> Reached<T> {
        decode(&self.send(reqwest::Method::GET, target, Bytes::new(), JSON).await?)
    }

    async fn post<T: DeserializeOwned>(&self, target: &str, body: &impl Serialize) -> Reached<T> {
        let body = serde_json::to_vec(body).map_err(ClientError::protocol)?;
        decode(&self.send(reqwest::Method::POST, target, body.into(), JSON).await?)
    }

    async fn send(&self, method: reqwest::Method, target: &str, body: Bytes, accept: &str) -> Reached<Bytes> {
        let signature = self.signer.sign(method.as_str(), target, &body)?;
        let mut request = self.http.request(method, format!("{}{target}", self.base)).header("accept", accept);
        for (name, value) in signature.to_headers() {
            request = request.header(name, value);
        }
        if !body.is_empty() {
            request = request.header("content-type", JSON).body(body);
        }
        let response = request.send().await.map_err(|e| unreachable(&self.base, &e))?;
        let status = response.status();
        let bytes = self.limited(response).await?;
        if status.is_success() { Ok(bytes) } else { Err(problem(status.as_u16(), &bytes)) }
    }

    async fn limited(&self, mut response: reqwest::Response) -> Reached<Bytes> {
        let mut all = bytes::BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| unreachable(&self.base, &e))? {
            if all.len() + chunk.len() > MAX_ANSWER {
                return Err(ClientError::protocol(format!("answer of more than {MAX_ANSWER} bytes")));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Reached<T> {
    serde_json::from_slice(bytes).map_err(ClientError::protocol)
}

fn problem(status: u16, bytes: &[u8]) -> ClientError {
    match serde_json::from_slice::<Problem>(bytes) {
        Ok(problem) => ClientError::Problem(problem),
        Err(_) => ClientError::protocol(format!("status {status} without a problem document")),
    }
}

fn unreachable(base: &str, error: &reqwest::Error) -> ClientError {
    let cause = std::error::Error::source(error).map(|s| format!(": {s}")).unwrap_or_default();
    ClientError::Unreachable { base: base.to_owned(), reason: format!("{error}{cause}") }
}

#[async_trait]
impl Link for Rest {
    async fn consortium(&self) -> Reached<Consortium> {
        self.get("/v1/consortium").await
    }
    async fn health(&self) -> Reached<HealthReport> {
        self.get("/v1/health").await
    }
    async fn tip(&self) -> Reached<Tip> {
        self.get("/v1/ledger/tip").await
    }
    async fn members(&self) -> Reached<Vec<Member>> {
        self.get("/v1/members").await
    }
    async fn purposes(&self) -> Reached<Vec<Purpose>> {
        self.get("/v1/purposes").await
    }
    async fn datasets(&self) -> Reached<Vec<Dataset>> {
        self.get("/v1/datasets").await
    }
    async fn dataset(&self, id: &DatasetId) -> Reached<Dataset> {
        self.get(&format!("/v1/datasets/{id}")).await
    }
    async fn grants(&self) -> Reached<Vec<GrantStatusView>> {
        self.get("/v1/grants").await
    }
    async fn consent(&self, id: &ConsentId) -> Reached<ConsentStatusView> {
        self.get(&format!("/v1/consents/{id}")).await
    }
    async fn record(&self, request: EntriesRequest) -> Reached<Vec<EntryResult>> {
        self.post("/v1/entries", &request).await
    }
    async fn plan(&self, request: PlanRequest) -> Reached<PlanResponse> {
        self.post("/v1/plan", &request).await
    }
    async fn ask(&self, request: QueriesRequest) -> Reached<Vec<QueryResult>> {
        self.post("/v1/queries", &request).await
    }
    async fn progress(&self, intent: &IntentId, wait_ms: u64) -> Reached<QueryResult> {
        self.get(&format!("/v1/queries/{intent}?wait_ms={wait_ms}")).await
    }
    async fn evidence(&self, intent: &IntentId) -> Reached<Vec<u8>> {
        let target = format!("/v1/queries/{intent}/evidence");
        Ok(self.send(reqwest::Method::GET, &target, Bytes::new(), "application/cbor").await?.to_vec())
    }
    async fn explain(&self, intent: &IntentId, replay: bool) -> Reached<Explanation> {
        self.get(&format!("/v1/queries/{intent}/explanation?replay={replay}")).await
    }
}
