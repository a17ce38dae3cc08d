//! What a decision may look at.

use covenant_canon::Digest;
use covenant_domain::{
    Consent, ConsentId, ConsentStatus, Dataset, DatasetId, Epoch, Grant, GrantId, Intent, LookupTable, Member,
    MemberId, Purpose, PurposeCode,
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
    /// A dataset's revision in force.
    fn dataset(&self, id: &DatasetId) -> Option<&Dataset>;
    /// A purpose.
    fn purpose(&self, code: &PurposeCode) -> Option<&Purpose>;
    /// Grants for this consumer, dataset and purpose, in the order of their ids.
    fn grants(&self, consumer: &MemberId, dataset: &DatasetId, purpose: &PurposeCode) -> Vec<&GrantState>;
    /// Queries debited from a grant in the window that starts at `window_start_ms`.
    fn quota_used(&self, grant: &GrantId, window_start_ms: u64) -> u64;
    /// A consent.
    fn consent(&self, id: &ConsentId) -> Option<&ConsentState>;
    /// A holder's guard rules, ready for evaluation.
    fn guard(&self, holder: &MemberId) -> Option<&Guard>;
    /// The epoch of a dataset's private lookup, if it has one.
    fn epoch(&self, dataset: &DatasetId) -> Option<&EpochState>;
    /// Number of the escrow key in force.
    fn escrow(&self) -> Option<u32>;
    /// Whether the proof of an intent's claim holds. Asked only when epoch and escrow key are those in force.
    fn claim_holds(&self, intent: &Intent) -> bool;
}
