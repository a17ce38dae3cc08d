//! Epochs of private lookup and their files.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use covenant_api::{BuildRequest, BuildView, EpochDocument, EpochPart, FileQuery, TOTAL_HEADER};
use covenant_domain::DatasetId;

use super::{PathText, Reply, parse_path, parse_query};
use crate::failure::Failure;
use crate::signed::Signed;
use crate::state::Shared;

pub(crate) async fn epoch(State(state): State<Shared>, id: PathText, signed: Signed) -> Reply<EpochDocument> {
    let id: DatasetId = parse_path("id", id)?;
    Ok(Json(state.gateway.epoch(signed.empty()?, &id).await?))
}

pub(crate) async fn epoch_file(
    State(state): State<Shared>,
    part: PathText,
    query: Result<Query<FileQuery>, QueryRejection>,
    signed: Signed,
) -> Result<Response, Failure> {
    let (part, query): (EpochPart, _) = (parse_path("part", part)?, parse_query(query)?);
    let chunk = state.gateway.epoch_file(signed.empty()?, part, &query).await?;
    let headers =
        [(CONTENT_TYPE.as_str(), "application/octet-stream".to_owned()), (TOTAL_HEADER, chunk.total.to_string())];
    Ok((headers, chunk.bytes).into_response())
}

pub(crate) async fn build_epoch(State(state): State<Shared>, signed: Signed) -> Result<StatusCode, Failure> {
    state.gateway.build_epoch(signed.json::<BuildRequest>()?).await?;
    Ok(StatusCode::ACCEPTED)
}

pub(crate) async fn build_state(State(state): State<Shared>, id: PathText, signed: Signed) -> Reply<BuildView> {
    let id: DatasetId = parse_path("id", id)?;
    Ok(Json(state.gateway.build_state(signed.empty()?, &id).await?))
}
