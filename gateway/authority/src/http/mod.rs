//! REST: addresses, callers, answers.

mod caller;
mod citizen;
mod login;
mod member;
mod public;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use covenant_api::{Code, Problem};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::service::Service;

/// What handlers share.
pub(crate) type Shared = Arc<Service>;

/// Longest body, in bytes.
const MAX_BODY: usize = 256 * 1024;

/// A problem on its way out.
#[derive(Debug)]
pub(crate) struct Failure(Problem);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A path parameter, perhaps.
type PathText = Result<Path<String>, PathRejection>;

/// Parses the path parameter.
fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: PathText) -> Result<T, Failure> {
    let wrong = |detail: String| Failure(Problem::new(Code::ParameterInvalid, format!("path parameter: {detail}")));
    let Path(text) = text.map_err(|e| wrong(e.body_text()))?;
    text.parse().map_err(|e: T::Err| wrong(e.to_string()))
}

/// Everything on the port.
pub(crate) fn router(service: Shared) -> Router {
    let if_absent = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    Router::new()
        .route("/healthz", get(public::live))
        .route("/openapi.json", get(public::openapi))
        .route("/v1/service", get(public::service))
        .route("/v1/notices/{purpose}", get(public::notice))
        .route("/v1/login", get(login::login))
        .route("/v1/login/callback", get(login::callback))
        .route("/v1/consent-requests", post(member::request))
        .route("/v1/consent-requests/{id}", get(member::status).delete(member::withdraw))
        .route("/v1/representations", post(member::register))
        .route("/v1/representations/{id}", delete(member::end_representation))
        .route("/v1/my/session", get(login::session))
        .route("/v1/my/logout", post(login::logout))
        .route("/v1/my/requests", get(citizen::requests))
        .route("/v1/my/requests/{id}/approve", post(citizen::approve))
        .route("/v1/my/requests/{id}/decline", post(citizen::decline))
        .route("/v1/my/consents", get(citizen::consents))
        .route("/v1/my/consents/{id}/pause", post(citizen::pause))
        .route("/v1/my/consents/{id}/resume", post(citizen::resume))
        .route("/v1/my/consents/{id}/revoke", post(citizen::revoke))
        .route("/v1/my/uses", get(citizen::uses))
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(if_absent(CACHE_CONTROL, "no-store"))
        .layer(if_absent(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(if_absent(REFERRER_POLICY, "no-referrer"))
        .layer(if_absent(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .with_state(service)
}

async fn unknown(uri: Uri) -> Failure {
    let path: String = uri.path().chars().take(200).collect();
    Failure(Problem::new(Code::RouteUnknown, format!("there is nothing at `{path}`: see /openapi.json")))
}

async fn not_allowed(method: Method, uri: Uri) -> Failure {
    let path: String = uri.path().chars().take(200).collect();
    Failure(Problem::new(Code::MethodNotAllowed, format!("`{path}` does not take {method}: see /openapi.json")))
}
