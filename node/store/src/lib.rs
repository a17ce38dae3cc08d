//! The ledger replica of one node, in SQLite or PostgreSQL.
//!
//! Blocks and certificates are the truth; the entry index, state rows and tiles beside them are a mirror that can be
//! rebuilt. One transaction per height writes them all, so that a node killed at any time finds the height it had.
//! The node's mempool, its undecided blocks and its worker's inputs and answers lie in the same database.
//!
//! Backups, archives of old blocks and seeds for new replicas are read and written here too, as files of frames.
//!
//! This crate does not read what it stores: state, entries and sealed answers are opaque bytes here and never logged.
//! Whether a block is right was decided by others; the only things checked are its height and that bytes come back as
//! they were written.

mod archive;
mod archives;
mod commit;
mod dump;
mod entity;
mod error;
mod frame;
mod ledger;
mod load;
mod lock;
mod mark;
mod migration;
mod place;
mod pool;
mod proposal;
mod record;
mod restore;
mod rewrite;
mod row;
mod seed;
mod size;
mod store;
mod strip;
mod table;
mod work;

#[cfg(test)]
mod tests;

pub use archive::{Archive, ArchiveWriter, ArchivedBlock, ArchivedEntry, archive_name};
pub use dump::{DumpSummary, Progress};
pub use error::StoreError;
pub use frame::{FileError, Frame, FrameReader, FrameWriter, MAX_FRAME};
pub use mark::Unfinished;
pub use migration::Migrator;
pub use record::{Body, Commit, EntryRow, Input, Loaded, Pending, StoredAnswer, StoredBlock, Tip, Undecided};
pub use rewrite::Rewrite;
pub use seed::Seed;
pub use size::Size;
pub use store::Store;
pub use strip::{HeaderError, Stripped};
