//! Serving an epoch: evaluations and retrievals, each for a permit.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::{
    Completion, DatasetId, Evaluation, IntentId, LookupRecord, Point, Proof, Retrieval, Retrieved, SignedRetrieval,
};
use covenant_oprf::{evaluate, lookup_context};
use covenant_pir::Query;
use covenant_suite::{PreparedKey, Sealer, SealingKey, Signature};

use super::shelf::{Served, Shelf};
use crate::job::CheckedPermit;
use crate::worker::Done;

/// Why a retrieval is not taken. None of it depends on the subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RetrieveError {
    /// The epoch is not held here any more.
    #[error("epoch {epoch} of `{dataset}` is not held by this node any more: ask again")]
    EpochGone {
        /// The dataset.
        dataset: DatasetId,
        /// The epoch.
        epoch: u32,
    },
    /// The overlay is not the newest, nor the one before.
    #[error("overlay {revision} of `{dataset}` is not served, {newest} is: fetch it and send the retrieval again")]
    OverlayGone {
        /// The dataset.
        dataset: DatasetId,
        /// The revision named.
        revision: u32,
        /// The newest.
        newest: u32,
    },
    /// A query has another length than the table demands.
    #[error("a query of the retrieval of intent {intent} has {got} bytes, the table takes {expected}")]
    Length {
        /// The intent.
        intent: IntentId,
        /// Bytes found.
        got: u64,
        /// Bytes expected.
        expected: u64,
    },
    /// Not signed by the consumer of the intent.
    #[error("the retrieval of intent {intent} is not signed by its consumer")]
    Signature {
        /// The intent.
        intent: IntentId,
    },
    /// Not a lookup, or not permitted.
    #[error("intent {intent} is no permitted lookup of this holder")]
    NotPermitted {
        /// The intent.
        intent: IntentId,
    },
    /// Evaluation failed: the point is not valid.
    #[error("the blinded subject of intent {intent} is not valid")]
    Blinded {
        /// The intent.
        intent: IntentId,
    },
}

/// One retrieval to run. Its queries were checked when it was taken.
pub struct RetrieveJob {
    /// Leave to run it.
    pub permit: CheckedPermit,
    /// The consumer's question, admitted.
    pub retrieval: Retrieval,
    /// To whom the answer is sealed.
    pub consumer_key: SealingKey,
}

impl Shelf {
    fn of(&self, permit: &CheckedPermit) -> Result<Arc<Served>, RetrieveError> {
        let (dataset, intent) = (&permit.permit.dataset, permit.intent.id);
        let epoch = permit.permit.epoch.ok_or(RetrieveError::NotPermitted { intent })?;
        self.served(dataset, epoch).ok_or_else(|| RetrieveError::EpochGone { dataset: dataset.clone(), epoch })
    }

    /// `Z = k·B` with its proof. The same point however often it is asked; it tells nothing of the subject to anybody, and
    /// nothing of the record to anyone but the consumer.
    ///
    /// # Errors
    /// [`RetrieveError`].
    pub fn evaluate(&self, consortium: Digest, permit: &CheckedPermit) -> Result<Evaluation, RetrieveError> {
        let (served, intent) = (self.of(permit)?, &permit.intent);
        let claim = intent.lookup.as_ref().ok_or(RetrieveError::NotPermitted { intent: intent.id })?;
        let holder = &permit.permit.holder;
        let context = lookup_context(consortium, intent, holder, claim.epoch, permit.permit.policy);
        let evaluated = evaluate(&served.key, &context, &claim.blinded.0, &mut rand::rng())
            .map_err(|_| RetrieveError::Blinded { intent: intent.id })?;
        Ok(Evaluation { intent: intent.id, evaluated: Point(evaluated.z), proof: Proof(evaluated.proof) })
    }

    /// Checks a retrieval before it is stored: signature, lengths, overlay.
    ///
    /// # Errors
    /// [`RetrieveError`].
    pub fn admit(
        &self,
        suite: SuiteId,
        permit: &CheckedPermit,
        signed: &SignedRetrieval,
        consumer: &PreparedKey,
    ) -> Result<(), RetrieveError> {
        let (served, intent) = (self.of(permit)?, permit.intent.id);
        let retrieval = &signed.retrieval;
        let digest = digest_of(suite, retrieval);
        let signature: Result<Signature, _> = signed.signature.parse();
        let good = signature.is_ok_and(|s| consumer.verify(Label::LOOKUP_RETRIEVAL, digest.as_bytes(), &s).is_ok());
        if retrieval.intent != intent || !good {
            return Err(RetrieveError::Signature { intent });
        }
        let Some((overlay, _)) = served.overlay(suite, retrieval.overlay) else {
            let (dataset, revision, newest) = (permit.permit.dataset.clone(), retrieval.overlay, served.newest());
            return Err(RetrieveError::OverlayGone { dataset, revision, newest });
        };
        for (bytes, params) in [(&retrieval.table_query, served.params()), (&retrieval.overlay_query, &overlay)] {
            let (got, expected) = (bytes.len() as u64, params.query_bytes());
            if got != expected {
                return Err(RetrieveError::Length { intent, got, expected });
            }
        }
        Ok(())
    }

    /// Runs retrievals, those of one epoch and overlay in as few passes as possible. What cannot be run is missing in the
    /// result and may be tried again.
    pub(crate) fn retrieve(&self, suite: SuiteId, consortium: Digest, jobs: Vec<RetrieveJob>) -> Vec<Done> {
        let mut groups: BTreeMap<(DatasetId, u32, u32), Vec<RetrieveJob>> = BTreeMap::new();
        for job in jobs {
            let epoch = job.permit.permit.epoch.unwrap_or_default();
            let key = (job.permit.permit.dataset.clone(), epoch, job.retrieval.overlay);
            groups.entry(key).or_default().push(job);
        }
        let mut done = Vec::new();
        for ((dataset, epoch, revision), jobs) in groups {
            let Some(served) = self.served(&dataset, epoch) else { continue };
            match run(self, suite, consortium, &served, revision, jobs) {
                Ok(some) => done.extend(some),
                Err(error) => tracing::warn!(%dataset, epoch, %error, "retrievals could not be run"),
            }
        }
        done
    }
}

/// The digest that a consumer signs.
fn digest_of(suite: SuiteId, retrieval: &Retrieval) -> Digest {
    Digest::of(suite, Label::LOOKUP_RETRIEVAL, &to_bytes(retrieval))
}

fn run(
    shelf: &Shelf,
    suite: SuiteId,
    consortium: Digest,
    served: &Served,
    revision: u32,
    jobs: Vec<RetrieveJob>,
) -> Result<Vec<Done>, Box<dyn std::error::Error + Send + Sync>> {
    let (overlay_params, overlay) = served.overlay(suite, revision).ok_or("the overlay is not served any more")?;
    let mut queries = (Vec::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
    for RetrieveJob { retrieval, .. } in &jobs {
        queries.0.push(Query::from_bytes(served.params(), &retrieval.table_query)?);
        queries.1.push(Query::from_bytes(&overlay_params, &retrieval.overlay_query)?);
    }
    let answers = served.answer(revision, &queries.0, &queries.1)?;
    let mut done = Vec::with_capacity(jobs.len());
    for (job, (table, overlay_answer)) in jobs.into_iter().zip(answers) {
        let intent = job.retrieval.intent;
        let evaluation = shelf.evaluate(consortium, &job.permit)?;
        let retrieved =
            to_bytes(&Retrieved { intent, table_answer: table.to_bytes(), overlay_answer: overlay_answer.to_bytes() });
        let record = LookupRecord {
            evaluation: evaluation_digest(suite, &evaluation),
            retrieval: digest_of(suite, &job.retrieval),
            table: served.epoch.table.digest(suite),
            overlay,
            retrieved: Digest::of(suite, Label::LOOKUP_RETRIEVED, &retrieved),
        };
        let sealer = Sealer::new(&job.consumer_key, Label::SEAL_ANSWER, &mut rand::rng())?;
        let sealed = sealer.seal(intent.as_bytes(), intent.as_bytes(), &retrieved)?.to_bytes();
        let completion = Completion {
            intent,
            permit: job.permit.digest,
            answer: Digest::of(suite, Label::ANSWER, &sealed),
            fields_root: record.retrieved,
            lookup: Some(record),
        };
        done.push(Done { intent, consumer: job.permit.permit.consumer.clone(), sealed, completion });
    }
    Ok(done)
}

/// Digest of an evaluation: of its point, since the proof is made anew each time.
fn evaluation_digest(suite: SuiteId, evaluation: &Evaluation) -> Digest {
    Digest::of(suite, Label::LOOKUP_EVALUATION, &to_bytes(&(evaluation.intent, evaluation.evaluated)))
}
