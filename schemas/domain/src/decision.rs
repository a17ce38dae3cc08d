//! The ledger's answer to an intent: permit or refusal, always recorded.

use covenant_canon::Digest;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{DatasetId, FieldName, GrantId, IntentId, MemberId, Mode, Notify};

/// Stable code of a reason. Codes are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCode {
    /// The author has no such role, or is not the consumer named.
    #[n(0)]
    CallerNotConsumer,
    /// The intent's time is too far from block time.
    #[n(1)]
    IntentStale,
    /// No such dataset.
    #[n(2)]
    DatasetUnknown,
    /// No such purpose.
    #[n(3)]
    PurposeUnknown,
    /// No grant for consumer, dataset and purpose.
    #[n(4)]
    GrantMissing,
    /// The grant is not valid yet.
    #[n(5)]
    GrantNotYetValid,
    /// The grant has ended.
    #[n(6)]
    GrantExpired,
    /// The grant is suspended.
    #[n(7)]
    GrantSuspended,
    /// The grant is revoked.
    #[n(8)]
    GrantRevoked,
    /// The grant, the purpose or a field does not allow the mode.
    #[n(9)]
    ModeNotGranted,
    /// A field is not granted.
    #[n(10)]
    FieldNotGranted,
    /// The dataset has no such field.
    #[n(11)]
    FieldUnknown,
    /// No queries left in this window.
    #[n(12)]
    QuotaExhausted,
    /// The purpose demands consent and none was named.
    #[n(13)]
    ConsentRequired,
    /// No such consent.
    #[n(14)]
    ConsentUnknown,
    /// The consent is for another consumer, dataset, field, mode or purpose.
    #[n(15)]
    ConsentOutOfScope,
    /// The consent is not valid yet.
    #[n(16)]
    ConsentNotYetValid,
    /// The consent has ended.
    #[n(17)]
    ConsentExpired,
    /// The subject paused it.
    #[n(18)]
    ConsentPaused,
    /// The subject revoked it.
    #[n(19)]
    ConsentRevoked,
    /// All uses spent.
    #[n(20)]
    ConsentExhausted,
    /// The purpose demands a case number.
    #[n(21)]
    CaseRequired,
    /// A guard rule of the holder forbids it.
    #[n(22)]
    GuardForbids,
    /// No guard rule of the holder allows it.
    #[n(23)]
    GuardSilent,
    /// The holder's guard rules could not be evaluated; this counts as no.
    #[n(24)]
    GuardFailed,
    /// The list of fields is empty, unsorted or names one twice.
    #[n(25)]
    FieldsMalformed,
    /// All conditions hold.
    #[n(26)]
    Allowed,
    /// A lookup without its claim, or a claim in another mode.
    #[n(27)]
    ClaimMisplaced,
    /// The claim's proof does not hold for this intent.
    #[n(28)]
    ClaimInvalid,
    /// The dataset has no epoch open to lookups, or not the one named.
    #[n(29)]
    EpochClosed,
    /// Fields or rows of the epoch are not what the query names or the grant allows.
    #[n(30)]
    EpochMismatch,
    /// There is no escrow key in force, or not the one named.
    #[n(31)]
    EscrowMissing,
    /// A guard rule demands a group, and the mode is about one record.
    #[n(32)]
    GroupRequired,
    /// The guard rules' queries of this minute are spent.
    #[n(33)]
    RateExceeded,
    /// A demand of the guard rules cannot be met in this mode.
    #[n(34)]
    ObligationUnmet,
    /// The dataset is suspended.
    #[n(40)]
    DatasetSuspended,
    /// The dataset is archived, or its grace period is over.
    #[n(41)]
    DatasetArchived,
    /// Another grant has taken its place.
    #[n(50)]
    GrantSuperseded,
    /// The consent allows no more uses in this window.
    #[n(51)]
    ConsentTooOften,
    /// The purpose demands an authority on record, and the query names none.
    #[n(52)]
    RecordRequired,
    /// The consumer or the holder is suspended or frozen.
    #[n(60)]
    MemberSuspended,
}

/// One reason of a decision. Names ids, rules and versions; never a subject.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Reason {
    /// Stable code.
    #[n(0)]
    pub code: ReasonCode,
    /// What and which, and what to do about it.
    #[n(1)]
    pub detail: String,
}

impl Reason {
    /// A reason with its explanation.
    pub fn new(code: ReasonCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// When an answer may leave the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// After the permit is final; the completion must follow before the permit's expiry.
    #[n(0)]
    AfterPermit,
    /// After the receipt.
    #[n(1)]
    AfterReceipt,
}

/// What the holder must observe when it answers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Obligations {
    /// Fields that may be matched or released; all others stay withheld.
    #[n(0)]
    pub fields: Vec<FieldName>,
    /// Fields whose released values are masked as the dataset says.
    #[n(1)]
    pub masked: Vec<FieldName>,
    /// Most records in the answer.
    #[n(2)]
    pub max_rows: u32,
    /// When the answer may leave.
    #[n(3)]
    pub release: Release,
    /// How long the consumer may keep the answer, in days.
    #[n(4)]
    pub data_life_days: u32,
    /// Most queries per grant in a minute, where guard rules say so.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_minute: Option<u32>,
    /// Fewest subjects behind any figure, where guard rules say so.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k_minimum: Option<u32>,
    /// Who is told of the query.
    #[cbor(n(7), skip_if = "Vec::is_empty")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Notify>,
}

impl Obligations {
    /// What follows from grant and dataset alone, before guard rules demand more.
    pub fn plain(
        fields: Vec<FieldName>,
        masked: Vec<FieldName>,
        max_rows: u32,
        release: Release,
        data_life_days: u32,
    ) -> Self {
        let (rate_per_minute, k_minimum, notify) = (None, None, Vec::new());
        Self { fields, masked, max_rows, release, data_life_days, rate_per_minute, k_minimum, notify }
    }
}

/// Leave to answer one intent once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Permit {
    /// The intent.
    #[n(0)]
    pub intent: IntentId,
    /// Digest of the whole intent, its input included.
    #[n(1)]
    pub query: Digest,
    /// Who answers.
    #[n(2)]
    pub holder: MemberId,
    /// Who receives.
    #[n(3)]
    pub consumer: MemberId,
    /// The dataset and its revision.
    #[n(4)]
    pub dataset: DatasetId,
    /// Revision of the dataset description that was in force.
    #[n(5)]
    pub dataset_revision: u32,
    /// How.
    #[n(6)]
    pub mode: Mode,
    /// What to observe.
    #[n(7)]
    pub obligations: Obligations,
    /// The grant used.
    #[n(8)]
    pub grant: GrantId,
    /// Block height of the decision.
    #[n(9)]
    pub height: u64,
    /// Block time until which the completion is awaited.
    #[n(10)]
    pub expires_ms: u64,
    /// Digest of the holder's rule book that was in force.
    #[n(11)]
    pub policy: Digest,
    /// For mode `lookup`: the epoch whose key and table serve it.
    #[n(12)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
}

/// Yes or no.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a decision is short-lived and mostly a permit")]
pub enum Outcome {
    /// Permitted.
    #[n(0)]
    Permitted {
        /// The permit.
        #[n(0)]
        permit: Permit,
    },
    /// Refused.
    #[n(1)]
    Refused,
}

/// A decision as the ledger records it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Decision {
    /// The intent.
    #[n(0)]
    pub intent: IntentId,
    /// Digest of the whole intent.
    #[n(1)]
    pub query: Digest,
    /// Yes or no.
    #[n(2)]
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Why, in the order of the checks.
    #[n(3)]
    pub reasons: Vec<Reason>,
    /// Digest of the holder's rule book in force; absent when the dataset or its holder is unknown.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Digest>,
}

impl Decision {
    /// The permit, if it was a yes.
    pub fn permit(&self) -> Option<&Permit> {
        match &self.outcome {
            Outcome::Permitted { permit } => Some(permit),
            Outcome::Refused => None,
        }
    }
}

/// A permit that somebody is told of because a guard rule says so.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Notification {
    /// Leaf of the decision in the log.
    #[n(0)]
    pub leaf: u64,
    /// Block time, milliseconds since 1970.
    #[n(1)]
    pub time_ms: u64,
    /// The permit; it names no subject.
    #[n(2)]
    pub permit: Permit,
}
