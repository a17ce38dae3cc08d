//! The table of addresses: the server serves it, the OpenAPI document lists it, a test compares them.

/// Full name of the gRPC service.
pub const GRPC_SERVICE: &str = "covenant.v1.Gateway";

/// What a gRPC caller signs as target, for example `/covenant.v1.Gateway/Ask`.
pub fn grpc_target(method: &str) -> String {
    format!("/{GRPC_SERVICE}/{method}")
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Public,
    /// A member, with a request signature.
    Signed,
}

/// One address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// HTTP method.
    pub method: &'static str,
    /// Path template.
    pub path: &'static str,
    /// Operation id, camel case.
    pub operation: &'static str,
    /// Who may call.
    pub access: Access,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// gRPC method that does the same; empty when there is none.
    pub grpc: &'static str,
}

const fn public(path: &'static str, operation: &'static str, summary: &'static str, grpc: &'static str) -> Route {
    Route { method: "GET", path, operation, access: Access::Public, summary, grpc }
}

const fn get(path: &'static str, operation: &'static str, summary: &'static str, grpc: &'static str) -> Route {
    Route { method: "GET", path, operation, access: Access::Signed, summary, grpc }
}

const fn post(path: &'static str, operation: &'static str, summary: &'static str, grpc: &'static str) -> Route {
    Route { method: "POST", path, operation, access: Access::Signed, summary, grpc }
}

/// Every address of the REST interface but the index page.
pub const ROUTES: &[Route] = &[
    public("/healthz", "live", "The process answers.", ""),
    public("/openapi.json", "openapi", "This document.", ""),
    public("/v1/health", "health", "Every node signs, verifies and reads back its newest block.", "Health"),
    public("/v1/consortium", "consortium", "The founding document and its digest: the trust root.", "Consortium"),
    get("/v1/ledger/tip", "tip", "The newest block.", "Tip"),
    get("/v1/members", "members", "All members.", "Members"),
    get("/v1/purposes", "purposes", "All registered purposes.", "Purposes"),
    get("/v1/datasets", "datasets", "All datasets in force.", "Datasets"),
    get("/v1/datasets/{id}", "dataset", "One dataset; slashes of its id may stay as they are.", "Dataset"),
    get("/v1/datasets/{id}/versions", "versions", "All revisions of a dataset.", "DatasetVersions"),
    get("/v1/catalogue", "catalogue", "Searches the catalogue, in Chinese or English.", "Catalogue"),
    get("/v1/catalogue/{id}", "catalogueItem", "One dataset with where it stands.", "CatalogueItem"),
    get("/v1/catalogue.jsonld", "catalogueExport", "The catalogue by DCAT-AP 3, in JSON-LD.", "CatalogueExport"),
    get("/v1/rights/{id}", "right", "A change of a right, for its signers and regulators.", "Right"),
    get("/v1/epochs/{id}", "epoch", "The epoch in force of a dataset's private lookup.", "Epoch"),
    get(
        "/v1/epoch-files/{part}",
        "epochFile",
        "A chunk of a file of an epoch; matrices not for consumers.",
        "EpochFile",
    ),
    post("/v1/epochs", "buildEpoch", "Starts to build an epoch or overlay, for the dataset's holder.", "BuildEpoch"),
    get("/v1/epoch-builds/{id}", "buildState", "How the newest build of the caller's dataset stands.", "BuildState"),
    get("/v1/grants", "grants", "Grants of which the caller is a party; all of them for a regulator.", "Grants"),
    get("/v1/consents/{id}", "consent", "One consent, for its parties and regulators.", "Consent"),
    get("/v1/consents/{id}/uses", "consentUses", "Queries that named a consent, and how each ended.", "ConsentUses"),
    get("/v1/notifications", "notifications", "Permits that the caller is told of by a guard rule.", "Notifications"),
    get("/v1/requests", "requests", "Access requests that concern the caller.", "Requests"),
    get("/v1/requests/{id}", "request", "One access request with its steps and clock.", "Request"),
    get("/v1/delegations", "delegations", "Who acts for whom.", "Delegations"),
    get("/v1/proposals", "proposals", "All proposals with their votes.", "Proposals"),
    get("/v1/disputes", "disputes", "Disputes about records, for their parties and regulators.", "Disputes"),
    get("/v1/calendar", "calendar", "Working days and statutory clocks in force.", "Calendar"),
    get("/v1/notices", "notices", "The newest notice text of each purpose, by digest.", "Notices"),
    get("/v1/roster", "roster", "Members, former ones too, how each stands, and the charter.", "Roster"),
    get("/v1/tariff", "tariff", "What answers are worth.", "Tariff"),
    get("/v1/rule-books", "ruleBooks", "Rule books in force.", "RuleBooks"),
    get("/v1/usage", "usage", "Counters of the caller's queries and answers; all of them for a regulator.", "Usage"),
    get("/v1/settlement", "settlement", "Contribution accounts of all members.", "Settlement"),
    get("/v1/reliability", "reliability", "How far the answers of each dataset can be relied on.", "Reliability"),
    get("/v1/entries/{id}/receipt", "receipt", "The receipt of an entry, as JSON or canonical CBOR.", "Receipt"),
    post("/v1/entries", "record", "Records administrative entries and waits until they are final.", "Record"),
    post("/v1/plan", "plan", "The least revealing mode that would be permitted now.", "Plan"),
    post("/v1/policy/simulate", "simulate", "What past queries would have been told under a rule book.", "Simulate"),
    post("/v1/queries", "ask", "Sends queries and waits for their answers.", "Ask"),
    get("/v1/queries/{intent}", "progress", "Where a query of the caller stands.", "Progress"),
    get("/v1/queries/{intent}/evaluation", "evaluation", "The holder's evaluation for a lookup.", "Evaluation"),
    post("/v1/queries/{intent}/retrieval", "retrieve", "Sends the encrypted question of a lookup.", "Retrieve"),
    get("/v1/queries/{intent}/retrieval", "retrieval", "What was sent so, as canonical CBOR.", "Retrieval"),
    get("/v1/queries/{intent}/evidence", "evidence", "The evidence bundle, as JSON or canonical CBOR.", "Evidence"),
    get("/v1/queries/{intent}/explanation", "explain", "Why a query was decided as it was.", "Explain"),
    get("/v1/ceremonies", "ceremonies", "All ceremonies of the escrow key.", "Ceremonies"),
    get("/v1/cases", "cases", "All cases about lookups, for regulators and trustees.", "Cases"),
];
