//! Search over the catalogue, one dataset and its versions, rights, export.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use covenant_api::{CatalogueItem, CataloguePage, CatalogueQuery, DatasetPath, ExportQuery};
use covenant_domain::{DatasetId, RightId, RightState};

use super::{PathText, Reply, parse_path, parse_query};
use crate::failure::Failure;
use crate::signed::Signed;
use crate::state::{Shared, now_ms};

/// Media type of JSON-LD.
const JSON_LD: &str = "application/ld+json";

/// `{id}` or `{id}/versions`.
pub(crate) async fn dataset(State(state): State<Shared>, id: PathText, signed: Signed) -> Result<Response, Failure> {
    let call = signed.empty()?;
    Ok(match parse_path("id", id)? {
        DatasetPath::Dataset(id) => Json(state.gateway.dataset(call, &id).await?).into_response(),
        DatasetPath::Versions(id) => Json(state.gateway.dataset_versions(call, &id).await?).into_response(),
    })
}

pub(crate) async fn catalogue(
    State(state): State<Shared>,
    query: Result<Query<CatalogueQuery>, QueryRejection>,
    signed: Signed,
) -> Reply<CataloguePage> {
    let query = parse_query(query)?;
    let call = signed.empty()?.read(|()| Ok(query))?;
    Ok(Json(state.gateway.catalogue(call, now_ms()).await?))
}

pub(crate) async fn catalogue_item(State(state): State<Shared>, id: PathText, signed: Signed) -> Reply<CatalogueItem> {
    let id: DatasetId = parse_path("id", id)?;
    Ok(Json(state.gateway.catalogue_item(signed.empty()?, &id, now_ms()).await?))
}

pub(crate) async fn catalogue_export(
    State(state): State<Shared>,
    query: Result<Query<ExportQuery>, QueryRejection>,
    signed: Signed,
) -> Result<Response, Failure> {
    let query = parse_query(query)?;
    let call = signed.empty()?.read(|()| Ok(query))?;
    let text = state.gateway.catalogue_export(call, now_ms()).await?;
    Ok(([(CONTENT_TYPE, JSON_LD)], text).into_response())
}

pub(crate) async fn right(State(state): State<Shared>, id: PathText, signed: Signed) -> Reply<RightState> {
    let id: RightId = parse_path("id", id)?;
    Ok(Json(state.gateway.right(signed.empty()?, &id).await?))
}
