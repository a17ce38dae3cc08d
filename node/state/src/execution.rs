//! The result of executing a block.

use std::sync::Arc;

use covenant_canon::Digest;
use covenant_domain::{Entry, Found, IntentId, MemberId};
use covenant_engine::Guard;
use covenant_ledger::Membership;

use crate::object::{Key, Object};

/// Why a block must not hold a batch. The proposer leaves such batches out; validators refuse the block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inadmissible {
    /// Already on the ledger.
    #[error("entry {entry} is already recorded")]
    Duplicate {
        /// The entry.
        entry: Digest,
    },
    /// Its intent id was used before.
    #[error("intent id {intent} was used before: make a new one, or ask for the result of the old one")]
    IntentReused {
        /// The intent.
        intent: IntentId,
    },
    /// A completion by the holder of a query that is closed, overdue or not open yet. Blocks hold none, so that a
    /// completion on the ledger under its holder's signature and in time is proof of a completed query.
    #[error("intent {intent} awaits no completion")]
    NotOpen {
        /// The intent.
        intent: IntentId,
    },
    /// Made too long before or after block time.
    #[error("entry {entry} was made at {made_ms} ms, more than {freshness_ms} ms from block time {time_ms} ms")]
    Stale {
        /// The entry.
        entry: Digest,
        /// When it says it was made.
        made_ms: u64,
        /// Block time.
        time_ms: u64,
        /// The charter's limit.
        freshness_ms: u64,
    },
    /// A text in it reads as somebody's number or address. The ledger is for ever, so no block holds it.
    #[error("entry {entry} holds {found} of one of its texts: say it without")]
    Personal {
        /// The entry.
        entry: Digest,
        /// What and where.
        found: Found,
    },
    /// Its author is no member, or its key is locked.
    #[error("`{author}` is not a member of the consortium, or its key is locked")]
    NotMember {
        /// The author.
        author: MemberId,
    },
    /// Block time runs backwards.
    #[error("block time {time_ms} ms lies before the parent's {parent_ms} ms")]
    Time {
        /// Time of the block.
        time_ms: u64,
        /// Time of its parent.
        parent_ms: u64,
    },
}

/// One changed object in canonical bytes: the row of the state table and the leaf of the state tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Canonical bytes of the [`Key`].
    pub key: Vec<u8>,
    /// Canonical bytes of the [`Object`]; absent when it is gone.
    pub value: Option<Vec<u8>>,
}

/// An entry that must not be recorded again while its time is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenEntry {
    /// The later of when it was made and of its intent id's own time.
    pub fresh_ms: u64,
    /// Its digest.
    pub entry: Digest,
    /// The intent it carries.
    pub intent: Option<IntentId>,
}

/// What a block does. Nothing has happened yet.
#[derive(Debug, Clone, Default)]
pub struct Execution {
    /// Height of the block.
    pub height: u64,
    /// Block time.
    pub time_ms: u64,
    /// Entries that execution derives, in order: lapses first, then what each submitted entry led to.
    pub derived: Vec<Entry>,
    /// Changed objects in key order.
    pub changes: Vec<(Key, Option<Object>)>,
    /// The same as rows.
    pub rows: Vec<Row>,
    /// Submitted entries, to be remembered.
    pub seen: Vec<SeenEntry>,
    pub(crate) guards: Vec<(MemberId, Arc<Guard>)>,
    pub(crate) membership: Option<Arc<Membership>>,
}

impl Execution {
    /// What a block without entries does when nothing lapses.
    pub fn empty(height: u64, time_ms: u64) -> Self {
        Self { height, time_ms, ..Self::default() }
    }
}
