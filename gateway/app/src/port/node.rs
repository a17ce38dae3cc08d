//! What the gateway asks of one node, as a trait and as values that can travel.
//!
//! One table makes both, so that no call exists in only one of the forms. Numbers are part of the format between
//! processes: a call that goes away takes its number with it.

use std::time::Duration;

use async_trait::async_trait;
use covenant_canon::Digest;
use covenant_domain::{
    Case, Ceremony, ConsentId, ConsentUse, Dataset, DatasetId, Evaluation, IntentId, Member, MemberId, Notification,
    Purpose, Reason, RightId, RightState, RuleBook, SignedRetrieval, Simulation,
};
use covenant_engine::{Plan, Wish};
use covenant_ledger::{Bundle, EntryReceipt, Handover, SignedBatch};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::{
    ArchiveView, BackupView, BuildState, Catalogue, ConsentView, EntryOutcome, EpochPart, EpochView, Explanation,
    FileChunk, GrantView, LedgerTip, NodeHealth, PeerView, PortError, PublishedDataset, RecordKind, Records,
    SealedInput,
};

/// Where a query stands on the ledger of one node.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum QueryStanding {
    /// This node knows nothing of it.
    #[n(0)]
    Unknown,
    /// It waits for a block.
    #[n(1)]
    Waiting,
    /// Refused; final.
    #[n(2)]
    Refused {
        /// Who asks.
        #[n(0)]
        consumer: MemberId,
        /// Why.
        #[n(1)]
        reasons: Vec<Reason>,
    },
    /// Permitted, and perhaps completed: its holder has the answer.
    #[n(3)]
    Permitted {
        /// Who asks.
        #[n(0)]
        consumer: MemberId,
        /// Who answers.
        #[n(1)]
        holder: MemberId,
    },
    /// The permit ran out; final.
    #[n(4)]
    Lapsed {
        /// Who asks.
        #[n(0)]
        consumer: MemberId,
    },
    /// The holder could not answer and nothing has left; final.
    #[n(5)]
    Voided {
        /// Who asks.
        #[n(0)]
        consumer: MemberId,
        /// The holder's word.
        #[n(1)]
        reason: String,
    },
}

impl QueryStanding {
    /// Whose query it is; absent until it stands in a block.
    pub fn consumer(self) -> Option<MemberId> {
        match self {
            Self::Unknown | Self::Waiting => None,
            Self::Refused { consumer, .. }
            | Self::Permitted { consumer, .. }
            | Self::Lapsed { consumer }
            | Self::Voided { consumer, .. } => Some(consumer),
        }
    }
}

/// An answer that may leave its holder.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Released {
    /// Canonical bytes of the sealed answer.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
    /// Whether its receipt is on the ledger.
    #[n(1)]
    pub receipted: bool,
}

/// What is known of a node without asking it.
pub trait NodePulse: Send + Sync {
    /// Whether it takes part in consensus, as far as is known here and now.
    fn is_running(&self) -> bool;

    /// Number of changes at the node that are known here, for [`NodePort::changed`]. Not zero, and comparable only with
    /// what the same port said.
    fn changes(&self) -> u64;
}

/// Carries calls to a node. Whatever does so is a [`NodePort`].
#[async_trait]
pub trait NodeCall: NodePulse {
    /// Has one call answered.
    ///
    /// # Errors
    /// What the node said, or [`PortError::Unavailable`] when it says nothing.
    async fn call(&self, ask: NodeAsk) -> Result<NodeAnswer, PortError>;
}

macro_rules! calls {
    ($($(#[$doc:meta])* $n:literal $call:ident $method:ident($($name:ident: $ty:ty),*) -> $out:ty;)*) => {
        /// One member's node as a gateway sees it. Each call may be a round trip: what is asked for many is asked at once.
        #[async_trait]
        pub trait NodePort: NodePulse {
            $($(#[$doc])* async fn $method(&self, $($name: $ty),*) -> Result<$out, PortError>;)*
        }

        /// A call of [`NodePort`] as a value.
        #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
        pub enum NodeAsk {
            $($(#[$doc])* #[n($n)] $call(#[n(0)] ($($ty,)*)),)*
        }

        impl NodeAsk {
            /// Names of all calls.
            pub const ALL: &[&'static str] = &[$(stringify!($method)),*];

            /// Its name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$call(_) => stringify!($method),)*
                }
            }
        }

        /// What a call of [`NodePort`] gave, as a value.
        #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
        #[expect(clippy::large_enum_variant, reason = "there is one at a time")]
        pub enum NodeAnswer {
            $($(#[$doc])* #[n($n)] $call(#[n(0)] $out),)*
        }

        impl NodeAnswer {
            /// Name of the call that it answers.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$call(_) => stringify!($method),)*
                }
            }
        }

        /// Has a node do what a call asks.
        ///
        /// # Errors
        /// What the node said.
        pub async fn answer(node: &dyn NodePort, ask: NodeAsk) -> Result<NodeAnswer, PortError> {
            Ok(match ask {
                $(NodeAsk::$call(($($name,)*)) => NodeAnswer::$call(node.$method($($name),*).await?),)*
            })
        }

        #[async_trait]
        impl<T: NodeCall> NodePort for T {
            $(async fn $method(&self, $($name: $ty),*) -> Result<$out, PortError> {
                match self.call(NodeAsk::$call(($($name,)*))).await? {
                    NodeAnswer::$call(out) => Ok(out),
                    other => Err(astray(stringify!($method), &other)),
                }
            })*
        }
    };
}

calls! {
    /// Newest block.
    0 Tip tip() -> LedgerTip;
    /// Takes administrative entries and waits up to `wait` until they are final. Harmless when repeated.
    1 Record record(batch: SignedBatch, wait: Duration) -> Vec<EntryOutcome>;
    /// Takes a batch. Harmless when repeated.
    2 Submit submit(batch: SignedBatch) -> ();
    /// Stores inputs of a consumer's queries at their holder.
    3 Deliver deliver(consumer: MemberId, inputs: Vec<SealedInput>) -> ();
    /// Where queries stand, in the order asked.
    4 Queries queries(intents: Vec<IntentId>) -> Vec<QueryStanding>;
    /// Answers of this holder that may leave, in the order asked: for one intent at least, and for as many as fit into one
    /// message.
    5 Releases releases(intents: Vec<IntentId>) -> Vec<Option<Released>>;
    /// The evidence bundle of a query that has been decided.
    6 Evidence evidence(intent: IntentId) -> Option<Bundle>;
    /// Why a query was decided as it was.
    7 Explain explain(intent: IntentId, replay: bool) -> Option<Explanation>;
    /// Advice before a query.
    8 Plan plan(wish: Wish) -> Plan;
    /// What the newest queries to a holder's datasets would have been told under a rule book of that holder.
    9 Simulate simulate(book: RuleBook, last: u32) -> Simulation;
    /// All members.
    10 Members members() -> Vec<Member>;
    /// All purposes.
    11 Purposes purposes() -> Vec<Purpose>;
    /// All datasets in force.
    12 Datasets datasets() -> Vec<Dataset>;
    /// All datasets with what happened to them, unless the catalogue still is the one of this mark.
    13 Catalogue catalogue(known: Option<u64>) -> Option<Catalogue>;
    /// All revisions of a dataset, the oldest first.
    14 DatasetVersions dataset_versions(id: DatasetId) -> Vec<PublishedDataset>;
    /// A change of a right with its signatures.
    15 Right right(id: RightId) -> Option<RightState>;
    /// Grants in which the member is holder or consumer; all of them for a regulator.
    16 Grants grants(member: MemberId) -> Vec<GrantView>;
    /// A consent.
    17 Consent consent(id: ConsentId) -> Option<ConsentView>;
    /// Up to 256 queries that named a consent, behind a leaf and in the order of the ledger.
    18 Uses uses(id: ConsentId, after: Option<u64>) -> Vec<ConsentUse>;
    /// Up to 256 permits that a holder's stewards, or else regulators, are told of, behind a leaf.
    19 Told told(holder: Option<MemberId>, after: Option<u64>) -> Vec<Notification>;
    /// The receipt of a submitted entry.
    20 Receipt receipt(entry: Digest) -> Option<EntryReceipt>;
    /// All records of a kind.
    21 Records records(kind: RecordKind) -> Records;
    /// The epoch in force of a dataset's private lookup.
    22 Epoch epoch(dataset: DatasetId) -> Option<EpochView>;
    /// Up to `length` bytes of a file of this holder from `offset`: fewer at its end only, none behind it.
    23 EpochFile epoch_file(dataset: DatasetId, epoch: u32, overlay: u32, part: EpochPart, offset: u64, length: u32)
        -> Option<FileChunk>;
    /// Starts to build the next epoch of this holder's dataset.
    24 BuildEpoch build_epoch(dataset: DatasetId, days: u32) -> ();
    /// Starts to build the next overlay of the epoch in force of this holder's dataset.
    25 BuildOverlay build_overlay(dataset: DatasetId) -> ();
    /// How the newest build of this holder's dataset stands.
    26 BuildState build_state(dataset: DatasetId) -> BuildState;
    /// This holder's evaluation for a lookup; absent when it is not permitted, or not yet, or no lookup.
    27 Evaluate evaluate(intent: IntentId) -> Option<Evaluation>;
    /// Stores the encrypted question of a lookup at this holder.
    28 Retrieve retrieve(retrieval: SignedRetrieval) -> ();
    /// Canonical bytes of the signed retrieval that this holder stored.
    29 Retrieval retrieval(intent: IntentId) -> Option<ByteVec>;
    /// All ceremonies of the escrow key.
    30 Ceremonies ceremonies() -> Vec<Ceremony>;
    /// All cases about lookups.
    31 Cases cases() -> Vec<Case>;
    /// Does the real operation: sign, verify, read back.
    32 Health health() -> NodeHealth;
    /// Holders of datasets in force, in the order asked.
    33 Holders holders(datasets: Vec<DatasetId>) -> Vec<Option<MemberId>>;
    /// Number of changes about queries at this node: at once when it is not `since`, otherwise after the next change and
    /// after `wait` at the latest. It is never zero.
    34 Changed changed(since: u64, wait: Duration) -> u64;
    /// How rosters behind this number follow, in their order.
    35 Handovers handovers(after: u32) -> Vec<Handover>;
    /// Who is connected to this node, and who not and why.
    36 Peers peers() -> Vec<PeerView>;
    /// Writes a backup of this node's database beside it, while it runs; for its own member.
    37 Backup backup() -> BackupView;
    /// Moves bodies of blocks to archive files, but for the newest so many; for its own member.
    38 Archive archive(keep: u64) -> ArchiveView;
    /// Writes a snapshot from which another replica can begin; for its own member.
    39 Snapshot snapshot() -> BackupView;
}

/// What a node says to a call that reached it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NodeReply {
    /// Whether it takes part in consensus.
    #[n(0)]
    pub running: bool,
    /// The answer, or why there is none.
    #[n(1)]
    pub said: Result<NodeAnswer, PortError>,
}

fn astray(asked: &'static str, answer: &NodeAnswer) -> PortError {
    PortError::unavailable(format!("a node answered `{}` when asked `{asked}`", answer.name()))
}
