//! The hint `H = (M − 128·J)·A`: what a client needs once per epoch to open answers.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::error::{Part, PirError};
use crate::kernel::{Kernel, PANEL};
use crate::matrix::{Matrix, check, check_row};
use crate::params::{HINT_ROW_BYTES, Params, SECRET_WORDS, size};
use crate::public::PublicMatrix;

/// Matrix rows of one task: their sums are 512 KiB, which stay in the second cache.
const BAND: usize = 128;

/// Matrix rows that share a load of `A`.
const GROUP: usize = 8;

/// Columns per visit: 32 KiB of one panel of `A`, which stay in the first cache.
const RUN: usize = 256;

/// Product of the table with the public matrix, 4 KiB for each matrix row, as little-endian words. Public.
#[derive(Clone, PartialEq, Eq)]
pub struct Hint {
    params: Params,
    bytes: Vec<u8>,
}

/// A hint's bytes, borrowed from wherever the client keeps them.
#[derive(Clone, Copy)]
pub struct HintView<'a> {
    params: Params,
    bytes: &'a [u8],
}

impl Hint {
    /// Computes the hint on the threads of the current rayon pool.
    ///
    /// `progress` is told after each band how many matrix rows of how many are done, and may stop the work.
    ///
    /// # Errors
    /// [`PirError::OtherTable`] when the public matrix has other columns, [`PirError::Stopped`].
    pub fn build(
        matrix: &Matrix,
        public: &PublicMatrix,
        progress: &(dyn Fn(u64, u64) -> ControlFlow<()> + Sync),
    ) -> Result<Self, PirError> {
        let params = *matrix.params();
        if !public.fits(&params) {
            return Err(PirError::OtherTable);
        }
        let middle: Vec<u32> = public.row_sum().iter().map(|sum| sum.wrapping_mul(128)).collect();
        let mut bytes = vec![0; size(params.hint_bytes())];
        let done = AtomicU64::new(0);
        let bands = matrix.bytes().par_chunks(BAND * params.width());
        bands.zip(bytes.par_chunks_mut(BAND * HINT_ROW_BYTES)).try_for_each(|(band, out)| {
            for (out, sums) in out.as_chunks_mut::<HINT_ROW_BYTES>().0.iter_mut().zip(product(band, &params, public)) {
                write_words(out, sums.iter().zip(&middle).map(|(sum, middle)| sum.wrapping_sub(*middle)));
            }
            let rows = (out.len() / HINT_ROW_BYTES) as u64;
            let done = done.fetch_add(rows, Ordering::Relaxed) + rows;
            match progress(done, params.height()) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(PirError::Stopped),
            }
        })?;
        Ok(Self { params, bytes })
    }

    /// Replaces records in the matrix and brings the hint up to date: `H += (new − old)·A` on their rows.
    ///
    /// The cost is `row_bytes · 1024` products for each changed record, on the calling thread: for a small part of the
    /// table far below a new build, whose result it equals byte for byte.
    ///
    /// # Errors
    /// [`PirError::OtherTable`], [`PirError::RowIndex`], [`PirError::Length`]; nothing was changed then.
    pub fn amend<R: AsRef<[u8]>>(
        &mut self,
        matrix: &mut Matrix,
        public: &PublicMatrix,
        changes: &[(u64, R)],
    ) -> Result<(), PirError> {
        if self.params != *matrix.params() || !public.fits(&self.params) {
            return Err(PirError::OtherTable);
        }
        for (index, row) in changes {
            self.params.place(*index)?;
            check_row(&self.params, row.as_ref())?;
        }
        for (index, row) in changes {
            let (column, top) = self.params.place(*index)?;
            let old = matrix.row(*index)?;
            let masks: Vec<u32> = public.row(column).collect();
            let deltas = row.as_ref().iter().zip(&old).map(|(new, old)| u32::from(*new).wrapping_sub(u32::from(*old)));
            let lines = self.bytes.as_chunks_mut::<HINT_ROW_BYTES>().0.iter_mut().skip(top);
            for (line, delta) in lines.zip(deltas) {
                for (word, mask) in line.as_chunks_mut::<4>().0.iter_mut().zip(&masks) {
                    *word = u32::from_le_bytes(*word).wrapping_add(mask.wrapping_mul(delta)).to_le_bytes();
                }
            }
            matrix.write(*index, row.as_ref())?;
        }
        Ok(())
    }

    /// Takes the bytes of [`Hint::bytes`].
    ///
    /// # Errors
    /// [`PirError::Length`].
    pub fn from_bytes(params: Params, bytes: Vec<u8>) -> Result<Self, PirError> {
        HintView::new(params, &bytes)?;
        Ok(Self { params, bytes })
    }

    /// `height · 1024` little-endian words.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// For opening answers.
    pub fn view(&self) -> HintView<'_> {
        HintView { params: self.params, bytes: &self.bytes }
    }
}

impl<'a> HintView<'a> {
    /// Borrows the bytes of [`Hint::bytes`].
    ///
    /// # Errors
    /// [`PirError::Length`].
    pub fn new(params: Params, bytes: &'a [u8]) -> Result<Self, PirError> {
        check(Part::Hint, bytes.len() as u64, params.hint_bytes())?;
        Ok(Self { params, bytes })
    }

    pub(crate) fn params(&self) -> &Params {
        &self.params
    }

    /// The lines of the hint from matrix row `top` on.
    pub(crate) fn lines(&self, top: usize) -> impl Iterator<Item = &'a [u8; HINT_ROW_BYTES]> {
        self.bytes.as_chunks().0.iter().skip(top)
    }
}

impl std::fmt::Debug for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hint").field("params", &self.params).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for HintView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HintView").field("params", &self.params).finish_non_exhaustive()
    }
}

/// `M·A` for the rows of one band.
fn product(band: &[u8], params: &Params, public: &PublicMatrix) -> Vec<[u32; SECRET_WORDS]> {
    let kernel = Kernel::widest();
    let width = params.width();
    let mut sums = vec![[0; SECRET_WORDS]; (band.len() / width).next_multiple_of(GROUP)];
    let mut cells = vec![[[0_u32; GROUP]; RUN]; sums.len() / GROUP];
    let mut start = 0;
    while start < width {
        let run = RUN.min(width - start);
        gather(band, width, start, run, &mut cells);
        for (number, panel) in public.panels().enumerate() {
            let panel = panel.get(start..start + run).unwrap_or_default();
            for (cells, sums) in cells.iter().zip(sums.as_chunks_mut::<GROUP>().0) {
                kernel.product(cells, panel, &mut sums.each_mut().map(|sums| panel_of(sums, number)));
            }
        }
        start += run;
    }
    sums
}

/// Turns a run of columns of the band around, so that the cells of a group of rows are neighbours.
fn gather(band: &[u8], width: usize, start: usize, run: usize, cells: &mut [[[u32; GROUP]; RUN]]) {
    let mut lines = band.chunks_exact(width);
    for group in cells {
        for (row, line) in (0..GROUP).zip(lines.by_ref()) {
            for (cell, byte) in group.iter_mut().zip(line.iter().skip(start).take(run)) {
                if let Some(cell) = cell.get_mut(row) {
                    *cell = u32::from(*byte);
                }
            }
        }
    }
}

/// Panel `number` of a row of the hint.
fn panel_of(sums: &mut [u32; SECRET_WORDS], number: usize) -> &mut [u32] {
    sums.as_chunks_mut::<PANEL>().0.get_mut(number).map(|panel| panel.as_mut_slice()).unwrap_or_default()
}

fn write_words(out: &mut [u8; HINT_ROW_BYTES], words: impl Iterator<Item = u32>) {
    for (out, word) in out.as_chunks_mut().0.iter_mut().zip(words) {
        *out = word.to_le_bytes();
    }
}
