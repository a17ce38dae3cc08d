//! Scan and product in named vector operations: left to itself the compiler turns the wrong loops into lanes.

use pulp::x86::{V3, V4};
use pulp::{NullaryFnOnce, Simd, cast};

use super::{PANEL, Product, Scan, Tile, dot};

/// What both loops need of an instruction set whose registers hold `L` words.
pub(super) trait Words<const L: usize>: Simd {
    /// `sum + a·b`, each lane modulo 2³².
    fn mul_add(self, sum: Self::u32s, a: Self::u32s, b: Self::u32s) -> Self::u32s;

    /// Bytes as words.
    fn widen(self, bytes: [u8; L]) -> Self::u32s;

    /// The lanes one by one.
    fn lanes(self, words: Self::u32s) -> [u32; L];
}

impl Words<16> for V4 {
    #[inline(always)]
    fn mul_add(self, sum: Self::u32s, a: Self::u32s, b: Self::u32s) -> Self::u32s {
        self.wrapping_add_u32x16(sum, self.wrapping_mul_u32x16(a, b))
    }

    #[inline(always)]
    fn widen(self, bytes: [u8; 16]) -> Self::u32s {
        self.convert_u8x16_to_u32x16(cast(bytes))
    }

    #[inline(always)]
    fn lanes(self, words: Self::u32s) -> [u32; 16] {
        cast(words)
    }
}

impl Words<8> for V3 {
    #[inline(always)]
    fn mul_add(self, sum: Self::u32s, a: Self::u32s, b: Self::u32s) -> Self::u32s {
        self.wrapping_add_u32x8(sum, self.wrapping_mul_u32x8(a, b))
    }

    #[inline(always)]
    fn widen(self, bytes: [u8; 8]) -> Self::u32s {
        self.convert_u8x16_to_u32x8(cast([u64::from_le_bytes(bytes), 0]))
    }

    #[inline(always)]
    fn lanes(self, words: Self::u32s) -> [u32; 8] {
        cast(words)
    }
}

/// A scan: 8 rows for one query, 4 for several under AVX-512, 2 under AVX2, as there are registers for the sums.
pub(super) struct Rows<'a, S, const Q: usize, const L: usize> {
    pub(super) simd: S,
    pub(super) scan: Scan<'a, Q>,
}

impl<S: Words<L>, const Q: usize, const L: usize> NullaryFnOnce for Rows<'_, S, Q, L> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let tile = Vector::<S, L>(self.simd);
        match (Q, L) {
            (1, _) => self.scan.rows::<8>(&tile),
            (_, 16) => self.scan.rows::<4>(&tile),
            _ => self.scan.rows::<2>(&tile),
        }
    }
}

struct Vector<S, const L: usize>(S);

impl<S: Words<L>, const L: usize> Tile for Vector<S, L> {
    #[expect(clippy::indexing_slicing, reason = "fixed arrays, and runs cut to one length")]
    #[inline(always)]
    fn tile<const R: usize, const Q: usize>(&self, rows: &[&[u8]; R], queries: &[&[u32]; Q]) -> [[u32; Q]; R] {
        let simd = self.0;
        let chunks = rows.map(|row| row.as_chunks::<L>());
        let words = queries.map(|query| S::as_simd_u32s(query));
        let steps = words[0].0.len();
        let (bytes, words) = (chunks.map(|(bytes, _)| &bytes[..steps]), words.map(|(words, _)| &words[..steps]));
        let mut lanes = [[simd.splat_u32s(0); Q]; R];
        for step in 0..steps {
            let words = words.map(|words| words[step]);
            for r in 0..R {
                let wide = simd.widen(bytes[r][step]);
                for q in 0..Q {
                    lanes[r][q] = simd.mul_add(lanes[r][q], wide, words[q]);
                }
            }
        }
        let mut sums = [[0; Q]; R];
        for r in 0..R {
            for q in 0..Q {
                let tail = dot(&rows[r][steps * L..], &queries[q][steps * L..]);
                sums[r][q] = simd.lanes(lanes[r][q]).into_iter().fold(tail, u32::wrapping_add);
            }
        }
        sums
    }
}

/// A product in slices of `P` registers of the panel by 8 rows, whose sums stay in registers.
pub(super) struct Slices<'a, 'o, S, const P: usize, const L: usize> {
    pub(super) simd: S,
    pub(super) product: Product<'a, 'o>,
}

impl<S: Words<L>, const P: usize, const L: usize> NullaryFnOnce for Slices<'_, '_, S, P, L> {
    type Output = ();

    #[expect(clippy::indexing_slicing, reason = "fixed arrays, indices below their lengths")]
    #[inline(always)]
    fn call(self) {
        let Self { simd, product } = self;
        for slice in 0..PANEL / (L * P) {
            let mut sums = [[simd.splat_u32s(0); P]; 8];
            for (cells, words) in product.cells.iter().zip(product.panel) {
                let words = &S::as_simd_u32s(words).0[slice * P..][..P];
                for r in 0..8 {
                    let cell = simd.splat_u32s(cells[r]);
                    for p in 0..P {
                        sums[r][p] = simd.mul_add(sums[r][p], cell, words[p]);
                    }
                }
            }
            for (out, sums) in product.out.iter_mut().zip(&sums) {
                let out = S::as_mut_simd_u32s(out).0.iter_mut().skip(slice * P);
                for (out, sum) in out.zip(sums) {
                    *out = simd.add_u32s(*out, *sum);
                }
            }
        }
    }
}
