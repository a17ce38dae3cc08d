//! Authorisation artefacts (protocols.md section 1).

use covenant_canon::Digest;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{CaseNumber, Commitment, ConsentId, DatasetId, FieldName, IntentId, MemberId, Mode, PurposeCode, Quota};

/// One dataset a consent covers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct ConsentScope {
    /// The dataset.
    #[n(0)]
    pub dataset: DatasetId,
    /// The fields that may be used.
    #[n(1)]
    pub fields: Vec<FieldName>,
}

/// On what an authorisation rests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConsentKind {
    /// The subject, or who speaks for it, agreed.
    #[n(0)]
    #[default]
    Consent,
    /// The law: an authority investigates without asking. The service records it all the same, and shows it to the
    /// subject after the day named here.
    #[n(1)]
    LegalAuthority {
        /// The authority's case number.
        #[n(0)]
        case: CaseNumber,
        /// Until when the subject is not told, milliseconds since 1970; absent when it is told at once.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed_until_ms: Option<u64>,
    },
}

/// In what capacity somebody spoke for the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// Parent or guardian of a minor.
    #[n(0)]
    Guardian,
    /// Holder of a power of attorney.
    #[n(1)]
    Attorney,
    /// Legal representative of a company.
    #[n(2)]
    LegalRepresentative,
}

/// Who spoke for the subject, and on what evidence. Names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Representative {
    /// In what capacity.
    #[n(0)]
    pub capacity: Capacity,
    /// `P(id) + r·H` of the representative.
    #[n(1)]
    pub commitment: Commitment,
    /// Salted digest of the evidence that the service keeps.
    #[n(2)]
    pub evidence: Digest,
}

/// A notice text in force: what the subject is told before it agrees (个人信息保护法 第十七条).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The purpose it is about.
    #[n(0)]
    pub purpose: PurposeCode,
    /// Version, from 1; the newest is the one to show.
    #[n(1)]
    pub version: u32,
    /// Digest of the text as shown, [`covenant_canon::Label::NOTICE`].
    #[n(2)]
    pub text: Digest,
}

/// What a citizen or company allowed, as the authorisation service signs it. It names nobody: the subject is hidden in
/// the commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Id.
    #[n(0)]
    pub id: ConsentId,
    /// Who may ask.
    #[n(1)]
    pub consumer: MemberId,
    /// Why.
    #[n(2)]
    pub purpose: PurposeCode,
    /// About what.
    #[n(3)]
    pub scopes: Vec<ConsentScope>,
    /// How.
    #[n(4)]
    pub modes: Vec<Mode>,
    /// `C = P(id) + r·H`.
    #[n(5)]
    pub commitment: Commitment,
    /// From when, milliseconds since 1970.
    #[n(6)]
    pub valid_from_ms: u64,
    /// Until when, exclusive.
    #[n(7)]
    pub valid_until_ms: u64,
    /// Queries it allows in all.
    #[n(8)]
    pub max_uses: u32,
    /// How long an answer may be kept, in days.
    #[n(9)]
    pub data_life_days: u32,
    /// On what it rests.
    #[n(10)]
    #[serde(default)]
    pub kind: ConsentKind,
    /// How often within a window, beside the uses in all.
    #[n(11)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Quota>,
    /// Digest of the notice text that was shown; demanded where the purpose has one.
    #[n(12)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Digest>,
    /// Who spoke for the subject, where it did not speak itself.
    #[n(13)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub representative: Option<Representative>,
    /// Digest of the consumer's signed request that it answers.
    #[n(14)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Digest>,
}

/// What the subject does with a consent after giving it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum ConsentChange {
    /// No use until resumed.
    #[n(0)]
    Paused,
    /// Use again.
    #[n(1)]
    Resumed,
    /// Ended for good.
    #[n(2)]
    Revoked,
}

/// How a use under a consent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum UseOutcome {
    /// The ledger refused it; nothing was told.
    #[n(0)]
    Refused,
    /// Permitted, and not closed yet.
    #[n(1)]
    Permitted,
    /// Answered.
    #[n(2)]
    Answered,
    /// Not answered in time.
    #[n(3)]
    Lapsed,
    /// The holder could not answer.
    #[n(4)]
    Voided,
}

/// One query that named a consent: who asked what about the subject, why, when, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct ConsentUse {
    /// The query; its evidence is found by it.
    #[n(0)]
    pub intent: IntentId,
    /// Leaf of the intent in the log.
    #[n(1)]
    pub leaf: u64,
    /// Height of its block.
    #[n(2)]
    pub height: u64,
    /// Block time, milliseconds since 1970.
    #[n(3)]
    pub time_ms: u64,
    /// Who asked.
    #[n(4)]
    pub consumer: MemberId,
    /// Who was to answer, when it was permitted.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<MemberId>,
    /// About what.
    #[n(6)]
    pub dataset: DatasetId,
    /// Why.
    #[n(7)]
    pub purpose: PurposeCode,
    /// How.
    #[n(8)]
    pub mode: Mode,
    /// Which fields.
    #[n(9)]
    pub fields: Vec<FieldName>,
    /// How it ended.
    #[n(10)]
    pub outcome: UseOutcome,
}

/// State of a consent on the ledger; `expired` follows from its dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum ConsentStatus {
    /// May be used.
    #[n(0)]
    Active,
    /// Paused by the subject.
    #[n(1)]
    Paused,
    /// Revoked by the subject.
    #[n(2)]
    Revoked,
    /// All uses spent.
    #[n(3)]
    Exhausted,
}
