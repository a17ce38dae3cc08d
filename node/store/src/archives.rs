//! The folder of archives beside a replica, and what a replica keeps of a block whose body went there.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use covenant_canon::Digest;

use crate::archive::{Archive, ArchivedBlock, archive_name, heights_of};
use crate::error::{Fault, StoreError};
use crate::frame::FileError;
use crate::row::digest;
use crate::store::Store;

/// What the column `archived` holds: SHA-256 over the body and over the derived entries, and the heights of the archive
/// that held them when they were taken away.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    pub(crate) body: Digest,
    pub(crate) derived: Digest,
    pub(crate) heights: RangeInclusive<u64>,
}

impl Elsewhere {
    pub(crate) fn of(block: &ArchivedBlock, archive: &Archive) -> Self {
        let (body, derived) = block.digests();
        Self { body, derived, heights: archive.heights() }
    }

    pub(crate) fn to_column(&self) -> Vec<u8> {
        let (first, last) = (self.heights.start().to_be_bytes(), self.heights.end().to_be_bytes());
        [self.body.0.as_slice(), &self.derived.0, &first, &last].concat()
    }

    /// Absent when the body was never here.
    pub(crate) fn of_column(column: &[u8]) -> Result<Option<Self>, Fault> {
        if column.is_empty() {
            return Ok(None);
        }
        let ([body, derived], rest) = match column.as_chunks::<32>() {
            ([body, derived], rest) => ([body, derived], rest),
            _ => return Err(Fault::Damage("where a block was archived is not told".to_owned())),
        };
        let ([first, last], []) = rest.as_chunks::<8>() else {
            return Err(Fault::Damage("where a block was archived is not told".to_owned()));
        };
        let heights = u64::from_be_bytes(*first)..=u64::from_be_bytes(*last);
        Ok(Some(Self { body: digest("body", body)?, derived: digest("derived", derived)?, heights }))
    }

    pub(crate) fn is(&self, block: &ArchivedBlock) -> bool {
        block.digests() == (self.body, self.derived)
    }
}

/// The archives in a folder. Looked for anew whenever a height is in none that is known, so that one may be brought
/// while the node runs.
pub(crate) struct Archives {
    folder: PathBuf,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    archives: HashMap<PathBuf, Arc<Archive>>,
    /// A block is often read for its entries too.
    newest: Option<Found>,
}

/// A block and the archive it is from.
pub(crate) type Found = (Arc<Archive>, Arc<ArchivedBlock>);

impl Archives {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, known: Mutex::default() }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A block from the archive of this name, or from any other that holds its height.
    fn find(&self, height: u64, name: Option<&str>) -> Result<Option<Found>, StoreError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(newest) = known.newest.as_ref().filter(|(_, block)| block.height == height) {
            return Ok(Some(newest.clone()));
        }
        let Some(path) = self.path_of(height, name)? else { return Ok(None) };
        let told = |source| StoreError::Archive { file: path.clone(), source };
        let archive = match known.archives.get(&path) {
            Some(archive) => archive.clone(),
            None => {
                let archive = Arc::new(Archive::glance(&path).map_err(told)?);
                known.archives.insert(path.clone(), archive.clone());
                archive
            }
        };
        // A file that was put in the place of another is looked at anew next time.
        let block = archive.block(height).inspect_err(|_| drop(known.archives.remove(&path))).map_err(told)?;
        let Some(block) = block else { return Ok(None) };
        known.newest = Some((archive, Arc::new(block)));
        Ok(known.newest.clone())
    }

    fn path_of(&self, height: u64, name: Option<&str>) -> Result<Option<PathBuf>, StoreError> {
        let exact = name.map(|name| self.folder.join(name)).filter(|path| path.exists());
        if exact.is_some() {
            return Ok(exact);
        }
        let io =
            |source| StoreError::Archive { file: self.folder.clone(), source: FileError::Io { offset: 0, source } };
        let mut holding = Vec::new();
        for file in std::fs::read_dir(&self.folder).map_err(io)? {
            let file = file.map_err(io)?;
            let heights = file.file_name().to_str().and_then(heights_of);
            if heights.is_some_and(|heights| heights.contains(&height)) {
                holding.push(file.path());
            }
        }
        Ok(holding.into_iter().min())
    }

    fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Known::default();
    }
}

impl Store {
    /// A block in the archives, whatever it holds.
    pub(crate) async fn find_archived(&self, height: u64, name: Option<String>) -> Result<Option<Found>, StoreError> {
        let Some(archives) = self.archives().cloned() else { return Ok(None) };
        let folder = archives.folder().to_owned();
        let found = tokio::task::spawn_blocking(move || archives.find(height, name.as_deref())).await;
        let ended = |e| FileError::Io { offset: 0, source: std::io::Error::other(e) };
        found.map_err(|e| StoreError::Archive { file: folder, source: ended(e) })?
    }

    /// A block in the archives that is what this replica had.
    pub(crate) async fn fetch_archived(&self, height: u64, at: &Elsewhere) -> Result<Arc<ArchivedBlock>, StoreError> {
        let file = archive_name(&at.heights);
        let folder = self.archives().map(|archives| archives.folder().to_owned());
        let Some((archive, block)) = self.find_archived(height, Some(file.clone())).await? else {
            return Err(StoreError::Archived { height, file, folder });
        };
        if at.is(&block) {
            return Ok(block);
        }
        if let Some(archives) = self.archives() {
            archives.forget();
        }
        Err(StoreError::WrongArchive { file: archive.path().to_owned(), height })
    }
}
