//! What is served now: per dataset the newest epochs, each with its key, its table and its newest overlays.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use covenant_canon::{Digest, Label, SuiteId};
use covenant_domain::{Dataset, DatasetId, Epoch, LookupTable, Overlay};
use covenant_oprf::EpochKey;
use covenant_pir::{Answer, Matrix, Params, PirError, Query, Scan};
use covenant_source::Source;
use parking_lot::RwLock;

use super::build::{BuildError, OverlayPlan};
use super::files::{EpochFiles, FileError, Part, io, read};
use super::table;

/// Overlays of an epoch that are served beside each other, for consumers that fetched the former one.
const OVERLAYS: usize = 2;
/// Bytes of a matrix file read at a time when it is not kept in memory.
const BAND_BYTES: usize = 32 << 20;

/// A matrix, in memory or read from its file for each batch of questions.
enum Placed {
    Memory(Matrix),
    File { path: PathBuf, params: Params },
}

impl Placed {
    /// Larger matrices than `limit` bytes stay on disk: each batch of questions reads the file once, from the top. One that
    /// is read into memory is held against its digest.
    fn open(path: PathBuf, params: Params, limit: u64, digest: impl Fn(&[u8]) -> bool) -> Result<Self, FileError> {
        let damaged = || FileError::Damaged { path: path.clone() };
        if params.matrix_bytes() > limit {
            let length = std::fs::metadata(&path).map_err(io("read", &path))?.len();
            return if length == params.matrix_bytes() { Ok(Self::File { path, params }) } else { Err(damaged()) };
        }
        let bytes = read(&path)?;
        if !digest(&bytes) {
            return Err(damaged());
        }
        Ok(Self::Memory(Matrix::from_bytes(params, bytes).map_err(|_| damaged())?))
    }

    fn params(&self) -> &Params {
        match self {
            Self::Memory(matrix) => matrix.params(),
            Self::File { params, .. } => params,
        }
    }

    fn answer(&self, queries: &[Query]) -> Result<Vec<Answer>, ServeFault> {
        match self {
            Self::Memory(matrix) => Ok(matrix.answer(queries)?),
            Self::File { path, params } => {
                let mut scan = Scan::new(params, queries)?;
                let width = params.columns() as usize;
                let band = (BAND_BYTES / width).max(1) * width;
                let mut file = std::fs::File::open(path).map_err(io("read", path))?;
                let mut buffer = Vec::with_capacity(band);
                loop {
                    buffer.clear();
                    let read = std::io::Read::take(&mut file, band as u64);
                    let count = std::io::Read::read_to_end(&mut { read }, &mut buffer).map_err(io("read", path))?;
                    if count == 0 {
                        return Ok(scan.finish()?);
                    }
                    scan.band(&buffer)?;
                }
            }
        }
    }
}

/// Why a table did not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServeFault {
    #[error("the table could not be asked")]
    Pir(#[from] PirError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// One revision of an overlay.
struct Laid {
    revision: u32,
    table: LookupTable,
    matrix: Placed,
}

/// An epoch that is served.
pub struct Served {
    pub(super) epoch: Epoch,
    pub(super) key: Arc<EpochKey>,
    matrix: Placed,
    overlays: RwLock<VecDeque<Arc<Laid>>>,
}

impl Served {
    /// The epoch.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// Parameters of the table.
    pub(super) fn params(&self) -> &Params {
        self.matrix.params()
    }

    fn laid(&self, revision: u32) -> Option<Arc<Laid>> {
        self.overlays.read().iter().find(|o| o.revision == revision).cloned()
    }

    /// Newest revision of the overlay.
    pub(super) fn newest(&self) -> u32 {
        self.overlays.read().back().map_or(0, |o| o.revision)
    }

    /// Parameters and digest of the description of a revision of the overlay, if it is served.
    pub(super) fn overlay(&self, suite: SuiteId, revision: u32) -> Option<(Params, Digest)> {
        self.laid(revision).map(|o| (*o.matrix.params(), o.table.digest(suite)))
    }

    /// Answers a batch of pairs of questions, each to the table and to one revision of the overlay. Every pair costs the
    /// same.
    pub(super) fn answer(
        &self,
        revision: u32,
        table: &[Query],
        overlay: &[Query],
    ) -> Result<Vec<(Answer, Answer)>, ServeFault> {
        let laid = self.laid(revision).ok_or(PirError::OtherTable)?;
        let (first, second) = (self.matrix.answer(table)?, laid.matrix.answer(overlay)?);
        Ok(first.into_iter().zip(second).collect())
    }

    fn lay(&self, laid: Laid) {
        let mut overlays = self.overlays.write();
        overlays.retain(|o| o.revision != laid.revision);
        overlays.push_back(Arc::new(laid));
        while overlays.len() > OVERLAYS {
            overlays.pop_front();
        }
    }
}

/// Epochs by dataset, the newest last.
type ByDataset = BTreeMap<DatasetId, Vec<Arc<Served>>>;

/// Everything that one holder serves.
pub struct Shelf {
    files: EpochFiles,
    /// Largest matrix that is kept in memory, in bytes.
    memory: u64,
    served: RwLock<ByDataset>,
}

impl Shelf {
    /// An empty shelf over the holder's epoch files. Matrices above `memory` bytes are read from disk for each batch.
    pub fn new(files: EpochFiles, memory: u64) -> Self {
        Self { files, memory, served: RwLock::default() }
    }

    /// The files.
    pub fn files(&self) -> &EpochFiles {
        &self.files
    }

    /// Puts the epochs that are on disk on the shelf: after a start. One that is damaged does not keep the others away.
    ///
    /// # Errors
    /// [`FileError`] naming the first file at fault.
    pub fn load(&self, dataset: &DatasetId) -> Result<(), FileError> {
        let mut fault = None;
        for dir in self.files.epoch_dirs(dataset)? {
            if let Err(error) = self.load_one(dataset, &dir) {
                tracing::warn!(%dataset, %error, "an epoch on disk is left out");
                fault.get_or_insert(error);
            }
        }
        fault.map_or(Ok(()), Err)
    }

    fn load_one(&self, dataset: &DatasetId, dir: &Path) -> Result<(), FileError> {
        let (epoch, key) = self.files.read_epoch(dataset, dir)?;
        let number = epoch.number;
        self.put(epoch, key)?;
        self.files.read_overlays(dataset, number)?.iter().try_for_each(|overlay| self.put_overlay(overlay))
    }

    /// Puts an epoch whose files are written on the shelf.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn put_built(&self, epoch: &Epoch) -> Result<(), FileError> {
        let dir = self.files.dir(&epoch.dataset, epoch.number);
        match self.files.read_epoch(&epoch.dataset, &dir)? {
            (written, key) if &written == epoch => self.put(written, key),
            _ => Err(FileError::Damaged { path: dir }),
        }
    }

    fn put(&self, epoch: Epoch, key: EpochKey) -> Result<(), FileError> {
        let (id, number) = (epoch.dataset.clone(), epoch.number);
        let served = Served {
            matrix: self.placed(&id, number, None, &epoch.table)?,
            overlays: RwLock::default(),
            key: Arc::new(key),
            epoch,
        };
        let table = served.epoch.overlay.clone();
        served.lay(Laid { revision: 0, matrix: self.placed(&id, number, Some(0), &table)?, table });
        let mut all = self.served.write();
        let of_dataset = all.entry(id).or_default();
        of_dataset.retain(|s| s.epoch.number != number);
        of_dataset.push(Arc::new(served));
        of_dataset.sort_by_key(|s| s.epoch.number);
        Ok(())
    }

    /// Puts a later overlay whose files are written on the shelf.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn put_overlay(&self, overlay: &Overlay) -> Result<(), FileError> {
        let (id, number, revision) = (&overlay.dataset, overlay.epoch, overlay.revision);
        let Some(served) = self.served(id, number) else { return Ok(()) };
        let matrix = self.placed(id, number, Some(revision), &overlay.table)?;
        served.lay(Laid { revision, table: overlay.table.clone(), matrix });
        Ok(())
    }

    /// Takes an overlay off the shelf that was not published after all.
    pub fn withdraw_overlay(&self, overlay: &Overlay) {
        if let Some(served) = self.served(&overlay.dataset, overlay.epoch) {
            served.overlays.write().retain(|o| o.table != overlay.table);
        }
        self.files.remove_overlay(overlay);
    }

    fn placed(
        &self,
        id: &DatasetId,
        number: u32,
        overlay: Option<u32>,
        described: &LookupTable,
    ) -> Result<Placed, FileError> {
        let path = self.files.path(id, number, overlay, Part::Matrix);
        let params = table::params(described).map_err(|_| FileError::Damaged { path: path.clone() })?;
        let suite = self.files.suite();
        let is_described = |bytes: &[u8]| Digest::of(suite, Label::LOOKUP_MATRIX, bytes) == described.matrix;
        Placed::open(path, params, self.memory, is_described)
    }

    /// An epoch, if it is served.
    pub fn served(&self, dataset: &DatasetId, number: u32) -> Option<Arc<Served>> {
        self.served.read().get(dataset)?.iter().find(|s| s.epoch.number == number).cloned()
    }

    /// All epochs that are served.
    pub fn all(&self) -> Vec<Arc<Served>> {
        self.served.read().values().flatten().cloned().collect()
    }

    /// Takes an epoch off the shelf and destroys its key and files.
    pub fn retire(&self, dataset: &DatasetId, number: u32) {
        if let Some(of_dataset) = self.served.write().get_mut(dataset) {
            of_dataset.retain(|s| s.epoch.number != number);
        }
        EpochFiles::remove(&self.files.dir(dataset, number));
    }

    /// Builds the next overlay of an epoch from what has changed since it was built, and writes its files.
    ///
    /// # Errors
    /// [`BuildError`].
    pub async fn build_overlay(
        &self,
        dataset: &Dataset,
        epoch: u32,
        revision: u32,
        source: &dyn Source,
    ) -> Result<Overlay, BuildError> {
        let served = self.served(&dataset.id, epoch).ok_or(BuildError::NotHeld { epoch })?;
        let (suite, key) = (self.files.suite(), served.key.clone());
        OverlayPlan { suite, dataset, epoch: &served.epoch, key, revision }.build(source, &self.files).await
    }
}
