//! What the gateway needs of the consortium. The gateway holds no state of its own worth trusting: everything here is
//! answered by nodes, and the holder re-checks it all on its own replica.

mod catalogue;
mod epoch;
mod node;
mod record;

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;
use covenant_canon::Digest;
use covenant_domain::{
    Case, Ceremony, Consent, ConsentId, ConsentStatus, ConsentUse, Dataset, DatasetId, Decision, Evaluation, IntentId,
    Member, MemberId, Notification, Purpose, Reason, RightId, RightState, RuleBook, SignedRetrieval, Simulation,
};
use covenant_engine::{GrantState, Plan, Wish};
use covenant_ledger::{Bundle, EntryReceipt, Genesis, Handover, SignedBatch};
use minicbor::{Decode, Encode};

pub use catalogue::{Catalogue, PublishedDataset};
pub use epoch::{BuildState, EpochPart, EpochView, EscrowView, FileChunk};
pub use node::{NodeAnswer, NodeAsk, NodeCall, NodePort, NodePulse, NodeReply, QueryStanding, Released, answer};
pub use record::{RecordKind, Recorded, Records};

/// Why the consortium did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Encode, Decode)]
pub enum PortError {
    /// The request itself is wrong; repeating it is in vain.
    #[error("{reason}")]
    #[n(0)]
    Refused {
        /// Stable code, kebab-case.
        #[n(0)]
        code: Cow<'static, str>,
        /// What is wrong, where, and what to do.
        #[n(1)]
        reason: String,
    },
    /// The member has too much waiting already; later it may work.
    #[error("`{member}` has {waiting} entries waiting for a block, {limit} are allowed: try again shortly")]
    #[n(1)]
    Busy {
        /// The member.
        #[n(0)]
        member: MemberId,
        /// Entries waiting.
        #[n(1)]
        waiting: usize,
        /// The charter's limit.
        #[n(2)]
        limit: usize,
    },
    /// No node answers, or it is not ready.
    #[error("the consortium is not reachable: {reason}")]
    #[n(2)]
    Unavailable {
        /// What failed.
        #[n(0)]
        reason: String,
    },
}

impl PortError {
    /// A refusal.
    pub fn refused(code: &'static str, reason: impl Into<String>) -> Self {
        Self::Refused { code: code.into(), reason: reason.into() }
    }

    /// No answer now.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into() }
    }
}

/// A query's input on its way to the holder: opaque to everyone else.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SealedInput {
    /// The intent it belongs to.
    #[n(0)]
    pub intent: IntentId,
    /// Canonical bytes of the sealed input; its digest stands in the intent.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// What became of one submitted entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EntryOutcome {
    /// Digest of the entry.
    #[n(0)]
    pub entry: Digest,
    /// Leaf number in the log.
    #[n(1)]
    pub leaf: u64,
    /// Block height.
    #[n(2)]
    pub height: u64,
    /// Why the ledger recorded it as rejected; absent when it took effect.
    #[n(3)]
    pub rejected: Option<String>,
}

/// Where a query stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// No node knows the intent.
    Unknown,
    /// Accepted, waiting for a block.
    Received,
    /// Refused; final.
    Refused {
        /// Why.
        reasons: Vec<Reason>,
    },
    /// Permitted; the holder has not released an answer yet.
    Permitted,
    /// The answer is released; final.
    Answered {
        /// Canonical bytes of the sealed answer, for the consumer alone to open.
        sealed: Vec<u8>,
        /// Whether its receipt is on the ledger already (always, unless the dataset is graded general).
        receipted: bool,
    },
    /// The permit ran out without a completion; final.
    Lapsed,
    /// The holder could not answer and nothing has left; final.
    Voided {
        /// The holder's word, which tells nothing of any subject.
        reason: String,
    },
}

impl Progress {
    /// Whether nothing more will happen.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Answered { .. } | Self::Lapsed | Self::Voided { .. })
    }
}

/// A decision in words, with the proof that it follows from the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Explanation {
    /// The recorded decision.
    #[n(0)]
    pub decision: Decision,
    /// Height of its block.
    #[n(1)]
    pub height: u64,
    /// Result of executing the ledger again up to that block: equal or not. Absent when no replay was asked for.
    #[n(2)]
    pub replayed_equal: Option<bool>,
}

/// A grant with its status.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GrantView {
    /// As the ledger holds it.
    #[n(0)]
    pub state: GrantState,
    /// Queries debited in its newest window.
    #[n(1)]
    pub used_in_window: u64,
}

/// A consent with its status.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ConsentView {
    /// The consent; it names no subject.
    #[n(0)]
    pub consent: Consent,
    /// Who issued it.
    #[n(1)]
    pub issuer: MemberId,
    /// Status on the ledger.
    #[n(2)]
    pub status: ConsentStatus,
    /// Uses debited.
    #[n(3)]
    pub uses: u32,
}

/// One node as the gateway sees it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NodeHealth {
    /// Whose.
    #[n(0)]
    pub member: MemberId,
    /// Newest block.
    #[n(1)]
    pub height: u64,
    /// Entries waiting for a block.
    #[n(2)]
    pub backlog: usize,
    /// Whether the node signed, verified and read back its newest block just now.
    #[n(3)]
    pub sound: bool,
    /// What failed, if anything.
    #[n(4)]
    pub fault: Option<String>,
}

/// Size of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LedgerTip {
    /// Newest block.
    #[n(0)]
    pub height: u64,
    /// Its id.
    #[n(1)]
    pub block: Digest,
    /// Leaves in the log.
    #[n(2)]
    pub leaves: u64,
    /// Block time, milliseconds since 1970.
    #[n(3)]
    pub time_ms: u64,
}

/// A peer as a node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PeerView {
    /// Whose node.
    #[n(0)]
    pub member: MemberId,
    /// Where it is reached; absent where it connects by itself.
    #[n(1)]
    pub address: Option<String>,
    /// Whether it is connected.
    #[n(2)]
    pub connected: bool,
    /// Why not; absent while it is, or nothing is known.
    #[n(3)]
    pub refusal: Option<String>,
    /// Frames that it did not take in time.
    #[n(4)]
    pub lost_frames: u64,
}

/// A file that a node wrote.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BackupView {
    /// Where, on the node's machine.
    #[n(0)]
    pub path: String,
    /// Its size.
    #[n(1)]
    pub bytes: u64,
    /// The newest block in it.
    #[n(2)]
    pub height: u64,
}

/// What was moved to archives.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ArchiveView {
    /// Archive files that were written, on the node's machine.
    #[n(0)]
    pub files: Vec<String>,
    /// The lowest height whose body is still in the database.
    #[n(1)]
    pub from_height: u64,
}

/// The consortium behind the gateway.
#[async_trait]
pub trait Consortium: Send + Sync + 'static {
    /// The founding document: the trust root of all evidence.
    fn genesis(&self) -> &Genesis;
    /// How rosters behind this number follow, in their order.
    async fn handovers(&self, _after: u32) -> Result<Vec<Handover>, PortError> {
        Ok(Vec::new())
    }
    /// Newest block.
    async fn tip(&self) -> Result<LedgerTip, PortError>;
    /// Records administrative entries and waits until they are final.
    async fn record(&self, batch: SignedBatch) -> Result<Vec<EntryOutcome>, PortError>;
    /// Takes queries: the batch of intents goes to the ledger, each input to its holder. Returns once both are accepted.
    /// A lookup comes without an input.
    /// Asking again with known intent ids is harmless.
    async fn ask(&self, batch: SignedBatch, inputs: Vec<SealedInput>) -> Result<(), PortError>;
    /// Where queries stand, in the order asked; returns early once all are final, and after `wait` at the latest.
    async fn progress(&self, intents: &[IntentId], wait: Duration) -> Result<Vec<Progress>, PortError>;
    /// Whose query this is; absent when unknown.
    async fn consumer_of(&self, intent: &IntentId) -> Result<Option<MemberId>, PortError>;
    /// As [`Consortium::consumer_of`], for many, in the order asked. Worth one look-up where that is cheaper.
    async fn consumers_of(&self, intents: &[IntentId]) -> Result<Vec<Option<MemberId>>, PortError> {
        let mut owners = Vec::with_capacity(intents.len());
        for intent in intents {
            owners.push(self.consumer_of(intent).await?);
        }
        Ok(owners)
    }
    /// The evidence bundle of a query that has been decided.
    async fn evidence(&self, intent: &IntentId) -> Result<Option<Bundle>, PortError>;
    /// Why a query was decided as it was.
    async fn explain(&self, intent: &IntentId, replay: bool) -> Result<Option<Explanation>, PortError>;
    /// Advice before a query.
    async fn plan(&self, wish: &Wish) -> Result<Plan, PortError>;
    /// What the newest queries to a holder's datasets would have been told under a rule book of that holder.
    async fn simulate(&self, book: &RuleBook, last: u32) -> Result<Simulation, PortError>;
    /// All members.
    async fn members(&self) -> Result<Vec<Member>, PortError>;
    /// All purposes.
    async fn purposes(&self) -> Result<Vec<Purpose>, PortError>;
    /// All datasets in force.
    async fn datasets(&self) -> Result<Vec<Dataset>, PortError>;
    /// All datasets with what happened to them, unless the catalogue still is the one of this mark.
    async fn catalogue(&self, known: Option<u64>) -> Result<Option<Catalogue>, PortError>;
    /// All revisions of a dataset, the oldest first; none of an unknown one.
    async fn dataset_versions(&self, id: &DatasetId) -> Result<Vec<PublishedDataset>, PortError>;
    /// A change of a right with its signatures.
    async fn right(&self, id: &RightId) -> Result<Option<RightState>, PortError>;
    /// Grants in which the member is holder or consumer; all of them for a regulator.
    async fn grants(&self, member: &MemberId) -> Result<Vec<GrantView>, PortError>;
    /// A consent.
    async fn consent(&self, id: &ConsentId) -> Result<Option<ConsentView>, PortError>;
    /// Up to 256 queries that named a consent, behind a leaf and in the order of the ledger.
    async fn uses(&self, id: &ConsentId, after: Option<u64>) -> Result<Vec<ConsentUse>, PortError>;
    /// Up to 256 permits that a holder's stewards, or else regulators, are told of, behind a leaf.
    async fn told(&self, holder: Option<&MemberId>, after: Option<u64>) -> Result<Vec<Notification>, PortError>;
    /// The receipt of a submitted entry.
    async fn receipt(&self, entry: &Digest) -> Result<Option<EntryReceipt>, PortError>;
    /// All records of a kind.
    async fn records(&self, kind: RecordKind) -> Result<Records, PortError>;
    /// The epoch in force of a dataset's private lookup.
    async fn epoch(&self, dataset: &DatasetId) -> Result<Option<EpochView>, PortError>;
    /// Up to `length` bytes of a file from `offset`: fewer at its end only, none behind it.
    async fn epoch_file(
        &self,
        dataset: &DatasetId,
        epoch: u32,
        overlay: u32,
        part: EpochPart,
        offset: u64,
        length: u32,
    ) -> Result<Option<FileChunk>, PortError>;
    /// Starts to build the next epoch at the holder's node.
    async fn build_epoch(&self, dataset: &DatasetId, days: u32) -> Result<(), PortError>;
    /// Starts to build the next overlay of the epoch in force at the holder's node.
    async fn build_overlay(&self, dataset: &DatasetId) -> Result<(), PortError>;
    /// How the newest build stands.
    async fn build_state(&self, dataset: &DatasetId) -> Result<BuildState, PortError>;
    /// The holder's evaluation for a lookup; absent when it is not permitted, or not yet, or no lookup.
    async fn evaluate(&self, intent: &IntentId) -> Result<Option<Evaluation>, PortError>;
    /// Stores the encrypted question of a lookup at the holder; the answer comes as progress.
    async fn retrieve(&self, retrieval: SignedRetrieval) -> Result<(), PortError>;
    /// Canonical bytes of the stored signed retrieval, for the audit.
    async fn retrieval(&self, intent: &IntentId) -> Result<Option<Vec<u8>>, PortError>;
    /// All ceremonies of the escrow key.
    async fn ceremonies(&self) -> Result<Vec<Ceremony>, PortError>;
    /// All cases about lookups.
    async fn cases(&self) -> Result<Vec<Case>, PortError>;
    /// Does the real operation on every node: sign, verify, read back.
    async fn health(&self) -> Result<Vec<NodeHealth>, PortError>;
}
