//! Evidence in the media type the caller accepts, and explanations.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use covenant_api::{Code, ExplainQuery, Explanation};
use covenant_canon::to_bytes;
use covenant_domain::IntentId;

use super::{CBOR, PathText, Reply, parse_path, parse_query};
use crate::failure::Failure;
use crate::signed::{Signed, media_type};
use crate::state::Shared;

pub(crate) async fn evidence(
    State(state): State<Shared>,
    intent: PathText,
    signed: Signed,
) -> Result<Response, Failure> {
    let intent: IntentId = parse_path("intent", intent)?;
    let cbor = wants_cbor(signed.headers())?;
    let bundle = state.gateway.evidence(signed.empty()?, &intent).await?;
    if cbor {
        return Ok(([(CONTENT_TYPE, CBOR)], to_bytes(&bundle)).into_response());
    }
    Ok(Json(bundle).into_response())
}

pub(crate) async fn explain(
    State(state): State<Shared>,
    intent: PathText,
    query: Result<Query<ExplainQuery>, QueryRejection>,
    signed: Signed,
) -> Reply<Explanation> {
    let (intent, query): (IntentId, _) = (parse_path("intent", intent)?, parse_query(query)?);
    Ok(Json(state.gateway.explain(signed.empty()?, &intent, query.replay).await?))
}

/// The first accepted type that is served here; JSON when nothing is said.
pub(super) fn wants_cbor(headers: &HeaderMap) -> Result<bool, Failure> {
    let Some(accept) = headers.get(ACCEPT) else { return Ok(false) };
    for accepted in accept.to_str().unwrap_or_default().split(',') {
        match media_type(accepted).as_str() {
            CBOR => return Ok(true),
            "application/json" | "application/*" | "*/*" => return Ok(false),
            _ => {}
        }
    }
    Err(Failure::new(Code::NotAcceptable, "evidence is served as `application/json` or `application/cbor`"))
}
