//! The crate's parts together.

mod codec;
mod frozen;
mod locator;
mod retrieval;
mod shape;

use std::ops::ControlFlow;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::{Hint, Matrix, Params, PublicMatrix, Seed};

pub(crate) fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

pub(crate) fn random_rows(params: &Params, seed: u8) -> Vec<Vec<u8>> {
    let mut rng = rng(seed);
    let row = |_| {
        let mut row = vec![0; params.row_len()];
        rng.fill_bytes(&mut row);
        row
    };
    (0..params.records()).map(row).collect()
}

pub(crate) fn hint(matrix: &Matrix, public: &PublicMatrix) -> Hint {
    Hint::build(matrix, public, &|_, _| ControlFlow::Continue(())).unwrap()
}

/// Rows, matrix, public matrix and hint of a random table.
pub(crate) struct Table {
    pub(crate) rows: Vec<Vec<u8>>,
    pub(crate) matrix: Matrix,
    pub(crate) public: PublicMatrix,
    pub(crate) hint: Hint,
}

pub(crate) fn table(params: Params, seed: u8) -> Table {
    let rows = random_rows(&params, seed);
    let matrix = Matrix::build(params, &rows).unwrap();
    let public = PublicMatrix::expand(&params, &Seed([seed; 32]));
    let hint = hint(&matrix, &public);
    Table { rows, matrix, public, hint }
}
