//! The gRPC interface: each method opens the signed call, calls the same use case as REST, and wraps the result.

use bytes::Bytes;
use covenant_api::Code;
use covenant_api::{
    BuildRequest, CatalogueQuery, EntriesRequest, EpochPart, ExportQuery, FileQuery, MonthQuery, PlanRequest, Problem,
    QueriesRequest, RequestSignature, RetrievalRequest, SimulateRequest, UsesQuery, grpc_target,
};
use covenant_app::{Authentic, Incoming};
use covenant_wire::v1::gateway_server::{Gateway, GatewayServer};
use covenant_wire::{Message, WireError, decode_payload, documents, status_of, v1};
use tonic::{Request, Response, Status};

use crate::state::{Shared, now_ms};

type Answer<T> = Result<Response<T>, Status>;

pub(crate) fn service(state: Shared) -> GatewayServer<Service> {
    let limit = state.config.max_body_bytes;
    GatewayServer::new(Service(state)).max_decoding_message_size(limit)
}

pub(crate) struct Service(Shared);

impl Service {
    /// Identifies the caller and decodes the payload.
    fn open<M: Message + Default>(&self, method: &str, call: Request<v1::SignedCall>) -> Result<Authentic<M>, Status> {
        let call = call.into_inner();
        let signature = RequestSignature::try_from(&call).map_err(|e| malformed_signature(&call, &e))?;
        let (target, body) = (grpc_target(method), Bytes::from(call.payload));
        let incoming = Incoming { method: "POST", target: &target, body, signature };
        let authentic = self.0.gateway.identify(incoming, now_ms()).map_err(|p| status_of(&p))?;
        tracing::Span::current().record("member", authentic.caller().id().as_str());
        authentic.read(|body| decode_payload(&body).map_err(|e| malformed(&e))).map_err(|p| status_of(&p))
    }

    fn open_empty(&self, method: &str, call: Request<v1::SignedCall>) -> Result<Authentic<()>, Status> {
        self.open::<v1::Empty>(method, call)?.read(|v1::Empty {}| Ok(())).map_err(|p| status_of(&p))
    }
}

fn malformed(error: &WireError) -> Problem {
    Problem::new(Code::BodyMalformed, error.to_string())
}

fn malformed_signature(call: &v1::SignedCall, error: &WireError) -> Status {
    let absent = call.member.is_empty() || call.signature.is_empty();
    let code = if absent { Code::SignatureMissing } else { Code::SignatureMalformed };
    status_of(&Problem::new(code, error.to_string()))
}

/// Takes one parsed field out of the payload, beside the call without it.
fn split<M, T: std::str::FromStr<Err: std::fmt::Display>>(
    call: Authentic<M>,
    name: &str,
    text: impl Fn(&M) -> &str,
) -> Result<(T, Authentic<M>), Status> {
    let parsed = text(call.value())
        .parse()
        .map_err(|e: T::Err| status_of(&Problem::new(Code::ParameterInvalid, format!("field `{name}`: {e}"))))?;
    Ok((parsed, call))
}

fn bare<M>(call: Authentic<M>) -> Result<Authentic<()>, Status> {
    call.read(|_| Ok(())).map_err(|p| status_of(&p))
}

fn answer<T>(result: Result<T, Problem>) -> Answer<T> {
    result.map(Response::new).map_err(|p| status_of(&p))
}

#[tonic::async_trait]
impl Gateway for Service {
    async fn health(&self, _: Request<v1::Empty>) -> Answer<v1::HealthReport> {
        answer(self.0.gateway.health(now_ms()).await.map(Into::into))
    }

    async fn consortium(&self, _: Request<v1::Empty>) -> Answer<v1::ConsortiumDocument> {
        answer(Ok(self.0.gateway.consortium().into()))
    }

    async fn tip(&self, call: Request<v1::SignedCall>) -> Answer<v1::LedgerTip> {
        answer(self.0.gateway.tip(self.open_empty("Tip", call)?).await.map(Into::into))
    }

    async fn members(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        answer(self.0.gateway.members(self.open_empty("Members", call)?).await.map(|all| documents(&all)))
    }

    async fn purposes(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        answer(self.0.gateway.purposes(self.open_empty("Purposes", call)?).await.map(|all| documents(&all)))
    }

    async fn datasets(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        answer(self.0.gateway.datasets(self.open_empty("Datasets", call)?).await.map(|all| documents(&all)))
    }

    async fn dataset(&self, call: Request<v1::SignedCall>) -> Answer<v1::Document> {
        let (id, call) = split(self.open::<v1::DatasetRequest>("Dataset", call)?, "id", |m| &m.id)?;
        answer(self.0.gateway.dataset(bare(call)?, &id).await.map(|d| v1::Document::of(&d)))
    }

    async fn dataset_versions(&self, call: Request<v1::SignedCall>) -> Answer<v1::DatasetVersionList> {
        let (id, call) = split(self.open::<v1::DatasetRequest>("DatasetVersions", call)?, "id", |m| &m.id)?;
        let versions = self.0.gateway.dataset_versions(bare(call)?, &id).await;
        answer(versions.map(|all| v1::DatasetVersionList { versions: all.into_iter().map(Into::into).collect() }))
    }

    async fn catalogue(&self, call: Request<v1::SignedCall>) -> Answer<v1::CataloguePage> {
        let call = self.open::<v1::CatalogueRequest>("Catalogue", call)?;
        let wrong = |e: WireError| Problem::new(Code::ParameterInvalid, e.to_string());
        let call = call.read(|m| CatalogueQuery::try_from(m).map_err(wrong)).map_err(|p| status_of(&p))?;
        answer(self.0.gateway.catalogue(call, now_ms()).await.map(Into::into))
    }

    async fn catalogue_item(&self, call: Request<v1::SignedCall>) -> Answer<v1::CatalogueItem> {
        let (id, call) = split(self.open::<v1::DatasetRequest>("CatalogueItem", call)?, "id", |m| &m.id)?;
        answer(self.0.gateway.catalogue_item(bare(call)?, &id, now_ms()).await.map(Into::into))
    }

    async fn catalogue_export(&self, call: Request<v1::SignedCall>) -> Answer<v1::ExportDocument> {
        let call = self.open::<v1::ExportRequest>("CatalogueExport", call)?;
        let call = call.read(|m| Ok(ExportQuery::from(m))).map_err(|p| status_of(&p))?;
        let text = self.0.gateway.catalogue_export(call, now_ms()).await;
        answer(text.map(|json_ld| v1::ExportDocument { json_ld }))
    }

    async fn right(&self, call: Request<v1::SignedCall>) -> Answer<v1::Document> {
        let (id, call) = split(self.open::<v1::RightRequest>("Right", call)?, "id", |m| &m.id)?;
        answer(self.0.gateway.right(bare(call)?, &id).await.map(|r| v1::Document::of(&r)))
    }

    async fn grants(&self, call: Request<v1::SignedCall>) -> Answer<v1::GrantList> {
        let grants = self.0.gateway.grants(self.open_empty("Grants", call)?).await;
        answer(grants.map(|all| v1::GrantList { grants: all.into_iter().map(Into::into).collect() }))
    }

    async fn consent(&self, call: Request<v1::SignedCall>) -> Answer<v1::ConsentView> {
        let (id, call) = split(self.open::<v1::ConsentRequest>("Consent", call)?, "id", |m| &m.id)?;
        answer(self.0.gateway.consent(bare(call)?, &id).await.map(Into::into))
    }

    async fn record(&self, call: Request<v1::SignedCall>) -> Answer<v1::EntryResults> {
        let call = self.open::<v1::EntriesRequest>("Record", call)?;
        let call = call.read(|m| Ok(EntriesRequest::from(m))).map_err(|p| status_of(&p))?;
        let results = self.0.gateway.record(call).await;
        answer(results.map(|all| v1::EntryResults { results: all.into_iter().map(Into::into).collect() }))
    }

    async fn plan(&self, call: Request<v1::SignedCall>) -> Answer<v1::PlanResponse> {
        let call = self.open::<v1::PlanRequest>("Plan", call)?;
        let call = call.read(|m| PlanRequest::try_from(m).map_err(|e| malformed(&e))).map_err(|p| status_of(&p))?;
        answer(self.0.gateway.plan(call).await.map(Into::into))
    }

    async fn ask(&self, call: Request<v1::SignedCall>) -> Answer<v1::QueryResults> {
        let call = self.open::<v1::QueriesRequest>("Ask", call)?;
        let call = call.read(|m| QueriesRequest::try_from(m).map_err(|e| malformed(&e))).map_err(|p| status_of(&p))?;
        let results = self.0.gateway.ask(call).await.map_err(|p| status_of(&p))?;
        self.0.metrics.queries(&results);
        answer(Ok(v1::QueryResults { results: results.into_iter().map(Into::into).collect() }))
    }

    async fn simulate(&self, call: Request<v1::SignedCall>) -> Answer<v1::Document> {
        let call = self.open::<v1::SimulateRequest>("Simulate", call)?;
        let call = call.read(|m| SimulateRequest::try_from(m).map_err(|e| malformed(&e))).map_err(|p| status_of(&p))?;
        answer(self.0.gateway.simulate(call).await.map(|s| v1::Document::of(&s)))
    }

    async fn progress(&self, call: Request<v1::SignedCall>) -> Answer<v1::QueryResult> {
        let (intent, call) = split(self.open::<v1::ProgressRequest>("Progress", call)?, "intent", |m| &m.intent)?;
        let wait_ms = call.value().wait_ms;
        let result = self.0.gateway.progress(bare(call)?, &intent, wait_ms).await.map_err(|p| status_of(&p))?;
        self.0.metrics.queries(std::slice::from_ref(&result));
        answer(Ok(result.into()))
    }

    async fn evidence(&self, call: Request<v1::SignedCall>) -> Answer<v1::Document> {
        let (intent, call) = split(self.open::<v1::EvidenceRequest>("Evidence", call)?, "intent", |m| &m.intent)?;
        answer(self.0.gateway.evidence(bare(call)?, &intent).await.map(|b| v1::Document::of(&b)))
    }

    async fn explain(&self, call: Request<v1::SignedCall>) -> Answer<v1::Explanation> {
        let (intent, call) = split(self.open::<v1::ExplainRequest>("Explain", call)?, "intent", |m| &m.intent)?;
        let replay = call.value().replay;
        answer(self.0.gateway.explain(bare(call)?, &intent, replay).await.map(Into::into))
    }

    async fn requests(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        answer(self.0.gateway.requests(self.open_empty("Requests", call)?).await.map(|all| documents(&all)))
    }

    async fn delegations(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        answer(self.0.gateway.delegations(self.open_empty("Delegations", call)?).await.map(|all| documents(&all)))
    }

    async fn proposals(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        answer(self.0.gateway.proposals(self.open_empty("Proposals", call)?).await.map(|all| documents(&all)))
    }

    async fn disputes(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        answer(self.0.gateway.disputes(self.open_empty("Disputes", call)?).await.map(|all| documents(&all)))
    }

    async fn notices(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        answer(self.0.gateway.notices(self.open_empty("Notices", call)?).await.map(|all| documents(&all)))
    }

    async fn rule_books(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        answer(self.0.gateway.rule_books(self.open_empty("RuleBooks", call)?).await.map(|all| documents(&all)))
    }

    async fn reliability(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        answer(self.0.gateway.reliability(self.open_empty("Reliability", call)?).await.map(|all| documents(&all)))
    }

    async fn calendar(&self, call: Request<v1::SignedCall>) -> Answer<v1::Document> {
        answer(self.0.gateway.calendar(self.open_empty("Calendar", call)?).await.map(|it| v1::Document::of(&it)))
    }

    async fn roster(&self, call: Request<v1::SignedCall>) -> Answer<v1::Document> {
        answer(self.0.gateway.roster(self.open_empty("Roster", call)?).await.map(|it| v1::Document::of(&it)))
    }

    async fn tariff(&self, call: Request<v1::SignedCall>) -> Answer<v1::Document> {
        answer(self.0.gateway.tariff(self.open_empty("Tariff", call)?).await.map(|it| v1::Document::of(&it)))
    }

    async fn request(&self, call: Request<v1::SignedCall>) -> Answer<v1::Document> {
        let (id, call) = split(self.open::<v1::IdRequest>("Request", call)?, "id", |m| &m.id)?;
        answer(self.0.gateway.request(bare(call)?, &id).await.map(|it| v1::Document::of(&it)))
    }

    async fn receipt(&self, call: Request<v1::SignedCall>) -> Answer<v1::Document> {
        let (id, call) = split(self.open::<v1::IdRequest>("Receipt", call)?, "id", |m| &m.id)?;
        answer(self.0.gateway.receipt(bare(call)?, &id).await.map(|it| v1::Document::of(&it)))
    }

    async fn consent_uses(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        let (id, call) = split(self.open::<v1::UsesRequest>("ConsentUses", call)?, "id", |m| &m.id)?;
        let query = UsesQuery { after: call.value().after };
        answer(self.0.gateway.consent_uses(bare(call)?, &id, query).await.map(|all| documents(&all)))
    }

    async fn notifications(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        let call = self.open::<v1::UsesRequest>("Notifications", call)?;
        let query = UsesQuery { after: call.value().after };
        answer(self.0.gateway.notifications(bare(call)?, query).await.map(|all| documents(&all)))
    }

    async fn usage(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        let call = self.open::<v1::MonthRequest>("Usage", call)?;
        let query = MonthQuery { month: call.value().month };
        answer(self.0.gateway.usage(bare(call)?, query).await.map(|all| documents(&all)))
    }

    async fn settlement(&self, call: Request<v1::SignedCall>) -> Answer<v1::SettlementReport> {
        let call = self.open::<v1::MonthRequest>("Settlement", call)?;
        let query = MonthQuery { month: call.value().month };
        answer(self.0.gateway.settlement(bare(call)?, query).await.map(Into::into))
    }

    async fn epoch(&self, call: Request<v1::SignedCall>) -> Answer<v1::EpochDocument> {
        let (id, call) = split(self.open::<v1::EpochRequest>("Epoch", call)?, "dataset", |m| &m.dataset)?;
        answer(self.0.gateway.epoch(bare(call)?, &id).await.map(Into::into))
    }

    async fn epoch_file(&self, call: Request<v1::SignedCall>) -> Answer<v1::FileChunk> {
        let call = self.open::<v1::EpochFileRequest>("EpochFile", call)?;
        let wrong = |e: WireError| status_of(&Problem::new(Code::ParameterInvalid, e.to_string()));
        let (part, query): (EpochPart, FileQuery) = call.value().clone().try_into().map_err(wrong)?;
        answer(self.0.gateway.epoch_file(bare(call)?, part, &query).await.map(Into::into))
    }

    async fn build_epoch(&self, call: Request<v1::SignedCall>) -> Answer<v1::Empty> {
        let call = self.open::<v1::BuildRequest>("BuildEpoch", call)?;
        let call = call.read(|m| BuildRequest::try_from(m).map_err(|e| malformed(&e))).map_err(|p| status_of(&p))?;
        answer(self.0.gateway.build_epoch(call).await.map(|()| v1::Empty {}))
    }

    async fn build_state(&self, call: Request<v1::SignedCall>) -> Answer<v1::BuildView> {
        let (id, call) = split(self.open::<v1::EpochRequest>("BuildState", call)?, "dataset", |m| &m.dataset)?;
        answer(self.0.gateway.build_state(bare(call)?, &id).await.map(Into::into))
    }

    async fn evaluation(&self, call: Request<v1::SignedCall>) -> Answer<v1::Document> {
        let (intent, call) = split(self.open::<v1::EvaluationRequest>("Evaluation", call)?, "intent", |m| &m.intent)?;
        answer(self.0.gateway.evaluation(bare(call)?, &intent).await.map(|e| v1::Document::of(&e)))
    }

    async fn retrieve(&self, call: Request<v1::SignedCall>) -> Answer<v1::Empty> {
        let (intent, call) = split(self.open::<v1::RetrieveRequest>("Retrieve", call)?, "intent", |m| &m.intent)?;
        let request = |m: v1::RetrieveRequest| Ok(RetrievalRequest { retrieval: m.retrieval.into() });
        let call = call.read(request).map_err(|p| status_of(&p))?;
        answer(self.0.gateway.retrieve(call, &intent).await.map(|()| v1::Empty {}))
    }

    async fn retrieval(&self, call: Request<v1::SignedCall>) -> Answer<v1::Document> {
        let (intent, call) = split(self.open::<v1::RetrievalRequest>("Retrieval", call)?, "intent", |m| &m.intent)?;
        let canonical = self.0.gateway.retrieval(bare(call)?, &intent).await;
        answer(canonical.map(|canonical| v1::Document { canonical }))
    }

    async fn ceremonies(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        answer(self.0.gateway.ceremonies(self.open_empty("Ceremonies", call)?).await.map(|all| documents(&all)))
    }

    async fn cases(&self, call: Request<v1::SignedCall>) -> Answer<v1::Documents> {
        answer(self.0.gateway.cases(self.open_empty("Cases", call)?).await.map(|all| documents(&all)))
    }
}
