//! Queries.

use covenant_api::{QueriesRequest, QueryInputItem, QueryResult};

use crate::error::{parse, word};
use crate::plan::reasons;
use crate::{WireError, v1};

impl From<QueriesRequest> for v1::QueriesRequest {
    fn from(it: QueriesRequest) -> Self {
        let input = |i: QueryInputItem| v1::QueryInput { intent: i.intent.to_string(), sealed: i.sealed.0 };
        Self { batch: it.batch.0, inputs: it.inputs.into_iter().map(input).collect(), wait_ms: it.wait_ms }
    }
}

impl TryFrom<v1::QueriesRequest> for QueriesRequest {
    type Error = WireError;
    fn try_from(it: v1::QueriesRequest) -> Result<Self, WireError> {
        let input =
            |i: v1::QueryInput| Ok(QueryInputItem { intent: parse("intent", &i.intent)?, sealed: i.sealed.into() });
        Ok(Self {
            batch: it.batch.into(),
            inputs: it.inputs.into_iter().map(input).collect::<Result<_, WireError>>()?,
            wait_ms: it.wait_ms,
        })
    }
}

impl From<QueryResult> for v1::QueryResult {
    fn from(it: QueryResult) -> Self {
        Self {
            intent: it.intent.to_string(),
            state: it.state.name().to_owned(),
            reasons: it.reasons.into_iter().map(Into::into).collect(),
            sealed: it.sealed.map(|s| s.0),
            receipted: it.receipted,
            voided: it.voided,
        }
    }
}

impl TryFrom<v1::QueryResult> for QueryResult {
    type Error = WireError;
    fn try_from(it: v1::QueryResult) -> Result<Self, WireError> {
        Ok(Self {
            intent: parse("intent", &it.intent)?,
            state: word("state", &it.state)?,
            reasons: reasons(it.reasons)?,
            sealed: it.sealed.map(Into::into),
            receipted: it.receipted,
            voided: it.voided,
        })
    }
}
