//! What a transport does for the client, in the gateway's public objects.

use async_trait::async_trait;
use covenant_api::{
    BuildRequest, BuildView, ConsentStatusView, Consortium, EntriesRequest, EntryResult, EpochDocument, EpochPart,
    Explanation, FileChunk, FileQuery, GrantStatusView, HealthReport, Nonce, PlanRequest, PlanResponse, QueriesRequest,
    QueryResult, RequestSignature, RetrievalRequest, SignedContent, Tip,
};
use covenant_canon::Digest;
use covenant_domain::{Case, Ceremony, ConsentId, Dataset, DatasetId, Evaluation, IntentId, Member, Purpose};
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
    async fn grants(&self) -> Reached<Vec<GrantStatusView>>;
    async fn consent(&self, id: &ConsentId) -> Reached<ConsentStatusView>;
    async fn record(&self, request: EntriesRequest) -> Reached<Vec<EntryResult>>;
    async fn plan(&self, request: PlanRequest) -> Reached<PlanResponse>;
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
