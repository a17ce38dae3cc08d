//! Protobuf over HTTP/2.

use async_trait::async_trait;
use covenant_api::{
    BuildRequest, BuildView, ConsentStatusView, Consortium, EntriesRequest, EntryResult, EpochDocument, EpochPart,
    Explanation, FileChunk, FileQuery, GrantStatusView, HealthReport, PlanRequest, PlanResponse, QueriesRequest,
    QueryResult, RetrievalRequest, Settlement, SimulateRequest, Tip, grpc_target,
};
use covenant_api::{CatalogueItem, CataloguePage, CatalogueQuery, DatasetVersion, ExportQuery};
use covenant_canon::Digest;
use covenant_domain::{
    Calendar, Case, Ceremony, ConsentId, ConsentUse, Dataset, DatasetId, Delegation, DisputeState, Evaluation,
    IntentId, Member, Notice, Notification, ProposalState, Purpose, Reliability, RequestId, RequestState, Roster,
    RuleBook, Simulation, Tariff, Usage,
};
use covenant_domain::{RightId, RightState};
use covenant_wire::v1::gateway_client::GatewayClient;
use covenant_wire::{Message, WireError, problem_of, read_documents, seal_call, v1};
use tonic::transport::{Channel, Endpoint};

use crate::link::{Link, Signer};
use crate::socket::Socket;
use crate::{ClientConfig, ClientError};

type Reached<T> = Result<T, ClientError>;

/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

pub(crate) struct Grpc {
    base: String,
    stub: GatewayClient<Channel>,
    signer: Signer,
}

impl Grpc {
    pub(crate) fn new(base: &str, config: &ClientConfig, signer: Signer, socket: Socket) -> Reached<Self> {
        let wrong = |_| ClientError::Address { base: base.to_owned(), reason: "not a URI" };
        // The socket does TLS; tonic is told of a plain address, or it would want to do it itself.
        let plain = base.replacen("https://", "http://", 1);
        let endpoint =
            Endpoint::from_shared(plain).map_err(wrong)?.timeout(config.wait + std::time::Duration::from_secs(15));
        let stub =
            GatewayClient::new(endpoint.connect_with_connector_lazy(socket)).max_decoding_message_size(MAX_ANSWER);
        Ok(Self { base: base.to_owned(), stub, signer })
    }

    fn sealed(&self, method: &str, message: &impl Message) -> Reached<v1::SignedCall> {
        let payload = message.encode_to_vec();
        Ok(seal_call(&self.signer.sign("POST", &grpc_target(method), &payload)?, payload))
    }

    fn refused(&self, status: &tonic::Status) -> ClientError {
        if status.metadata().get("covenant-code").is_none() && status.code() == tonic::Code::Unavailable {
            return ClientError::Unreachable { base: self.base.clone(), reason: status.message().to_owned() };
        }
        ClientError::Problem(problem_of(status))
    }
}

/// Signs the inner message, calls the method, takes the answer out.
macro_rules! call {
    ($self:ident, $method:ident, $name:literal, $message:expr) => {{
        let call = $self.sealed($name, &$message)?;
        $self.stub.clone().$method(call).await.map_err(|s| $self.refused(&s))?.into_inner()
    }};
}

fn read<T: TryFrom<M, Error = WireError>, M>(message: M) -> Reached<T> {
    T::try_from(message).map_err(ClientError::protocol)
}

fn read_all<T: TryFrom<M, Error = WireError>, M>(messages: Vec<M>) -> Reached<Vec<T>> {
    messages.into_iter().map(read).collect()
}

#[async_trait]
impl Link for Grpc {
    async fn consortium(&self) -> Reached<Consortium> {
        read(self.stub.clone().consortium(v1::Empty {}).await.map_err(|s| self.refused(&s))?.into_inner())
    }
    async fn health(&self) -> Reached<HealthReport> {
        read(self.stub.clone().health(v1::Empty {}).await.map_err(|s| self.refused(&s))?.into_inner())
    }
    async fn tip(&self) -> Reached<Tip> {
        read(call!(self, tip, "Tip", v1::Empty {}))
    }
    async fn members(&self) -> Reached<Vec<Member>> {
        read_documents(&call!(self, members, "Members", v1::Empty {})).map_err(ClientError::protocol)
    }
    async fn purposes(&self) -> Reached<Vec<Purpose>> {
        read_documents(&call!(self, purposes, "Purposes", v1::Empty {})).map_err(ClientError::protocol)
    }
    async fn datasets(&self) -> Reached<Vec<Dataset>> {
        read_documents(&call!(self, datasets, "Datasets", v1::Empty {})).map_err(ClientError::protocol)
    }
    async fn dataset(&self, id: &DatasetId) -> Reached<Dataset> {
        let request = v1::DatasetRequest { id: id.to_string() };
        call!(self, dataset, "Dataset", request).read().map_err(ClientError::protocol)
    }
    async fn dataset_versions(&self, id: &DatasetId) -> Reached<Vec<DatasetVersion>> {
        let request = v1::DatasetRequest { id: id.to_string() };
        read_all(call!(self, dataset_versions, "DatasetVersions", request).versions)
    }
    async fn catalogue(&self, query: CatalogueQuery) -> Reached<CataloguePage> {
        read(call!(self, catalogue, "Catalogue", v1::CatalogueRequest::from(query)))
    }
    async fn catalogue_item(&self, id: &DatasetId) -> Reached<CatalogueItem> {
        read(call!(self, catalogue_item, "CatalogueItem", v1::DatasetRequest { id: id.to_string() }))
    }
    async fn catalogue_export(&self, query: ExportQuery) -> Reached<String> {
        Ok(call!(self, catalogue_export, "CatalogueExport", v1::ExportRequest::from(query)).json_ld)
    }
    async fn right(&self, id: &RightId) -> Reached<RightState> {
        let request = v1::RightRequest { id: id.to_string() };
        call!(self, right, "Right", request).read().map_err(ClientError::protocol)
    }
    async fn grants(&self) -> Reached<Vec<GrantStatusView>> {
        read_all(call!(self, grants, "Grants", v1::Empty {}).grants)
    }
    async fn consent(&self, id: &ConsentId) -> Reached<ConsentStatusView> {
        read(call!(self, consent, "Consent", v1::ConsentRequest { id: id.to_string() }))
    }
    async fn record(&self, request: EntriesRequest) -> Reached<Vec<EntryResult>> {
        read_all(call!(self, record, "Record", v1::EntriesRequest::from(request)).results)
    }
    async fn plan(&self, request: PlanRequest) -> Reached<PlanResponse> {
        read(call!(self, plan, "Plan", v1::PlanRequest::from(request)))
    }
    async fn simulate(&self, request: SimulateRequest) -> Reached<Simulation> {
        call!(self, simulate, "Simulate", v1::SimulateRequest::from(request)).read().map_err(ClientError::protocol)
    }
    async fn ask(&self, request: QueriesRequest) -> Reached<Vec<QueryResult>> {
        read_all(call!(self, ask, "Ask", v1::QueriesRequest::from(request)).results)
    }
    async fn progress(&self, intent: &IntentId, wait_ms: u64) -> Reached<QueryResult> {
        read(call!(self, progress, "Progress", v1::ProgressRequest { intent: intent.to_string(), wait_ms }))
    }
    async fn evidence(&self, intent: &IntentId) -> Reached<Vec<u8>> {
        Ok(call!(self, evidence, "Evidence", v1::EvidenceRequest { intent: intent.to_string() }).canonical)
    }
    async fn explain(&self, intent: &IntentId, replay: bool) -> Reached<Explanation> {
        read(call!(self, explain, "Explain", v1::ExplainRequest { intent: intent.to_string(), replay }))
    }
    async fn epoch(&self, dataset: &DatasetId) -> Reached<EpochDocument> {
        read(call!(self, epoch, "Epoch", v1::EpochRequest { dataset: dataset.to_string() }))
    }
    async fn epoch_file(&self, part: EpochPart, query: FileQuery) -> Reached<FileChunk> {
        Ok(call!(self, epoch_file, "EpochFile", v1::EpochFileRequest::from((part, query))).into())
    }
    async fn build_epoch(&self, request: BuildRequest) -> Reached<()> {
        let v1::Empty {} = call!(self, build_epoch, "BuildEpoch", v1::BuildRequest::from(request));
        Ok(())
    }
    async fn build_state(&self, dataset: &DatasetId) -> Reached<BuildView> {
        read(call!(self, build_state, "BuildState", v1::EpochRequest { dataset: dataset.to_string() }))
    }
    async fn evaluation(&self, intent: &IntentId) -> Reached<Evaluation> {
        let request = v1::EvaluationRequest { intent: intent.to_string() };
        call!(self, evaluation, "Evaluation", request).read().map_err(ClientError::protocol)
    }
    async fn retrieve(&self, intent: &IntentId, request: RetrievalRequest) -> Reached<()> {
        let request = v1::RetrieveRequest { intent: intent.to_string(), retrieval: request.retrieval.0 };
        let v1::Empty {} = call!(self, retrieve, "Retrieve", request);
        Ok(())
    }
    async fn retrieval(&self, intent: &IntentId) -> Reached<Vec<u8>> {
        Ok(call!(self, retrieval, "Retrieval", v1::RetrievalRequest { intent: intent.to_string() }).canonical)
    }
    async fn ceremonies(&self) -> Reached<Vec<Ceremony>> {
        read_documents(&call!(self, ceremonies, "Ceremonies", v1::Empty {})).map_err(ClientError::protocol)
    }
    async fn requests(&self) -> Reached<Vec<RequestState>> {
        read_documents(&call!(self, requests, "Requests", v1::Empty {})).map_err(ClientError::protocol)
    }
    async fn delegations(&self) -> Reached<Vec<Delegation>> {
        read_documents(&call!(self, delegations, "Delegations", v1::Empty {})).map_err(ClientError::protocol)
    }
    async fn proposals(&self) -> Reached<Vec<ProposalState>> {
        read_documents(&call!(self, proposals, "Proposals", v1::Empty {})).map_err(ClientError::protocol)
    }
    async fn disputes(&self) -> Reached<Vec<DisputeState>> {
        read_documents(&call!(self, disputes, "Disputes", v1::Empty {})).map_err(ClientError::protocol)
    }
    async fn notices(&self) -> Reached<Vec<Notice>> {
        read_documents(&call!(self, notices, "Notices", v1::Empty {})).map_err(ClientError::protocol)
    }
    async fn rule_books(&self) -> Reached<Vec<RuleBook>> {
        read_documents(&call!(self, rule_books, "RuleBooks", v1::Empty {})).map_err(ClientError::protocol)
    }
    async fn reliability(&self) -> Reached<Vec<Reliability>> {
        read_documents(&call!(self, reliability, "Reliability", v1::Empty {})).map_err(ClientError::protocol)
    }
    async fn calendar(&self) -> Reached<Calendar> {
        call!(self, calendar, "Calendar", v1::Empty {}).read().map_err(ClientError::protocol)
    }
    async fn roster(&self) -> Reached<Roster> {
        call!(self, roster, "Roster", v1::Empty {}).read().map_err(ClientError::protocol)
    }
    async fn tariff(&self) -> Reached<Tariff> {
        call!(self, tariff, "Tariff", v1::Empty {}).read().map_err(ClientError::protocol)
    }
    async fn request(&self, id: &RequestId) -> Reached<RequestState> {
        call!(self, request, "Request", v1::IdRequest { id: id.to_string() }).read().map_err(ClientError::protocol)
    }
    async fn consent_uses(&self, id: &ConsentId, after: Option<u64>) -> Reached<Vec<ConsentUse>> {
        let request = v1::UsesRequest { id: id.to_string(), after };
        read_documents(&call!(self, consent_uses, "ConsentUses", request)).map_err(ClientError::protocol)
    }
    async fn notifications(&self, after: Option<u64>) -> Reached<Vec<Notification>> {
        let request = v1::UsesRequest { id: String::new(), after };
        read_documents(&call!(self, notifications, "Notifications", request)).map_err(ClientError::protocol)
    }
    async fn usage(&self, month: Option<u32>) -> Reached<Vec<Usage>> {
        read_documents(&call!(self, usage, "Usage", v1::MonthRequest { month })).map_err(ClientError::protocol)
    }
    async fn settlement(&self, month: Option<u32>) -> Reached<Settlement> {
        read(call!(self, settlement, "Settlement", v1::MonthRequest { month }))
    }
    async fn receipt(&self, entry: &Digest) -> Reached<Vec<u8>> {
        Ok(call!(self, receipt, "Receipt", v1::IdRequest { id: entry.to_string() }).canonical)
    }
    async fn cases(&self) -> Reached<Vec<Case>> {
        read_documents(&call!(self, cases, "Cases", v1::Empty {})).map_err(ClientError::protocol)
    }
}
