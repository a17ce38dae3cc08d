//! Private lookups between permit and answer.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use covenant_api::RetrievalRequest;
use covenant_domain::{Evaluation, IntentId};

use super::{CBOR, PathText, Reply, parse_path};
use crate::failure::Failure;
use crate::signed::Signed;
use crate::state::Shared;

pub(crate) async fn evaluation(State(state): State<Shared>, intent: PathText, signed: Signed) -> Reply<Evaluation> {
    let intent: IntentId = parse_path("intent", intent)?;
    Ok(Json(state.gateway.evaluation(signed.empty()?, &intent).await?))
}

pub(crate) async fn retrieve(
    State(state): State<Shared>,
    intent: PathText,
    signed: Signed,
) -> Result<StatusCode, Failure> {
    let intent: IntentId = parse_path("intent", intent)?;
    state.gateway.retrieve(signed.json::<RetrievalRequest>()?, &intent).await?;
    Ok(StatusCode::ACCEPTED)
}

pub(crate) async fn retrieval(
    State(state): State<Shared>,
    intent: PathText,
    signed: Signed,
) -> Result<Response, Failure> {
    let intent: IntentId = parse_path("intent", intent)?;
    let canonical = state.gateway.retrieval(signed.empty()?, &intent).await?;
    Ok(([(CONTENT_TYPE, CBOR)], canonical).into_response())
}
