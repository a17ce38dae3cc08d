//! The shape of a table and what follows from it: lengths on the wire and the chance of a wrong byte.

use crate::PirError;

/// Length `n` of the secret, in words.
pub const SECRET_WORDS: usize = 1024;

/// Longest row, in bytes.
pub const MAX_ROW_BYTES: u32 = 4096;

/// Most columns: beyond 2²⁰ the published table allows no plaintext modulus of 256.
pub const MAX_COLUMNS: u32 = 1 << 20;

/// Largest matrix: 256 GiB.
const MAX_MATRIX_BYTES: u64 = 1 << 38;

/// Largest hint: 64 GiB.
const MAX_HINT_BYTES: u64 = 1 << 36;

/// Bytes of one row of the hint.
pub(crate) const HINT_ROW_BYTES: usize = 4 * SECRET_WORDS;

/// Shape of a table: how many rows of how many bytes, laid out in how many columns.
///
/// Record `i` stands in column `i mod columns`, in the block of `row_bytes` matrix rows with number `i / columns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Params {
    records: u64,
    row_bytes: u32,
    columns: u32,
}

impl Params {
    /// Checks a shape.
    ///
    /// # Errors
    /// [`PirError::EmptyTable`], [`PirError::RowBytes`], [`PirError::Columns`], and [`PirError::TooLarge`] for a matrix
    /// above 256 GiB or a hint above 64 GiB.
    pub fn new(records: u64, row_bytes: u32, columns: u32) -> Result<Self, PirError> {
        if records == 0 {
            return Err(PirError::EmptyTable);
        }
        if row_bytes == 0 || row_bytes > MAX_ROW_BYTES {
            return Err(PirError::RowBytes { row_bytes, max: MAX_ROW_BYTES });
        }
        if !columns.is_power_of_two() || columns > MAX_COLUMNS {
            return Err(PirError::Columns { columns, max: MAX_COLUMNS });
        }
        let height = u128::from(records.div_ceil(u64::from(columns))) * u128::from(row_bytes);
        let too_large = height * u128::from(columns) > u128::from(MAX_MATRIX_BYTES)
            || height * HINT_ROW_BYTES as u128 > u128::from(MAX_HINT_BYTES);
        if too_large {
            return Err(PirError::TooLarge { records, row_bytes, columns });
        }
        Ok(Self { records, row_bytes, columns })
    }

    /// Chooses the columns by [`Params::balanced_columns`].
    ///
    /// # Errors
    /// As [`Params::new`].
    pub fn for_table(records: u64, row_bytes: u32) -> Result<Self, PirError> {
        Self::new(records, row_bytes, Self::balanced_columns(records, row_bytes))
    }

    /// The smallest power of two not below `√(records · row_bytes / 2)`, at most 2²⁰.
    ///
    /// A query is `4·c` bytes and an answer `2·N/c` for a matrix of `N` bytes, so their sum is least at `c = √(N/2)`.
    /// Rounding up costs at most twice the query and halves the hint of `4096·N/c` bytes, fetched once per epoch:
    ///
    /// | rows × bytes | columns | query | answer | hint |
    /// |---|---|---|---|---|
    /// | 10⁵ × 272 | 2¹² | 16 KB | 14 KB | 28 MB |
    /// | 10⁶ × 272 | 2¹⁴ | 66 KB | 34 KB | 69 MB |
    /// | 10⁷ × 272 | 2¹⁶ | 262 KB | 83 KB | 170 MB |
    ///
    /// Below about 10⁵ rows the hint is no smaller than the table: fetching the whole table is then cheaper, and hides
    /// as much where its rows are sealed.
    pub fn balanced_columns(records: u64, row_bytes: u32) -> u32 {
        let half = (u128::from(records) * u128::from(row_bytes)).div_ceil(2);
        let mut columns = 1_u32;
        while columns < MAX_COLUMNS && u128::from(columns) * u128::from(columns) < half {
            columns *= 2;
        }
        columns
    }

    /// Number of records.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Bytes of a row.
    pub fn row_bytes(&self) -> u32 {
        self.row_bytes
    }

    /// Columns of the matrix; the number `m` of samples in a query.
    pub fn columns(&self) -> u32 {
        self.columns
    }

    /// Rows of the matrix.
    pub fn height(&self) -> u64 {
        self.records.div_ceil(u64::from(self.columns)) * u64::from(self.row_bytes)
    }

    /// Bytes of the matrix.
    pub fn matrix_bytes(&self) -> u64 {
        self.height() * u64::from(self.columns)
    }

    /// Bytes of the hint: 4096 for each row of the matrix.
    pub fn hint_bytes(&self) -> u64 {
        self.height() * HINT_ROW_BYTES as u64
    }

    /// Bytes of a query: one word for each column.
    pub fn query_bytes(&self) -> u64 {
        4 * u64::from(self.columns)
    }

    /// Bytes of an answer: the upper half of one word for each row of the matrix.
    pub fn answer_bytes(&self) -> u64 {
        2 * self.height()
    }

    /// `b` such that a retrieved row has any wrong byte with probability below `2^-b`, whatever the table holds.
    ///
    /// One byte comes out wrong only if `|c·e| ≥ t`, with `c` the centred matrix row, `|c_j| ≤ 128`, `e` the errors of
    /// the query, and `t = 2²³ − 2¹⁵`: half a step of the plaintext, less what rounding the answer to 16 bits adds. Each
    /// `e_j` is sub-Gaussian with parameter σ, so `c·e` is with `σ·128·√m`, and `Pr ≤ 2·exp(−t² / (2·σ²·2¹⁴·m))`; the
    /// union over the bytes of a row costs `log₂ row_bytes`. Integers only, rounded down: `1/(2·σ²) = 25/2048`,
    /// `log₂ e > 1.4426`.
    pub fn failure_bits(&self) -> u32 {
        let t = (1_u128 << 23) - (1 << 15);
        let bits = t * t * 25 * 14426 / ((10_000 * u128::from(self.columns)) << 25);
        let union = u128::from(1 + self.row_bytes.next_power_of_two().ilog2());
        u32::try_from(bits.saturating_sub(union)).unwrap_or(u32::MAX)
    }

    /// Column and first matrix row of a record.
    pub(crate) fn place(&self, index: u64) -> Result<(usize, usize), PirError> {
        if index >= self.records {
            return Err(PirError::RowIndex { index, records: self.records });
        }
        let columns = u64::from(self.columns);
        Ok((size(index % columns), size(index / columns * u64::from(self.row_bytes))))
    }

    pub(crate) fn width(&self) -> usize {
        size(u64::from(self.columns))
    }

    pub(crate) fn row_len(&self) -> usize {
        size(u64::from(self.row_bytes))
    }
}

/// A length that the caps above keep far below the address space.
pub(crate) fn size(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
