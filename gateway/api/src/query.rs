//! Audited queries.

use covenant_domain::{IntentId, Reason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Base64Bytes, schema};

/// Longest time a request waits for answers, in milliseconds.
pub const MAX_WAIT_MS: u64 = 30_000;

/// The sealed input of one query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryInputItem {
    /// The intent it belongs to.
    #[schema(value_type = String, format = "uuid")]
    pub intent: IntentId,
    /// Canonical bytes sealed to the holder; their digest stands in the intent.
    pub sealed: Base64Bytes,
}

/// Queries under one member signature. Sending the same again returns the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueriesRequest {
    /// Canonical bytes of a signed batch of intents whose author is the caller.
    pub batch: Base64Bytes,
    /// One input per intent, in any order; none for a lookup, whose claim stands in the intent.
    pub inputs: Vec<QueryInputItem>,
    /// How long to wait for all answers, in milliseconds; at most 30 000.
    #[serde(default)]
    pub wait_ms: u64,
}

/// Query parameters when asking for a query's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WaitQuery {
    /// How long to wait until the state is final, in milliseconds; at most 30 000.
    pub wait_ms: u64,
}

/// Where a query stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueryState {
    /// No node knows it.
    Unknown,
    /// Waiting for a block.
    Received,
    /// Permitted, not answered yet.
    Permitted,
    /// Refused; final.
    Refused,
    /// Answered; final.
    Answered,
    /// The permit ran out; final.
    Lapsed,
    /// The holder could not answer and nothing has left; final.
    Voided,
}

impl QueryState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Unknown, Self::Received, Self::Permitted, Self::Refused, Self::Answered, Self::Lapsed, Self::Voided];

    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Refused | Self::Answered | Self::Lapsed | Self::Voided)
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Received => "received",
            Self::Permitted => "permitted",
            Self::Refused => "refused",
            Self::Answered => "answered",
            Self::Lapsed => "lapsed",
            Self::Voided => "voided",
        }
    }
}

/// The state of one query, with what that state carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueryResult {
    /// The intent.
    #[schema(value_type = String, format = "uuid")]
    pub intent: IntentId,
    /// Where it stands.
    pub state: QueryState,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<schema::Reason>)]
    pub reasons: Vec<Reason>,
    /// The sealed answer, for the consumer alone to open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Base64Bytes>,
    /// Whether the answer's receipt is on the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipted: Option<bool>,
    /// Why the holder could not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voided: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EntriesRequest, PlanRequest};

    #[test]
    fn requests_refuse_what_they_do_not_know() {
        let request: QueriesRequest = serde_json::from_str(r#"{"batch":"AA==","inputs":[]}"#).unwrap();
        assert_eq!(request.wait_ms, 0);
        assert!(serde_json::from_str::<QueriesRequest>(r#"{"batch":"","inputs":[],"more":1}"#).is_err());
        assert!(serde_json::from_str::<EntriesRequest>(r#"{"batch":"","more":1}"#).is_err());
    }

    proptest::proptest! {
        #[test]
        fn reading_json_never_panics(text: String, bytes: Vec<u8>) {
            for input in [text.as_bytes(), &bytes] {
                let _any = serde_json::from_slice::<QueriesRequest>(input);
                let _any = serde_json::from_slice::<PlanRequest>(input);
                let _any = serde_json::from_slice::<crate::Problem>(input);
            }
        }
    }
}
