//! Private retrieval of fixed-length rows by learning with errors.
#![deny(missing_docs)]
