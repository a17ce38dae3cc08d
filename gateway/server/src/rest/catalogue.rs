//! Everything but queries and their evidence.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use covenant_api::{
    ConsentStatusView, EntriesRequest, EntryResult, GrantStatusView, HealthReport, PlanRequest, PlanResponse, Tip,
};
use covenant_domain::{ConsentId, Dataset, Member, Purpose};

use super::{PathText, Reply, parse_path};
use crate::failure::Failure;
use crate::signed::Signed;
use crate::state::{Shared, now_ms};

pub(crate) async fn live() -> &'static str {
    "ok"
}

pub(crate) async fn openapi(State(state): State<Shared>) -> Response {
    ([(CONTENT_TYPE, "application/json")], state.openapi.clone()).into_response()
}

pub(crate) async fn consortium(State(state): State<Shared>) -> Response {
    Json(state.gateway.consortium()).into_response()
}

pub(crate) async fn health(State(state): State<Shared>) -> Reply<HealthReport> {
    Ok(Json(state.gateway.health(now_ms()).await?))
}

pub(crate) async fn tip(State(state): State<Shared>, signed: Signed) -> Reply<Tip> {
    Ok(Json(state.gateway.tip(signed.empty()?).await?))
}

pub(crate) async fn members(State(state): State<Shared>, signed: Signed) -> Reply<Vec<Member>> {
    Ok(Json(state.gateway.members(signed.empty()?).await?))
}

pub(crate) async fn purposes(State(state): State<Shared>, signed: Signed) -> Reply<Vec<Purpose>> {
    Ok(Json(state.gateway.purposes(signed.empty()?).await?))
}

pub(crate) async fn datasets(State(state): State<Shared>, signed: Signed) -> Reply<Vec<Dataset>> {
    Ok(Json(state.gateway.datasets(signed.empty()?).await?))
}

pub(crate) async fn grants(State(state): State<Shared>, signed: Signed) -> Reply<Vec<GrantStatusView>> {
    Ok(Json(state.gateway.grants(signed.empty()?).await?))
}

pub(crate) async fn consent(State(state): State<Shared>, id: PathText, signed: Signed) -> Reply<ConsentStatusView> {
    let id: ConsentId = parse_path("id", id)?;
    Ok(Json(state.gateway.consent(signed.empty()?, &id).await?))
}

pub(crate) async fn record(
    State(state): State<Shared>,
    signed: Signed,
) -> Result<(StatusCode, Json<Vec<EntryResult>>), Failure> {
    let results = state.gateway.record(signed.json::<EntriesRequest>()?).await?;
    Ok((StatusCode::CREATED, Json(results)))
}

pub(crate) async fn plan(State(state): State<Shared>, signed: Signed) -> Reply<PlanResponse> {
    Ok(Json(state.gateway.plan(signed.json::<PlanRequest>()?).await?))
}
