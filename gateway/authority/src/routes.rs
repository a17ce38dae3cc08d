//! The table of addresses: the service serves it, its OpenAPI document lists it, tests compare them.

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anyone.
    Anyone,
    /// A member with the role of a consumer, by request signature; its own requests only.
    Consumer,
    /// The service's own member, by request signature.
    Operator,
    /// A person or company that is logged in; what is about it or whom it speaks for.
    Citizen,
}

impl Who {
    /// The word in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Consumer => "consumer",
            Self::Operator => "operator",
            Self::Citizen => "citizen",
        }
    }
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
    pub who: Who,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Schema of the body; empty when there is none.
    pub body: &'static str,
    /// Schema of the answer; empty when there is none, `[]` before the name of a list's items.
    pub answer: &'static str,
}

const fn route(
    method: &'static str,
    path: &'static str,
    operation: &'static str,
    who: Who,
    summary: &'static str,
    body: &'static str,
    answer: &'static str,
) -> Route {
    Route { method, path, operation, who, summary, body, answer }
}

use Who::{Anyone, Citizen, Consumer, Operator};

/// Every address.
pub const ROUTES: &[Route] = &[
    route("GET", "/healthz", "live", Anyone, "The process answers.", "", "text"),
    route("GET", "/openapi.json", "openapi", Anyone, "This document.", "", "object"),
    route("GET", "/v1/service", "service", Anyone, "Which service of which consortium this is.", "", "ServiceView"),
    route("GET", "/v1/notices/{purpose}", "notice", Anyone, "The notice text of a purpose.", "", "NoticeText"),
    route("GET", "/v1/login", "login", Anyone, "Sends the browser to the identity provider.", "", ""),
    route("GET", "/v1/login/callback", "loginCallback", Anyone, "Where the provider sends it back to.", "", ""),
    route("POST", "/v1/consent-requests", "request", Consumer, "Asks for a consent.", "NewRequest", "RequestView"),
    route("GET", "/v1/consent-requests/{id}", "requestStatus", Consumer, "Where it stands.", "", "RequestView"),
    route("DELETE", "/v1/consent-requests/{id}", "withdraw", Consumer, "Takes it back.", "", "RequestView"),
    route(
        "POST",
        "/v1/representations",
        "register",
        Operator,
        "Registers who may speak for whom.",
        "NewRepresentation",
        "Registered",
    ),
    route("DELETE", "/v1/representations/{id}", "endRepresentation", Operator, "Ends a representation.", "", ""),
    route(
        "GET",
        "/v1/my/session",
        "session",
        Citizen,
        "Who is logged in, and the session's own token.",
        "",
        "SessionView",
    ),
    route("POST", "/v1/my/logout", "logout", Citizen, "Ends the session.", "", ""),
    route("GET", "/v1/my/requests", "myRequests", Citizen, "Requests that wait for the caller.", "", "[]MyRequest"),
    route("POST", "/v1/my/requests/{id}/approve", "approve", Citizen, "Agrees as shown.", "Approval", "Changed"),
    route("POST", "/v1/my/requests/{id}/decline", "decline", Citizen, "Says no.", "", ""),
    route("GET", "/v1/my/consents", "myConsents", Citizen, "Consents and opened authorities.", "", "[]MyConsent"),
    route("POST", "/v1/my/consents/{id}/pause", "pause", Citizen, "No use until resumed.", "", "Changed"),
    route("POST", "/v1/my/consents/{id}/resume", "resume", Citizen, "Use again.", "", "Changed"),
    route("POST", "/v1/my/consents/{id}/revoke", "revoke", Citizen, "Ends a consent for good.", "", "Changed"),
    route("GET", "/v1/my/uses", "myUses", Citizen, "Every use of the caller's data.", "", "[]MyUse"),
];
