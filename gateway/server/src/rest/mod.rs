//! REST handlers: each reads its parameters, calls one use case and shapes the response.

mod catalogue;
mod epoch;
mod escrow;
mod evidence;
mod find;
mod lookup;
mod policy;
mod query;
mod register;

pub(crate) use catalogue::{
    consent, consortium, datasets, grants, health, live, members, openapi, plan, purposes, record, tip,
};
pub(crate) use epoch::{build_epoch, build_state, epoch, epoch_file};
pub(crate) use escrow::{cases, ceremonies};
pub(crate) use evidence::{evidence, explain};
pub(crate) use find::{catalogue, catalogue_export, catalogue_item, dataset, right};
pub(crate) use lookup::{evaluation, retrieval, retrieve};
pub(crate) use policy::simulate;
pub(crate) use query::{ask, progress};
pub(crate) use register::{
    calendar, consent_uses, delegations, disputes, notices, notifications, proposals, receipt, reliability, request,
    requests, roster, rule_books, settlement, tariff, usage,
};

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use covenant_api::Code;

use crate::failure::Failure;

/// Media type of canonical bytes.
pub(crate) const CBOR: &str = "application/cbor";

/// What every handler gives.
pub(crate) type Reply<T> = Result<Json<T>, Failure>;

/// A path parameter, perhaps.
pub(crate) type PathText = Result<Path<String>, PathRejection>;

/// Parses the path parameter `name`.
pub(crate) fn parse_path<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &str,
    text: PathText,
) -> Result<T, Failure> {
    let wrong = |detail: String| Failure::new(Code::ParameterInvalid, format!("path parameter `{name}`: {detail}"));
    let Path(text) = text.map_err(|e| wrong(e.body_text()))?;
    text.parse().map_err(|e: T::Err| wrong(e.to_string()))
}

/// Takes the query parameters.
pub(crate) fn parse_query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Failure> {
    let wrong = |e: QueryRejection| Failure::new(Code::ParameterInvalid, format!("query: {}", e.body_text()));
    query.map(|Query(value)| value).map_err(wrong)
}
