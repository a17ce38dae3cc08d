//! A backup of everything in the database, for SQLite and PostgreSQL alike.
//!
//! ```text
//! covenant-backup
//! head      [version, newest schema step]
//! page*     [table, [[value]]]       rows in the order of the key, with their checksums
//! trailer   [{table: rows}, SHA-256 over every byte before]
//! ```
//!
//! The frames around them are those of `frame.rs`. Bodies that were moved to archives, and the consensus engine's
//! write-ahead log, are not part of it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use covenant_canon::Digest;
use minicbor::Encoder;
use sea_orm::DatabaseTransaction;
use sea_orm_migration::MigratorTrait;

use crate::error::{Fault, StoreError};
use crate::frame::{FileError, FrameWriter};
use crate::mark;
use crate::migration::Migrator;
use crate::store::Store;
use crate::table::{TABLES, Table, Values};

pub(crate) const MAGIC: &str = "covenant-backup\n";
pub(crate) const VERSION: u64 = 1;

/// How far a backup or its loading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The table at hand.
    pub table: &'static str,
    /// Rows so far, of all tables.
    pub rows: u64,
    /// Bytes of the file so far.
    pub bytes: u64,
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpSummary {
    /// Rows by table.
    pub rows: BTreeMap<&'static str, u64>,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 over every byte before the trailer.
    pub digest: Digest,
}

impl Store {
    /// Writes every table, all of one moment, while the node goes on; a page of rows is in memory at a time. Returns
    /// what it wrote to, flushed: the caller has it reach the disk.
    ///
    /// The file holds sealed inputs and answers and whatever else the database holds: guard it as that.
    ///
    /// # Errors
    /// [`StoreError::File`] when it cannot be written, [`StoreError::Corrupted`] at the first row that is not what was
    /// written, [`StoreError::Unfinished`], otherwise what the database says.
    pub async fn dump<W: Write + Send + 'static>(
        &self,
        out: W,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<(W, DumpSummary), StoreError> {
        self.read("back it up", async {
            let db = self.snapshot().await?;
            if let Some(work) = mark::unfinished(&db).await? {
                return Err(StoreError::Unfinished { place: self.place().clone(), work }.into());
            }
            let done = write_all(&db, out, &mut progress).await?;
            db.commit().await?;
            Ok(done)
        })
        .await
    }
}

async fn write_all<W: Write + Send + 'static>(
    db: &DatabaseTransaction,
    out: W,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(W, DumpSummary), Fault> {
    let mut writer = off_thread(move || start(out)).await?;
    let (mut rows, mut total) = (BTreeMap::new(), 0);
    for table in &TABLES {
        let (mut last, mut count): (Option<Values>, u64) = (None, 0);
        loop {
            let mut page = table.page(db, last.as_ref()).await?;
            if page.is_empty() {
                break;
            }
            let payload = page_bytes(table, &page)?;
            writer = off_thread(move || writer.frame(&payload).map(|_| writer)).await?;
            count += page.len() as u64;
            total += page.len() as u64;
            last = page.pop();
            progress(Progress { table: table.name, rows: total, bytes: writer.offset() });
        }
        rows.insert(table.name, count);
    }
    let counts = rows.clone();
    let (out, digest, bytes) = off_thread(move || writer.finish(|digest| trailer(&counts, digest), &[])).await?;
    Ok((out, DumpSummary { rows, bytes, digest }))
}

fn start<W: Write>(out: W) -> Result<FrameWriter<W>, FileError> {
    let mut writer = FrameWriter::new(out, MAGIC)?;
    let step = Migrator::migrations().last().map(|step| step.name().to_owned()).unwrap_or_default();
    writer.frame(&covenant_canon::to_bytes(&(VERSION, step)))?;
    Ok(writer)
}

fn page_bytes(table: &Table, page: &[Values]) -> Result<Vec<u8>, Fault> {
    let told = |e: minicbor::encode::Error<_>| Fault::Damage(e.to_string());
    let mut encoder = Encoder::new(Vec::new());
    encoder.array(2).map_err(told)?.str(table.name).map_err(told)?;
    Table::encode(page, &mut encoder)?;
    Ok(encoder.into_writer())
}

pub(crate) fn trailer(rows: &BTreeMap<&'static str, u64>, digest: &Digest) -> Vec<u8> {
    covenant_canon::to_bytes(&(rows, digest))
}

/// Does file work where it holds nobody up.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, StoreError> {
    let ended = |e| FileError::Io { offset: 0, source: io::Error::other(e) };
    Ok(tokio::task::spawn_blocking(work).await.map_err(ended)??)
}
