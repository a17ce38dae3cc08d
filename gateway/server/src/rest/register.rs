//! Records of the ledger's state.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use covenant_api::{MonthQuery, Settlement, UsesQuery};
use covenant_canon::{Digest, to_bytes};
use covenant_domain::{
    Calendar, ConsentId, ConsentUse, Delegation, DisputeState, Notice, Notification, ProposalState, Reliability,
    RequestId, RequestState, Roster, RuleBook, Tariff, Usage,
};

use super::evidence::wants_cbor;
use super::{CBOR, PathText, Reply, parse_path, parse_query};
use crate::failure::Failure;
use crate::signed::Signed;
use crate::state::Shared;

/// Addresses that take nothing but the caller.
macro_rules! lists {
    ($($name:ident -> $noun:ty;)*) => {$(
        pub(crate) async fn $name(State(state): State<Shared>, signed: Signed) -> Reply<$noun> {
            Ok(Json(state.gateway.$name(signed.empty()?).await?))
        }
    )*};
}

lists! {
    requests -> Vec<RequestState>;
    delegations -> Vec<Delegation>;
    proposals -> Vec<ProposalState>;
    disputes -> Vec<DisputeState>;
    calendar -> Calendar;
    notices -> Vec<Notice>;
    tariff -> Tariff;
    roster -> Roster;
    rule_books -> Vec<RuleBook>;
    reliability -> Vec<Reliability>;
}

type MonthText = Result<Query<MonthQuery>, QueryRejection>;

pub(crate) async fn request(State(state): State<Shared>, id: PathText, signed: Signed) -> Reply<RequestState> {
    let id: RequestId = parse_path("id", id)?;
    Ok(Json(state.gateway.request(signed.empty()?, &id).await?))
}

pub(crate) async fn consent_uses(
    State(state): State<Shared>,
    id: PathText,
    query: Result<Query<UsesQuery>, QueryRejection>,
    signed: Signed,
) -> Reply<Vec<ConsentUse>> {
    let (id, query): (ConsentId, _) = (parse_path("id", id)?, parse_query(query)?);
    Ok(Json(state.gateway.consent_uses(signed.empty()?, &id, query).await?))
}

pub(crate) async fn notifications(
    State(state): State<Shared>,
    query: Result<Query<UsesQuery>, QueryRejection>,
    signed: Signed,
) -> Reply<Vec<Notification>> {
    Ok(Json(state.gateway.notifications(signed.empty()?, parse_query(query)?).await?))
}

pub(crate) async fn usage(State(state): State<Shared>, query: MonthText, signed: Signed) -> Reply<Vec<Usage>> {
    Ok(Json(state.gateway.usage(signed.empty()?, parse_query(query)?).await?))
}

pub(crate) async fn settlement(State(state): State<Shared>, query: MonthText, signed: Signed) -> Reply<Settlement> {
    Ok(Json(state.gateway.settlement(signed.empty()?, parse_query(query)?).await?))
}

pub(crate) async fn receipt(State(state): State<Shared>, id: PathText, signed: Signed) -> Result<Response, Failure> {
    let entry: Digest = parse_path("id", id)?;
    let cbor = wants_cbor(signed.headers())?;
    let receipt = state.gateway.receipt(signed.empty()?, &entry).await?;
    if cbor {
        return Ok(([(CONTENT_TYPE, CBOR)], to_bytes(&receipt)).into_response());
    }
    Ok(Json(receipt).into_response())
}
