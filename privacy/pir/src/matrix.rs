//! The table as a matrix of bytes, and its answers.

use crate::error::{Part, PirError};
use crate::message::{Answer, Query};
use crate::params::{Params, size};
use crate::scan::Scan;

/// Records gathered before they are written: one cache line of each matrix row at a time.
const TILE: usize = 64;

/// A table, stored row after row of the matrix: `height × columns` bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Matrix {
    params: Params,
    bytes: Vec<u8>,
}

impl Matrix {
    /// Lays out rows in their order; space behind the last is zero.
    ///
    /// # Errors
    /// [`PirError::Length`] for a row that is not `row_bytes` long, [`PirError::TooManyRows`].
    pub fn build<R: AsRef<[u8]>>(params: Params, rows: impl IntoIterator<Item = R>) -> Result<Self, PirError> {
        let mut matrix = Self { params, bytes: vec![0; size(params.matrix_bytes())] };
        // A tile never crosses a block, whose first record has a number divisible by the columns.
        let tile = TILE.min(params.width());
        let mut gathered = Vec::with_capacity(tile * params.row_len());
        let mut first = 0_u64;
        for row in rows {
            let row = row.as_ref();
            if gathered.is_empty() && first >= params.records() {
                return Err(PirError::TooManyRows { records: params.records() });
            }
            check_row(&params, row)?;
            gathered.extend_from_slice(row);
            if gathered.len() == tile * params.row_len() {
                matrix.write(first, &gathered)?;
                first += tile as u64;
                gathered.clear();
            }
        }
        matrix.write(first, &gathered)?;
        Ok(matrix)
    }

    /// Takes bytes laid out as [`Matrix::bytes`].
    ///
    /// # Errors
    /// [`PirError::Length`].
    pub fn from_bytes(params: Params, bytes: Vec<u8>) -> Result<Self, PirError> {
        check(Part::Matrix, bytes.len() as u64, params.matrix_bytes())?;
        Ok(Self { params, bytes })
    }

    /// The matrix, row after row.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its shape.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// A copy of one record.
    ///
    /// # Errors
    /// [`PirError::RowIndex`].
    pub fn row(&self, index: u64) -> Result<Vec<u8>, PirError> {
        let (column, top) = self.params.place(index)?;
        let rows = self.bytes.chunks_exact(self.params.width()).skip(top).take(self.params.row_len());
        Ok(rows.filter_map(|row| row.get(column)).copied().collect())
    }

    /// `matrix · query` for each query, in one pass over memory for every four, on the threads of the current rayon
    /// pool.
    ///
    /// The time depends on the shape and the number of queries only.
    ///
    /// # Errors
    /// [`PirError::Length`] when a query was made for other columns.
    pub fn answer(&self, queries: &[Query]) -> Result<Vec<Answer>, PirError> {
        let mut scan = Scan::new(&self.params, queries)?;
        scan.band(&self.bytes)?;
        scan.finish()
    }

    /// Puts neighbouring records of one block in place, all given in one slice.
    pub(crate) fn write(&mut self, first: u64, rows: &[u8]) -> Result<(), PirError> {
        if rows.is_empty() {
            return Ok(());
        }
        let row_len = self.params.row_len();
        let count = rows.len() / row_len;
        if first + count as u64 > self.params.records() {
            return Err(PirError::TooManyRows { records: self.params.records() });
        }
        let (column, top) = self.params.place(first)?;
        let width = self.params.width();
        for (offset, line) in self.bytes.chunks_exact_mut(width).skip(top).take(row_len).enumerate() {
            let cells = line.iter_mut().skip(column);
            for (cell, byte) in cells.zip(rows.iter().skip(offset).step_by(row_len)) {
                *cell = *byte;
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Matrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Matrix").field("params", &self.params).finish_non_exhaustive()
    }
}

pub(crate) fn check_row(params: &Params, row: &[u8]) -> Result<(), PirError> {
    check(Part::Row, row.len() as u64, u64::from(params.row_bytes()))
}

pub(crate) fn check(part: Part, got: u64, expected: u64) -> Result<(), PirError> {
    if got == expected { Ok(()) } else { Err(PirError::Length { part, got, expected }) }
}
