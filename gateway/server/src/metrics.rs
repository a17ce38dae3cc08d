//! Figures, through the global meter: nothing is exported unless telemetry was set up so.

use std::time::Duration;

use covenant_api::QueryResult;
use covenant_domain::ReasonCode;
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::{KeyValue, global};

pub(crate) struct Metrics {
    requests: Counter<u64>,
    latency: Histogram<f64>,
    queries: Counter<u64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = global::meter("covenant.gateway");
        Self {
            requests: meter.u64_counter("covenant.gateway.requests").with_description("Requests served").build(),
            latency: meter
                .f64_histogram("covenant.gateway.request.duration")
                .with_unit("s")
                .with_description("Time from head of request to head of response")
                .build(),
            queries: meter
                .u64_counter("covenant.gateway.queries")
                .with_description("States of queries as they were served, refusals by their first reason")
                .build(),
        }
    }

    pub(crate) fn request(&self, method: &str, route: &'static str, status: u16, code: &str, latency: Duration) {
        let of = [
            KeyValue::new("method", method.to_owned()),
            KeyValue::new("route", route),
            KeyValue::new("status", i64::from(status)),
            KeyValue::new("code", code.to_owned()),
        ];
        self.requests.add(1, &of);
        self.latency.record(latency.as_secs_f64(), &of);
    }

    /// Counts final states, and one look at each that is not.
    pub(crate) fn queries(&self, results: &[QueryResult]) {
        for result in results {
            let reason = result.reasons.first().map(|r| code_name(r.code)).unwrap_or_default();
            self.queries.add(1, &[KeyValue::new("state", result.state.name()), KeyValue::new("reason", reason)]);
        }
    }
}

/// The code as it stands in JSON.
fn code_name(code: ReasonCode) -> String {
    serde_json::to_value(code).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
