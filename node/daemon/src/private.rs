//! What a node does for private lookups on behalf of the gateway.

use std::sync::Arc;
use std::time::Duration;

use covenant_domain::{Body, DatasetId, Entry, Evaluation, IntentId, SignedRetrieval};
use covenant_ledger::SignedBatch;
use covenant_worker::lookup::Part;
use futures::FutureExt;

use crate::error::{NodeError, SubmitError};
use crate::lookup::{BuildState, LookupError, NotPublished, Publish};
use crate::node::{Node, Outcome};

/// How long a published epoch may take to become final.
const PUBLISH_WAIT: Duration = Duration::from_secs(60);

impl Node {
    /// The holder's evaluation of a permitted lookup; none when it is not permitted, or no longer.
    ///
    /// # Errors
    /// [`LookupError::Refused`] when the epoch is gone.
    pub fn evaluate(&self, intent: &IntentId) -> Result<Option<Evaluation>, LookupError> {
        self.lookups.evaluate(intent)
    }

    /// Takes the encrypted question of a permitted lookup. Durable when it returns; the first one of an intent stays.
    ///
    /// # Errors
    /// [`LookupError::Refused`] when it does not fit permit, epoch or table.
    #[tracing::instrument(name = "node.retrieve", skip_all, fields(member = %self.member(), intent = %signed.retrieval.intent))]
    pub async fn retrieve(&self, signed: &SignedRetrieval) -> Result<(), LookupError> {
        let input = self.lookups.admit(signed)?;
        Ok(self.holder.deliver(vec![input]).await?)
    }

    /// Canonical bytes of the stored question of a lookup, for computing its answer again.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub async fn retrieval(&self, intent: &IntentId) -> Result<Option<Vec<u8>>, NodeError> {
        let Some((consumer, _)) = self.query(intent).await? else { return Ok(None) };
        let is_lookup = |input: &covenant_store::Input| {
            input.consumer == consumer && covenant_canon::from_bytes::<SignedRetrieval>(&input.sealed).is_ok()
        };
        let found = self.replica.store.inputs(&[*intent]).await?.into_iter().find(is_lookup);
        Ok(found.map(|input| input.sealed))
    }

    /// Builds and publishes the next epoch of a dataset in the background, open for so many days.
    ///
    /// # Errors
    /// [`LookupError::NotHolder`], [`LookupError::Busy`].
    pub fn build_epoch(self: &Arc<Self>, dataset: &DatasetId, days: u32) -> Result<(), LookupError> {
        self.lookups.build_epoch(dataset, days, self.publisher())
    }

    /// Builds and publishes the next overlay of a dataset's epoch in the background.
    ///
    /// # Errors
    /// [`LookupError::NotHolder`], [`LookupError::Busy`].
    pub fn build_overlay(self: &Arc<Self>, dataset: &DatasetId) -> Result<(), LookupError> {
        self.lookups.build_overlay(dataset, self.publisher())
    }

    /// Where the build of a dataset's epoch or overlay stands.
    pub fn build_state(&self, dataset: &DatasetId) -> BuildState {
        self.lookups.state(dataset)
    }

    /// A part of a file of an epoch that this node serves, or of a revision of its overlay, with the file's whole length.
    ///
    /// # Errors
    /// [`LookupError::Node`].
    pub fn epoch_file(
        &self,
        epoch: (&DatasetId, u32),
        overlay: Option<u32>,
        part: Part,
        range: (u64, u32),
    ) -> Result<Option<(u64, Vec<u8>)>, LookupError> {
        self.lookups.file(epoch, overlay, part, range)
    }

    /// Publishes as this node's member. Holds the node only while it publishes, so that a build under way does not keep it
    /// alive.
    fn publisher(self: &Arc<Self>) -> Publish {
        let node = Arc::downgrade(self);
        Arc::new(move |body| {
            let node = node.clone();
            let publish = async move {
                let gone = || NotPublished::Unknown("the node is stopping".into());
                node.upgrade().ok_or_else(gone)?.publish(body).await
            };
            publish.boxed()
        })
    }

    async fn publish(&self, body: Body) -> Result<(), NotPublished> {
        let (author, made_ms) = (self.member().clone(), self.replica.clock.now_ms());
        let entry = Entry { author: Some(author.clone()), made_ms, body };
        let unknown = |reason: String| NotPublished::Unknown(reason);
        let missing = || unknown("the ledger names a key of this member that is not here".into());
        let key = self.keyring.key_of(&self.replica.membership()).ok_or_else(missing)?;
        let batch = SignedBatch::sign(&self.replica.consortium, &author, &[entry], &key);
        let batch = batch.map_err(|e| unknown(e.to_string()))?;
        let recorded = self.record(batch, PUBLISH_WAIT).await.map_err(|e: SubmitError| unknown(e.to_string()))?;
        match recorded.into_iter().next().map(|r| r.outcome) {
            Some(Outcome::Accepted) => Ok(()),
            Some(Outcome::Rejected(reason)) => Err(NotPublished::Rejected(reason)),
            None => Err(unknown("the ledger did not say what became of it".into())),
        }
    }
}
