//! The inner loops, compiled for each instruction set and chosen at run time by `pulp`.
//!
//! All multiply and add words modulo 2³². On x86-64 they name their vector operations (`kernel/x86.rs`), through safe
//! wrappers of `pulp`; elsewhere they are plain loops. Nothing here branches on data, so the time of a scan tells nothing
//! about the query.

#[cfg(target_arch = "x86_64")]
mod x86;

use pulp::{Arch, Simd, WithSimd};

/// Columns per pass of a scan: 64 KiB of query, which stays in the second cache beside its siblings.
const SCAN_COLUMNS: usize = 1 << 14;

/// The most queries one pass over memory answers; more of them run out of registers.
pub(crate) const SCAN_QUERIES: usize = 4;

/// Words of one panel of the public matrix.
pub(crate) const PANEL: usize = 32;

/// An instruction set of this processor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel(Arch);

impl Kernel {
    /// The widest the processor has.
    pub(crate) fn widest() -> Self {
        Self(Arch::new())
    }

    /// `out[row · queries + k] += Σ_j band[row][j] · queries[k][j]` for every row of the band.
    ///
    /// `queries` holds 1 to [`SCAN_QUERIES`] slices of `columns` words, `out` one word per row and query.
    pub(crate) fn scan(self, band: &[u8], columns: usize, queries: &[&[u32]], out: &mut [u32]) {
        match queries {
            [a] => self.scan_each(Scan { band, columns, queries: [a], out }),
            [a, b] => self.scan_each(Scan { band, columns, queries: [a, b], out }),
            [a, b, c] => self.scan_each(Scan { band, columns, queries: [a, b, c], out }),
            [a, b, c, d, ..] => self.scan_each(Scan { band, columns, queries: [a, b, c, d], out }),
            [] => {}
        }
    }

    fn scan_each<const Q: usize>(self, scan: Scan<'_, Q>) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(simd) => simd.vectorize(x86::Rows::<_, Q, 16> { simd, scan }),
            #[cfg(target_arch = "x86_64")]
            Arch::V3(simd) => simd.vectorize(x86::Rows::<_, Q, 8> { simd, scan }),
            other => other.dispatch(scan),
        }
    }

    /// `out[r] += Σ_j cells[j][r] · panel[j]` for 8 matrix rows `r`.
    pub(crate) fn product(self, cells: &[[u32; 8]], panel: &[[u32; PANEL]], out: &mut [&mut [u32]; 8]) {
        let product = Product { cells, panel, out };
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(simd) => simd.vectorize(x86::Slices::<_, 2, 16> { simd, product }),
            #[cfg(target_arch = "x86_64")]
            Arch::V3(simd) => simd.vectorize(x86::Slices::<_, 1, 8> { simd, product }),
            other => other.dispatch(product),
        }
    }

    /// `out[j] += panel[j] · secret`.
    pub(crate) fn mask(self, panel: &[[u32; PANEL]], secret: &[u32; PANEL], out: &mut [u32]) {
        self.0.dispatch(Mask { panel, secret, out });
    }

    /// `Σ_j panel[j]`.
    pub(crate) fn sum(self, panel: &[[u32; PANEL]]) -> [u32; PANEL] {
        panel.iter().fold([0; PANEL], |mut sums, words| {
            sums.iter_mut().zip(words).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
            sums
        })
    }
}

struct Scan<'a, const Q: usize> {
    band: &'a [u8],
    columns: usize,
    queries: [&'a [u32]; Q],
    out: &'a mut [u32],
}

/// Products of `R` rows with `Q` queries over one run of columns.
trait Tile {
    fn tile<const R: usize, const Q: usize>(&self, rows: &[&[u8]; R], queries: &[&[u32]; Q]) -> [[u32; Q]; R];
}

/// Loops that any processor runs.
struct Plain;

impl Tile for Plain {
    #[inline(always)]
    fn tile<const R: usize, const Q: usize>(&self, rows: &[&[u8]; R], queries: &[&[u32]; Q]) -> [[u32; Q]; R] {
        rows.map(|row| queries.map(|query| dot(row, query)))
    }
}

#[inline(always)]
fn dot(row: &[u8], query: &[u32]) -> u32 {
    row.iter().zip(query).fold(0, |sum, (byte, word)| sum.wrapping_add(u32::from(*byte).wrapping_mul(*word)))
}

impl<const Q: usize> WithSimd for Scan<'_, Q> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.rows::<4>(&Plain);
    }
}

impl<const Q: usize> Scan<'_, Q> {
    /// Groups of `R` rows, so that a query word is loaded once for `R` products.
    #[inline(always)]
    fn rows<const R: usize>(self, tile: &impl Tile) {
        let Self { band, columns, queries, out } = self;
        let mut bands = band.chunks_exact(columns * R);
        let mut outs = out.chunks_exact_mut(R * Q);
        for (rows, out) in bands.by_ref().zip(outs.by_ref()) {
            group::<R, Q>(tile, rows, columns, &queries, out);
        }
        let rest = bands.remainder().chunks_exact(columns).zip(outs.into_remainder().chunks_exact_mut(Q));
        for (row, out) in rest {
            group::<1, Q>(tile, row, columns, &queries, out);
        }
    }
}

#[inline(always)]
fn group<const R: usize, const Q: usize>(
    tile: &impl Tile,
    rows: &[u8],
    columns: usize,
    queries: &[&[u32]; Q],
    out: &mut [u32],
) {
    let mut start = 0;
    while start < columns {
        let end = (start + SCAN_COLUMNS).min(columns);
        let mut part: [&[u8]; R] = [&[]; R];
        for (part, row) in part.iter_mut().zip(rows.chunks_exact(columns)) {
            *part = row.get(start..end).unwrap_or_default();
        }
        let words = queries.map(|query| query.get(start..end).unwrap_or_default());
        let sums = tile.tile::<R, Q>(&part, &words);
        for (out, sum) in out.iter_mut().zip(sums.as_flattened()) {
            *out = out.wrapping_add(*sum);
        }
        start = end;
    }
}

struct Product<'a, 'o> {
    cells: &'a [[u32; 8]],
    panel: &'a [[u32; PANEL]],
    out: &'a mut [&'o mut [u32]; 8],
}

impl WithSimd for Product<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (r, out) in self.out.iter_mut().enumerate() {
            for (cells, words) in self.cells.iter().zip(self.panel) {
                let cell = cells.get(r).copied().unwrap_or(0);
                for (out, word) in out.iter_mut().zip(words) {
                    *out = out.wrapping_add(cell.wrapping_mul(*word));
                }
            }
        }
    }
}

struct Mask<'a> {
    panel: &'a [[u32; PANEL]],
    secret: &'a [u32; PANEL],
    out: &'a mut [u32],
}

impl WithSimd for Mask<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (out, words) in self.out.iter_mut().zip(self.panel) {
            let products = words.iter().zip(self.secret).map(|(word, secret)| word.wrapping_mul(*secret));
            *out = out.wrapping_add(products.fold(0, u32::wrapping_add));
        }
    }
}

#[cfg(test)]
#[path = "tests/kernel.rs"]
mod tests;
