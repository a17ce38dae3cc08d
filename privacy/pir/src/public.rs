//! The public matrix `A`, grown from a seed by both sides.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use crate::kernel::{Kernel, PANEL};
use crate::params::{Params, SECRET_WORDS};

/// Words of one stream of the generator; 64 KiB.
const STREAM_WORDS: usize = 1 << 14;

/// Public seed of the matrix `A`. It may be any value agreed on, and may serve several tables and epochs: what must be
/// fresh is the secret of each query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub [u8; 32]);

/// The matrix `A` of `columns × 1024` words, 4 KiB for each column.
///
/// Kept in panels of 32 neighbouring words: panel `p` holds words `32·p .. 32·p + 32` of every row of `A`, row after row.
/// This sequence of words is cut into runs of 2¹⁴, run `i` being the output of ChaCha20 (RFC 8439, with a 64-bit nonce)
/// under the seed and nonce `i`, read as little-endian words: the same on every machine, and grown on all threads.
pub struct PublicMatrix {
    columns: usize,
    words: Vec<u32>,
}

impl PublicMatrix {
    /// Grows the matrix for tables with so many columns, on the threads of the current rayon pool.
    pub fn expand(params: &Params, seed: &Seed) -> Self {
        let columns = params.width();
        let mut words = vec![0; columns * SECRET_WORDS];
        words.par_chunks_mut(STREAM_WORDS).enumerate().for_each(|(stream, run)| {
            let mut rng = ChaCha20Rng::from_seed(seed.0);
            rng.set_stream(stream as u64);
            let mut bytes = [0; 1024];
            for run in run.chunks_mut(256) {
                rng.fill_bytes(&mut bytes);
                for (word, bytes) in run.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    *word = u32::from_le_bytes(*bytes);
                }
            }
        });
        Self { columns, words }
    }

    /// Whether it has the columns of these parameters.
    pub(crate) fn fits(&self, params: &Params) -> bool {
        self.columns == params.width()
    }

    /// The panels in order, each of `columns` runs of [`PANEL`] words.
    pub(crate) fn panels(&self) -> impl Iterator<Item = &[[u32; PANEL]]> {
        self.words.as_chunks::<PANEL>().0.chunks_exact(self.columns)
    }

    /// Row `column` of `A`, that is the 1024 words which hide that column.
    pub(crate) fn row(&self, column: usize) -> impl Iterator<Item = u32> {
        self.panels().filter_map(move |panel| panel.get(column)).flatten().copied()
    }

    /// Sum of all rows of `A`.
    pub(crate) fn row_sum(&self) -> Vec<u32> {
        let panels: Vec<_> = self.panels().collect();
        let sums: Vec<[u32; PANEL]> = panels.par_iter().map(|panel| Kernel::widest().sum(panel)).collect();
        sums.into_flattened()
    }

    /// `out += A·s`, on the threads of the current rayon pool.
    pub(crate) fn mask(&self, secret: &[u32; SECRET_WORDS], out: &mut [u32]) {
        const RUN: usize = 512;
        out.par_chunks_mut(RUN).enumerate().for_each(|(run, out)| {
            for (panel, secret) in self.panels().zip(secret.as_chunks::<PANEL>().0) {
                let rows = panel.get(run * RUN..).unwrap_or_default();
                Kernel::widest().mask(rows, secret, out);
            }
        });
    }
}

impl std::fmt::Debug for PublicMatrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublicMatrix").field("columns", &self.columns).finish_non_exhaustive()
    }
}
