//! The OpenAPI 3.1 document, built from the table of routes.

use utoipa::openapi::header::Header;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, Content, InfoBuilder, OpenApi, OpenApiBuilder, Paths, Ref, RefOr, Required, Response, Schema,
};
use utoipa::{PartialSchema, ToSchema};

use crate::{
    Access, BuildRequest, BuildView, CataloguePage, Code, ConsentStatusView, Consortium, DatasetVersion,
    EntriesRequest, EntryResult, EpochDocument, EpochPart, Explanation, GrantStatusView, HEADERS, HealthReport,
    MAX_CATALOGUE_ITEMS, MAX_CHUNK_BYTES, PlanRequest, PlanResponse, Problem, QueriesRequest, QueryResult, ROUTES,
    RetrievalRequest, Route, Settlement, SimulateRequest, TOTAL_HEADER, Tip, schema,
};

const DESCRIPTION: &str = "Departments keep their records; others use them under policy and authorisation, and every \
use leaves evidence. Signed operations carry four headers; the signature covers the canonical CBOR map {0: consortium \
digest, 1: method, 2: path and query, 3: member, 4: created_ms, 5: nonce, 6: body digest} under the label \
`covenant/v1/request`. Errors are problem documents (RFC 9457) with a stable `code`. gRPC `covenant.v1.Gateway` serves \
the same on the same port.";

/// The document for the REST interface.
pub fn openapi() -> OpenApi {
    let mut paths = Paths::new();
    for route in ROUTES {
        let method = if route.method == "POST" { HttpMethod::Post } else { HttpMethod::Get };
        paths.add_path_operation(route.path, vec![method], operation(route));
    }
    let info = InfoBuilder::new()
        .title("Covenant gateway 信约网关")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components())).build()
}

fn components() -> Components {
    let mut components = Components::new();
    add::<Problem>(&mut components);
    add::<HealthReport>(&mut components);
    add::<Consortium>(&mut components);
    add::<Tip>(&mut components);
    add::<schema::Member>(&mut components);
    add::<schema::Purpose>(&mut components);
    add::<schema::Dataset>(&mut components);
    add::<CataloguePage>(&mut components);
    add::<DatasetVersion>(&mut components);
    add::<schema::RightState>(&mut components);
    add::<GrantStatusView>(&mut components);
    add::<ConsentStatusView>(&mut components);
    add::<EntriesRequest>(&mut components);
    add::<EntryResult>(&mut components);
    add::<PlanRequest>(&mut components);
    add::<PlanResponse>(&mut components);
    add::<SimulateRequest>(&mut components);
    add::<QueriesRequest>(&mut components);
    add::<QueryResult>(&mut components);
    add::<Explanation>(&mut components);
    add::<EpochDocument>(&mut components);
    add::<BuildRequest>(&mut components);
    add::<BuildView>(&mut components);
    add::<schema::Evaluation>(&mut components);
    add::<RetrievalRequest>(&mut components);
    add::<schema::Ceremony>(&mut components);
    add::<schema::Case>(&mut components);
    add::<Settlement>(&mut components);
    add::<schema::RequestState>(&mut components);
    add::<schema::Delegation>(&mut components);
    add::<schema::ProposalState>(&mut components);
    add::<schema::Roster>(&mut components);
    add::<schema::DisputeState>(&mut components);
    add::<schema::Calendar>(&mut components);
    add::<schema::Notice>(&mut components);
    add::<schema::RuleBook>(&mut components);
    add::<schema::Usage>(&mut components);
    add::<schema::Reliability>(&mut components);
    add::<schema::ConsentUse>(&mut components);
    add::<schema::Notification>(&mut components);
    for header in HEADERS {
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(header)));
        components.security_schemes.insert(header.into(), RefOr::T(scheme));
    }
    components
}

fn add<T: ToSchema>(components: &mut Components) {
    let mut nested = Vec::new();
    T::schemas(&mut nested);
    nested.push((T::name().into_owned(), T::schema()));
    components.schemas.extend(nested);
}

fn operation(route: &Route) -> Operation {
    let mut builder = OperationBuilder::new()
        .operation_id(Some(route.operation))
        .summary(Some(route.summary))
        .response(success_status(route), success(route))
        .response("default", problem());
    for parameter in parameters(route) {
        builder = builder.parameter(parameter);
    }
    if let Some(name) = request_schema(route.operation) {
        let body = RequestBodyBuilder::new()
            .content("application/json", json(Ref::from_schema_name(name)))
            .required(Some(Required::True))
            .build();
        builder = builder.request_body(Some(body));
    }
    if route.access == Access::Signed {
        builder = builder.security(signed());
    }
    builder.build()
}

fn signed() -> SecurityRequirement {
    HEADERS.iter().fold(SecurityRequirement::default(), |all, header| all.add(*header, Vec::<String>::new()))
}

fn success_status(route: &Route) -> &'static str {
    match route.operation {
        "record" => "201",
        "buildEpoch" | "retrieve" => "202",
        _ => "200",
    }
}

fn request_schema(operation: &str) -> Option<&'static str> {
    match operation {
        "record" => Some("EntriesRequest"),
        "plan" => Some("PlanRequest"),
        "simulate" => Some("SimulateRequest"),
        "ask" => Some("QueriesRequest"),
        "buildEpoch" => Some("BuildRequest"),
        "retrieve" => Some("RetrievalRequest"),
        _ => None,
    }
}

fn success(route: &Route) -> Response {
    let one = |name| json(Ref::from_schema_name(name));
    let many = |name| json(ArrayBuilder::new().items(Ref::from_schema_name(name)));
    let response = ResponseBuilder::new().description(route.summary);
    let any = || json(ObjectBuilder::new().schema_type(Type::Object));
    match route.operation {
        "live" => response.content("text/plain", Content::new(Some(String::schema()))),
        "buildEpoch" | "retrieve" => response,
        "epochFile" => {
            let total = ObjectBuilder::new().schema_type(Type::Integer).description(Some("Bytes of the whole file."));
            response
                .content("application/octet-stream", bytes("application/octet-stream"))
                .header(TOTAL_HEADER, Header::new(total))
        }
        "catalogueExport" => response.content("application/ld+json", any()),
        "retrieval" => response.content("application/cbor", bytes("application/cbor")),
        "evidence" | "receipt" => {
            response.content("application/json", any()).content("application/cbor", bytes("application/cbor"))
        }
        operation => response.content(
            "application/json",
            match operation {
                "health" => one("HealthReport"),
                "consortium" => one("Consortium"),
                "tip" => one("Tip"),
                "members" => many("Member"),
                "purposes" => many("Purpose"),
                "datasets" => many("Dataset"),
                "dataset" => one("Dataset"),
                "versions" => many("DatasetVersion"),
                "catalogue" => one("CataloguePage"),
                "catalogueItem" => one("CatalogueItem"),
                "right" => one("RightState"),
                "grants" => many("GrantStatusView"),
                "consent" => one("ConsentStatusView"),
                "record" => many("EntryResult"),
                "plan" => one("PlanResponse"),
                "ask" => many("QueryResult"),
                "progress" => one("QueryResult"),
                "explain" => one("Explanation"),
                "epoch" => one("EpochDocument"),
                "buildState" => one("BuildView"),
                "evaluation" => one("Evaluation"),
                "ceremonies" => many("Ceremony"),
                "cases" => many("Case"),
                "consentUses" => many("ConsentUse"),
                "notifications" => many("Notification"),
                "requests" => many("RequestState"),
                "request" => one("RequestState"),
                "delegations" => many("Delegation"),
                "proposals" => many("ProposalState"),
                "disputes" => many("DisputeState"),
                "calendar" => one("Calendar"),
                "notices" => many("Notice"),
                "tariff" => one("Tariff"),
                "roster" => one("Roster"),
                "ruleBooks" => many("RuleBook"),
                "usage" => many("Usage"),
                "settlement" => one("Settlement"),
                "reliability" => many("Reliability"),
                _ => any(),
            },
        ),
    }
    .build()
}

fn bytes(media_type: &str) -> Content {
    Content::new(Some(ObjectBuilder::new().schema_type(Type::String).content_media_type(media_type)))
}

fn json(schema: impl Into<RefOr<Schema>>) -> Content {
    Content::new(Some(schema))
}

/// One description of all failures, with the register of codes.
fn problem() -> Response {
    let codes: Vec<_> = Code::ALL.iter().map(|c| format!("`{c}` ({})", c.status())).collect();
    ResponseBuilder::new()
        .description(format!("A problem document. Codes: {}.", codes.join(", ")))
        .content("application/problem+json", json(Ref::from_schema_name("Problem")))
        .build()
}

fn parameters(route: &Route) -> Vec<Parameter> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let one = |name: &str, at, required, schema: ObjectBuilder| {
        ParameterBuilder::new().name(name).parameter_in(at).required(required).schema(Some(schema)).build()
    };
    let mut all: Vec<Parameter> = ["id", "intent"]
        .into_iter()
        .filter(|name| route.path.contains(&format!("{{{name}}}")))
        .map(|name| one(name, ParameterIn::Path, Required::True, text()))
        .collect();
    match route.operation {
        "progress" => {
            let wait = ObjectBuilder::new().schema_type(Type::Integer).maximum(Some(crate::MAX_WAIT_MS as f64));
            all.push(one("wait_ms", ParameterIn::Query, Required::False, wait));
        }
        "epochFile" => {
            let integer = || ObjectBuilder::new().schema_type(Type::Integer);
            let length = integer().minimum(Some(1.0)).maximum(Some(f64::from(MAX_CHUNK_BYTES)));
            let part = text().enum_values(Some(EpochPart::ALL.map(EpochPart::name)));
            all.push(one("part", ParameterIn::Path, Required::True, part));
            all.push(one("dataset", ParameterIn::Query, Required::True, text()));
            all.push(one("epoch", ParameterIn::Query, Required::True, integer()));
            all.push(one("overlay", ParameterIn::Query, Required::False, integer()));
            all.push(one("offset", ParameterIn::Query, Required::False, integer()));
            all.push(one("length", ParameterIn::Query, Required::True, length));
        }
        "catalogue" => {
            let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1.0));
            let limit = limit.maximum(Some(f64::from(MAX_CATALOGUE_ITEMS)));
            for name in ["q", "holder", "sharing", "grade", "mode", "subject", "stage", "after"] {
                all.push(one(name, ParameterIn::Query, Required::False, text()));
            }
            all.push(one("limit", ParameterIn::Query, Required::False, limit));
        }
        "catalogueExport" => all.push(one("base", ParameterIn::Query, Required::False, text())),
        "usage" | "settlement" => {
            let month = ObjectBuilder::new().schema_type(Type::Integer);
            all.push(one("month", ParameterIn::Query, Required::False, month));
        }
        "consentUses" | "notifications" => {
            let after = ObjectBuilder::new().schema_type(Type::Integer);
            all.push(one("after", ParameterIn::Query, Required::False, after));
        }
        "explain" => {
            let replay = ObjectBuilder::new().schema_type(Type::Boolean);
            all.push(one("replay", ParameterIn::Query, Required::False, replay));
        }
        _ => {}
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden file; `COVENANT_BLESS=1` rewrites it.
    #[test]
    fn the_committed_document_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let now = openapi().to_pretty_json().unwrap() + "\n";
        if std::env::var_os("COVENANT_BLESS").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == now, "openapi.json is not current: run with COVENANT_BLESS=1 and review the difference");
    }

    #[test]
    fn every_reference_has_its_schema() {
        let text = openapi().to_json().unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        for part in text.split("\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
        assert_eq!(document["openapi"], "3.1.0");
    }
}
