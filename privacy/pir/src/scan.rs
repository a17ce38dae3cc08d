//! One pass over the matrix for a batch of queries, whole or band by band.

use rayon::prelude::*;

use crate::error::{Part, PirError};
use crate::kernel::{Kernel, SCAN_QUERIES};
use crate::matrix::check;
use crate::message::{Answer, Query};
use crate::params::{Params, size};

/// Bytes of matrix that one task reads: large enough to feed the prefetcher, small enough to share out evenly.
const TASK_BYTES: usize = 1 << 20;

/// A scan under way: give it the matrix in bands, from the top, then take the answers.
///
/// For matrices larger than memory: the caller reads each band from its file. The answers are the same bytes as those of
/// [`Matrix::answer`](crate::Matrix::answer), however the bands are cut.
pub struct Scan<'q> {
    params: Params,
    batches: Vec<Batch<'q>>,
    row: u64,
}

/// Up to four queries that share a pass over memory.
struct Batch<'q> {
    queries: &'q [Query],
    /// `lanes` words for each matrix row.
    sums: Vec<u32>,
    lanes: usize,
}

impl<'q> Scan<'q> {
    /// Starts at the top of the matrix.
    ///
    /// # Errors
    /// [`PirError::Length`] when a query was made for other columns.
    pub fn new(params: &Params, queries: &'q [Query]) -> Result<Self, PirError> {
        for query in queries {
            check(Part::Query, 4 * query.0.len() as u64, params.query_bytes())?;
        }
        let batch = |queries: &'q [Query]| {
            // Two or three queries run as four, which is the loop the compiler makes fast.
            let lanes = if queries.len() == 1 { 1 } else { SCAN_QUERIES };
            Batch { queries, sums: vec![0; size(params.height()) * lanes], lanes }
        };
        Ok(Self { params: *params, batches: queries.chunks(SCAN_QUERIES).map(batch).collect(), row: 0 })
    }

    /// Adds the next matrix rows, on the threads of the current rayon pool.
    ///
    /// # Errors
    /// [`PirError::Length`] when the band is not whole rows or goes past the end; nothing was added then.
    pub fn band(&mut self, bytes: &[u8]) -> Result<(), PirError> {
        let width = self.params.width();
        let left = (self.params.height() - self.row) * width as u64;
        let rows = bytes.len() / width;
        check(Part::Matrix, bytes.len() as u64, ((rows * width) as u64).min(left))?;
        let task = (TASK_BYTES / width).next_multiple_of(8);
        for batch in &mut self.batches {
            let (lanes, first) = (batch.lanes, size(self.row) * batch.lanes);
            let words = batch.words();
            let sums = batch.sums.get_mut(first..first + rows * lanes).unwrap_or_default();
            bytes.par_chunks(task * width).zip(sums.par_chunks_mut(task * lanes)).for_each(|(bytes, sums)| {
                Kernel::widest().scan(bytes, width, &words, sums);
            });
        }
        self.row += rows as u64;
        Ok(())
    }

    /// The answers, in the order of the queries.
    ///
    /// # Errors
    /// [`PirError::UnfinishedScan`] before the last band.
    pub fn finish(self) -> Result<Vec<Answer>, PirError> {
        if self.row != self.params.height() {
            return Err(PirError::UnfinishedScan { row: self.row, height: self.params.height() });
        }
        Ok(self.batches.iter().flat_map(Batch::answers).collect())
    }
}

impl<'q> Batch<'q> {
    /// The queries' words, the last repeated to fill the lanes.
    fn words(&self) -> Vec<&'q [u32]> {
        let words = self.queries.iter().map(|query| query.0.as_slice());
        words.chain(self.queries.last().into_iter().cycle().map(|query| query.0.as_slice())).take(self.lanes).collect()
    }

    /// `a = (M − 128·J)·q = M·q − 128·Σq`: matrix bytes count from the middle, which halves the noise they carry.
    fn answers(&self) -> impl Iterator<Item = Answer> {
        self.queries.iter().enumerate().map(|(lane, query)| {
            let middle = query.0.iter().fold(0_u32, |sum, word| sum.wrapping_add(*word)).wrapping_mul(128);
            let sums = self.sums.iter().skip(lane).step_by(self.lanes);
            Answer(sums.map(|sum| upper_half(sum.wrapping_sub(middle))).collect())
        })
    }
}

/// `⌊x / 2¹⁶⌉ mod 2¹⁶`.
fn upper_half(word: u32) -> u16 {
    let [_, _, low, high] = word.wrapping_add(1 << 15).to_le_bytes();
    u16::from_le_bytes([low, high])
}

impl std::fmt::Debug for Scan<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").field("params", &self.params).field("row", &self.row).finish_non_exhaustive()
    }
}
