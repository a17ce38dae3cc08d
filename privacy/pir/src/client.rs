//! The client's side: one secret, one query, one row, each stage consuming the one before.

use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Part, PirError};
use crate::hint::HintView;
use crate::matrix::check;
use crate::message::{Answer, Query};
use crate::noise;
use crate::params::{Params, SECRET_WORDS};
use crate::public::PublicMatrix;

/// Shift of the plaintext: `Δ = q / p = 2²⁴`.
const SHIFT: u32 = 24;

/// The LWE secret `s`, uniform.
struct Secret(Box<[u32; SECRET_WORDS]>);

impl Secret {
    fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 4 * SECRET_WORDS]);
        rng.fill_bytes(&mut *bytes);
        let mut words = Box::new([0; SECRET_WORDS]);
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        Self(words)
    }

    /// `H[row]·s`.
    fn dot(&self, line: &[u8]) -> u32 {
        let words = line.as_chunks().0.iter().copied().map(u32::from_le_bytes);
        words.zip(self.0.iter()).fold(0, |sum, (word, secret)| sum.wrapping_add(word.wrapping_mul(*secret)))
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A fresh secret `s` and the vector `A·s + e`, made before the row is known. Good for exactly one query.
///
/// Two queries under one secret differ by `Δ·(u_i − u_j)` and small errors, and tell both rows: so a query takes the value
/// and nothing copies it.
///
/// ```compile_fail,E0382
/// # use covenant_pir::{Params, Prepared, PublicMatrix, Seed};
/// # fn twice(prepared: Prepared) {
/// let first = prepared.query(1);
/// let second = prepared.query(2);
/// # }
/// ```
///
/// ```compile_fail,E0599
/// # use covenant_pir::Prepared;
/// # fn copy(prepared: Prepared) {
/// let another = prepared.clone();
/// # }
/// ```
pub struct Prepared {
    params: Params,
    secret: Secret,
    masked: Zeroizing<Vec<u32>>,
}

/// A query that was sent and its secret: opens one answer.
pub struct Pending {
    params: Params,
    secret: Secret,
    index: u64,
}

impl Prepared {
    /// Draws the secret and the errors and computes `A·s + e`, on the threads of the current rayon pool.
    ///
    /// Security rests on `rng`: it must be a generator seeded by the operating system, never one that can repeat.
    ///
    /// # Errors
    /// [`PirError::OtherTable`] when the public matrix has other columns.
    pub fn new(params: &Params, public: &PublicMatrix, rng: &mut impl CryptoRng) -> Result<Self, PirError> {
        if !public.fits(params) {
            return Err(PirError::OtherTable);
        }
        let secret = Secret::draw(rng);
        let mut masked = noise::errors(params.width(), rng);
        public.mask(&secret.0, &mut masked);
        Ok(Self { params: *params, secret, masked })
    }

    /// `q = A·s + e + Δ·u`, with `u` the unit vector of the record's column. Touches every word, whichever it is.
    ///
    /// # Errors
    /// [`PirError::RowIndex`]; the prepared secret is gone then.
    pub fn query(mut self, index: u64) -> Result<(Query, Pending), PirError> {
        let (column, _) = self.params.place(index)?;
        for (at, word) in self.masked.iter_mut().enumerate() {
            *word = word.wrapping_add(u32::from(at == column) << SHIFT);
        }
        let query = Query(std::mem::take(&mut *self.masked));
        Ok((query, Pending { params: self.params, secret: self.secret, index }))
    }
}

impl Pending {
    /// The row: for each of its bytes `x`, `x − 128 = ⌊(2¹⁶·a − H·s) / 2²⁴⌉ mod 256`.
    ///
    /// Reads `row_bytes` lines of the hint. A server that answers wrongly yields a wrong row, not an error: rows must carry
    /// their own authentication, and its failure must not be told to the server, for whom it would be an oracle.
    ///
    /// # Errors
    /// [`PirError::OtherTable`] for a hint, [`PirError::Length`] for an answer of another shape.
    pub fn open(self, answer: &Answer, hint: &HintView<'_>) -> Result<Zeroizing<Vec<u8>>, PirError> {
        if *hint.params() != self.params {
            return Err(PirError::OtherTable);
        }
        check(Part::Answer, 2 * answer.0.len() as u64, self.params.answer_bytes())?;
        let (_, top) = self.params.place(self.index)?;
        let products = answer.0.iter().skip(top).take(self.params.row_len());
        let row = products.zip(hint.lines(top)).map(|(product, line)| {
            let noisy = (u32::from(*product) << 16).wrapping_sub(self.secret.dot(line));
            let [.., centred] = noisy.wrapping_add(1 << (SHIFT - 1)).to_le_bytes();
            centred.wrapping_add(128)
        });
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.params.row_len()));
        bytes.extend(row);
        Ok(bytes)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.index.zeroize();
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prepared(…)")
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pending(…)")
    }
}
