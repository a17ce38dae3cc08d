//! The consumer's SDK: asks the gateway, and keeps every secret in its own process.
//!
//! A [`Client`] holds the member's keys, the consortium's genesis as trust root, and a connection over REST or gRPC. It
//! signs entries and requests, seals inputs to the holder named by the trust root, opens answers, and verifies evidence
//! offline. The gateway sees ciphertext and metadata; nothing it says is believed that the trust root can check.
//!
//! What it does not do: store answers, decide what may be asked, or talk to a holder directly.
#![deny(missing_docs)]

mod audit;
pub mod authorise;
mod batcher;
mod case;
mod catalogue;
mod client;
mod config;
mod dispute;
mod entry;
mod epoch;
mod error;
mod evidence;
mod grpc;
mod identity;
mod link;
mod lookup;
mod oversight;
mod policy;
mod query;
mod register;
mod reply;
mod request;
mod rest;
mod sealing;
mod socket;
mod trustee;

pub use audit::Recomputed;
pub use authorise::{ConsentTicket, Terms};
pub use batcher::Batcher;
pub use case::OpenedEscrow;
pub use catalogue::SALT_BYTES;
pub use client::Client;
pub use config::{ClientConfig, Transport};
pub use covenant_api::{
    BuildView, CatalogueItem, CataloguePage, CatalogueQuery, ConsentStatusView, Consortium, DatasetVersion,
    EntryResult, EpochDocument, EpochPart, EscrowKey, Explanation, FileChunk, GrantStatusView, HealthReport,
    MAX_CHUNK_BYTES, PlanRequest, PlanResponse, Problem, QueryState, Settlement, Tip,
};
pub use dispute::Grounds;
pub use error::ClientError;
pub use identity::{Identity, load_identity, save_identity, save_identity_at_cost};
pub use lookup::{Found, LookupQuestion};
pub use query::{Ground, Question};
pub use reply::Reply;
pub use request::{RequestDraft, ten_random_bytes};
pub use sealing::Prepared;
pub use trustee::ShareFile;
