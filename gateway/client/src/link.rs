//! What a transport does for the client, in the gateway's public objects.

use async_trait::async_trait;
use covenant_api::{
    BuildRequest, BuildView, ConsentStatusView, Consortium, EntriesRequest, EntryResult, EpochDocument, EpochPart,
    Explanation, FileChunk, FileQuery, GrantStatusView, HealthReport, Nonce, PlanRequest, PlanResponse, QueriesRequest,
    QueryResult, RequestSignature, RetrievalRequest, Settlement, SignedContent, SimulateRequest, Tip,
};
use covenant_api::{CatalogueItem, CataloguePage, CatalogueQuery, DatasetVersion, ExportQuery};
use covenant_canon::Digest;
use covenant_domain::{
    Calendar, Case, Ceremony, ConsentId, ConsentUse, Dataset, DatasetId, Delegation, DisputeState, Evaluation,
    IntentId, Member, Notice, Notification, ProposalState, Purpose, Reliability, RequestId, RequestState, Roster,
    RuleBook, Simulation, Tariff, Usage,
};
use covenant_domain::{RightId, RightState};
use rand::Rng as _;
use std::sync::Arc;

use crate::identity::now_ms;
use crate::{ClientError, Identity};

type Reached<T> = Result<T, ClientError>;

/// One connection. Both implementations do the same.
#[async_trait]
pub(crate) trait Link: Send + Sync {
    async fn consortium(&self) -> Reached<Consortium>;
    async fn health(&self) -> Reached<HealthReport>;
    async fn tip(&self) -> Reached<Tip>;
    async fn members(&self) -> Reached<Vec<Member>>;
    async fn purposes(&self) -> Reached<Vec<Purpose>>;
    async fn datasets(&self) -> Reached<Vec<Dataset>>;
    async fn dataset(&self, id: &DatasetId) -> Reached<Dataset>;
    async fn dataset_versions(&self, id: &DatasetId) -> Reached<Vec<DatasetVersion>>;
    async fn catalogue(&self, query: CatalogueQuery) -> Reached<CataloguePage>;
    async fn catalogue_item(&self, id: &DatasetId) -> Reached<CatalogueItem>;
    async fn catalogue_export(&self, query: ExportQuery) -> Reached<String>;
    async fn right(&self, id: &RightId) -> Reached<RightState>;
    async fn grants(&self) -> Reached<Vec<GrantStatusView>>;
    async fn consent(&self, id: &ConsentId) -> Reached<ConsentStatusView>;
    async fn record(&self, request: EntriesRequest) -> Reached<Vec<EntryResult>>;
    async fn plan(&self, request: PlanRequest) -> Reached<PlanResponse>;
    async fn simulate(&self, request: SimulateRequest) -> Reached<Simulation>;
    async fn ask(&self, request: QueriesRequest) -> Reached<Vec<QueryResult>>;
    async fn progress(&self, intent: &IntentId, wait_ms: u64) -> Reached<QueryResult>;
    async fn evidence(&self, intent: &IntentId) -> Reached<Vec<u8>>;
    async fn explain(&self, intent: &IntentId, replay: bool) -> Reached<Explanation>;
    async fn epoch(&self, dataset: &DatasetId) -> Reached<EpochDocument>;
    async fn epoch_file(&self, part: EpochPart, query: FileQuery) -> Reached<FileChunk>;
    async fn build_epoch(&self, request: BuildRequest) -> Reached<()>;
    async fn build_state(&self, dataset: &DatasetId) -> Reached<BuildView>;
    async fn evaluation(&self, intent: &IntentId) -> Reached<Evaluation>;
    async fn retrieve(&self, intent: &IntentId, request: RetrievalRequest) -> Reached<()>;
    async fn retrieval(&self, intent: &IntentId) -> Reached<Vec<u8>>;
    async fn ceremonies(&self) -> Reached<Vec<Ceremony>>;
    async fn requests(&self) -> Reached<Vec<RequestState>>;
    async fn delegations(&self) -> Reached<Vec<Delegation>>;
    async fn proposals(&self) -> Reached<Vec<ProposalState>>;
    async fn disputes(&self) -> Reached<Vec<DisputeState>>;
    async fn notices(&self) -> Reached<Vec<Notice>>;
    async fn rule_books(&self) -> Reached<Vec<RuleBook>>;
    async fn reliability(&self) -> Reached<Vec<Reliability>>;
    async fn calendar(&self) -> Reached<Calendar>;
    async fn roster(&self) -> Reached<Roster>;
    async fn tariff(&self) -> Reached<Tariff>;
    async fn request(&self, id: &RequestId) -> Reached<RequestState>;
    async fn consent_uses(&self, id: &ConsentId, after: Option<u64>) -> Reached<Vec<ConsentUse>>;
    async fn notifications(&self, after: Option<u64>) -> Reached<Vec<Notification>>;
    async fn usage(&self, month: Option<u32>) -> Reached<Vec<Usage>>;
    async fn settlement(&self, month: Option<u32>) -> Reached<Settlement>;
    async fn receipt(&self, entry: &Digest) -> Reached<Vec<u8>>;
    async fn cases(&self) -> Reached<Vec<Case>>;
}

/// Signs requests.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) identity: Arc<Identity>,
    pub(crate) consortium: Digest,
}

impl Signer {
    pub(crate) fn sign(&self, method: &str, target: &str, body: &[u8]) -> Reached<RequestSignature> {
        let mut nonce = Nonce::default();
        rand::rng().fill_bytes(&mut nonce);
        let content = SignedContent { consortium: &self.consortium, method, target, body };
        RequestSignature::sign(&content, &self.identity.member, now_ms(), nonce, &self.identity.signing)
            .map_err(ClientError::crypto("signing the request"))
    }
}
