//! Logs, traces and metrics of the process. Nothing leaves the machine unless an OTLP endpoint is named.

use std::io::IsTerminal as _;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// What is observed, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetryConfig {
    /// OTLP gRPC endpoint for traces and metrics, for example `http://collector:4317`; none exports nothing.
    pub otlp_endpoint: Option<String>,
    /// Whether logs are JSON lines.
    pub json_logs: bool,
    /// Filter directives, for example `info,covenant_server=debug`.
    pub filter: String,
    /// Name under which the process appears.
    pub service: String,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { otlp_endpoint: None, json_logs: false, filter: "info".into(), service: "covenant-gateway".into() }
    }
}

/// Why telemetry does not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("log filter `{filter}` cannot be read")]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// An exporter cannot be built.
    #[error("cannot export to the OTLP endpoint")]
    Exporter(#[from] ExporterBuildError),
    /// Something else was installed before.
    #[error("telemetry of this process is set up already")]
    Twice(#[from] TryInitError),
}

/// Keeps exporters running; flushes them when dropped. Hold it until the process ends.
#[derive(Debug)]
#[must_use = "dropping it stops the exporters"]
pub struct Guard {
    tracer: Option<SdkTracerProvider>,
    meter: Option<SdkMeterProvider>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // What cannot be flushed at the end is lost; there is nowhere left to say so.
        let _traces = self.tracer.take().map(|t| t.shutdown());
        let _metrics = self.meter.take().map(|m| m.shutdown());
    }
}

/// Installs logging on standard error, W3C trace context, and exporters if configured. Once per process, before
/// [`serve`](crate::serve), inside the tokio runtime.
///
/// # Errors
/// [`TelemetryError`] for an unreadable filter, an endpoint that cannot be used, or a second call.
pub fn init(config: &TelemetryConfig) -> Result<Guard, TelemetryError> {
    let wrong = |source| TelemetryError::Filter { filter: config.filter.clone(), source };
    let filter = EnvFilter::try_new(&config.filter).map_err(wrong)?;
    let guard = exporters(config)?;
    let plain = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let logs = if config.json_logs { plain.json().with_span_list(false).boxed() } else { plain.boxed() };
    let traces = guard.tracer.as_ref().map(|p| tracing_opentelemetry::layer().with_tracer(p.tracer("covenant")));
    tracing_subscriber::registry().with(logs).with(traces).with(filter).try_init()?;
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    Ok(guard)
}

fn exporters(config: &TelemetryConfig) -> Result<Guard, TelemetryError> {
    let Some(endpoint) = &config.otlp_endpoint else { return Ok(Guard { tracer: None, meter: None }) };
    let resource = Resource::builder().with_service_name(config.service.clone()).build();
    let spans = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let figures = MetricExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let tracer = SdkTracerProvider::builder().with_batch_exporter(spans).with_resource(resource.clone()).build();
    let meter = SdkMeterProvider::builder().with_periodic_exporter(figures).with_resource(resource).build();
    opentelemetry::global::set_meter_provider(meter.clone());
    opentelemetry::global::set_tracer_provider(tracer.clone());
    Ok(Guard { tracer: Some(tracer), meter: Some(meter) })
}
