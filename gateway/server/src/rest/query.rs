//! Audited queries.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use covenant_api::{QueriesRequest, QueryResult, WaitQuery};
use covenant_domain::IntentId;

use super::{PathText, Reply, parse_path, parse_query};
use crate::signed::Signed;
use crate::state::Shared;

pub(crate) async fn ask(State(state): State<Shared>, signed: Signed) -> Reply<Vec<QueryResult>> {
    let results = state.gateway.ask(signed.json::<QueriesRequest>()?).await?;
    state.metrics.queries(&results);
    Ok(Json(results))
}

pub(crate) async fn progress(
    State(state): State<Shared>,
    intent: PathText,
    query: Result<Query<WaitQuery>, QueryRejection>,
    signed: Signed,
) -> Reply<QueryResult> {
    let (intent, query): (IntentId, _) = (parse_path("intent", intent)?, parse_query(query)?);
    let result = state.gateway.progress(signed.empty()?, &intent, query.wait_ms).await?;
    state.metrics.queries(std::slice::from_ref(&result));
    Ok(Json(result))
}
