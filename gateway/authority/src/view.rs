//! What the service answers.

use covenant_api::Base64Bytes;
use covenant_canon::Digest;
use covenant_client::ConsentTicket;
use covenant_domain::{Capacity, Consent, ConsentId, ConsentStatus, ConsentUse, MemberId, PurposeCode};
use serde::{Deserialize, Serialize};

use crate::notice::NoticeText;
use crate::terms::RequestTerms;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Waits for its subject.
    Requested,
    /// Being written to the ledger.
    Issuing,
    /// On the ledger.
    Issued,
    /// The subject said no.
    Declined,
    /// The consumer took it back.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
}

/// A request as its consumer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestView {
    /// Digest of the signed terms: the request's id.
    pub id: Digest,
    /// Where it stands.
    pub state: RequestState,
    /// When it lapses undecided, milliseconds since 1970.
    pub expires_ms: u64,
    /// The ticket, once issued; its opening is sealed to the consumer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<ConsentTicket>,
}

/// A request as its subject, or who speaks for it, sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MyRequest {
    /// The request; approving echoes it.
    pub id: Digest,
    /// What is asked, as the consumer signed it.
    pub terms: RequestTerms,
    /// The consumer's names, Chinese and English.
    pub consumer_names: [String; 2],
    /// The text to read; approving echoes its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeText>,
    /// In what capacity the caller would decide; absent when it is about the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// When it lapses undecided, milliseconds since 1970.
    pub expires_ms: u64,
}

/// Agreement to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Digest of the terms that were shown: the request's id.
    pub terms: Digest,
    /// Digest of the notice text that was shown, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Digest>,
}

/// A consent as its subject sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MyConsent {
    /// The consent as it stands on the ledger.
    pub consent: Consent,
    /// Its status there.
    pub status: ConsentStatus,
    /// Uses debited.
    pub uses: u32,
    /// Leaf of its entry in the log; absent when the service ended while it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<u64>,
    /// Height of its block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// In what capacity the caller sees it; absent when it is about the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
}

/// A consent after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// The consent.
    pub consent: ConsentId,
    /// Leaf of the change in the log.
    pub leaf: u64,
    /// Height of its block.
    pub height: u64,
}

/// One use of the caller's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MyUse {
    /// Under which consent.
    pub consent: ConsentId,
    /// The authority's case number, where the use rested on law.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// Who asked what, why, when, and how it ended; with the places on the ledger.
    #[serde(rename = "use")]
    pub found: ConsentUse,
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionView {
    /// `resident` or `company`.
    pub kind: String,
    /// Whether a guardian must decide for the caller.
    pub minor: bool,
    /// To be sent as header `covenant-csrf` with every change; empty for a bearer token, which needs none.
    pub csrf: String,
}

/// A representation to register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRepresentation {
    /// In what capacity.
    pub capacity: Capacity,
    /// Two lines, canonical subject and canonical representative, sealed to the service by its operator.
    pub sealed_names: Base64Bytes,
    /// Digest of the evidence that the operator keeps.
    pub evidence: Digest,
    /// Purposes it covers; empty for all.
    #[serde(default)]
    pub purposes: Vec<PurposeCode>,
    /// From when, milliseconds since 1970.
    pub valid_from_ms: u64,
    /// Until when, exclusive.
    pub valid_until_ms: u64,
}

/// A representation that was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// Its id.
    pub id: String,
}

/// What the service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceView {
    /// Digest of the genesis.
    pub consortium: Digest,
    /// The service's member.
    pub authoriser: MemberId,
    /// The identity provider's issuer URL.
    pub issuer: String,
    /// The service's client id there.
    pub client_id: String,
    /// Purposes with a notice text.
    pub notices: Vec<PurposeCode>,
    /// Notices whose text is not the newest on the ledger; requests of these purposes are refused.
    pub faults: Vec<String>,
}
