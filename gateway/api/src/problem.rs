//! Problem documents (RFC 9457) and the register of their codes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! codes {
    ($($variant:ident = $text:literal, $status:literal, $title:literal;)*) => {
        /// Stable code of a problem. Codes are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the register.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as it is served.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// HTTP status that goes with it.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// What it means, in a few words that never change.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    BodyMalformed = "body-malformed", 400, "the body cannot be read";
    ParameterInvalid = "parameter-invalid", 400, "a path or query parameter is wrong";
    BatchMalformed = "batch-malformed", 400, "the signed batch cannot be read";
    BatchInvalid = "batch-invalid", 400, "the signed batch does not hold";
    InputMismatch = "input-mismatch", 400, "inputs do not belong to the intents";
    IntentElsewhere = "intent-elsewhere", 400, "queries are sent with their inputs";
    NotAnIntent = "not-an-intent", 400, "only intents are queries";
    WaitTooLong = "wait-too-long", 400, "the wait exceeds the limit";
    SignatureMissing = "signature-missing", 401, "the request is not signed";
    SignatureMalformed = "signature-malformed", 401, "the request signature cannot be read";
    SignatureInvalid = "signature-invalid", 401, "the request signature does not verify";
    RequestStale = "request-stale", 401, "the request was made too long ago or in the future";
    NonceReplayed = "nonce-replayed", 401, "the request was received before";
    MemberUnknown = "member-unknown", 401, "the member is not of this consortium";
    ForeignAuthor = "foreign-author", 403, "the batch is another member's";
    NotAParty = "not-a-party", 403, "the caller is not a party to this record";
    RouteUnknown = "route-unknown", 404, "there is nothing at this address";
    DatasetUnknown = "dataset-unknown", 404, "no such dataset is in force";
    ConsentUnknown = "consent-unknown", 404, "no such consent is on the ledger";
    RequestUnknown = "request-unknown", 404, "no such access request is on the ledger";
    EntryUnknown = "entry-unknown", 404, "no such entry is on the ledger";
    EpochUnknown = "epoch-unknown", 404, "the dataset has no epoch of private lookup";
    EpochFileUnknown = "epoch-file-unknown", 404, "there is no such file of that epoch";
    RetrievalUnknown = "retrieval-unknown", 404, "nothing was retrieved for this query";
    IntentUnknown = "intent-unknown", 404, "no such query is on the ledger";
    RightUnknown = "right-unknown", 404, "no such change of a right is on the ledger";
    MethodNotAllowed = "method-not-allowed", 405, "the address does not take this method";
    NotAcceptable = "not-acceptable", 406, "none of the accepted media types is served here";
    NotDecided = "not-decided", 409, "the query has not been decided yet";
    NotPermitted = "not-permitted", 409, "the query is no lookup, or is not permitted yet";
    BodyTooLarge = "body-too-large", 413, "the body exceeds the limit";
    UnsupportedMediaType = "unsupported-media-type", 415, "the body has another media type than expected";
    PolicyInvalid = "policy-invalid", 422, "the rule book does not hold";
    PersonalData = "personal-data", 422, "a text reads as somebody's number or address";
    Refused = "refused", 422, "the consortium refused the request";
    TooManyRequests = "too-many-requests", 429, "the member sends requests too fast";
    BacklogFull = "backlog-full", 429, "the member has too many entries waiting";
    Internal = "internal", 500, "the gateway failed";
    Unavailable = "unavailable", 503, "the consortium is not reachable";
    Unhealthy = "unhealthy", 503, "no node is sound";
    Busy = "busy", 503, "the gateway does too much of this already";
    Timeout = "timeout", 504, "the request took too long";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Code {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().find(|c| c.as_str() == text).copied().ok_or_else(|| format!("unknown problem code `{text}`"))
    }
}

/// A problem document, media type `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{detail} [{code}]")]
pub struct Problem {
    /// URI of the kind of problem: `urn:covenant:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(value_type = String, format = "uri")]
    pub kind: Box<str>,
    /// What the code means.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What was wrong, where, and what to do.
    pub detail: String,
    /// Stable code, kebab-case.
    pub code: String,
    /// The occurrence, if it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub instance: Option<Box<str>>,
    /// When to try again, in seconds; also in the header `retry-after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem of a registered code.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self::other(code.as_str(), code.status(), code.title(), detail)
    }

    /// A problem with a code that another room registered, for example a node's.
    pub fn other(code: &str, status: u16, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:covenant:problem:{code}").into(),
            title: title.into(),
            status,
            detail: detail.into(),
            code: code.into(),
            instance: None,
            retry_after_s: None,
        }
    }

    /// The same, to be tried again after some seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Whether it carries this code.
    pub fn is(&self, code: Code) -> bool {
        self.code == code.as_str()
    }

    /// Whether the same request may succeed later, unchanged.
    pub fn is_transient(&self) -> bool {
        matches!(self.status, 429 | 502..=504)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_kebab_case() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{code} twice");
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{code}");
            assert_eq!(code.as_str().parse::<Code>().unwrap(), *code);
            assert!((400..600).contains(&code.status()));
        }
    }

    #[test]
    fn the_document_has_the_members_of_the_rfc() {
        let problem = Problem::new(Code::TooManyRequests, "wait").retry_after(1);
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["type"], "urn:covenant:problem:too-many-requests");
        assert_eq!((json["status"].as_u64(), json["retry_after_s"].as_u64()), (Some(429), Some(1)));
        assert!(json.get("instance").is_none() && problem.is_transient());
        assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), problem);
    }
}
