//! Building an epoch and its overlays: read the dataset, evaluate its subjects under the epoch's key, seal, multiply.

use std::ops::ControlFlow;
use std::sync::Arc;

use covenant_canon::{Digest, SuiteId, to_bytes};
use covenant_domain::{Dataset, Epoch, FieldName, LookupRow, MemberId, Mode, Overlay, Point, Proof, Record, Value};
use covenant_oprf::{EpochKey, OprfError, RowContext, RowSecret, epoch_scope, outputs, table_context};
use covenant_pir::PirError;
use covenant_source::{Source, SourceError};
use zeroize::Zeroizing;

use super::files::{EpochFiles, FileError};
use super::fingerprint::Fingerprints;
use super::table::{self, Content, Frame, OVERLAY_ROWS, Table};

/// Subjects read at a time.
const PAGE: u32 = 4096;
/// Longest content of a row with its length, in bytes: the longest sealed row less its tag.
const MAX_WIDTH: u32 = covenant_domain::MAX_ROW_BYTES - table::OVERHEAD;

/// Why an epoch was not built. Nothing was published; what was written is removed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The department's records could not be read.
    #[error("records of the dataset could not be read")]
    Source(#[from] SourceError),
    /// No field of the dataset is open to lookups.
    #[error("no field of the dataset is open to mode `lookup`: publish a revision that opens some")]
    NoFields,
    /// The dataset holds nothing.
    #[error("the dataset has no records: import some first")]
    Empty,
    /// A row does not fit.
    #[error("a subject's row takes {bytes} bytes, {limit} are possible: open fewer or shorter fields to mode `lookup`")]
    TooWide {
        /// What it takes.
        bytes: u32,
        /// What is possible.
        limit: u32,
    },
    /// More same-day changes than an overlay holds.
    #[error("{changed} subjects have changed since the epoch was built, an overlay holds {limit}: build a new epoch")]
    OverlayFull {
        /// Subjects that changed.
        changed: u64,
        /// What an overlay holds.
        limit: u64,
    },
    /// Records are gone. What was deleted must not be found any more, and an overlay could only lie over it.
    #[error("{gone} subjects have no records any more: build a new epoch, so that nobody finds what was deleted")]
    Deleted {
        /// Subjects without records.
        gone: u64,
    },
    /// A changed row is longer than the rows of the epoch.
    #[error("a changed row is longer than the rows of the epoch: build a new epoch")]
    OverlayWide,
    /// The epoch in force is not held here.
    #[error("epoch {epoch} is not held by this node: build a new epoch")]
    NotHeld {
        /// The epoch.
        epoch: u32,
    },
    /// The dataset was revised since the epoch was built.
    #[error("the dataset was revised since epoch {epoch} was built: build a new epoch")]
    Revised {
        /// The epoch.
        epoch: u32,
    },
    /// The table could not be made.
    #[error("the table could not be made")]
    Table(#[from] PirError),
    /// A subject could not be evaluated or a row sealed.
    #[error("a row could not be sealed")]
    Row(#[from] OprfError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The process is stopping.
    #[error("building was stopped; nothing was published")]
    Stopped,
}

/// What a build has got to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Subjects read and evaluated; the total is not known before the end.
    Reading,
    /// Matrix rows multiplied.
    Multiplying,
    /// Files written.
    Writing,
}

impl Step {
    /// The name for people and interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Multiplying => "multiplying",
            Self::Writing => "writing",
        }
    }
}

/// Told where a build stands: step, done, total; may stop it.
pub type Watch = Arc<dyn Fn(Step, u64, u64) -> ControlFlow<()> + Send + Sync>;

/// A dataset that was read.
struct Read {
    contents: Vec<Content>,
    fingerprints: Fingerprints,
    /// Most records of any subject.
    most: u32,
}

/// An epoch to be built.
pub struct EpochPlan {
    /// Suite of the consortium.
    pub suite: SuiteId,
    /// Digest of the genesis.
    pub consortium: Digest,
    /// The holder.
    pub holder: MemberId,
    /// The dataset in force.
    pub dataset: Dataset,
    /// Number of the epoch.
    pub number: u32,
    /// From when, milliseconds since 1970.
    pub opens_ms: u64,
    /// Until when.
    pub closes_ms: u64,
}

impl EpochPlan {
    /// Builds the epoch and writes its files. Publishing it is the caller's to do.
    ///
    /// # Errors
    /// [`BuildError`].
    pub async fn build(self, source: &dyn Source, files: &EpochFiles, watch: Watch) -> Result<Epoch, BuildError> {
        if fields(&self.dataset).is_empty() {
            return Err(BuildError::NoFields);
        }
        let key = Arc::new(EpochKey::generate(&mut rand::rng()));
        let context = table_context(&self.dataset.id, self.number, None);
        let mut fingerprints = Fingerprints::new(self.suite, *key.to_bytes());
        let (mut contents, mut pages) = (Vec::new(), Pages::new(&self.dataset, source));
        while let Some(page) = pages.next().await? {
            page.iter().for_each(|(id, content)| fingerprints.note(id, content));
            contents.extend(evaluate(self.suite, &key, &context, page).await?);
            let done = contents.len() as u64;
            if watch(Step::Reading, done, done).is_break() {
                return Err(BuildError::Stopped);
            }
        }
        if contents.is_empty() {
            return Err(BuildError::Empty);
        }
        let (files, dir) = (files.clone(), files.dir(&self.dataset.id, self.number));
        let most = pages.most;
        let read = Read { contents, fingerprints, most };
        let made = tokio::task::spawn_blocking(move || self.finish(&key, read, &files, &watch));
        let result = made.await.map_err(|_| BuildError::Stopped)?;
        if result.is_err() {
            EpochFiles::remove(&dir);
        }
        result
    }

    fn finish(
        self,
        key: &EpochKey,
        Read { contents, fingerprints, most }: Read,
        files: &EpochFiles,
        watch: &Watch,
    ) -> Result<Epoch, BuildError> {
        let (number, id) = (self.number, &self.dataset.id);
        let width = table::width(&contents);
        if width > MAX_WIDTH {
            return Err(BuildError::TooWide { bytes: width, limit: MAX_WIDTH });
        }
        let context = table_context(id, number, None);
        let rows = table::rounded(contents.len() as u64);
        let multiplied = |done, total| watch(Step::Multiplying, done, total);
        let frame = Frame { suite: self.suite, context: &context, width, rows, seed: table::seed(&mut rand::rng()) };
        let table = table::build(&frame, contents, &mut rand::rng(), &multiplied)?;
        let overlay = overlay(self.suite, &self.dataset, number, table::seed(&mut rand::rng()), width, Vec::new())?;
        let scope = epoch_scope(self.consortium, &self.holder, id, number);
        let possession = key.prove_possession(&scope, &mut rand::rng())?;
        let epoch = Epoch {
            dataset: id.clone(),
            number,
            dataset_revision: self.dataset.revision,
            fields: fields(&self.dataset),
            max_rows: most,
            key: Point(key.public().to_bytes()),
            possession: Proof(possession),
            table: table.described.clone(),
            overlay: overlay.described.clone(),
            opens_ms: self.opens_ms,
            closes_ms: self.closes_ms,
        };
        if watch(Step::Writing, 0, 1).is_break() {
            return Err(BuildError::Stopped);
        }
        files.write_epoch(&epoch, key, &fingerprints, &table, &overlay)?;
        let _finished = watch(Step::Writing, 1, 1);
        Ok(epoch)
    }
}

/// The next overlay of an epoch that this node holds: rows that have changed or come since it was built.
pub(super) struct OverlayPlan<'a> {
    pub(super) suite: SuiteId,
    pub(super) dataset: &'a Dataset,
    pub(super) epoch: &'a Epoch,
    pub(super) key: Arc<EpochKey>,
    pub(super) revision: u32,
}

impl OverlayPlan<'_> {
    /// Builds it and writes its files.
    pub(super) async fn build(self, source: &dyn Source, files: &EpochFiles) -> Result<Overlay, BuildError> {
        let (id, number) = (&self.dataset.id, self.epoch.number);
        if self.dataset.revision != self.epoch.dataset_revision {
            return Err(BuildError::Revised { epoch: number });
        }
        let mut former = files.fingerprints(self.epoch, &self.key)?;
        let (mut changed, mut pages) = (Vec::new(), Pages::new(self.dataset, source));
        while let Some(page) = pages.next().await? {
            changed.extend(page.into_iter().filter(|(id, content)| !former.strike(id, content)));
            if changed.len() as u64 > OVERLAY_ROWS {
                return Err(BuildError::OverlayFull { changed: changed.len() as u64, limit: OVERLAY_ROWS });
            }
        }
        if pages.most > self.epoch.max_rows {
            return Err(BuildError::OverlayWide);
        }
        if former.len() > 0 {
            return Err(BuildError::Deleted { gone: former.len() });
        }
        let seed = table::seed(&mut rand::rng());
        let context = table_context(id, number, Some(&seed));
        let contents = evaluate(self.suite, &self.key, &context, changed).await?;
        let width = self.epoch.overlay.row_bytes.saturating_sub(table::OVERHEAD);
        let (suite, dataset, revision, files) = (self.suite, self.dataset.clone(), self.revision, files.clone());
        let make = move || {
            let table = overlay(suite, &dataset, number, seed, width, contents)?;
            let dataset = dataset.id.clone();
            let published = Overlay { dataset, epoch: number, revision, table: table.described.clone() };
            files.write_overlay(&published, &table)?;
            Ok(published)
        };
        tokio::task::spawn_blocking(make).await.map_err(|_| BuildError::Stopped)?
    }
}

/// Makes the table of an overlay.
fn overlay(
    suite: SuiteId,
    dataset: &Dataset,
    epoch: u32,
    seed: [u8; 32],
    width: u32,
    contents: Vec<Content>,
) -> Result<Table, BuildError> {
    if !contents.is_empty() && table::width(&contents) > width {
        return Err(BuildError::OverlayWide);
    }
    let context = table_context(&dataset.id, epoch, Some(&seed));
    let frame = Frame { suite, context: &context, width, rows: OVERLAY_ROWS, seed };
    table::build(&frame, contents, &mut rand::rng(), &|_, _| ControlFlow::Continue(()))
}

/// Fields of a dataset that are open to lookups, sorted.
fn fields(dataset: &Dataset) -> Vec<FieldName> {
    let open = dataset.fields.iter().filter(|f| f.modes.contains(&Mode::Lookup));
    let mut fields: Vec<FieldName> = open.map(|f| f.name.clone()).collect();
    fields.sort();
    fields
}

/// A subject's canonical id and the content of its row.
type Unsealed = (Zeroizing<String>, Vec<u8>);

/// Reads a dataset page by page.
struct Pages<'a> {
    dataset: &'a Dataset,
    fields: Vec<FieldName>,
    source: &'a dyn Source,
    /// Where the next page starts; none after the last.
    next: Option<Option<String>>,
    /// Most records of any subject so far.
    most: u32,
}

impl<'a> Pages<'a> {
    fn new(dataset: &'a Dataset, source: &'a dyn Source) -> Self {
        Self { dataset, fields: fields(dataset), source, next: Some(None), most: 1 }
    }

    async fn next(&mut self) -> Result<Option<Vec<Unsealed>>, BuildError> {
        let Some(after) = self.next.take() else { return Ok(None) };
        let page = self.source.subjects(after.as_deref(), PAGE).await?;
        self.next = page.next.map(Some);
        let found = self.source.find(&page.subjects, self.dataset.max_rows).await?;
        let cap = self.dataset.max_rows as usize;
        let most = found.iter().map(|records| records.len().min(cap)).max().unwrap_or(0);
        self.most = self.most.max(u32::try_from(most).unwrap_or(u32::MAX));
        let with_records = page.subjects.iter().zip(found).filter(|(_, records)| !records.is_empty());
        let unsealed = with_records.map(|(subject, records)| {
            (Zeroizing::new(subject.canonical()), to_bytes(&row(self.dataset, &self.fields, &records)))
        });
        Ok(Some(unsealed.collect()))
    }
}

/// The content of a row: the fields open to lookups, masked as the dataset says.
fn row(dataset: &Dataset, fields: &[FieldName], records: &[Record]) -> LookupRow {
    let value = |record: &Record, name: &FieldName| {
        let value = record.get(name).cloned().unwrap_or(Value::Absent);
        match dataset.field(name).and_then(|f| f.mask) {
            Some(mask) => mask.apply(&value),
            None => value,
        }
    };
    let cap = dataset.max_rows as usize;
    let records = records.iter().take(cap).map(|r| fields.iter().map(|name| value(r, name)).collect());
    LookupRow { records: records.collect() }
}

/// Derives the tag and key of each row from its subject's output.
async fn evaluate(
    suite: SuiteId,
    key: &Arc<EpochKey>,
    context: &RowContext,
    rows: Vec<Unsealed>,
) -> Result<Vec<Content>, BuildError> {
    let (key, context) = (key.clone(), context.clone());
    let work = move || {
        let ids: Vec<&str> = rows.iter().map(|(id, _)| id.as_str()).collect();
        let outputs = outputs(&key, &ids);
        let named = outputs.iter().map(|output| RowSecret::derive(suite, output, &context));
        named.zip(rows).map(|(named, (_, bytes))| named.map(|(tag, key)| Content { tag, key, bytes })).collect()
    };
    let contents: Result<_, OprfError> = tokio::task::spawn_blocking(work).await.map_err(|_| BuildError::Stopped)?;
    Ok(contents?)
}
