//! Everything that can be wrong with a table, a message or a request.

/// What a length belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// One row of the table.
    Row,
    /// The matrix or one band of it.
    Matrix,
    /// A query.
    Query,
    /// An answer.
    Answer,
    /// A hint.
    Hint,
    /// A locator.
    Locator,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Row => "row",
            Self::Matrix => "matrix",
            Self::Query => "query",
            Self::Answer => "answer",
            Self::Hint => "hint",
            Self::Locator => "locator",
        })
    }
}

/// Why a table, a message or a request was refused. Carries lengths and row numbers of the server's side, never a
/// row's content and never the row a client asks for, save where the client itself gave one out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PirError {
    /// A table without records has nothing to retrieve.
    #[error("the table is empty: publish at least one row")]
    EmptyTable,
    /// Rows are 1 to 4096 bytes.
    #[error("a row of `{row_bytes}` bytes is out of bounds: use 1 to {max} bytes")]
    RowBytes {
        /// The length asked for.
        row_bytes: u32,
        /// The longest row.
        max: u32,
    },
    /// Columns are a power of two, and few enough for the error bound.
    #[error("`{columns}` columns are out of bounds: use a power of two up to {max}")]
    Columns {
        /// The number asked for.
        columns: u32,
        /// The most columns.
        max: u32,
    },
    /// Matrix or hint would be larger than this crate handles.
    #[error("a table of `{records}` rows of {row_bytes} bytes in {columns} columns is too large: split it")]
    TooLarge {
        /// Number of records.
        records: u64,
        /// Bytes of a row.
        row_bytes: u32,
        /// Columns of the matrix.
        columns: u32,
    },
    /// Something has another length than its parameters say.
    #[error("the {part} has `{got}` bytes: the parameters of this table ask for {expected}")]
    Length {
        /// What was measured.
        part: Part,
        /// Its length in bytes.
        got: u64,
        /// The length that was expected, in bytes.
        expected: u64,
    },
    /// More rows were given than the parameters have records.
    #[error("more rows than the {records} of the parameters: make new parameters for the longer table")]
    TooManyRows {
        /// Records of the parameters.
        records: u64,
    },
    /// A row number past the end.
    #[error("row `{index}` is out of range: the table has {records} rows, counted from 0")]
    RowIndex {
        /// The number asked for.
        index: u64,
        /// Records of the table.
        records: u64,
    },
    /// Parts that were made for different shapes were put together.
    #[error("the public matrix, matrix or hint was made for another table: make all of them from the same parameters")]
    OtherTable,
    /// A scan was finished before it saw the whole matrix.
    #[error("the scan ended at matrix row `{row}` of {height}: pass the remaining bands first")]
    UnfinishedScan {
        /// Matrix rows seen.
        row: u64,
        /// Matrix rows there are.
        height: u64,
    },
    /// The caller stopped the work through its progress callback.
    #[error("the hint was not computed: its caller stopped it")]
    Stopped,
    /// Two equal tags cannot have two rows.
    #[error("tags `{first}` and `{second}` of the list are equal: every record needs its own tag")]
    DuplicateTags {
        /// Position of one.
        first: u64,
        /// Position of the other.
        second: u64,
    },
    /// The locator's content contradicts itself.
    #[error("the locator is damaged: its parts do not add up to its rows; fetch it again")]
    Locator,
    /// No arrangement was found; by chance alone this does not happen.
    #[error("no locator was found in `{rounds}` rounds: give another seed")]
    LocatorRounds {
        /// Rounds tried.
        rounds: u32,
    },
}
