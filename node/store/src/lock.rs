//! One writing node per SQLite file.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::error::StoreError;
use crate::place::Place;

/// Takes the lock file beside the database; it is released when the file is closed, also by a killed process.
pub(crate) fn take(database: &Path, place: &Place) -> Result<File, StoreError> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let io = |source: std::io::Error| StoreError::Io { place: place.clone(), step: "lock it", source: source.into() };
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { place: place.clone() }),
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}
