//! What goes in and comes out.

use std::fmt;

use covenant_canon::Digest;
use covenant_domain::{IntentId, MemberId};
use covenant_ledger::Tile;
use covenant_state::{Row, SeenEntry};

/// The newest height of the replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Height of the newest block.
    pub height: u64,
    /// Its id.
    pub block: Digest,
    /// Its time, milliseconds since 1970.
    pub time_ms: u64,
    /// Leaves of the evidence log after it.
    pub log_size: u64,
}

/// Everything that one height changes.
#[derive(Clone, PartialEq, Eq)]
pub struct Commit {
    /// Height, one above the tip; the first is 1.
    pub height: u64,
    /// Id of the block.
    pub block: Digest,
    /// Block time, milliseconds since 1970.
    pub time_ms: u64,
    /// The block as it travels.
    pub bytes: Vec<u8>,
    /// Canonical bytes of its certificate.
    pub certificate: Vec<u8>,
    /// Its entries, submitted and derived, one per leaf; none for an empty block.
    pub entries: Vec<EntryRow>,
    /// Those of `entries` to be remembered against replay.
    pub seen: Vec<SeenEntry>,
    /// Changed and removed objects of the state; when a key comes twice the last one holds.
    pub rows: Vec<Row>,
    /// Changed tiles of the evidence log; when one comes twice the last one holds.
    pub tiles: Vec<Tile>,
    /// Leaves of the evidence log after the block.
    pub log_size: u64,
    /// Batches of the mempool that the block holds.
    pub included: Vec<Digest>,
    /// Proofs of equivocation that came up at this height, canonical bytes.
    pub evidence: Vec<Vec<u8>>,
}

/// One entry in the index.
#[derive(Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Leaf of the evidence log.
    pub leaf: u64,
    /// Height of its block.
    pub height: u64,
    /// Batch within the block; absent for derived entries.
    pub batch: Option<u32>,
    /// Position within the batch, or among the derived entries.
    pub position: u32,
    /// Digest of the entry.
    pub digest: Digest,
    /// The member that signed it; absent for derived entries.
    pub author: Option<MemberId>,
    /// Kind of its body.
    pub kind: String,
    /// The instance it is about.
    pub about: String,
    /// What else it is about.
    pub under: Vec<String>,
    /// The later of when it was made and of its intent id's own time, milliseconds since 1970; as in its `SeenEntry`.
    pub fresh_ms: u64,
    /// Canonical bytes of a derived entry; submitted ones are read from their block.
    pub derived: Option<Vec<u8>>,
}

/// A block of the chain.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredBlock {
    /// Height.
    pub height: u64,
    /// Block id.
    pub id: Digest,
    /// The block as it travels, or what is kept of it.
    pub bytes: Vec<u8>,
    /// Canonical bytes of its certificate.
    pub certificate: Vec<u8>,
    /// Block time, milliseconds since 1970.
    pub time_ms: u64,
    /// What `bytes` is.
    pub body: Body,
}

/// How much of a block there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// All of it.
    Full,
    /// What the caller made of it when its body was taken away: its header.
    Header,
}

/// A block that was proposed and is not decided.
#[derive(Clone, PartialEq, Eq)]
pub struct Undecided {
    /// Height it is proposed for.
    pub height: u64,
    /// Round it was proposed in.
    pub round: u32,
    /// Who proposed it.
    pub proposer: MemberId,
    /// Block id.
    pub id: Digest,
    /// The block as it travels.
    pub bytes: Vec<u8>,
}

/// A batch of entries that waits for a block.
#[derive(Clone, PartialEq, Eq)]
pub struct Pending {
    /// Digest of the batch.
    pub id: Digest,
    /// The member that signed it.
    pub author: MemberId,
    /// The batch as it travels.
    pub bytes: Vec<u8>,
}

/// What a node needs to go on from its tip, all of one height.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// The tip; absent before the first block.
    pub tip: Option<Tip>,
    /// Objects of the state in key order.
    pub rows: Vec<Row>,
    /// Entries to be remembered, in the order of their freshness, then of their leaves.
    pub seen: Vec<SeenEntry>,
    /// The newest tile of every algorithm and level.
    pub tiles: Vec<Tile>,
}

/// What a consumer sent beside its intent, sealed to the holder.
#[derive(Clone, PartialEq, Eq)]
pub struct Input {
    /// The query.
    pub intent: IntentId,
    /// Who asks.
    pub consumer: MemberId,
    /// Sealed bytes.
    pub sealed: Vec<u8>,
    /// When it arrived, milliseconds since 1970.
    pub received_ms: u64,
}

/// The one answer to a permit.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The query.
    pub intent: IntentId,
    /// Who may open it.
    pub consumer: MemberId,
    /// Sealed bytes.
    pub sealed: Vec<u8>,
    /// Canonical bytes of the completion.
    pub completion: Vec<u8>,
    /// Whether the completion was handed to the ledger.
    pub submitted: bool,
    /// When it was made, milliseconds since 1970.
    pub created_ms: u64,
}

/// Shows how long bytes are and not what they are.
pub(crate) struct Hidden<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

macro_rules! quiet_debug {
    ($name:ident { $($shown:ident),* } $(hides { $($hidden:ident),* })? $(counts { $($counted:ident),* })?) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($shown), &self.$shown))*
                    $($(.field(stringify!($hidden), &Hidden(&self.$hidden)))*)?
                    $($(.field(stringify!($counted), &self.$counted.len()))*)?
                    .finish()
            }
        }
    };
}

quiet_debug!(Commit { height, block, time_ms, log_size } hides { bytes, certificate }
    counts { entries, seen, rows, tiles, included, evidence });
quiet_debug!(EntryRow { leaf, height, batch, position, digest, author, kind, fresh_ms });
quiet_debug!(StoredBlock { height, id, time_ms, body } hides { bytes, certificate });
quiet_debug!(Undecided { height, round, proposer, id } hides { bytes });
quiet_debug!(Pending { id, author } hides { bytes });
quiet_debug!(Input { intent, consumer, received_ms } hides { sealed });
quiet_debug!(StoredAnswer { intent, consumer, submitted, created_ms } hides { sealed, completion });
