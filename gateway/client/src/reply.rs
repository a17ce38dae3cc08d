//! Replies, opened.

use std::sync::Arc;

use covenant_api::{QueryResult, QueryState};
use covenant_canon::from_bytes;
use covenant_domain::{Answer, IntentId, Reason, Retrieved};
use covenant_suite::Sealed;

use crate::sealing::Expected;
use crate::{Client, ClientError};

/// What became of a question. The answer is personal data: it is here in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The query.
    pub intent: IntentId,
    /// Where it stands.
    pub state: QueryState,
    /// Why it was refused.
    pub reasons: Vec<Reason>,
    /// The answer, opened and checked to be to this query.
    pub answer: Option<Answer>,
    /// The answer as the holder sealed it; its digest stands in the completion.
    pub sealed: Option<Vec<u8>>,
    /// Whether its receipt is on the ledger; general data may come before.
    pub receipted: bool,
    /// Why the holder could not answer.
    pub voided: Option<String>,
}

impl Client {
    /// Opens a result and checks that it belongs to the question.
    pub(crate) fn open(
        &self,
        result: QueryResult,
        intent: IntentId,
        expected: Option<&Expected>,
    ) -> Result<Reply, ClientError> {
        if result.intent != intent {
            return Err(ClientError::protocol(format!("result of `{}` in place of `{intent}`", result.intent)));
        }
        let QueryResult { state, reasons, sealed, receipted, voided, .. } = result;
        let sealed = sealed.map(|s| s.0);
        let answer = sealed.as_deref().map(|bytes| self.open_answer(intent, bytes)).transpose()?;
        if let (Some(answer), Some(expected)) = (&answer, expected) {
            check_question(answer, expected)?;
        }
        let receipted = receipted.unwrap_or(false);
        Ok(Reply { intent, state, reasons, answer, sealed, receipted, voided })
    }

    fn open_answer(&self, intent: IntentId, bytes: &[u8]) -> Result<Answer, ClientError> {
        let sealed = Sealed::from_bytes(bytes).map_err(ClientError::protocol)?;
        let id = intent.as_bytes();
        let padded = self.0.opener.open(id, id, &sealed).map_err(ClientError::crypto("opening the answer"))?;
        if from_bytes::<Retrieved>(&padded).is_ok() {
            return Err(ClientError::LookupGone { intent });
        }
        let answer =
            Answer::from_padded(&padded).map_err(|source| ClientError::Answer { intent, source: Arc::new(source) })?;
        if answer.intent == intent { Ok(answer) } else { Err(ClientError::OtherAnswer { intent, what: "intent" }) }
    }
}

fn check_question(answer: &Answer, expected: &Expected) -> Result<(), ClientError> {
    let other = |what| Err(ClientError::OtherAnswer { intent: expected.intent, what });
    if answer.dataset != expected.dataset {
        return other("dataset");
    }
    if answer.mode == expected.mode { Ok(()) } else { other("mode") }
}
