//! Private lookups between permit and answer: evaluation and retrieval.

use covenant_api::{Code, Problem, RetrievalRequest};
use covenant_canon::from_bytes;
use covenant_domain::{Evaluation, IntentId, SignedRetrieval};

use crate::caller::Caller;
use crate::problem::{not_a_party, of_port};
use crate::{Authentic, Gateway};

impl Gateway {
    /// The holder's evaluation for a lookup of the caller.
    ///
    /// # Errors
    /// [`Problem`] `not-a-party`, `intent-unknown`, or `not-permitted` as long as the lookup is not, or if it is none.
    pub async fn evaluation(&self, call: Authentic<()>, intent: &IntentId) -> Result<Evaluation, Problem> {
        self.own_query(call.caller(), intent).await?;
        let unready = || {
            let detail = format!("query `{intent}` is no lookup or not permitted yet: ask for its state first");
            Problem::new(Code::NotPermitted, detail).retry_after(1)
        };
        self.consortium.evaluate(intent).await.map_err(of_port)?.ok_or_else(unready)
    }

    /// Hands the encrypted question of a lookup to its holder; the sealed answer comes as the query's progress.
    ///
    /// # Errors
    /// [`Problem`] `not-a-party`, `intent-unknown`, `body-malformed`, or `input-mismatch` when it is for another query.
    pub async fn retrieve(&self, call: Authentic<RetrievalRequest>, intent: &IntentId) -> Result<(), Problem> {
        let (caller, request) = call.into_parts();
        self.own_query(&caller, intent).await?;
        let signed: SignedRetrieval = from_bytes(&request.retrieval.0)
            .map_err(|e| Problem::new(Code::BodyMalformed, format!("`retrieval`: {e}")))?;
        let named = &signed.retrieval.intent;
        if named != intent {
            let detail = format!("the retrieval is for query `{named}`, it was sent for `{intent}`");
            return Err(Problem::new(Code::InputMismatch, detail));
        }
        self.consortium.retrieve(signed).await.map_err(of_port)
    }

    /// Canonical bytes of what was retrieved: its consumer and regulators compute the answer again with it.
    ///
    /// # Errors
    /// [`Problem`] `not-a-party`, `intent-unknown` or `retrieval-unknown`.
    pub async fn retrieval(&self, call: Authentic<()>, intent: &IntentId) -> Result<Vec<u8>, Problem> {
        if !call.caller().is_regulator() {
            self.own_query(call.caller(), intent).await?;
        }
        let unknown = || Problem::new(Code::RetrievalUnknown, format!("nothing was retrieved for query `{intent}`"));
        self.consortium.retrieval(intent).await.map_err(of_port)?.ok_or_else(unknown)
    }

    async fn own_query(&self, caller: &Caller, intent: &IntentId) -> Result<(), Problem> {
        match self.consumer(intent).await? {
            consumer if &consumer == caller.id() => Ok(()),
            _ => Err(not_a_party(caller, "query", intent)),
        }
    }
}
