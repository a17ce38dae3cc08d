//! Why the store did not do what it was asked.

use std::path::PathBuf;

use covenant_canon::Digest;
use sea_orm::{DbErr, RuntimeErr, sqlx};

use crate::frame::FileError;
use crate::mark::Unfinished;
use crate::place::Place;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A url of another database.
    #[error(
        "`{place}` is not a database url: use `sqlite:///path/node.db`, `sqlite::memory:` or `postgres://user@host/name`"
    )]
    Url {
        /// What was offered.
        place: Place,
    },
    /// Another node writes to it.
    #[error("`{place}` is in use by another node: stop that one, or give this node a database of its own")]
    Locked {
        /// The database.
        place: Place,
    },
    /// Written by a build that knows more.
    #[error("`{place}` holds schema step `{found}`, which this build does not know: run the build that wrote it")]
    Schema {
        /// The database.
        place: Place,
        /// The unknown step.
        found: String,
    },
    /// What is stored is not what was written.
    #[error(
        "`{place}` is damaged ({detail}): keep a copy, then restore a backup or let the node fetch the chain into an empty database"
    )]
    Corrupted {
        /// The database.
        place: Place,
        /// What was found.
        detail: String,
    },
    /// No room.
    #[error("no room left for `{place}` to {step}: free disk space, nothing of this step was written")]
    Full {
        /// The database.
        place: Place,
        /// What was being done.
        step: &'static str,
        /// Cause.
        #[source]
        source: DbErr,
    },
    /// The database cannot be reached or the file cannot be read or written.
    #[error("`{place}` cannot be reached to {step}: see that it exists, runs and that this user may read and write it")]
    Io {
        /// The database.
        place: Place,
        /// What was being done.
        step: &'static str,
        /// Cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another block has this height.
    #[error(
        "height {height} holds block {stored}, not {offered}: this replica and the certificate disagree, stop the node and compare both"
    )]
    Fork {
        /// The height.
        height: u64,
        /// Id of the block that is stored.
        stored: Digest,
        /// Id of the block that was to be stored.
        offered: Digest,
    },
    /// A height was left out.
    #[error("height {height} cannot be stored, the next one is {next}: fetch the heights between first")]
    Gap {
        /// The height that was to be stored.
        height: u64,
        /// The height that can be.
        next: u64,
    },
    /// An entry to be remembered that is not in the index.
    #[error("entry {entry} is to be remembered but height {height} does not index it with the same time and intent")]
    Unindexed {
        /// The height.
        height: u64,
        /// The entry.
        entry: Digest,
    },
    /// A number that a signed 64-bit column cannot hold.
    #[error("{what} {value} is too large to be stored: the limit is 9223372036854775807")]
    Range {
        /// What it counts.
        what: &'static str,
        /// The number.
        value: u64,
    },
    /// Work that was broken off and left nothing usable.
    #[error("`{place}` holds an {work}")]
    Unfinished {
        /// The database.
        place: Place,
        /// What was being done.
        work: Unfinished,
    },
    /// Something is there already.
    #[error("`{place}` is not empty, table `{table}` has rows: give the name of a new database")]
    NotEmpty {
        /// The database.
        place: Place,
        /// The first table that has rows.
        table: &'static str,
    },
    /// A file that goes with the database.
    #[error(transparent)]
    File(#[from] FileError),
    /// A name that the store keeps for itself.
    #[error("`{name}` is not a name for a mark: names that begin with `store/` are the store's own")]
    MarkName {
        /// The name.
        name: String,
    },
    /// A seed that does not lead to its tip.
    #[error("the seed cannot be used: {detail}")]
    Seed {
        /// What is wrong.
        detail: String,
    },
    /// A replica without its first blocks.
    #[error(
        "`{place}` begins at block {first}, so its tables cannot be rebuilt from its blocks: begin at a seed again"
    )]
    Seeded {
        /// The database.
        place: Place,
        /// Its oldest block.
        first: u64,
    },
    /// The mirror was not rebuilt up to the newest block.
    #[error("the rebuild ended at height {height}, the newest block is {newest}: it is unfinished, run it again")]
    Rebuild {
        /// The last height that was given.
        height: u64,
        /// The height of the newest block.
        newest: u64,
    },
    /// The body of a block lies in an archive that is not at hand.
    #[error("the body of block {height} was archived: bring `{file}` into the archive folder{}", shown(.folder))]
    Archived {
        /// The block.
        height: u64,
        /// The archive that holds it.
        file: String,
        /// Where it was looked for; absent when no folder is known.
        folder: Option<PathBuf>,
    },
    /// A block that came with a seed, without its body.
    #[error("block {height} came here without its body: ask a member that has it")]
    HeaderOnly {
        /// The block.
        height: u64,
    },
    /// An archive that holds something else under a height.
    #[error("`{}` holds another block {height} than this replica had: bring the archive that belongs to it", .file.display())]
    WrongArchive {
        /// The archive.
        file: PathBuf,
        /// The block.
        height: u64,
    },
    /// An archive that is not what was written.
    #[error("the archive `{}` cannot be used", .file.display())]
    Archive {
        /// The archive.
        file: PathBuf,
        /// Cause.
        #[source]
        source: FileError,
    },
    /// Without its archive a body does not leave the database.
    #[error("block {height} is in no archive of {}: write the archive first, nothing was taken away", shown(.folder).trim_start())]
    NotArchived {
        /// The block.
        height: u64,
        /// Where archives were looked for; absent when no folder is known.
        folder: Option<PathBuf>,
    },
    /// The caller could not take the header out of a block.
    #[error("block {height} has no header that could stay: its bytes were not touched")]
    Header {
        /// The block.
        height: u64,
        /// Cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Anything else the database said.
    #[error("`{place}` did not {step}: see the cause, nothing of this step was written")]
    Database {
        /// The database.
        place: Place,
        /// What was being done.
        step: &'static str,
        /// Cause.
        #[source]
        source: DbErr,
    },
}

fn shown(folder: &Option<PathBuf>) -> String {
    folder.as_ref().map_or_else(|| " (none is known)".to_owned(), |folder| format!(" `{}`", folder.display()))
}

/// What can go wrong inside, before it is known where.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The database said so.
    Db(DbErr),
    /// A stored value has a form that was never written.
    Damage(String),
    /// Already told in full.
    Told(StoreError),
}

impl From<DbErr> for Fault {
    fn from(error: DbErr) -> Self {
        Self::Db(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Told(error)
    }
}

impl From<FileError> for Fault {
    fn from(error: FileError) -> Self {
        Self::Told(error.into())
    }
}

impl Fault {
    /// Whether the same work may succeed when done again.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Db(error) if matches!(Cause::of(error), Cause::Busy))
    }

    /// The error with its place and the step that met it.
    pub(crate) fn told(self, place: &Place, step: &'static str) -> StoreError {
        let place = place.clone();
        match self {
            Self::Told(error) => error,
            Self::Damage(detail) => StoreError::Corrupted { place, detail },
            Self::Db(source) => match Cause::of(&source) {
                Cause::Damaged => StoreError::Corrupted { place, detail: source.to_string() },
                Cause::Full => StoreError::Full { place, step, source },
                Cause::Io => StoreError::Io { place, step, source: source.into() },
                Cause::Busy | Cause::Other => StoreError::Database { place, step, source },
            },
        }
    }
}

/// What an error of the database means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Damaged,
    Full,
    Io,
    Busy,
    Other,
}

impl Cause {
    fn of(error: &DbErr) -> Self {
        match error {
            DbErr::Conn(RuntimeErr::SqlxError(e))
            | DbErr::Exec(RuntimeErr::SqlxError(e))
            | DbErr::Query(RuntimeErr::SqlxError(e)) => Self::of_driver(e),
            DbErr::ConnectionAcquire(_) => Self::Io,
            // A column of another type than was written.
            DbErr::Type(_) | DbErr::TryIntoErr { .. } => Self::Damaged,
            _ => Self::Other,
        }
    }

    fn of_driver(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Self::Io,
            sqlx::Error::WorkerCrashed => Self::Io,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Damaged,
            sqlx::Error::Database(e) => e.code().map_or(Self::Other, |code| Self::of_code(&code)),
            _ => Self::Other,
        }
    }

    /// SQLite result codes are decimal numbers, the primary one in the low byte (sqlite.org/rescode.html);
    /// PostgreSQL's are five characters (its manual, appendix A).
    fn of_code(code: &str) -> Self {
        if code.len() == 5 {
            return match code {
                "XX001" | "XX002" => Self::Damaged,
                "53100" => Self::Full,
                "40001" | "40P01" => Self::Busy,
                "3D000" | "58030" | "58P01" => Self::Io,
                _ if code.starts_with("08") || code.starts_with("28") || code.starts_with("57P") => Self::Io,
                _ => Self::Other,
            };
        }
        match code.parse::<u32>().map(|n| n & 0xff) {
            Ok(11 | 26) => Self::Damaged,
            Ok(13) => Self::Full,
            Ok(5 | 6) => Self::Busy,
            Ok(3 | 8 | 10 | 14 | 23) => Self::Io,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_databases_are_understood() {
        for (code, cause) in [
            ("11", Cause::Damaged),
            ("267", Cause::Damaged), // SQLITE_CORRUPT_VTAB
            ("26", Cause::Damaged),
            ("13", Cause::Full),
            ("5", Cause::Busy),
            ("778", Cause::Io),     // SQLITE_IOERR_WRITE
            ("1555", Cause::Other), // SQLITE_CONSTRAINT_PRIMARYKEY
            ("XX001", Cause::Damaged),
            ("53100", Cause::Full),
            ("40001", Cause::Busy),
            ("28P01", Cause::Io),
            ("57P01", Cause::Io),
            ("23505", Cause::Other),
        ] {
            assert_eq!(Cause::of_code(code), cause, "{code}");
        }
    }
}
