//! Administrative entries.

use std::sync::Arc;

use covenant_api::{EntriesRequest, EntryResult};
use covenant_canon::to_bytes;
use covenant_domain::{Body, Entry};
use covenant_ledger::{MAX_BATCH, SignedBatch};

use crate::client::pause;
use crate::identity::now_ms;
use crate::{Client, ClientError};

impl Client {
    /// Signs entries, sends them and waits until they are final; outcomes are in the order of the bodies. More than
    /// [`MAX_BATCH`] go in several batches, each after the one before.
    ///
    /// # Errors
    /// [`ClientError`] when a batch is refused as a whole. An entry that the ledger rejects is an outcome, not an error.
    pub async fn publish(&self, bodies: Vec<Body>) -> Result<Vec<EntryResult>, ClientError> {
        let made_ms = now_ms();
        let author = || Some(self.member().clone());
        let entries: Vec<Entry> = bodies.into_iter().map(|body| Entry { author: author(), made_ms, body }).collect();
        let mut outcomes = Vec::with_capacity(entries.len());
        for part in entries.chunks(MAX_BATCH) {
            let request = EntriesRequest { batch: to_bytes(&self.signed(part)?).into() };
            outcomes.extend(self.recorded(request).await?);
        }
        Ok(outcomes)
    }

    /// Only a refusal for speed is tried again: after any other failure the entries may be on the ledger already.
    async fn recorded(&self, request: EntriesRequest) -> Result<Vec<EntryResult>, ClientError> {
        for attempt in 1..4 {
            match self.0.link.record(request.clone()).await {
                Err(error @ ClientError::Problem(_)) if is_too_fast(&error) => pause(&error, attempt).await,
                done => return done,
            }
        }
        self.0.link.record(request).await
    }

    pub(crate) fn signed(&self, entries: &[Entry]) -> Result<SignedBatch, ClientError> {
        SignedBatch::sign(&self.0.consortium, self.member(), entries, &self.0.identity.signing)
            .map_err(|e| ClientError::Batch(Arc::new(e)))
    }
}

fn is_too_fast(error: &ClientError) -> bool {
    matches!(error, ClientError::Problem(problem) if problem.status == 429)
}
