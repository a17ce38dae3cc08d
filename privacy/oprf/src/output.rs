//! Outputs of the function, and the holder's way to them without blinding.

use covenant_sigma::Subjects;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use rayon::prelude::*;
use sha2::{Digest as _, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::EpochKey;

/// Subjects that one thread multiplies before it compresses them together.
const CHUNK: usize = 256;

/// 64 pseudorandom bytes of a subject under an epoch key; secret, since they open its row.
pub struct Output([u8; 64]);

impl Output {
    /// The bytes; secret.
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// RFC 9497, 3.3.1: `SHA-512(len2(input) ‖ input ‖ len2(N) ‖ N ‖ "Finalize")`.
    pub(crate) fn finalize(input: &[u8], unblinded: &RistrettoPoint) -> Self {
        let mut element = unblinded.compress().to_bytes();
        let output = Self::of_encoding(input, &element);
        element.zeroize();
        output
    }

    pub(crate) fn of_encoding(input: &[u8], element: &[u8; 32]) -> Self {
        // The RFC allows inputs below 2^16 bytes; canonical subjects are far below.
        let input_length = u16::try_from(input.len()).unwrap_or(u16::MAX);
        let hash = Sha512::new()
            .chain_update(input_length.to_be_bytes())
            .chain_update(input)
            .chain_update([0, 32])
            .chain_update(element)
            .chain_update(b"Finalize");
        Self(hash.finalize().into())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl PartialEq for Output {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Output {}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output(…)")
    }
}

/// The output of one subject.
pub fn output_of(key: &EpochKey, canonical_subject: &str) -> Output {
    Output::finalize(canonical_subject.as_bytes(), &(Subjects::point(canonical_subject) * key.scalar()))
}

/// The outputs of many subjects, in order, on all threads of the current rayon pool.
///
/// Compression of one point costs an inversion; that of `2·X` for many `X` together costs one inversion in all. So each
/// thread multiplies by `k/2`.
pub fn outputs<S: AsRef<str> + Sync>(key: &EpochKey, canonical_subjects: &[S]) -> Vec<Output> {
    let mut half = key.scalar() * Scalar::from(2u8).invert();
    let outputs = canonical_subjects.par_chunks(CHUNK).flat_map_iter(|chunk| chunk_outputs(&half, chunk)).collect();
    half.zeroize();
    outputs
}

fn chunk_outputs<S: AsRef<str>>(half: &Scalar, subjects: &[S]) -> Vec<Output> {
    let mut halves: Vec<RistrettoPoint> = subjects.iter().map(|s| Subjects::point(s.as_ref()) * half).collect();
    let mut encodings = RistrettoPoint::double_and_compress_batch(&halves);
    halves.zeroize();
    let outputs = subjects.iter().zip(&encodings).map(|(s, e)| Output::of_encoding(s.as_ref().as_bytes(), &e.0));
    let outputs = outputs.collect();
    encodings.zeroize();
    outputs
}
