//! Epochs of private lookup, and what a lookup fetches and sends between permit and answer.

use covenant_api::{BuildRequest, BuildView, EpochDocument, EpochPart, FileChunk, FileQuery, RetrievalRequest};
use covenant_domain::{DatasetId, Evaluation, IntentId};

use crate::{Client, ClientError};

impl Client {
    /// The epoch in force of a dataset's private lookup, with all that a claim is proven against. Believe it only as far
    /// as its digests and proofs go.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `epoch-unknown`.
    pub async fn epoch(&self, dataset: &DatasetId) -> Result<EpochDocument, ClientError> {
        self.again(|| self.0.link.epoch(dataset)).await
    }

    /// Up to `length` bytes of a file of an epoch from `offset`, fewer at its end, none behind it. A broken download goes
    /// on where it ended; the whole is compared with the digest in the epoch, not here. `overlay` is the revision, of no
    /// matter for the files of the table.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `epoch-file-unknown`, `parameter-invalid`, or `not-a-party` for a matrix.
    pub async fn epoch_file(
        &self,
        dataset: &DatasetId,
        epoch: u32,
        overlay: u32,
        part: EpochPart,
        offset: u64,
        length: u32,
    ) -> Result<FileChunk, ClientError> {
        let query = FileQuery { dataset: dataset.clone(), epoch, overlay, offset, length };
        let chunk = self.again(|| self.0.link.epoch_file(part, query.clone())).await?;
        // Who loops until the end must not be held there.
        if chunk.fits(offset, length) {
            Ok(chunk)
        } else {
            Err(ClientError::protocol(format!("chunk of `{part}` at {offset} is not of the length asked for")))
        }
    }

    /// Starts to build the next epoch of this member's dataset, open for 1 to 31 days; see [`Client::build_state`].
    ///
    /// # Errors
    /// [`ClientError::Problem`] `not-a-party` for another's dataset. Sent once: an error may leave a build under way.
    pub async fn build_epoch(&self, dataset: &DatasetId, days: u32) -> Result<(), ClientError> {
        let request = BuildRequest { dataset: dataset.clone(), days: Some(days), overlay: false };
        self.0.link.build_epoch(request).await
    }

    /// Starts to build the next overlay of the epoch in force.
    ///
    /// # Errors
    /// As [`Client::build_epoch`].
    pub async fn build_overlay(&self, dataset: &DatasetId) -> Result<(), ClientError> {
        let request = BuildRequest { dataset: dataset.clone(), days: None, overlay: true };
        self.0.link.build_epoch(request).await
    }

    /// How the newest build of a dataset stands.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `not-a-party` for neither its holder nor a regulator.
    pub async fn build_state(&self, dataset: &DatasetId) -> Result<BuildView, ClientError> {
        self.again(|| self.0.link.build_state(dataset)).await
    }

    /// The holder's evaluation for a permitted lookup; its proof is not checked here.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `not-permitted`, `intent-unknown` or `not-a-party`.
    pub async fn evaluation(&self, intent: &IntentId) -> Result<Evaluation, ClientError> {
        let evaluation = self.again(|| self.0.link.evaluation(intent)).await?;
        if &evaluation.intent == intent {
            Ok(evaluation)
        } else {
            Err(ClientError::protocol(format!("evaluation for `{}` in place of `{intent}`", evaluation.intent)))
        }
    }

    /// Sends the canonical bytes of a signed retrieval; sending them again is harmless. The sealed answer comes as the
    /// query's progress.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `body-malformed`, `input-mismatch`, `intent-unknown` or `not-a-party`.
    pub async fn retrieve(&self, intent: &IntentId, retrieval: Vec<u8>) -> Result<(), ClientError> {
        let request = RetrievalRequest { retrieval: retrieval.into() };
        self.again(|| self.0.link.retrieve(intent, request.clone())).await
    }

    /// Canonical bytes of the signed retrieval as the holder has stored it, for its consumer and regulators.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `retrieval-unknown`, `intent-unknown` or `not-a-party`.
    pub async fn retrieval(&self, intent: &IntentId) -> Result<Vec<u8>, ClientError> {
        self.again(|| self.0.link.retrieval(intent)).await
    }
}
