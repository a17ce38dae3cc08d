//! Traces and metrics reach a collector, join the caller's trace, and hold no personal data.
#![allow(
    unreachable_pub,
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test crate; its helpers are test code too, and two crates share them"
)]

#[path = "it/support/mod.rs"]
mod support;

use std::sync::{Arc, Mutex};

use covenant_client::Transport;
use covenant_domain::Mode;
use covenant_server::telemetry::{TelemetryConfig, TelemetryError, init};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use tonic::{Request, Response, Status};

/// A collector that writes down what it gets.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    figures: Arc<Mutex<String>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.spans.lock().unwrap().push(request.into_inner());
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.figures.lock().unwrap().push_str(&format!("{:?}", request.into_inner()));
        Ok(Response::new(Default::default()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_gets_traces_and_figures() {
    let collector = Collector::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(collector.clone()))
        .add_service(MetricsServiceServer::new(collector.clone()))
        .serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener));
    tokio::spawn(server);

    let wrong = TelemetryConfig { filter: "a=b=c".into(), ..TelemetryConfig::default() };
    assert!(matches!(init(&wrong), Err(TelemetryError::Filter { .. })));
    let filter = "covenant_server=info,covenant_app=info,covenant=info".into();
    let config =
        TelemetryConfig { otlp_endpoint: Some(endpoint), json_logs: true, filter, ..TelemetryConfig::default() };
    let guard = init(&config).unwrap();
    assert!(matches!(init(&TelemetryConfig::default()), Err(TelemetryError::Twice(_))));

    let world = support::World::new().await;
    let raw = world.raw("bank");
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut headers = raw.signed_now("GET", "/v1/ledger/tip", b"").to_headers().to_vec();
    headers.push(("traceparent", format!("00-{trace}-00f067aa0ba902b7-01")));
    assert_eq!(raw.send("GET", "/v1/ledger/tip", b"", &headers).await.status, 200);
    let client = world.client("bank", Transport::Grpc).await;
    client.ask(support::question(Mode::Submit, "mortgage-review")).await.unwrap();
    // Flushing blocks; the collector runs on the other thread.
    tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();

    let exported = collector.spans.lock().unwrap().clone();
    let spans: Vec<_> = exported.into_iter().flat_map(|r| r.resource_spans).flat_map(|r| r.scope_spans).collect();
    let spans: Vec<_> = spans.into_iter().flat_map(|s| s.spans).collect();
    assert!(spans.iter().any(|s| s.name == "request" && hex(&s.trace_id) == trace), "joins the caller's trace");
    let figures = collector.figures.lock().unwrap().clone();
    for name in ["covenant.gateway.requests", "covenant.gateway.request.duration", "mode-not-granted", "/v1/ledger/tip"]
    {
        assert!(figures.contains(name), "{name}");
    }
    let all = format!("{spans:?}{figures}");
    assert!(all.contains("bank") && !all.contains(support::PERSON));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
