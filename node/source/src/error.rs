//! What can go wrong, and what to do about it.

use std::path::PathBuf;

use covenant_domain::{DatasetId, SubjectKind};
use sea_orm::DbErr;

use crate::{CellFault, ImportReport};

/// Why a source cannot be opened, filled or read. No variant carries a value of a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The mapping file is wrong.
    #[error("mapping `{file}`, line {line}: {detail}")]
    MappingLine {
        /// The mapping file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong and what to write instead.
        detail: String,
    },
    /// The mapping file is wrong as a whole.
    #[error("mapping `{file}`: {detail}")]
    Mapping {
        /// The mapping file.
        file: String,
        /// What is wrong and what to write instead.
        detail: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The first line of a CSV file does not fit the mapping.
    #[error("`{}`, line 1: {detail}", file.display())]
    Header {
        /// The CSV file.
        file: PathBuf,
        /// What is wrong and what to do.
        detail: String,
    },
    /// The CSV file cannot be split into rows from here on.
    #[error("`{}`, line {line}: {detail}; nothing was changed", file.display())]
    Malformed {
        /// The CSV file.
        file: PathBuf,
        /// Physical line, from 1.
        line: u64,
        /// What is wrong and what to do.
        detail: String,
    },
    /// Rows were refused, so that nothing was imported.
    #[error("{}", rejected_text(.0))]
    Rejected(Box<ImportReport>),
    /// Another import into the same vault has not ended.
    #[error("another import into this vault is under way: wait until it ends, nothing was changed")]
    Busy,
    /// The database refuses.
    #[error("cannot {step}: {advice}")]
    Database {
        /// What was being done.
        step: String,
        /// What it means and what to do.
        advice: &'static str,
        /// The cause.
        #[source]
        source: DbErr,
    },
    /// The address is not of a database that this crate reads.
    #[error("`{url}` is not a database address: use `sqlite://path/to/file.db` or `postgres://user@host/database`")]
    Address {
        /// The address without user and password.
        url: String,
    },
    /// A live table does not fit its mapping.
    #[error("table `{table}`: {detail}")]
    Table {
        /// The table.
        table: String,
        /// What is wrong and what to do.
        detail: String,
    },
    /// A row of a live table does not fit its mapping.
    #[error("table `{table}`, column `{column}`: a row on record {fault}; correct it at the department")]
    Row {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What is wrong with the value.
        fault: CellFault,
    },
    /// A key on record is no valid number of its kind. It is not shown: it may be somebody's.
    #[error("a key in {place} is no valid number of its kind: find and correct it at the department")]
    Key {
        /// Where.
        place: String,
    },
    /// A stored record cannot be decoded.
    #[error("a stored record of `{dataset}` cannot be read: the vault is damaged, import the dataset again")]
    Stored {
        /// The dataset.
        dataset: DatasetId,
        /// The cause.
        #[source]
        source: covenant_canon::CanonError,
    },
    /// Asked for a subject of another kind than the records are keyed by.
    #[error("records of `{dataset}` are keyed by `{expected}`, asked by `{offered}`")]
    SubjectKind {
        /// The dataset.
        dataset: DatasetId,
        /// What the records are keyed by.
        expected: SubjectKind,
        /// What was offered.
        offered: SubjectKind,
    },
    /// The task that reads the file ended without a result.
    #[error("reading the file was stopped, nothing was changed")]
    Stopped,
}

fn rejected_text(report: &ImportReport) -> String {
    let first = report.first_rejects.first().map(|r| format!(", the first at {r}")).unwrap_or_default();
    let file = report.rejects_file.as_ref().map(|f| format!("; they are in `{}`", f.display())).unwrap_or_default();
    format!(
        "{} of {} rows are refused{first}{file}; nothing was changed: correct them, or keep going without them",
        report.rejected, report.rows
    )
}
