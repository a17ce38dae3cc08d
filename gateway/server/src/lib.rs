//! The gateway's one port: REST and gRPC over the use cases of `gateway/app`.
//!
//! This room reads requests, identifies callers, and turns results and problems into responses. It keeps no state but
//! connections, and holds no key that opens anything. [`serve`] is the whole interface; [`telemetry`] sets up logs,
//! traces and metrics for the process.
//!
//! It makes no certificates: TLS is configured by whoever starts it, with `privacy/tls`.
#![deny(missing_docs)]

mod config;
mod failure;
mod grpc;
mod index;
mod metrics;
mod observe;
mod rest;
mod router;
mod serve;
mod signed;
mod state;
pub mod telemetry;

pub use config::{OnTrust, ServerConfig, Tls};
pub use serve::{Running, ServeError, serve};
