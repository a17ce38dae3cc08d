//! The OpenAPI 3.1 document, built from the table of routes.

use covenant_api::{Code, HEADERS};
use serde_json::{Map, Value, json};

use crate::problem::Trouble;
use crate::routes::{ROUTES, Route, Who};

const DESCRIPTION: &str = "A consumer asks for a consent with signed terms and a sealed subject; the subject, or its \
guardian, logs in and agrees; the consent goes on the ledger and the ticket to the consumer. Members sign requests as at \
the gateway. Citizens come with the session's cookie, and then send `covenant-csrf` with every change, or with an \
identity token as bearer. Errors are problem documents (RFC 9457) with a stable `code`.";

/// The document of the service.
pub fn openapi() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(route.method.to_lowercase(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Covenant authorisation service 信约授权服务",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
        },
        "paths": paths,
        "components": { "schemas": schemas(), "securitySchemes": securities() },
    })
}

fn operation(route: &Route) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("operationId", json!(route.operation));
    put("summary", json!(route.summary));
    put("description", json!(format!("For: {}.", route.who.name())));
    if let Some(parameter) = parameter(route) {
        put("parameters", json!([parameter]));
    }
    if !route.body.is_empty() {
        let content = json!({ "application/json": { "schema": reference(route.body) } });
        put("requestBody", json!({ "required": true, "content": content }));
    }
    put("responses", json!({ success_status(route): success(route), "default": problem() }));
    match route.who {
        Who::Anyone => None,
        Who::Consumer | Who::Operator => {
            let all: Map<String, Value> = HEADERS.iter().map(|h| ((*h).to_owned(), json!([]))).collect();
            put("security", json!([all]))
        }
        Who::Citizen => put("security", json!([{ "session": [] }, { "token": [] }])),
    };
    Value::Object(out)
}

fn success_status(route: &Route) -> &'static str {
    match route.operation {
        "request" | "register" => "201",
        "login" | "loginCallback" => "303",
        _ if route.answer.is_empty() => "204",
        _ => "200",
    }
}

fn success(route: &Route) -> Value {
    let schema = match route.answer {
        "" => return json!({ "description": route.summary }),
        "text" => {
            return json!({
                "description": route.summary, "content": { "text/plain": { "schema": { "type": "string" } } },
            });
        }
        "object" => json!({ "type": "object" }),
        list if list.starts_with("[]") => {
            json!({ "type": "array", "items": reference(list.trim_start_matches("[]")) })
        }
        one => reference(one),
    };
    json!({ "description": route.summary, "content": { "application/json": { "schema": schema } } })
}

fn problem() -> Value {
    let own = Trouble::ALL.iter().map(|c| format!("`{}` ({})", c.as_str(), c.status()));
    let shared = Code::ALL.iter().filter(|c| SHARED.contains(c)).map(|c| format!("`{c}` ({})", c.status()));
    let codes: Vec<String> = own.chain(shared).collect();
    json!({
        "description": format!("A problem document. Codes: {}.", codes.join(", ")),
        "content": { "application/problem+json": { "schema": reference("Problem") } },
    })
}

/// Codes of the gateway that this service gives too.
const SHARED: &[Code] = &[
    Code::BodyMalformed,
    Code::BodyTooLarge,
    Code::Internal,
    Code::MemberUnknown,
    Code::MethodNotAllowed,
    Code::NonceReplayed,
    Code::ParameterInvalid,
    Code::RequestStale,
    Code::RouteUnknown,
    Code::SignatureInvalid,
    Code::SignatureMalformed,
    Code::SignatureMissing,
    Code::TooManyRequests,
    Code::UnsupportedMediaType,
];

fn parameter(route: &Route) -> Option<Value> {
    let name = ["id", "purpose"].into_iter().find(|name| route.path.contains(&format!("{{{name}}}")))?;
    Some(json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn securities() -> Value {
    let mut all: Map<String, Value> =
        HEADERS.iter().map(|h| ((*h).to_owned(), json!({ "type": "apiKey", "in": "header", "name": h }))).collect();
    all.insert("session".into(), json!({ "type": "apiKey", "in": "cookie", "name": "covenant-session" }));
    all.insert("token".into(), json!({ "type": "http", "scheme": "bearer", "bearerFormat": "identity token" }));
    Value::Object(all)
}

/// Name, required fields, fields that may be absent.
type Shape = (&'static str, &'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)]);

const TERMS: &[(&str, &str)] = &[
    ("consortium", "string"),
    ("authoriser", "string"),
    ("consumer", "string"),
    ("purpose", "string"),
    ("scopes", "[]ConsentScope"),
    ("modes", "[]string"),
    ("valid_from_ms", "integer"),
    ("valid_until_ms", "integer"),
    ("max_uses", "integer"),
    ("data_life_days", "integer"),
    ("subject", "string"),
    ("made_ms", "integer"),
];

const SHAPES: &[Shape] = &[
    (
        "Problem",
        &[("type", "string"), ("title", "string"), ("status", "integer"), ("detail", "string"), ("code", "string")],
        &[("instance", "string"), ("retry_after_s", "integer")],
    ),
    ("ConsentScope", &[("dataset", "string"), ("fields", "[]string")], &[]),
    ("ConsentKind", &[("kind", "string")], &[("case", "string"), ("sealed_until_ms", "integer")]),
    ("Quota", &[("limit", "integer"), ("window_ms", "integer")], &[]),
    ("NoticeShown", &[("version", "integer"), ("text", "string")], &[]),
    ("RequestTerms", TERMS, &[("kind", "ConsentKind"), ("frequency", "Quota"), ("notice", "NoticeShown")]),
    ("NewRequest", &[("terms", "RequestTerms"), ("sealed_subject", "string"), ("signature", "string")], &[]),
    ("Consent", &[("id", "string"), ("consumer", "string"), ("purpose", "string"), ("commitment", "string")], &[]),
    ("ConsentTicket", &[("consent", "Consent"), ("sealed", "string")], &[]),
    (
        "RequestView",
        &[("id", "string"), ("state", "string"), ("expires_ms", "integer")],
        &[("ticket", "ConsentTicket")],
    ),
    (
        "NoticeText",
        &[("purpose", "string"), ("version", "integer"), ("digest", "string"), ("zh", "string"), ("en", "string")],
        &[],
    ),
    (
        "MyRequest",
        &[("id", "string"), ("terms", "RequestTerms"), ("consumer_names", "[]string"), ("expires_ms", "integer")],
        &[("notice", "NoticeText"), ("capacity", "string")],
    ),
    ("Approval", &[("terms", "string")], &[("notice", "string")]),
    ("Changed", &[("consent", "string"), ("leaf", "integer"), ("height", "integer")], &[]),
    (
        "MyConsent",
        &[("consent", "Consent"), ("status", "string"), ("uses", "integer")],
        &[("leaf", "integer"), ("height", "integer"), ("capacity", "string")],
    ),
    (
        "ConsentUse",
        &[
            ("intent", "string"),
            ("leaf", "integer"),
            ("height", "integer"),
            ("time_ms", "integer"),
            ("consumer", "string"),
            ("dataset", "string"),
            ("purpose", "string"),
            ("mode", "string"),
            ("fields", "[]string"),
            ("outcome", "string"),
        ],
        &[("holder", "string")],
    ),
    ("MyUse", &[("consent", "string"), ("use", "ConsentUse")], &[("case", "string")]),
    ("SessionView", &[("kind", "string"), ("minor", "boolean"), ("csrf", "string")], &[]),
    (
        "NewRepresentation",
        &[
            ("capacity", "string"),
            ("sealed_names", "string"),
            ("evidence", "string"),
            ("valid_from_ms", "integer"),
            ("valid_until_ms", "integer"),
        ],
        &[("purposes", "[]string")],
    ),
    ("Registered", &[("id", "string")], &[]),
    (
        "ServiceView",
        &[
            ("consortium", "string"),
            ("authoriser", "string"),
            ("issuer", "string"),
            ("client_id", "string"),
            ("notices", "[]string"),
            ("faults", "[]string"),
        ],
        &[],
    ),
];

fn schemas() -> Value {
    let mut all = Map::new();
    for (name, required, optional) in SHAPES {
        let fields = required.iter().chain(*optional);
        let properties: Map<String, Value> = fields.map(|(f, kind)| ((*f).to_owned(), kind_of(kind))).collect();
        let names: Vec<&str> = required.iter().map(|(f, _)| *f).collect();
        all.insert((*name).to_owned(), json!({ "type": "object", "required": names, "properties": properties }));
    }
    Value::Object(all)
}

fn kind_of(kind: &str) -> Value {
    match kind {
        list if list.starts_with("[]") => json!({ "type": "array", "items": kind_of(list.trim_start_matches("[]")) }),
        "string" | "integer" | "boolean" => json!({ "type": kind }),
        name => reference(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden file; `COVENANT_BLESS=1` rewrites it.
    fn golden(file: &str, now: &str) {
        let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("COVENANT_BLESS").is_some() {
            std::fs::write(&path, now).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == now, "{file} is not current: run with COVENANT_BLESS=1 and review the difference");
    }

    #[test]
    fn the_document_of_the_authority_is_current() {
        golden("openapi.json", &(serde_json::to_string_pretty(&openapi()).unwrap() + "\n"));
    }

    #[test]
    fn who_may_call_what_is_a_reviewed_list() {
        let lines: Vec<String> = ROUTES.iter().map(|r| format!("{} {} {}\n", r.who.name(), r.method, r.path)).collect();
        golden("access.txt", &lines.concat());
    }

    #[test]
    fn every_reference_of_the_authority_has_its_schema() {
        let document = openapi();
        let text = document.to_string();
        for part in text.split("\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }

    /// Fields of a value, against the shape of its name.
    fn fits<T: serde::Serialize>(name: &str, value: &T) {
        let value = serde_json::to_value(value).unwrap();
        let (_, required, optional) = SHAPES.iter().find(|(n, _, _)| *n == name).unwrap();
        for (field, _) in *required {
            assert!(value.get(field).is_some(), "{name} lacks `{field}`");
        }
        for field in value.as_object().unwrap().keys() {
            let known = required.iter().chain(*optional).any(|(f, _)| f == field);
            assert!(known, "`{field}` of {name} is not described");
        }
    }

    #[test]
    fn shapes_are_those_of_what_is_served() {
        use crate::view::{
            Approval, Changed, MyUse, NewRepresentation, Registered, RequestState, RequestView, SessionView,
        };
        use covenant_canon::Digest;
        use covenant_domain::{Capacity, ConsentId, ConsentUse, DatasetId, IntentId, MemberId, Mode, UseOutcome};
        let (digest, member) = (Digest::ZERO, MemberId::new("bank").unwrap());
        let consent = ConsentId::from_parts(1, &[1; 10]);
        fits("RequestView", &RequestView { id: digest, state: RequestState::Issued, expires_ms: 1, ticket: None });
        fits("Approval", &Approval { terms: digest, notice: Some(digest) });
        fits("Changed", &Changed { consent, leaf: 1, height: 1 });
        fits("SessionView", &SessionView { kind: "resident".into(), minor: false, csrf: String::new() });
        fits("Registered", &Registered { id: String::new() });
        let purpose: covenant_domain::PurposeCode = "p".parse().unwrap();
        let new = NewRepresentation {
            capacity: Capacity::Guardian,
            sealed_names: vec![1].into(),
            evidence: digest,
            purposes: vec![purpose.clone()],
            valid_from_ms: 1,
            valid_until_ms: 2,
        };
        fits("NewRepresentation", &new);
        let found = ConsentUse {
            intent: IntentId::from_parts(1, &[1; 10]),
            leaf: 1,
            height: 1,
            time_ms: 1,
            consumer: member.clone(),
            holder: Some(member),
            dataset: DatasetId::new("cov:a/b/c/d/e").unwrap(),
            purpose,
            mode: Mode::Match,
            fields: vec![],
            outcome: UseOutcome::Answered,
        };
        fits("ConsentUse", &found);
        fits("MyUse", &MyUse { consent, case: Some("1".into()), found });
    }
}
