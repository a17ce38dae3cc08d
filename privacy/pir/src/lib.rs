//! Private retrieval of fixed-length rows by learning with errors.
//!
//! A server holds a table and answers "row `i`" without learning `i`. The construction is SimplePIR (Henzinger, Hong,
//! Corrigan-Gibbs, Meiklejohn and Vaikuntanathan, *One Server for the Price of Two*, USENIX Security 2023):
//!
//! | step | who | what |
//! |---|---|---|
//! | epoch | server | [`Matrix`] `M` of the rows; [`PublicMatrix`] `A` from a [`Seed`]; [`Hint`] `H = M·A` |
//! | epoch | client | fetches hint and [`Locator`], grows `A` |
//! | before | client | [`Prepared`]: secret `s`, errors `e`, `A·s + e` |
//! | query | client | [`Query`] `q = A·s + e + Δ·u`, `u` the unit vector of the column; [`Pending`] keeps `s` |
//! | answer | server | [`Answer`] `a = M·q`, one pass over the table ([`Matrix::answer`], [`Scan`]) |
//! | open | client | rounds `a − H·s` on the lines of its row |
//!
//! # Parameters
//! Secrets of `n = 1024` uniform words, modulus `q = 2³²`, errors from the discrete Gaussian with σ = 6.4, plaintext
//! modulus `p = 256`: one byte per entry, taken as −128..127. The paper gives 128 bits of security for `n`, `q` and σ
//! (its section on parameters, from the LWE estimator of Albrecht, Player and Scott); this crate cites that estimate
//! and did not make it again. The table of its published code (`pir/params.csv`) lists the largest `p` for which a
//! byte is wrong with probability below 2⁻⁴⁰. With 256 the margin is wide; the last line is this crate's own bound for
//! one byte, [`Params::failure_bits`], with answers rounded to 16 bits:
//!
//! | columns `m` | 2¹⁰ | 2¹¹ | 2¹² | 2¹³ | 2¹⁴ | 2¹⁵ | 2¹⁶ | 2¹⁷ | 2¹⁸ | 2¹⁹ | 2²⁰ |
//! |---|---|---|---|---|---|---|---|---|---|---|---|
//! | largest `p` published | – | – | – | 991 | 833 | 701 | 589 | 495 | 416 | 350 | 294 |
//! | bits, `p = 256` | 73284 | 36641 | 18320 | 9159 | 4579 | 2289 | 1144 | 571 | 285 | 142 | 70 |
//!
//! # What it protects, and what not
//! The server learns the table's shape and that a query was made. It learns nothing of the row, as long as each secret
//! serves one query (the types see to it) and the client does not tell it whether a row was good.
//! It does not protect the table from the client: a row opens with the hint's help only, but hint and answers speak of
//! other rows too. Rows must be sealed under keys of their own. It does not prove an answer right: the seal must tell, or
//! a copy of the matrix, since answers are deterministic. The [`Locator`] says nothing about membership.
//!
//! This crate does no input or output, has no clock and draws no randomness of its own. It does not make tags or seal
//! rows (`privacy/oprf`, `privacy/suite`), and knows nothing of datasets, epochs or permits.

#![deny(missing_docs)]

mod client;
mod error;
mod hint;
mod kernel;
mod locator;
mod matrix;
mod message;
mod noise;
mod params;
mod public;
mod scan;

#[cfg(test)]
mod tests;

pub use client::{Pending, Prepared};
pub use error::{Part, PirError};
pub use hint::{Hint, HintView};
pub use locator::Locator;
pub use matrix::Matrix;
pub use message::{Answer, Query};
pub use params::{MAX_COLUMNS, MAX_ROW_BYTES, Params, SECRET_WORDS};
pub use public::{PublicMatrix, Seed};
pub use scan::Scan;
