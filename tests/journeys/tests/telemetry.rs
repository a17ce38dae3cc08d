//! A local OTLP receiver and the log of the whole story: one trace goes through gateway, node and worker, and nothing of
//! any person or any secret is in a span, a metric or a log line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use covenant_canon::SuiteId;
use covenant_demo::city::City;
use covenant_demo::{PASSPHRASE, Story};
use covenant_journeys::running_city;
use covenant_server::telemetry::{TelemetryConfig, init};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message;
use tonic::{Request, Response, Status};

const DIR: &str = "COVENANT_TELEMETRY_DIR";
const ENDPOINT: &str = "COVENANT_TELEMETRY_ENDPOINT";

fn city() -> City {
    City::generate(1, 400, 80)
}

/// Run in a process of its own by the test below; does nothing otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Ok(dir), Ok(endpoint)) = (std::env::var(DIR), std::env::var(ENDPOINT)) else { return };
    let config = TelemetryConfig {
        otlp_endpoint: Some(endpoint),
        json_logs: true,
        filter: "debug,h2=info,hyper=info,arc_malachitebft=info".into(),
        ..TelemetryConfig::default()
    };
    let guard = init(&config).unwrap();
    let city = city();
    let consortium = running_city(&PathBuf::from(dir), SuiteId::Sm, &city, |_| {}).await;
    let mut tell = |_| {};
    Story::new(&consortium, &city, &mut tell).unwrap().tell().await.unwrap().stop().await;
    consortium.stop().await;
    tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();
}

#[derive(Clone, Default)]
struct Receiver {
    traces: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    metrics: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.traces.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.metrics.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

/// Everything of the city that must never be told: numbers, codes, names, addresses, and the passphrase.
fn secrets(city: &City) -> Vec<String> {
    let mut out = vec![PASSPHRASE.to_owned()];
    for resident in &city.residents {
        out.push(resident.number.expose().to_owned());
        // Names of two characters may be part of other words.
        out.extend(Some(resident.name.clone()).filter(|n| n.chars().count() > 2));
        out.extend(resident.home.iter().flat_map(|h| [h.address.clone(), h.certificate.clone(), h.unit.clone()]));
    }
    for company in &city.companies {
        out.extend([company.code.expose().to_owned(), company.address.clone(), company.premises.clone()]);
        out.extend([company.name.clone(), company.licence.clone()]);
    }
    out
}

fn search(what: &str, bytes: &[u8], secrets: &[String]) {
    let text = String::from_utf8_lossy(bytes);
    for secret in secrets {
        assert!(
            !text.contains(secret.as_str()),
            "{what} holds personal data or a secret ({} characters)",
            secret.chars().count()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_and_no_personal_data() {
    let receiver = Receiver::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(receiver.clone()))
        .add_service(MetricsServiceServer::new(receiver.clone()))
        .serve_with_incoming(incoming);
    let serving = tokio::spawn(server);

    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child", "--exact", "--test-threads=1", "--nocapture"]);
    command.env(DIR, dir.path()).env(ENDPOINT, &endpoint).stderr(Stdio::piped()).stdout(Stdio::piped());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serving.abort();

    let traces = receiver.traces.lock().unwrap();
    let metrics = receiver.metrics.lock().unwrap();
    check_trace(&traces);
    check_metrics(&metrics);
    let secrets = secrets(&city());
    assert!(output.stderr.len() > 1_000, "the log was captured");
    search("the log", &output.stderr, &secrets);
    for request in traces.iter() {
        search("a span", &request.encode_to_vec(), &secrets);
    }
    for request in metrics.iter() {
        search("a metric", &request.encode_to_vec(), &secrets);
    }
    search_ledgers(dir.path(), &secrets);
}

/// The departments' records hold persons; the replicas beside them hold none.
fn search_ledgers(dir: &std::path::Path, secrets: &[String]) {
    let mut searched = 0;
    for member in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        for file in std::fs::read_dir(member).unwrap().map(|e| e.unwrap().path()) {
            if file.file_name().is_some_and(|n| n.to_string_lossy().starts_with("node.db")) {
                let bytes = std::fs::read(&file).unwrap();
                searched += bytes.len();
                search("a ledger replica", &bytes, secrets);
            }
        }
    }
    assert!(searched > 100_000, "the replicas were found: {searched} bytes");
}

fn check_trace(requests: &[ExportTraceServiceRequest]) {
    let spans: Vec<_> =
        requests.iter().flat_map(|r| &r.resource_spans).flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans).collect();
    let run: Vec<_> = spans.iter().filter(|s| s.name == "worker.run").collect();
    assert!(!run.is_empty(), "no worker span among {} spans", spans.len());
    let whole = run.iter().any(|run| {
        let of_trace: Vec<_> = spans.iter().filter(|s| s.trace_id == run.trace_id).map(|s| s.name.as_str()).collect();
        of_trace.contains(&"node.deliver") && of_trace.contains(&"node.submit") && of_trace.len() > 3
    });
    assert!(whole, "no trace goes through gateway, node and worker");
}

fn check_metrics(requests: &[ExportMetricsServiceRequest]) {
    let names: std::collections::BTreeSet<&str> = requests
        .iter()
        .flat_map(|r| &r.resource_metrics)
        .flat_map(|r| &r.scope_metrics)
        .flat_map(|s| &s.metrics)
        .map(|m| m.name.as_str())
        .collect();
    for name in ["covenant.node.decisions", "covenant.node.finality", "covenant.node.backlog", "covenant.node.commit"] {
        assert!(names.contains(name), "{name} is missing among {names:?}");
    }
}
