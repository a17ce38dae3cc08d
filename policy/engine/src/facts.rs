//! What a decision may look at.

use covenant_canon::Digest;
use covenant_domain::{
    Consent, ConsentId, ConsentStatus, Dataset, DatasetId, DatasetStatus, Epoch, Grant, GrantId, Intent, LookupTable,
    Member, MemberId, Purpose, PurposeCode, RequestId,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::Guard;

/// A grant with what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct GrantState {
    /// The grant as issued.
    #[n(0)]
    pub grant: Grant,
    /// Members that suspended it and have not resumed, sorted; each suspends independently.
    #[n(1)]
    pub suspended_by: Vec<MemberId>,
    /// Whether it was ended for good.
    #[n(2)]
    pub revoked: bool,
    /// Who has signed it, sorted: holder, consumer, co-signers, and who acted for one of them.
    #[n(3)]
    pub signed_by: Vec<MemberId>,
    /// The access request it came from.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// The grant that has taken its place.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<GrantId>,
    /// When its consumer must have attested deletion, block time in milliseconds; absent once it has, or has nothing to
    /// delete.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_due_ms: Option<u64>,
    /// Whether that time has passed without.
    #[n(7)]
    pub deletion_overdue: bool,
    /// Digest of the attestation.
    #[n(8)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Digest>,
}

impl GrantState {
    /// A grant as it is issued.
    pub fn new(grant: Grant, mut signed_by: Vec<MemberId>) -> Self {
        signed_by.sort();
        signed_by.dedup();
        Self {
            grant,
            suspended_by: Vec::new(),
            revoked: false,
            signed_by,
            request: None,
            superseded_by: None,
            deletion_due_ms: None,
            deletion_overdue: false,
            deletion: None,
        }
    }

    /// Whether it was ended before its time.
    pub fn is_ended(&self) -> bool {
        self.revoked || self.superseded_by.is_some()
    }
}

/// A consent with what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct ConsentState {
    /// The consent as issued.
    #[n(0)]
    pub consent: Consent,
    /// The authorisation service that issued it.
    #[n(1)]
    pub issuer: MemberId,
    /// Status.
    #[n(2)]
    pub status: ConsentStatus,
    /// Uses debited.
    #[n(3)]
    pub uses: u32,
}

/// Tables of private lookup whose answers a completion may still name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct RecentTables {
    /// The epoch.
    #[n(0)]
    pub epoch: u32,
    /// Digest of its table's description.
    #[n(1)]
    pub table: Digest,
    /// Digest of an overlay's description.
    #[n(2)]
    pub overlay: Digest,
}

/// A dataset's epoch in force, with its newest overlay.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct EpochState {
    /// The epoch as published.
    #[n(0)]
    pub epoch: Epoch,
    /// Revision of the newest overlay.
    #[n(1)]
    pub overlay_revision: u32,
    /// The newest overlay.
    #[n(2)]
    pub overlay: LookupTable,
    /// What queries under way may have been answered from, the newest last.
    #[n(3)]
    pub recent: Vec<RecentTables>,
}

/// When a decision is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Block height.
    pub height: u64,
    /// Block time, milliseconds since 1970.
    pub time_ms: u64,
    /// How far an intent's own time may lie from block time, in milliseconds.
    pub freshness_ms: u64,
    /// How long a completion is awaited, in milliseconds.
    pub completion_ms: u64,
}

/// A snapshot of the ledger's state.
pub trait Facts {
    /// A member.
    fn member(&self, id: &MemberId) -> Option<&Member>;
    /// Whether a member may ask and be asked: it is neither suspended nor frozen.
    fn acts(&self, _member: &MemberId) -> bool {
        true
    }
    /// A dataset's revision in force.
    fn dataset(&self, id: &DatasetId) -> Option<&Dataset>;
    /// A purpose.
    fn purpose(&self, code: &PurposeCode) -> Option<&Purpose>;
    /// Grants for this consumer, dataset and purpose, in the order of their ids.
    fn grants(&self, consumer: &MemberId, dataset: &DatasetId, purpose: &PurposeCode) -> Vec<&GrantState>;
    /// Queries debited from a grant in the window that starts at `window_start_ms`.
    fn quota_used(&self, grant: &GrantId, window_start_ms: u64) -> u64;
    /// Queries counted under a grant in the minute that starts at `window_start_ms`.
    fn rate_used(&self, grant: &GrantId, window_start_ms: u64) -> u64;
    /// Whether a moment, milliseconds since 1970, falls on a working day.
    fn is_working_day(&self, time_ms: u64) -> bool;
    /// A consent.
    fn consent(&self, id: &ConsentId) -> Option<&ConsentState>;
    /// Uses debited from a consent in the window that starts at `window_start_ms`.
    fn consent_used(&self, consent: &ConsentId, window_start_ms: u64) -> u64;
    /// A holder's guard rules, ready for evaluation.
    fn guard(&self, holder: &MemberId) -> Option<&Guard>;
    /// The epoch of a dataset's private lookup, if it has one.
    fn epoch(&self, dataset: &DatasetId) -> Option<&EpochState>;
    /// Number of the escrow key in force.
    fn escrow(&self) -> Option<u32>;
    /// What happened to a dataset since it was published; absent when nothing did.
    fn dataset_status(&self, dataset: &DatasetId) -> Option<&DatasetStatus>;
    /// Whether the proof of an intent's claim holds. Asked only when epoch and escrow key are those in force.
    fn claim_holds(&self, intent: &Intent) -> bool;
}
