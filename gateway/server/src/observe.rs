//! Around every request: a span, figures, a time limit, and a net under panics.
//!
//! Spans and figures name the route template, never the path, the query string or a body: those may hold what must not
//! be in logs.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use covenant_api::{Code, GRPC_SERVICE, Problem, ROUTES};
use futures::FutureExt;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::TraceContextExt;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::failure::{CODE, Failure};
use crate::state::Shared;

pub(crate) async fn observe(State(state): State<Shared>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().to_string();
    let (route, grpc) = route_of(&request);
    let span = tracing::info_span!(
        "request",
        method,
        route,
        member = Empty,
        status = Empty,
        code = Empty,
        latency_us = Empty,
        trace_id = Empty
    );
    adopt_parent(&span, request.headers());
    let guarded = guarded(state.config.request_timeout, grpc, request, next);
    let response = guarded.instrument(span.clone()).await;
    let latency = began.elapsed();
    let status = response.status().as_u16();
    let code = response.headers().get(CODE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    span.record("status", status);
    span.record("latency_us", u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    if !code.is_empty() {
        span.record("code", code);
    }
    span.in_scope(|| if status >= 500 { tracing::warn!("served") } else { tracing::info!("served") });
    state.metrics.request(&method, route, status, code, latency);
    response
}

/// The template of the route; for gRPC the method, if there is such a one.
fn route_of(request: &Request) -> (&'static str, bool) {
    let Some(matched) = request.extensions().get::<MatchedPath>() else { return ("unmatched", false) };
    let template = matched.as_str();
    if !template.trim_start_matches('/').starts_with(GRPC_SERVICE) {
        let template = template.replace("{*id}", "{id}");
        return (ROUTES.iter().find(|r| r.path == template).map_or("/", |r| r.path), false);
    }
    let method = request.uri().path().rsplit('/').next().unwrap_or_default();
    (ROUTES.iter().find(|r| r.grpc == method).map_or("unmatched", |r| r.grpc), true)
}

/// W3C trace context of the caller, if there is any.
fn adopt_parent(span: &Span, headers: &HeaderMap) {
    struct Headers<'a>(&'a HeaderMap);
    impl Extractor for Headers<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key).and_then(|v| v.to_str().ok())
        }
        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(|k| k.as_str()).collect()
        }
    }
    let context = opentelemetry::global::get_text_map_propagator(|p| p.extract(&Headers(headers)));
    let parent = context.span().span_context().clone();
    if parent.is_valid() {
        span.record("trace_id", parent.trace_id().to_string());
        // Without an exporter there is no layer to take it.
        let _no_layer = span.set_parent(context);
    }
}

async fn guarded(limit: std::time::Duration, grpc: bool, request: Request, next: Next) -> Response {
    let run = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(limit, run).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => {
            tracing::error!("a handler panicked");
            fail(grpc, Problem::new(Code::Internal, "the gateway failed; its operator finds the cause in the log"))
        }
        Err(_late) => {
            let detail = format!("the request took longer than {} s: ask again", limit.as_secs());
            fail(grpc, Problem::new(Code::Timeout, detail).retry_after(1))
        }
    }
}

fn fail(grpc: bool, problem: Problem) -> Response {
    if grpc { covenant_wire::status_of(&problem).into_http() } else { Failure(problem).into_response() }
}
