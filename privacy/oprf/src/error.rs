//! What can go wrong, told without helping an attacker.

/// Failure of an evaluation or of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OprfError {
    /// Bytes that are no key, public key or part of one.
    #[error("not a key of this group")]
    Key,
    /// The holder refuses to evaluate; the same for whatever is wrong with the request.
    #[error("evaluation was refused")]
    Refused,
    /// The evaluation, its proof or the published key is not what the holder committed to. The holder is at fault.
    #[error("evaluation does not verify under the holder's published key")]
    Evaluation,
    /// No row opens under this key: another subject, epoch or dataset, or altered bytes. They cannot be told apart.
    #[error("no record")]
    NoRecord,
    /// A record longer than rows of its dataset are.
    #[error("record of {length} bytes exceeds the row width of {width}")]
    TooWide {
        /// Length of the record, in bytes.
        length: usize,
        /// Width of the dataset's rows, in bytes.
        width: usize,
    },
    /// A row width that no sealed row can have.
    #[error("row width of {width} bytes is not between 1 and {limit}")]
    Width {
        /// Width that was asked for, in bytes.
        width: usize,
        /// Widest row, in bytes.
        limit: usize,
    },
}
