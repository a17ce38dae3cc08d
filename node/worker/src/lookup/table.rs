//! One table: sealed rows in a matrix, with the hint and the locator that consumers fetch once.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use covenant_canon::{Digest, Label, SuiteId};
use covenant_domain::LookupTable;
use covenant_oprf::{ROW_OVERHEAD, RowContext, RowKey, Tag, seal_row};
use covenant_pir::{Hint, Locator, Matrix, Params, PirError, PublicMatrix, Seed};
use rand::Rng;

use super::BuildError;

/// Rows of the table of same-day changes: always so many, so that its size does not tell how much changed.
pub(super) const OVERLAY_ROWS: u64 = 4096;

/// Bytes that sealing adds to the content of a row.
#[expect(clippy::cast_possible_truncation, reason = "twenty")]
pub(super) const OVERHEAD: u32 = ROW_OVERHEAD as u32;

/// Least number of rows of a table.
const LEAST_ROWS: u64 = 1024;

/// A row to be sealed: its name, its key and its content.
pub(super) struct Content {
    pub(super) tag: Tag,
    pub(super) key: RowKey,
    pub(super) bytes: Vec<u8>,
}

/// A finished table.
pub(super) struct Table {
    pub(super) described: LookupTable,
    pub(super) matrix: Matrix,
    pub(super) hint: Hint,
    pub(super) locator: Vec<u8>,
}

/// What every row of a table has in common.
pub(super) struct Frame<'a> {
    pub(super) suite: SuiteId,
    /// What its rows are bound to.
    pub(super) context: &'a RowContext,
    /// Bytes of content in a row; shorter ones are padded.
    pub(super) width: u32,
    /// Rows, made-up ones included.
    pub(super) rows: u64,
    /// Public seed of the matrix A.
    pub(super) seed: [u8; 32],
}

/// A fresh seed.
pub(super) fn seed(rng: &mut impl Rng) -> [u8; 32] {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    seed
}

/// Rows that a table of so many records has: one eighth of the next power of two is the step, so that the number tells the
/// size of a dataset only roughly.
pub(super) fn rounded(records: u64) -> u64 {
    let step = records.next_power_of_two() / 8;
    records.next_multiple_of(step.max(1)).max(LEAST_ROWS)
}

/// Bytes of content that every row has: the longest, rounded up.
pub(super) fn width(contents: &[Content]) -> u32 {
    let longest = contents.iter().map(|content| content.bytes.len()).max().unwrap_or(0);
    u32::try_from(longest).unwrap_or(u32::MAX).next_multiple_of(16).max(32)
}

/// Seals the rows, puts each where the locator leads, and multiplies.
///
/// `progress` is told how many of how many matrix rows are done and may stop the work.
pub(super) fn build(
    frame: &Frame<'_>,
    contents: Vec<Content>,
    rng: &mut impl Rng,
    progress: &(dyn Fn(u64, u64) -> ControlFlow<()> + Sync),
) -> Result<Table, BuildError> {
    let mut rows = seal(frame, contents)?;
    let row_bytes = (frame.width + OVERHEAD) as usize;
    while (rows.len() as u64) < frame.rows {
        let (mut tag, mut row) = (Tag::default(), vec![0; row_bytes]);
        rng.fill_bytes(&mut tag);
        rng.fill_bytes(&mut row);
        rows.insert(tag, row);
    }
    let params = Params::for_table(rows.len() as u64, frame.width + OVERHEAD)?;
    let tags: Vec<Tag> = rows.keys().copied().collect();
    let seed = frame.seed;
    let locator = Locator::build(&tags, &Seed(seed))?;
    let mut placed: Vec<&[u8]> = vec![&[]; rows.len()];
    for (tag, row) in &rows {
        let at = usize::try_from(locator.row(tag)).unwrap_or(usize::MAX);
        *placed.get_mut(at).ok_or(PirError::EmptyTable)? = row;
    }
    let matrix = Matrix::build(params, placed)?;
    let hint = Hint::build(&matrix, &PublicMatrix::expand(&params, &Seed(seed)), progress)?;
    let locator = locator.to_bytes();
    let digest = |label, bytes: &[u8]| Digest::of(frame.suite, label, bytes);
    let described = LookupTable {
        rows: params.records(),
        row_bytes: params.row_bytes(),
        columns: params.columns(),
        seed,
        matrix: digest(Label::LOOKUP_MATRIX, matrix.bytes()),
        hint: digest(Label::LOOKUP_HINT, hint.bytes()),
        locator: digest(Label::LOOKUP_LOCATOR, &locator),
        locator_bytes: locator.len() as u64,
    };
    Ok(Table { described, matrix, hint, locator })
}

/// Sealed rows by tag. Tags are pseudorandom, so their order is a shuffle.
fn seal(frame: &Frame<'_>, contents: Vec<Content>) -> Result<BTreeMap<Tag, Vec<u8>>, BuildError> {
    use rayon::prelude::*;
    let sealed: Result<Vec<_>, BuildError> = contents
        .into_par_iter()
        .map(|Content { tag, key, bytes }| Ok((tag, seal_row(key, frame.context, &bytes, frame.width as usize)?)))
        .collect();
    // A live table may name a subject twice; its content is the same then.
    Ok(sealed?.into_iter().collect())
}

/// The parameters of a described table.
///
/// # Errors
/// [`PirError`] when no table is like that.
pub(super) fn params(table: &LookupTable) -> Result<Params, PirError> {
    Params::new(table.rows, table.row_bytes, table.columns)
}
