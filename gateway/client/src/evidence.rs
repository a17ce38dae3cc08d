//! Evidence: fetched, and verified against the trust root.

use std::time::{Duration, Instant};

use covenant_api::Explanation;
use covenant_canon::from_bytes;
use covenant_domain::{IntentId, Mode};
use covenant_ledger::{Bundle, Closure, Report, verify_answer, verify_bundle};

use crate::{Client, ClientError, Reply};

impl Client {
    /// Canonical bytes of the evidence bundle; not verified yet, see [`Client::verify`].
    ///
    /// # Errors
    /// [`ClientError::Problem`] `not-a-party`, `intent-unknown` or `not-decided`.
    pub async fn evidence(&self, intent: &IntentId) -> Result<Vec<u8>, ClientError> {
        self.again(|| self.0.link.evidence(intent)).await
    }

    /// Why a query was decided as it was; `replay` has a node execute the ledger again.
    ///
    /// # Errors
    /// As [`Client::evidence`].
    pub async fn explain(&self, intent: &IntentId, replay: bool) -> Result<Explanation, ClientError> {
        self.again(|| self.0.link.explain(intent, replay)).await
    }

    /// Fetches the evidence of a query and verifies it here, together with its answer if there is one.
    ///
    /// # Errors
    /// [`ClientError`] when something cannot be fetched; evidence that does not verify is a report.
    pub async fn verify(&self, intent: &IntentId) -> Result<Report, ClientError> {
        match self.resume(intent).await {
            Ok(reply) => self.verify_reply(&reply).await,
            // Nobody but the process that asked can open it; its record verifies all the same.
            Err(ClientError::LookupGone { .. }) => Ok(verify_bundle(&self.evidence(intent).await?, &self.0.trust)),
            Err(error) => Err(error),
        }
    }

    /// As [`Client::verify`], for a reply at hand.
    ///
    /// # Errors
    /// As [`Client::verify`].
    pub async fn verify_reply(&self, reply: &Reply) -> Result<Report, ClientError> {
        let bytes = self.closed_evidence(reply).await?;
        Ok(match (&reply.answer, &reply.sealed) {
            (Some(answer), Some(sealed)) if answer.mode != Mode::Lookup => {
                verify_answer(&bytes, &self.0.trust, sealed, answer)
            }
            _ => verify_bundle(&bytes, &self.0.trust),
        })
    }

    /// An answer may be here before its completion: waits for that, as long as patience lasts.
    async fn closed_evidence(&self, reply: &Reply) -> Result<Vec<u8>, ClientError> {
        let deadline = Instant::now() + self.0.config.patience;
        loop {
            let bytes = self.evidence(&reply.intent).await?;
            let open = from_bytes::<Bundle>(&bytes).is_ok_and(|b| matches!(b.closure, Closure::Open));
            if !open || reply.answer.is_none() || Instant::now() >= deadline {
                return Ok(bytes);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}
