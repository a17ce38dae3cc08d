//! JSON over HTTP.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use covenant_api::{
    BuildRequest, BuildView, ConsentStatusView, Consortium, EntriesRequest, EntryResult, EpochDocument, EpochPart,
    Explanation, FileChunk, FileQuery, GrantStatusView, HealthReport, PlanRequest, PlanResponse, Problem,
    QueriesRequest, QueryResult, RetrievalRequest, Settlement, SimulateRequest, TOTAL_HEADER, Tip,
};
use covenant_api::{CatalogueItem, CataloguePage, CatalogueQuery, DatasetVersion, ExportQuery};
use covenant_canon::Digest;
use covenant_domain::{
    Calendar, Case, Ceremony, ConsentId, ConsentUse, Dataset, DatasetId, Delegation, DisputeState, Evaluation,
    IntentId, Member, Notice, Notification, ProposalState, Purpose, Reliability, RequestId, RequestState, Roster,
    RuleBook, Simulation, Tariff, Usage,
};
use covenant_domain::{RightId, RightState};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::catalogue::{escaped, query_text};
use crate::link::{Link, Signer};
use crate::socket::Socket;
use crate::socket::http::{HeaderMap, Method, Request};
use crate::{ClientConfig, ClientError};

type Reached<T> = Result<T, ClientError>;

/// Longest answer that is read, in bytes: 512 answers of the largest kind come in several.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

const JSON: &str = "application/json";
const JSON_LD: &str = "application/ld+json";
const CBOR: &str = "application/cbor";
const OCTETS: &str = "application/octet-stream";

pub(crate) struct Rest {
    base: String,
    http: HttpClient<Socket, Full<Bytes>>,
    /// How long one request may take in all.
    patience: Duration,
    signer: Signer,
}

impl Rest {
    /// Connects lazily. Proxies of the environment are not used: the gateway is inside the network.
    pub(crate) fn new(base: &str, config: &ClientConfig, signer: Signer, socket: Socket) -> Self {
        let http = HttpClient::builder(TokioExecutor::new()).build(socket);
        Self { base: base.to_owned(), http, patience: config.wait + Duration::from_secs(15), signer }
    }

    async fn get<T: DeserializeOwned>(&self, target: &str) -> Reached<T> {
        decode(&self.get_as(target, JSON).await?.1)
    }

    async fn get_as(&self, target: &str, accept: &str) -> Reached<(HeaderMap, Bytes)> {
        self.send(Method::GET, target, Bytes::new(), accept).await
    }

    async fn post<T: DeserializeOwned>(&self, target: &str, body: &impl Serialize) -> Reached<T> {
        decode(&self.post_plain(target, body).await?)
    }

    async fn post_plain(&self, target: &str, body: &impl Serialize) -> Reached<Bytes> {
        let body = serde_json::to_vec(body).map_err(ClientError::protocol)?;
        Ok(self.send(Method::POST, target, body.into(), JSON).await?.1)
    }

    async fn send(&self, method: Method, target: &str, body: Bytes, accept: &str) -> Reached<(HeaderMap, Bytes)> {
        let signature = self.signer.sign(method.as_str(), target, &body)?;
        let uri = format!("{}{target}", self.base);
        let mut request = Request::builder().method(method).uri(uri).header("accept", accept);
        for (name, value) in signature.to_headers() {
            request = request.header(name, value);
        }
        if !body.is_empty() {
            request = request.header("content-type", JSON);
        }
        let request = request.body(Full::new(body)).map_err(ClientError::protocol)?;
        let answered = async {
            let response = self.http.request(request).await.map_err(|e| unreachable(&self.base, &e))?;
            let (status, headers) = (response.status(), response.headers().clone());
            Ok::<_, ClientError>((status, headers, limited(&self.base, response.into_body()).await?))
        };
        let late = |_| ClientError::Unreachable { base: self.base.clone(), reason: "no answer in time".into() };
        let (status, headers, bytes) = tokio::time::timeout(self.patience, answered).await.map_err(late)??;
        if status.is_success() { Ok((headers, bytes)) } else { Err(problem(status.as_u16(), &bytes)) }
    }
}

async fn limited(base: &str, body: hyper::body::Incoming) -> Reached<Bytes> {
    match Limited::new(body, MAX_ANSWER).collect().await {
        Ok(all) => Ok(all.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(ClientError::protocol(format!("answer of more than {MAX_ANSWER} bytes")))
        }
        Err(error) => Err(unreachable(base, error.as_ref())),
    }
}

/// A target with a query parameter, if there is one.
fn with(name: &str, value: Option<impl std::fmt::Display>, target: String) -> String {
    value.map_or_else(|| target.clone(), |value| format!("{target}?{name}={value}"))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Reached<T> {
    serde_json::from_slice(bytes).map_err(ClientError::protocol)
}

/// The length of the whole file, from the headers of a chunk.
fn total(headers: &HeaderMap) -> Reached<u64> {
    let told = headers.get(TOTAL_HEADER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    told.ok_or_else(|| ClientError::protocol(format!("chunk without header `{TOTAL_HEADER}`")))
}

fn problem(status: u16, bytes: &[u8]) -> ClientError {
    match serde_json::from_slice::<Problem>(bytes) {
        Ok(problem) => ClientError::Problem(problem),
        Err(_) => ClientError::protocol(format!("status {status} without a problem document")),
    }
}

fn unreachable(base: &str, error: &(dyn std::error::Error + 'static)) -> ClientError {
    let causes = std::iter::successors(error.source(), |e| e.source()).map(|s| format!(": {s}"));
    let reason = std::iter::once(error.to_string()).chain(causes).collect();
    ClientError::Unreachable { base: base.to_owned(), reason }
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
    async fn dataset_versions(&self, id: &DatasetId) -> Reached<Vec<DatasetVersion>> {
        self.get(&format!("/v1/datasets/{id}/versions")).await
    }
    async fn catalogue(&self, query: CatalogueQuery) -> Reached<CataloguePage> {
        match query_text(&query).as_str() {
            "" => self.get("/v1/catalogue").await,
            text => self.get(&format!("/v1/catalogue?{text}")).await,
        }
    }
    async fn catalogue_item(&self, id: &DatasetId) -> Reached<CatalogueItem> {
        self.get(&format!("/v1/catalogue/{id}")).await
    }
    async fn catalogue_export(&self, query: ExportQuery) -> Reached<String> {
        let base = query.base.map(|base| format!("?base={}", escaped(&base))).unwrap_or_default();
        let (_, bytes) = self.get_as(&format!("/v1/catalogue.jsonld{base}"), JSON_LD).await?;
        String::from_utf8(bytes.to_vec()).map_err(ClientError::protocol)
    }
    async fn right(&self, id: &RightId) -> Reached<RightState> {
        self.get(&format!("/v1/rights/{id}")).await
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
    async fn simulate(&self, request: SimulateRequest) -> Reached<Simulation> {
        self.post("/v1/policy/simulate", &request).await
    }
    async fn ask(&self, request: QueriesRequest) -> Reached<Vec<QueryResult>> {
        self.post("/v1/queries", &request).await
    }
    async fn progress(&self, intent: &IntentId, wait_ms: u64) -> Reached<QueryResult> {
        self.get(&format!("/v1/queries/{intent}?wait_ms={wait_ms}")).await
    }
    async fn evidence(&self, intent: &IntentId) -> Reached<Vec<u8>> {
        let target = format!("/v1/queries/{intent}/evidence");
        Ok(self.get_as(&target, CBOR).await?.1.to_vec())
    }
    async fn explain(&self, intent: &IntentId, replay: bool) -> Reached<Explanation> {
        self.get(&format!("/v1/queries/{intent}/explanation?replay={replay}")).await
    }
    async fn epoch(&self, dataset: &DatasetId) -> Reached<EpochDocument> {
        self.get(&format!("/v1/epochs/{dataset}")).await
    }
    async fn epoch_file(&self, part: EpochPart, query: FileQuery) -> Reached<FileChunk> {
        let FileQuery { dataset, epoch, overlay, offset, length } = query;
        let query = format!("dataset={dataset}&epoch={epoch}&overlay={overlay}&offset={offset}&length={length}");
        let (headers, bytes) = self.get_as(&format!("/v1/epoch-files/{part}?{query}"), OCTETS).await?;
        Ok(FileChunk { total: total(&headers)?, bytes: bytes.to_vec() })
    }
    async fn build_epoch(&self, request: BuildRequest) -> Reached<()> {
        self.post_plain("/v1/epochs", &request).await.map(drop)
    }
    async fn build_state(&self, dataset: &DatasetId) -> Reached<BuildView> {
        self.get(&format!("/v1/epoch-builds/{dataset}")).await
    }
    async fn evaluation(&self, intent: &IntentId) -> Reached<Evaluation> {
        self.get(&format!("/v1/queries/{intent}/evaluation")).await
    }
    async fn retrieve(&self, intent: &IntentId, request: RetrievalRequest) -> Reached<()> {
        self.post_plain(&format!("/v1/queries/{intent}/retrieval"), &request).await.map(drop)
    }
    async fn retrieval(&self, intent: &IntentId) -> Reached<Vec<u8>> {
        Ok(self.get_as(&format!("/v1/queries/{intent}/retrieval"), CBOR).await?.1.to_vec())
    }
    async fn ceremonies(&self) -> Reached<Vec<Ceremony>> {
        self.get("/v1/ceremonies").await
    }
    async fn requests(&self) -> Reached<Vec<RequestState>> {
        self.get("/v1/requests").await
    }
    async fn delegations(&self) -> Reached<Vec<Delegation>> {
        self.get("/v1/delegations").await
    }
    async fn proposals(&self) -> Reached<Vec<ProposalState>> {
        self.get("/v1/proposals").await
    }
    async fn disputes(&self) -> Reached<Vec<DisputeState>> {
        self.get("/v1/disputes").await
    }
    async fn notices(&self) -> Reached<Vec<Notice>> {
        self.get("/v1/notices").await
    }
    async fn rule_books(&self) -> Reached<Vec<RuleBook>> {
        self.get("/v1/rule-books").await
    }
    async fn reliability(&self) -> Reached<Vec<Reliability>> {
        self.get("/v1/reliability").await
    }
    async fn calendar(&self) -> Reached<Calendar> {
        self.get("/v1/calendar").await
    }
    async fn roster(&self) -> Reached<Roster> {
        self.get("/v1/roster").await
    }
    async fn tariff(&self) -> Reached<Tariff> {
        self.get("/v1/tariff").await
    }
    async fn request(&self, id: &RequestId) -> Reached<RequestState> {
        self.get(&format!("/v1/requests/{id}")).await
    }
    async fn consent_uses(&self, id: &ConsentId, after: Option<u64>) -> Reached<Vec<ConsentUse>> {
        self.get(&with("after", after, format!("/v1/consents/{id}/uses"))).await
    }
    async fn notifications(&self, after: Option<u64>) -> Reached<Vec<Notification>> {
        self.get(&with("after", after, "/v1/notifications".into())).await
    }
    async fn usage(&self, month: Option<u32>) -> Reached<Vec<Usage>> {
        self.get(&with("month", month, "/v1/usage".into())).await
    }
    async fn settlement(&self, month: Option<u32>) -> Reached<Settlement> {
        self.get(&with("month", month, "/v1/settlement".into())).await
    }
    async fn receipt(&self, entry: &Digest) -> Reached<Vec<u8>> {
        Ok(self.get_as(&format!("/v1/entries/{entry}/receipt"), CBOR).await?.1.to_vec())
    }
    async fn cases(&self) -> Reached<Vec<Case>> {
        self.get("/v1/cases").await
    }
}
