//! Epochs on disk: one folder each, with the key sealed to the holder itself.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use covenant_canon::{Digest, Label, SuiteId, from_bytes, to_bytes};
use covenant_domain::{DatasetId, Epoch, Overlay};
use covenant_oprf::EpochKey;
use covenant_suite::{Opener, OpeningKey, Sealed, Sealer};
use zeroize::Zeroizing;

use super::fingerprint::Fingerprints;
use super::table::Table;

/// Why epoch files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file system refuses.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file is not what was written.
    #[error("`{}` is damaged: build a new epoch", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// One file of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Sealed rows.
    Matrix,
    /// What a consumer needs to open answers.
    Hint,
    /// What leads from a tag to a row.
    Locator,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Matrix => "matrix",
            Self::Hint => "hint",
            Self::Locator => "locator",
        }
    }
}

/// The folder of all epochs of one holder. Cheap to clone.
#[derive(Clone)]
pub struct EpochFiles {
    root: Arc<PathBuf>,
    suite: SuiteId,
    own: Arc<OpeningKey>,
}

impl EpochFiles {
    /// Files below a folder; `own` seals and opens the epochs' keys.
    pub fn new(root: PathBuf, suite: SuiteId, own: Arc<OpeningKey>) -> Self {
        Self { root: Arc::new(root), suite, own }
    }

    pub(super) fn suite(&self) -> SuiteId {
        self.suite
    }

    /// Folder of an epoch. Its name tells nothing but a digest of the dataset's id, since ids hold slashes.
    pub(super) fn dir(&self, dataset: &DatasetId, number: u32) -> PathBuf {
        let name = Digest::of(self.suite, Label::LOOKUP_FOLDER, dataset.as_str().as_bytes()).to_string();
        self.root.join(name.get(..16).unwrap_or_default()).join(format!("{number:08}"))
    }

    /// A file of an epoch's table, or of a revision of its overlay.
    pub fn path(&self, dataset: &DatasetId, number: u32, overlay: Option<u32>, part: Part) -> PathBuf {
        let prefix = overlay.map(|revision| format!("overlay-{revision:06}-")).unwrap_or_default();
        self.dir(dataset, number).join(format!("{prefix}{}.bin", part.name()))
    }

    /// Writes a new epoch with its first overlay; the description last, so that a folder without one is no epoch.
    pub(super) fn write_epoch(
        &self,
        epoch: &Epoch,
        key: &EpochKey,
        fingerprints: &Fingerprints,
        table: &Table,
        overlay: &Table,
    ) -> Result<(), FileError> {
        let (id, number) = (&epoch.dataset, epoch.number);
        let dir = self.dir(id, number);
        Self::remove(&dir);
        make_private(&dir).map_err(io("make", &dir))?;
        write(&dir.join("key.sealed"), &self.sealed(epoch, key, &dir)?)?;
        write(&dir.join("fingerprints.bin"), &fingerprints.to_bytes())?;
        self.write_table(id, number, None, table)?;
        self.write_table(id, number, Some(0), overlay)?;
        write(&dir.join("epoch.cbor"), &to_bytes(epoch))
    }

    /// Writes a later overlay, its description last.
    pub(super) fn write_overlay(&self, overlay: &Overlay, table: &Table) -> Result<(), FileError> {
        let (id, number, revision) = (&overlay.dataset, overlay.epoch, overlay.revision);
        self.write_table(id, number, Some(revision), table)?;
        write(&self.dir(id, number).join(format!("overlay-{revision:06}.cbor")), &to_bytes(overlay))
    }

    fn write_table(&self, id: &DatasetId, number: u32, overlay: Option<u32>, table: &Table) -> Result<(), FileError> {
        write(&self.path(id, number, overlay, Part::Matrix), table.matrix.bytes())?;
        write(&self.path(id, number, overlay, Part::Hint), table.hint.bytes())?;
        write(&self.path(id, number, overlay, Part::Locator), &table.locator)
    }

    fn sealed(&self, epoch: &Epoch, key: &EpochKey, dir: &Path) -> Result<Vec<u8>, FileError> {
        let damaged = || FileError::Damaged { path: dir.to_owned() };
        let sealer = Sealer::new(self.own.sealing_key(), Label::SEAL_EPOCH, &mut rand::rng()).map_err(|_| damaged())?;
        let (context, bytes) = (key_context(epoch), key.to_bytes());
        let sealed = sealer.seal(&context, &context, bytes.as_slice()).map_err(|_| damaged())?;
        Ok(sealed.to_bytes())
    }

    /// Folders of a dataset's epochs, oldest first. One without a description is no epoch: it was being written, or
    /// destroyed.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub(super) fn epoch_dirs(&self, dataset: &DatasetId) -> Result<Vec<PathBuf>, FileError> {
        let dir = self.dir(dataset, 0);
        let Some(parent) = dir.parent().filter(|p| p.exists()) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for item in std::fs::read_dir(parent).map_err(io("list", parent))? {
            let path = item.map_err(io("list", parent))?.path();
            match path.join("epoch.cbor").exists() {
                true => found.push(path),
                false => Self::remove(&path),
            }
        }
        found.sort();
        Ok(found)
    }

    /// The epoch of a folder, with its key.
    ///
    /// # Errors
    /// [`FileError`] when it is not what was written.
    pub(super) fn read_epoch(&self, dataset: &DatasetId, dir: &Path) -> Result<(Epoch, EpochKey), FileError> {
        let described = dir.join("epoch.cbor");
        let damaged = || FileError::Damaged { path: described.clone() };
        let epoch: Epoch = from_bytes(&read(&described)?).map_err(|_| damaged())?;
        if &epoch.dataset != dataset {
            return Err(damaged());
        }
        let key = self.key(&epoch, &dir.join("key.sealed"))?;
        Ok((epoch, key))
    }

    /// Removes a later overlay's files, its description first.
    pub(super) fn remove_overlay(&self, overlay: &Overlay) {
        let (id, number, revision) = (&overlay.dataset, overlay.epoch, overlay.revision);
        let parts = [Part::Matrix, Part::Hint, Part::Locator].map(|p| self.path(id, number, Some(revision), p));
        let described = self.dir(id, number).join(format!("overlay-{revision:06}.cbor"));
        for path in std::iter::once(described).chain(parts) {
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(%error, path = %path.display(), "a file of an overlay could not be removed");
            }
        }
    }

    /// Fingerprints of the rows of an epoch's table.
    pub(super) fn fingerprints(&self, epoch: &Epoch, key: &EpochKey) -> Result<Fingerprints, FileError> {
        let path = self.dir(&epoch.dataset, epoch.number).join("fingerprints.bin");
        let bytes = read(&path)?;
        Fingerprints::from_bytes(self.suite, *key.to_bytes(), &bytes).ok_or(FileError::Damaged { path })
    }

    fn key(&self, epoch: &Epoch, path: &Path) -> Result<EpochKey, FileError> {
        let damaged = || FileError::Damaged { path: path.to_owned() };
        let sealed = Sealed::from_bytes(&read(path)?).map_err(|_| damaged())?;
        let context = key_context(epoch);
        let opener = Opener::new(self.own.clone(), Label::SEAL_EPOCH);
        let plain = opener.open(&context, &context, &sealed).map_err(|_| damaged())?;
        let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(plain.as_slice().try_into().map_err(|_| damaged())?);
        EpochKey::from_bytes(&bytes).map_err(|_| damaged())
    }

    /// Overlays of an epoch on disk after the first, oldest first.
    ///
    /// # Errors
    /// [`FileError`].
    pub(super) fn read_overlays(&self, dataset: &DatasetId, number: u32) -> Result<Vec<Overlay>, FileError> {
        let dir = self.dir(dataset, number);
        let mut found = Vec::new();
        for item in std::fs::read_dir(&dir).map_err(io("list", &dir))? {
            let path = item.map_err(io("list", &dir))?.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if !(name.starts_with("overlay-") && name.ends_with(".cbor")) {
                continue;
            }
            let overlay: Overlay = from_bytes(&read(&path)?).map_err(|_| FileError::Damaged { path: path.clone() })?;
            found.push(overlay);
        }
        found.sort_by_key(|o| o.revision);
        Ok(found)
    }

    /// A part of a file from an offset on, with the file's whole length; absent when there is no such file.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub fn chunk(path: &Path, offset: u64, length: u32) -> Result<Option<(u64, Vec<u8>)>, FileError> {
        let mut file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io("read", path)(error)),
        };
        let total = file.metadata().map_err(io("read", path))?.len();
        file.seek(SeekFrom::Start(offset)).map_err(io("read", path))?;
        let mut bytes = Vec::new();
        file.take(u64::from(length)).read_to_end(&mut bytes).map_err(io("read", path))?;
        Ok(Some((total, bytes)))
    }

    /// Removes an epoch's folder: its description first, so that a crash leaves no epoch behind, then the key, which is
    /// overwritten. What cannot be removed is logged.
    pub(super) fn remove(dir: &Path) {
        let _absent_is_as_good = std::fs::remove_file(dir.join("epoch.cbor"));
        let key = dir.join("key.sealed");
        if let Ok(length) = std::fs::metadata(&key).map(|m| m.len()) {
            let zeros = vec![0; usize::try_from(length).unwrap_or(0)];
            if let Err(error) = write(&key, &zeros) {
                tracing::warn!(%error, "the key of an epoch could not be overwritten");
            }
        }
        match std::fs::remove_dir_all(dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, dir = %dir.display(), "the files of an epoch could not be removed");
            }
            _ => {}
        }
    }
}

/// A folder that its owner alone may enter.
fn make_private(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)
}

fn key_context(epoch: &Epoch) -> Vec<u8> {
    to_bytes(&(&epoch.dataset, epoch.number))
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    std::fs::read(path).map_err(io("read", path))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let written = || {
        let mut file = std::fs::File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    written().map_err(io("write", path))
}

pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> FileError + use<> {
    let path = path.to_owned();
    move |source| FileError::Io { action, path, source }
}
