//! Addresses, both interfaces and what surrounds them.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use covenant_api::{Code, GRPC_SERVICE};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::failure::Failure;
use crate::state::Shared;
use crate::{grpc, index, observe, rest};

/// Everything on the one port.
pub(crate) fn router(state: Shared) -> Router {
    let limit = state.config.max_body_bytes;
    let if_absent = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    Router::new()
        .route("/", get(index::page))
        .route("/healthz", get(rest::live))
        .route("/openapi.json", get(rest::openapi))
        .route("/v1/health", get(rest::health))
        .route("/v1/consortium", get(rest::consortium))
        .route("/v1/ledger/tip", get(rest::tip))
        .route("/v1/members", get(rest::members))
        .route("/v1/purposes", get(rest::purposes))
        .route("/v1/datasets", get(rest::datasets))
        .route("/v1/datasets/{*id}", get(rest::dataset))
        .route("/v1/catalogue", get(rest::catalogue))
        .route("/v1/catalogue.jsonld", get(rest::catalogue_export))
        .route("/v1/catalogue/{*id}", get(rest::catalogue_item))
        .route("/v1/rights/{id}", get(rest::right))
        .route("/v1/epochs", post(rest::build_epoch))
        .route("/v1/epochs/{*id}", get(rest::epoch))
        .route("/v1/epoch-files/{part}", get(rest::epoch_file))
        .route("/v1/epoch-builds/{*id}", get(rest::build_state))
        .route("/v1/grants", get(rest::grants))
        .route("/v1/consents/{id}", get(rest::consent))
        .route("/v1/consents/{id}/uses", get(rest::consent_uses))
        .route("/v1/notifications", get(rest::notifications))
        .route("/v1/requests", get(rest::requests))
        .route("/v1/requests/{id}", get(rest::request))
        .route("/v1/delegations", get(rest::delegations))
        .route("/v1/proposals", get(rest::proposals))
        .route("/v1/disputes", get(rest::disputes))
        .route("/v1/calendar", get(rest::calendar))
        .route("/v1/notices", get(rest::notices))
        .route("/v1/tariff", get(rest::tariff))
        .route("/v1/roster", get(rest::roster))
        .route("/v1/rule-books", get(rest::rule_books))
        .route("/v1/usage", get(rest::usage))
        .route("/v1/settlement", get(rest::settlement))
        .route("/v1/reliability", get(rest::reliability))
        .route("/v1/entries/{id}/receipt", get(rest::receipt))
        .route("/v1/entries", post(rest::record))
        .route("/v1/plan", post(rest::plan))
        .route("/v1/policy/simulate", post(rest::simulate))
        .route("/v1/queries", post(rest::ask))
        .route("/v1/queries/{intent}", get(rest::progress))
        .route("/v1/queries/{intent}/evaluation", get(rest::evaluation))
        .route("/v1/queries/{intent}/retrieval", get(rest::retrieval).post(rest::retrieve))
        .route("/v1/queries/{intent}/evidence", get(rest::evidence))
        .route("/v1/queries/{intent}/explanation", get(rest::explain))
        .route("/v1/ceremonies", get(rest::ceremonies))
        .route("/v1/cases", get(rest::cases))
        .route_service(&format!("/{GRPC_SERVICE}/{{method}}"), grpc::service(state.clone()))
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(limit))
        .layer(if_absent(CACHE_CONTROL, "no-store"))
        .layer(if_absent(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(if_absent(REFERRER_POLICY, "no-referrer"))
        .layer(from_fn_with_state(state.clone(), observe::observe))
        .with_state(state)
}

async fn unknown(uri: Uri) -> Failure {
    let path: String = uri.path().chars().take(200).collect();
    Failure::new(Code::RouteUnknown, format!("there is nothing at `{path}`: see /openapi.json"))
}

async fn not_allowed(method: Method, uri: Uri) -> Failure {
    let path: String = uri.path().chars().take(200).collect();
    Failure::new(Code::MethodNotAllowed, format!("`{path}` does not take {method}: see /openapi.json"))
}
