//! Loading a backup into an empty database.

use std::collections::BTreeMap;
use std::io::Read;

use covenant_canon::Digest;
use minicbor::Decoder;
use minicbor::data::Type;
use sea_orm::{ConnectionTrait, DbBackend};

use crate::dump::{DumpSummary, MAGIC, Progress, VERSION, off_thread, trailer};
use crate::error::{Fault, StoreError};
use crate::frame::{FileError, Frame, FrameReader, version};
use crate::mark::{self, Unfinished, set_marks};
use crate::store::Store;
use crate::table::{TABLES, Table, Values};

impl Store {
    /// Loads a backup into an empty database, which it creates as [`Store::open`] does, and sets `marks` with its last
    /// transaction. A page of rows is in memory at a time.
    ///
    /// When it fails the database is empty again. When it is killed, every later opening says
    /// [`StoreError::Unfinished`].
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`], [`StoreError::File`] when the backup is damaged, otherwise what the database says.
    pub async fn load_dump<R: Read + Send + 'static>(
        url: &str,
        input: R,
        marks: &[(&str, &[u8])],
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<(Self, DumpSummary), StoreError> {
        let reader = off_thread(move || FrameReader::new(input, MAGIC)).await?;
        let store = Self::open(url).await?;
        if let Err(error) = store.begin_restore().await {
            store.close().await;
            return Err(error);
        }
        match store.read_all_pages(reader, marks, &mut progress).await {
            Ok(summary) => Ok((store, summary)),
            Err(error) => {
                // When this fails as well, the mark stays and tells.
                let _ = store.write("empty it again", |db| async move { empty_all(db.as_ref()).await }).await;
                store.close().await;
                Err(error)
            }
        }
    }

    async fn begin_restore(&self) -> Result<(), StoreError> {
        self.write("begin to restore a backup", |db| async move {
            self.must_be_empty(db.as_ref()).await?;
            mark::begin(db.as_ref(), Unfinished::Restore).await
        })
        .await
    }

    pub(crate) async fn must_be_empty(&self, db: &impl ConnectionTrait) -> Result<(), Fault> {
        for table in &TABLES {
            if !table.is_empty(db).await? {
                return Err(StoreError::NotEmpty { place: self.place().clone(), table: table.name }.into());
            }
        }
        Ok(())
    }

    async fn read_all_pages<R: Read + Send + 'static>(
        &self,
        mut reader: FrameReader<R>,
        marks: &[(&str, &[u8])],
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<DumpSummary, StoreError> {
        let mut rows: BTreeMap<_, u64> = TABLES.iter().map(|table| (table.name, 0)).collect();
        let (mut frame, mut total);
        (reader, frame) = next(reader).await?;
        version(&frame, VERSION)?;
        total = 0;
        loop {
            (reader, frame) = next(reader).await?;
            let Some((table, page)) = page_of(&frame)? else { break };
            total += page.len() as u64;
            *rows.entry(table.name).or_default() += page.len() as u64;
            let page = &page;
            self.write("restore rows", |db| async move { table.put(db.as_ref(), page.clone()).await }).await?;
            progress(Progress { table: table.name, rows: total, bytes: reader.offset() });
        }
        let digest = digest_of(&frame, &rows)?;
        let bytes = off_thread(move || reader.finish(&frame, &digest, &[])).await?;
        self.write("end the restoring", |db| async move {
            go_on_counting(db.as_ref()).await?;
            set_marks(db.as_ref(), marks).await?;
            mark::end(db.as_ref()).await
        })
        .await?;
        Ok(DumpSummary { rows, bytes, digest })
    }
}

async fn next<R: Read + Send + 'static>(mut reader: FrameReader<R>) -> Result<(FrameReader<R>, Frame), StoreError> {
    off_thread(move || reader.frame().map(|frame| (reader, frame))).await
}

/// The rows of a record; none for the trailer.
fn page_of(frame: &Frame) -> Result<Option<(&'static Table, Vec<Values>)>, FileError> {
    let told = |e: minicbor::decode::Error| FileError::damaged(frame.offset, e);
    let mut decoder = Decoder::new(&frame.payload);
    if decoder.array().map_err(told)? != Some(2) {
        return Err(FileError::damaged(frame.offset, "not a record of a backup"));
    }
    if decoder.datatype().map_err(told)? != Type::String {
        return Ok(None);
    }
    let name = decoder.str().map_err(told)?;
    let unknown = || FileError::damaged(frame.offset, format!("rows of an unknown table `{name}`"));
    let table = Table::named(name).ok_or_else(unknown)?;
    let page = table.decode(&mut decoder).map_err(told)?;
    if decoder.position() != frame.payload.len() {
        return Err(FileError::damaged(frame.offset, "bytes behind its rows"));
    }
    if !page.iter().all(|row| table.is_whole(row)) {
        return Err(FileError::damaged(frame.offset, format!("a row of table `{name}` is not what was written")));
    }
    Ok(Some((table, page)))
}

/// The digest in the trailer, which must also count the rows that were read.
fn digest_of(frame: &Frame, rows: &BTreeMap<&'static str, u64>) -> Result<Digest, FileError> {
    let told = |e: minicbor::decode::Error| FileError::damaged(frame.offset, e);
    let (_, digest): (BTreeMap<String, u64>, Digest) = minicbor::decode(&frame.payload).map_err(told)?;
    if trailer(rows, &digest) != frame.payload {
        return Err(FileError::damaged(frame.offset, "it counts other rows than there are"));
    }
    Ok(digest)
}

async fn empty_all(db: &impl ConnectionTrait) -> Result<(), Fault> {
    for table in &TABLES {
        table.empty(db).await?;
    }
    Ok(())
}

/// PostgreSQL numbers the mempool's arrivals by a sequence of its own, which rows put in do not move.
async fn go_on_counting(db: &impl ConnectionTrait) -> Result<(), Fault> {
    if db.get_database_backend() == DbBackend::Postgres {
        let sql = "SELECT setval(pg_get_serial_sequence('pending', 'arrival'), \
            COALESCE((SELECT MAX(\"arrival\") FROM \"pending\"), 0) + 1, false)";
        db.execute_unprepared(sql).await?;
    }
    Ok(())
}
