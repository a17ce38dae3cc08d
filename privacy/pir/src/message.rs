//! What travels: queries and answers, as little-endian words of exact number.

use crate::error::{Part, PirError};
use crate::matrix::check;
use crate::params::Params;

/// A query: `columns` words, indistinguishable from random ones under LWE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(pub(crate) Vec<u32>);

impl Query {
    /// `4·columns` bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Reads [`Query::to_bytes`]. Every string of the right length is a query.
    ///
    /// # Errors
    /// [`PirError::Length`].
    pub fn from_bytes(params: &Params, bytes: &[u8]) -> Result<Self, PirError> {
        check(Part::Query, bytes.len() as u64, params.query_bytes())?;
        Ok(Self(bytes.as_chunks().0.iter().copied().map(u32::from_le_bytes).collect()))
    }
}

/// An answer: for each matrix row, the upper 16 bits of its product with the query, rounded to nearest.
///
/// Leaving out the lower half changes a product by at most 2¹⁵, next to a step of 2²⁴ between plaintexts;
/// [`Params::failure_bits`] counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer(pub(crate) Vec<u16>);

impl Answer {
    /// `2·height` bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Reads [`Answer::to_bytes`]. Every string of the right length is an answer: a wrong one opens to a wrong row, which
    /// the row's own authentication must tell.
    ///
    /// # Errors
    /// [`PirError::Length`].
    pub fn from_bytes(params: &Params, bytes: &[u8]) -> Result<Self, PirError> {
        check(Part::Answer, bytes.len() as u64, params.answer_bytes())?;
        Ok(Self(bytes.as_chunks().0.iter().copied().map(u16::from_le_bytes).collect()))
    }
}
