//! What a worker is given: a permit it has checked itself, and the sealed input.

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::{Commitment, Dataset, Intent, IntentId, MemberId, Permit};
use covenant_suite::SealingKey;

/// Why a permit is not this worker's to use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PermitError {
    /// It is addressed to another holder.
    #[error("permit of intent {intent} is for holder `{holder}`")]
    OtherHolder {
        /// The intent.
        intent: IntentId,
        /// The holder named.
        holder: MemberId,
    },
    /// It does not belong to the intent.
    #[error("permit and intent {intent} do not belong together")]
    OtherIntent {
        /// The intent.
        intent: IntentId,
    },
    /// It ran out.
    #[error("permit of intent {intent} ran out at {expires_ms} ms")]
    Expired {
        /// The intent.
        intent: IntentId,
        /// When it ran out.
        expires_ms: u64,
    },
}

/// A permit that this holder has checked against the intent on its own replica. Only [`CheckedPermit::check`] makes one,
/// and running a query consumes it: one permit, one run (I4).
#[derive(Debug)]
pub struct CheckedPermit {
    pub(crate) intent: Intent,
    pub(crate) permit: Permit,
    pub(crate) digest: Digest,
}

impl CheckedPermit {
    /// Checks a permit for this holder at a block time.
    ///
    /// # Errors
    /// [`PermitError`].
    pub fn check(
        suite: SuiteId,
        holder: &MemberId,
        time_ms: u64,
        intent: Intent,
        permit: Permit,
    ) -> Result<Self, PermitError> {
        let id = intent.id;
        if &permit.holder != holder {
            return Err(PermitError::OtherHolder { intent: id, holder: permit.holder });
        }
        let same = permit.intent == id
            && permit.query == Digest::of(suite, Label::INTENT, &to_bytes(&intent))
            && permit.consumer == intent.consumer
            && permit.dataset == intent.dataset
            && permit.mode == intent.mode
            && permit.epoch == intent.lookup.as_ref().map(|claim| claim.epoch)
            && permit.obligations.fields.iter().all(|f| intent.fields.contains(f));
        if !same {
            return Err(PermitError::OtherIntent { intent: id });
        }
        if time_ms >= permit.expires_ms {
            return Err(PermitError::Expired { intent: id, expires_ms: permit.expires_ms });
        }
        let digest = Digest::of(suite, Label::PERMIT, &to_bytes(&permit));
        Ok(Self { intent, permit, digest })
    }

    /// Who asks.
    pub fn consumer(&self) -> &MemberId {
        &self.permit.consumer
    }

    /// The intent it permits.
    pub fn intent(&self) -> IntentId {
        self.intent.id
    }
}

/// One query to run.
#[derive(Debug)]
pub struct Job {
    /// Leave to run it.
    pub permit: CheckedPermit,
    /// The dataset's description in force; a permit under another revision is not answered.
    pub dataset: Dataset,
    /// Commitment to the subject: the consent's, or the intent's own under a legal authority.
    pub commitment: Commitment,
    /// Canonical bytes of the sealed input.
    pub input: Vec<u8>,
    /// To whom the answer is sealed.
    pub consumer_key: SealingKey,
}
