//! One CSV file into the vault: everything or nothing, in one transaction.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use covenant_domain::{Dataset, Record};
use covenant_models::Model;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::intake::{Batch, Intake, Seen, Tally};
use crate::plan::Plan;
use crate::rejects::Reject;
use crate::vault::{Import, Vault};
use crate::{Mapping, SourceError};

/// A further check of each record: gives names of fields with what is wrong, and never a value.
#[derive(Clone)]
pub struct RecordCheck(Arc<Check>);

type Check = dyn Fn(&Record) -> Vec<(String, String)> + Send + Sync;

impl RecordCheck {
    /// A check by this function.
    pub fn new(check: impl Fn(&Record) -> Vec<(String, String)> + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }

    /// The check of a shipped record model.
    pub fn by(model: &'static Model) -> Self {
        let told = |record: &Record| {
            let faults = model.check_record(record).into_iter();
            faults.map(|f| (f.field.to_owned(), f.reason)).collect()
        };
        Self::new(told)
    }

    /// What is wrong with a record.
    pub(crate) fn faults(&self, record: &Record) -> Vec<(String, String)> {
        (self.0)(record)
    }
}

impl std::fmt::Debug for RecordCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecordCheck(..)")
    }
}

/// How to import.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Leave bad rows out instead of refusing the file.
    pub keep_going: bool,
    /// Where bad rows go; `<file>.rejects.csv` beside the file when not given.
    pub rejects: Option<PathBuf>,
    /// Whether a subject may have several rows.
    pub multiple: bool,
    /// Replace what the vault holds of the dataset; otherwise add to it.
    pub replace: bool,
    /// What each record must be beside what its dataset says.
    pub check: Option<RecordCheck>,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows read.
    pub rows: u64,
    /// Rows refused.
    pub rejected: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Bytes of the file.
    pub total_bytes: u64,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Rows of the file, without its header.
    pub rows: u64,
    /// Rows now in the vault.
    pub imported: u64,
    /// Rows refused.
    pub rejected: u64,
    /// Where the refused rows are, if there are any.
    pub rejects_file: Option<PathBuf>,
    /// The first twenty refusals.
    pub first_rejects: Vec<Reject>,
    /// How long it took.
    pub elapsed_ms: u64,
}

impl Vault {
    /// Imports a CSV file. Nothing changes unless it returns `Ok`: a failed, dropped or killed import leaves the former
    /// records as they were. Readers see the former records until the end.
    ///
    /// # Errors
    /// [`SourceError::Rejected`] with the report when rows are refused and `keep_going` is not set, or when no row is
    /// left; other [`SourceError`]s when mapping, file or database are at fault.
    pub async fn import(
        &self,
        dataset: &Dataset,
        mapping: &Mapping,
        file: &Path,
        options: ImportOptions,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<ImportReport, SourceError> {
        let started = Instant::now();
        let _alone = self.importing.try_lock().map_err(|_| SourceError::Busy)?;
        let plan = Plan::new(dataset, mapping)?;
        let rejects = rejects_path(file, options.rejects)?;
        let mut intake = Intake::open(file, mapping, plan, rejects, options.keep_going)?;
        let import = self.begin(&dataset.id, options.replace).await?;
        if let Some(check) = options.check {
            intake.check(check);
        }
        if !options.multiple {
            let seen = if options.replace { Seen::new() } else { import.subjects().await? };
            intake.unique(seen);
        }
        let (tally, imported) = transfer(intake, &import, progress).await?;
        let report = report(tally, imported, started);
        if imported == 0 || (report.rejected > 0 && !options.keep_going) {
            import.roll_back().await?;
            return Err(SourceError::Rejected(Box::new(ImportReport { imported: 0, ..report })));
        }
        import.commit(imported).await?;
        tracing::info!(dataset = %dataset.id, rows = report.rows, rejected = report.rejected, "imported");
        Ok(report)
    }
}

/// Rows go from the reading thread to the database while the next ones are read.
async fn transfer(
    intake: Intake,
    import: &Import,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(Tally, u64), SourceError> {
    let (sender, mut batches) = mpsc::channel::<Batch>(2);
    let reading = tokio::task::spawn_blocking(move || intake.run(&sender));
    let mut imported = 0;
    while let Some(batch) = batches.recv().await {
        let now = batch.progress;
        imported += import.insert(imported, batch.rows).await?;
        progress(now);
    }
    let tally = reading.await.map_err(|_| SourceError::Stopped)??;
    Ok((tally, imported))
}

fn report(tally: Tally, imported: u64, started: Instant) -> ImportReport {
    ImportReport {
        rows: tally.rows,
        imported,
        rejected: tally.rejected,
        rejects_file: tally.rejects_file,
        first_rejects: tally.first,
        elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

/// Where refused rows go; never over the file itself.
fn rejects_path(file: &Path, chosen: Option<PathBuf>) -> Result<PathBuf, SourceError> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".rejects.csv");
    let path = chosen.unwrap_or_else(|| beside.into());
    match (path.canonicalize(), file.canonicalize()) {
        (Ok(rejects), Ok(input)) if rejects == input => {
            let source = std::io::Error::other("it is the file that is imported: choose another file for the rejects");
            Err(SourceError::File { action: "write", path, source })
        }
        _ => Ok(path),
    }
}
