//! For the consumer's steward: an access request, with the grant it asks for signed by this member.

use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::{
    AccessRequest, DatasetId, Day, FieldName, Grant, GrantId, MemberId, Mode, PurposeCode, Quota, RequestId,
    RiskRecord, SignedGrant,
};
use covenant_suite::suite;
use rand::Rng as _;
use serde::{Deserialize, Serialize};

use crate::identity::now_ms;
use crate::{Client, ClientError};

/// What a steward writes down. Holder, revision, ids and signature are filled in by [`Client::request_for`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestDraft {
    /// The application that will ask, by its short name.
    pub subsystem: String,
    /// In whose name; this member's own when left out. Another needs a delegation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<MemberId>,
    /// About what.
    pub dataset: DatasetId,
    /// Why.
    pub purpose: PurposeCode,
    /// How.
    pub modes: Vec<Mode>,
    /// Which fields.
    pub fields: Vec<FieldName>,
    /// First day of validity, China Standard Time.
    pub valid_from: Day,
    /// First day after it.
    pub valid_until: Day,
    /// How long an answer is kept, in days.
    pub data_life_days: u32,
    /// Most records of one answer.
    pub max_rows: u32,
    /// The grant that this one renews or changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<GrantId>,
    /// How often.
    pub quota: Quota,
    /// What can go wrong.
    pub risk: RiskRecord,
}

impl Client {
    /// Makes a request of a draft: reads the dataset's revision in force and signs the grant. `id` is that of a request
    /// to amend, or nothing.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `dataset-unknown`, [`ClientError::Draft`] when the draft does not hold.
    pub async fn request_for(&self, draft: RequestDraft, id: Option<RequestId>) -> Result<AccessRequest, ClientError> {
        let dataset = self.dataset(&draft.dataset).await?;
        let mut fields = draft.fields;
        fields.sort();
        fields.dedup();
        let grant = Grant {
            id: GrantId::from_parts(now_ms(), &ten_random_bytes()),
            holder: dataset.holder,
            consumer: draft.consumer.unwrap_or_else(|| self.member().clone()),
            dataset: draft.dataset,
            purpose: draft.purpose,
            modes: draft.modes,
            fields,
            quota: draft.quota,
            valid_from_ms: draft.valid_from.start_ms(),
            valid_until_ms: draft.valid_until.start_ms(),
            data_life_days: draft.data_life_days,
            max_rows: draft.max_rows,
            supersedes: draft.supersedes,
        };
        let request = AccessRequest {
            id: id.unwrap_or_else(|| RequestId::from_parts(now_ms(), &ten_random_bytes())),
            subsystem: draft.subsystem,
            dataset_revision: dataset.revision,
            grant: self.sign_grant(grant)?,
            risk: draft.risk,
        };
        request.check().map_err(|reason| ClientError::Draft { reason })?;
        Ok(request)
    }

    /// This member's signature on a grant.
    ///
    /// # Errors
    /// [`ClientError::Crypto`] when the key cannot sign.
    pub fn sign_grant(&self, grant: Grant) -> Result<SignedGrant, ClientError> {
        let signing = &self.identity().signing;
        let digest = Digest::of(signing.suite(), Label::GRANT, &to_bytes(&grant));
        let signature = suite(signing.suite())
            .sign(signing, Label::GRANT, digest.as_bytes())
            .map_err(ClientError::crypto("signing the grant"))?;
        Ok(SignedGrant { grant, consumer_signature: signature.to_string() })
    }
}

/// The random part of a version 7 id.
pub fn ten_random_bytes() -> [u8; 10] {
    let mut random = [0; 10];
    rand::rng().fill_bytes(&mut random);
    random
}
