//! Epochs at the consumer: fetched once, kept in memory and, where a folder is given, on disk.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use covenant_api::{EpochDocument, EpochPart};
use covenant_canon::{Digest, Label, SuiteId};
use covenant_domain::{DatasetId, Epoch, LookupTable};
use covenant_oprf::{EpochPublicKey, epoch_scope};
use covenant_pir::{Hint, Locator, Params, PublicMatrix, Seed};
use parking_lot::Mutex;

use crate::{Client, ClientError};

/// Bytes asked for at a time.
const CHUNK: u32 = 2 << 20;

/// One table of an epoch, ready to be asked.
pub(crate) struct Table {
    pub(crate) described: LookupTable,
    pub(crate) params: Params,
    pub(crate) public: PublicMatrix,
    pub(crate) hint: Hint,
    pub(crate) locator: Locator,
}

/// An epoch as the consumer holds it.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) epoch: Arc<Epoch>,
    pub(crate) key: EpochPublicKey,
    pub(crate) table: Arc<Table>,
    pub(crate) overlay_revision: u32,
    pub(crate) overlay: Arc<Table>,
}

/// What a lookup needs beside the subject.
pub(crate) struct Ground {
    pub(crate) held: Held,
    /// Digest of the holder's rule book in force.
    pub(crate) policy: Digest,
    pub(crate) ceremony: u32,
    pub(crate) escrow: covenant_sigma::EscrowKey,
}

/// Epochs by dataset, and escrow keys that were checked.
#[derive(Default)]
pub(crate) struct Epochs {
    held: Mutex<BTreeMap<DatasetId, Held>>,
    escrow: Mutex<Option<(u32, covenant_sigma::EscrowKey)>>,
    /// One fetch at a time: what two lookups need is fetched once.
    fetching: tokio::sync::Mutex<()>,
}

impl Client {
    /// Fetches what lookups of a dataset need and does not have to be fetched for each: epoch, tables, escrow key.
    ///
    /// # Errors
    /// [`ClientError`] when something cannot be fetched or is not what its digest says.
    pub async fn prepare_lookups(&self, dataset: &DatasetId) -> Result<(), ClientError> {
        self.ground(dataset).await.map(|_| ())
    }

    pub(crate) async fn ground(&self, dataset: &DatasetId) -> Result<Ground, ClientError> {
        let document = self.epoch(dataset).await?;
        let EpochDocument { state, policy, escrow } = document;
        let missing = || ClientError::Escrow { ceremony: 0, reason: "the trustees have made no key yet".into() };
        let ceremony = escrow.ok_or_else(missing)?.ceremony;
        let one_at_a_time = self.0.epochs.fetching.lock().await;
        let held = self.held(dataset, &state).await?;
        let escrow = self.escrow_key(ceremony).await?;
        drop(one_at_a_time);
        Ok(Ground { held, policy, ceremony, escrow })
    }

    async fn escrow_key(&self, number: u32) -> Result<covenant_sigma::EscrowKey, ClientError> {
        if let Some((known, key)) = *self.0.epochs.escrow.lock()
            && known == number
        {
            return Ok(key);
        }
        let all = self.ceremonies().await?;
        let missing = || ClientError::Escrow { ceremony: number, reason: "the gateway does not show it".into() };
        let ceremony = all.iter().find(|c| c.call.number == number).ok_or_else(missing)?;
        let key = *self.checked_group(ceremony)?.escrow_key();
        *self.0.epochs.escrow.lock() = Some((number, key));
        Ok(key)
    }

    async fn held(&self, dataset: &DatasetId, state: &covenant_engine::EpochState) -> Result<Held, ClientError> {
        let (epoch, revision) = (&state.epoch, state.overlay_revision);
        let known = self.0.epochs.held.lock().get(dataset).filter(|h| *h.epoch == *epoch).cloned();
        if let Some(known) = &known
            && known.overlay_revision == revision
            && known.overlay.described == state.overlay
        {
            return Ok(known.clone());
        }
        let (table, key) = match known {
            Some(known) => (known.table, known.key),
            None => {
                let key = self.checked_epoch(dataset, epoch)?;
                let parts = (EpochPart::Hint, EpochPart::Locator);
                (Arc::new(self.table(epoch, revision, &epoch.table, parts).await?), key)
            }
        };
        let parts = (EpochPart::OverlayHint, EpochPart::OverlayLocator);
        let overlay = Arc::new(self.table(epoch, revision, &state.overlay, parts).await?);
        let held = Held { epoch: Arc::new(epoch.clone()), key, table, overlay_revision: revision, overlay };
        self.0.epochs.held.lock().insert(dataset.clone(), held.clone());
        Ok(held)
    }

    /// The epoch's key, once its holder has proven that it has it.
    fn checked_epoch(&self, dataset: &DatasetId, epoch: &Epoch) -> Result<EpochPublicKey, ClientError> {
        let wrong = |reason: &str| ClientError::Epoch { dataset: dataset.clone(), reason: reason.to_owned() };
        epoch.check().map_err(|e| wrong(&e.to_string()))?;
        if &epoch.dataset != dataset {
            return Err(wrong("it is another dataset's"));
        }
        let (holder, _) = self.holder(dataset)?;
        let scope = epoch_scope(self.0.consortium, &holder, dataset, epoch.number);
        let key = EpochPublicKey::from_bytes(&epoch.key.0).map_err(|_| wrong("its key is no valid point"))?;
        key.verify_possession(&scope, &epoch.possession.0)
            .map_err(|_| wrong("its proof of possession does not hold"))?;
        Ok(key)
    }

    async fn table(
        &self,
        epoch: &Epoch,
        revision: u32,
        described: &LookupTable,
        (hint_part, locator_part): (EpochPart, EpochPart),
    ) -> Result<Table, ClientError> {
        let dataset = epoch.dataset.clone();
        let wrong = move |reason: String| ClientError::Epoch { dataset: dataset.clone(), reason };
        let params = Params::new(described.rows, described.row_bytes, described.columns)
            .map_err(|e| wrong(format!("its table has an impossible shape: {e}")))?;
        let file = |part, digest, label, length| EpochFile { epoch, revision, part, digest, label, length };
        let hint_file = file(hint_part, described.hint, Label::LOOKUP_HINT, params.hint_bytes());
        let hint = self.file(&hint_file).await?;
        let locator_file = file(locator_part, described.locator, Label::LOOKUP_LOCATOR, described.locator_bytes);
        let locator = self.file(&locator_file).await?;
        let (described, rows) = (described.clone(), described.rows);
        let open = move || {
            let hint = Hint::from_bytes(params, hint).map_err(|e| wrong(e.to_string()))?;
            let locator = Locator::from_bytes(&locator).map_err(|e| wrong(e.to_string()))?;
            if locator.rows() != rows {
                return Err(wrong("its locator is for another number of rows".into()));
            }
            let public = PublicMatrix::expand(&params, &Seed(described.seed));
            Ok(Table { described, params, public, hint, locator })
        };
        tokio::task::spawn_blocking(open).await.map_err(|_| ClientError::Stopped)?
    }

    /// One file: from the folder of kept files if it is there, otherwise fetched, going on where an earlier fetch stopped.
    async fn file(&self, file: &EpochFile<'_>) -> Result<Vec<u8>, ClientError> {
        let kept = self.0.config.epoch_dir.as_ref().map(|dir| dir.join(format!("{}.bin", file.digest)));
        if let Some(path) = kept.as_ref().filter(|p| p.exists()) {
            let bytes = std::fs::read(path).map_err(|e| file_error(path, &e))?;
            match file.matches(self.0.trust.suite, &bytes) {
                true => return Ok(bytes),
                false => tracing::warn!(path = %path.display(), "a kept file is damaged and fetched again"),
            }
        }
        let part = kept.as_ref().map(|path| path.with_extension("part"));
        let mut bytes = match part.as_ref().filter(|p| p.exists()) {
            Some(path) => std::fs::read(path).map_err(|e| file_error(path, &e))?,
            None => Vec::new(),
        };
        bytes.truncate(usize::try_from(file.length).unwrap_or(usize::MAX));
        while (bytes.len() as u64) < file.length {
            let chunk = self.chunk(file, bytes.len() as u64).await?;
            if let Some(path) = &part {
                append(path, bytes.len() as u64, &chunk).map_err(|e| file_error(path, &e))?;
            }
            bytes.extend(chunk);
        }
        if !file.matches(self.0.trust.suite, &bytes) {
            if let Some(path) = &part {
                let _absent_is_as_good = std::fs::remove_file(path);
            }
            let reason = format!("its file `{}` is not the one on the ledger", file.part);
            return Err(ClientError::Epoch { dataset: file.epoch.dataset.clone(), reason });
        }
        if let (Some(part), Some(kept)) = (&part, &kept) {
            std::fs::rename(part, kept).map_err(|e| file_error(kept, &e))?;
        }
        Ok(bytes)
    }

    /// A matrix of an epoch, kept like the files that lookups need.
    pub(crate) async fn matrix_file(
        &self,
        epoch: &Epoch,
        revision: u32,
        part: EpochPart,
        digest: Digest,
        length: u64,
    ) -> Result<Vec<u8>, ClientError> {
        self.file(&EpochFile { epoch, revision, part, digest, label: Label::LOOKUP_MATRIX, length }).await
    }

    async fn chunk(&self, file: &EpochFile<'_>, offset: u64) -> Result<Vec<u8>, ClientError> {
        let EpochFile { epoch, revision, part, length, .. } = file;
        let wanted = u32::try_from(length - offset).unwrap_or(CHUNK).min(CHUNK);
        let chunk = self.epoch_file(&epoch.dataset, epoch.number, *revision, *part, offset, wanted).await?;
        if chunk.total != *length || chunk.bytes.is_empty() || chunk.bytes.len() > wanted as usize {
            let reason = format!("its file `{part}` has {} bytes where the ledger says {length}", chunk.total);
            return Err(ClientError::Epoch { dataset: epoch.dataset.clone(), reason });
        }
        Ok(chunk.bytes)
    }
}

/// A file that the ledger describes.
struct EpochFile<'a> {
    epoch: &'a Epoch,
    revision: u32,
    part: EpochPart,
    digest: Digest,
    label: Label,
    length: u64,
}

impl EpochFile<'_> {
    fn matches(&self, suite: SuiteId, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.length && Digest::of(suite, self.label, bytes) == self.digest
    }
}

/// Writes a chunk behind what is there.
fn append(path: &Path, offset: u64, chunk: &[u8]) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.set_len(offset)?;
    file.write_all(chunk)
}

fn file_error(path: &Path, error: &std::io::Error) -> ClientError {
    ClientError::File { path: PathBuf::from(path), reason: error.to_string() }
}
