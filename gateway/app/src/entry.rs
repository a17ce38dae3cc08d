//! Administrative entries.

use covenant_api::{Code, EntriesRequest, EntryResult, Problem};
use covenant_domain::Body;

use crate::port::EntryOutcome;
use crate::problem::of_port;
use crate::{Authentic, Gateway};

impl Gateway {
    /// Records entries and waits until they are final. An entry that the ledger rejects is in the result, with its reason.
    ///
    /// # Errors
    /// [`Problem`] when the batch is not the caller's own, does not hold, or carries queries.
    pub async fn record(&self, call: Authentic<EntriesRequest>) -> Result<Vec<EntryResult>, Problem> {
        let (caller, request) = call.into_parts();
        let batch = self.own_batch(&caller, &request.batch)?;
        if let Some(index) = batch.entries().iter().position(|e| matches!(e.body, Body::Intent(_))) {
            let detail = format!("entry {index} is an intent: send it to /v1/queries together with its sealed input");
            return Err(Problem::new(Code::IntentElsewhere, detail));
        }
        let outcomes = self.consortium.record(batch.batch().clone()).await.map_err(of_port)?;
        Ok(outcomes.into_iter().map(result).collect())
    }
}

fn result(outcome: EntryOutcome) -> EntryResult {
    let EntryOutcome { entry, leaf, height, rejected } = outcome;
    EntryResult { entry, leaf, height, rejected }
}
