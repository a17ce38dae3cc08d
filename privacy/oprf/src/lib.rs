//! Oblivious evaluation under epoch keys, and the rows sealed under its outputs.
#![deny(missing_docs)]
