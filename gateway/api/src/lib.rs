//! What the gateway speaks in public: data transfer objects, request signatures, problem documents and the OpenAPI
//! document that describes them.
//!
//! Domain nouns travel as they are: their JSON is that of `schemas/domain`. Binary payloads are base64 text. Nothing here
//! opens a socket, reads a clock or decides anything; use cases are `gateway/app`, transport is `gateway/server`.
#![deny(missing_docs)]

mod binary;
mod catalogue;
mod consent;
mod consortium;
mod entry;
mod epoch;
mod evidence;
mod grant;
mod health;
mod ledger;
mod lookup;
mod openapi;
mod plan;
mod policy;
mod problem;
mod query;
mod routes;
mod schema;
mod signature;
mod usage;

pub use binary::Base64Bytes;
pub use catalogue::{
    CATALOGUE_ITEMS, CatalogueItem, CataloguePage, CatalogueQuery, DatasetPath, DatasetVersion, ExportQuery,
    MAX_CATALOGUE_ITEMS, MAX_SEARCH_CHARS,
};
pub use consent::ConsentStatusView;
pub use consortium::Consortium;
pub use entry::{EntriesRequest, EntryResult};
pub use epoch::{
    BuildRequest, BuildView, EpochDocument, EpochPart, EscrowKey, FileChunk, FileQuery, MAX_CHUNK_BYTES,
    MAX_EPOCH_DAYS, TOTAL_HEADER,
};
pub use evidence::{ExplainQuery, Explanation};
pub use grant::GrantStatusView;
pub use health::{HealthReport, NodeReport};
pub use ledger::Tip;
pub use lookup::RetrievalRequest;
pub use openapi::openapi;
pub use plan::{PlanRequest, PlanResponse, RefusedMode};
pub use policy::{MAX_SIMULATED, SimulateRequest};
pub use problem::{Code, Problem};
pub use query::{MAX_WAIT_MS, QueriesRequest, QueryInputItem, QueryResult, QueryState, WaitQuery};
pub use routes::{Access, GRPC_SERVICE, ROUTES, Route, grpc_target};
pub use signature::{FRESHNESS_MS, HEADERS, Nonce, RequestSignature, SignatureError, SignedContent};
pub use usage::{MonthQuery, Settlement, UsesQuery};
