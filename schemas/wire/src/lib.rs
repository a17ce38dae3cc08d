//! Protobuf messages and gRPC stubs of the gateway, and their conversions: fallible in, infallible out.
//!
//! The messages are generated from `proto/covenant/v1/gateway.proto`. They mirror the public objects of `gateway/api`;
//! inside the house nobody works with them. `proto/covenant/node/v1/node.proto` is the envelope in which a gateway asks nodes. This is the only room that names the protobuf code generator.
#![deny(missing_docs)]

mod catalogue;
mod envelope;
mod epoch;
mod error;
mod evidence;
mod find;
mod plan;
mod policy;
mod query;
mod signed;
mod status;

#[cfg(test)]
mod tests;

/// Generated code.
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
pub mod v1 {
    tonic::include_proto!("covenant.v1");
}

/// Generated code.
pub mod node {
    /// Generated code.
    #[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
    pub mod v1 {
        tonic::include_proto!("covenant.node.v1");
    }
}

pub use catalogue::{documents, read_documents};
pub use envelope::{CALL_VERSION, EnvelopeError, enclose, open};
pub use error::WireError;
pub use prost::Message;
pub use signed::{decode_payload, seal_call};
pub use status::{problem_of, status_of};
