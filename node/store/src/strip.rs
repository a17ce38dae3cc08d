//! Moving old bodies out of the database: first into an archive, then away.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value};

use crate::archive::{Archive, ArchiveWriter, ArchivedBlock, ArchivedEntry, archive_name};
use crate::archives::Elsewhere;
use crate::commit::{ENTRY, STRIPPED, push_entry};
use crate::dump::off_thread;
use crate::entity::{block, entry};
use crate::error::{Fault, StoreError};
use crate::frame::FileError;
use crate::ledger::{block_of, entry_of};
use crate::record::{Body, StoredBlock};
use crate::row::{Insert, insert, signed, unsigned};
use crate::store::Store;

/// Heights per transaction.
const AT_ONCE: u64 = 8;

/// What was taken out of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stripped {
    /// Blocks.
    pub blocks: u64,
    /// Bytes of their bodies and derived entries.
    pub bytes: u64,
}

/// What a caller could not take the header out of.
pub type HeaderError = Box<dyn std::error::Error + Send + Sync>;

impl Store {
    /// A block with its certificate and derived entries, as an archive holds it; absent when the replica has not got it.
    ///
    /// # Errors
    /// [`StoreError::HeaderOnly`] when its body was never here, otherwise as [`Store::block`].
    pub async fn archived_block(&self, height: u64) -> Result<Option<ArchivedBlock>, StoreError> {
        let Some(StoredBlock { height, id, bytes, certificate, time_ms, body }) = self.block(height).await? else {
            return Ok(None);
        };
        if body == Body::Header {
            return Err(StoreError::HeaderOnly { height });
        }
        let entries = self.entries_of(height).await?;
        let derived = entries.into_iter().filter_map(|e| Some(ArchivedEntry { leaf: e.leaf, bytes: e.derived? }));
        Ok(Some(ArchivedBlock { height, id, time_ms, bytes, certificate, derived: derived.collect() }))
    }

    /// Writes the archive of these heights into a folder and checks it; it has its name when it is whole and on disk.
    /// The database stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Gap`] when the replica has not got one of the heights, [`StoreError::Archive`] when the file cannot
    /// be written, otherwise as [`Store::archived_block`].
    pub async fn archive_range(
        &self,
        heights: RangeInclusive<u64>,
        folder: &Path,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<PathBuf, StoreError> {
        let path = folder.join(archive_name(&heights));
        let part = path.with_extension("part");
        let done = self.write_archive(heights, &part, &mut progress).await;
        let to = (part.clone(), path.clone());
        let done = match done {
            Ok(writer) => off_thread(move || settle(writer, &to.0, &to.1)).await,
            Err(error) => Err(error),
        };
        if done.is_err() {
            // Half an archive is of no use; one that cannot be removed does no harm under its name.
            let _ = std::fs::remove_file(&part);
        }
        match done {
            Err(StoreError::File(source)) => Err(StoreError::Archive { file: path, source }),
            done => done.map(|()| path),
        }
    }

    async fn write_archive(
        &self,
        heights: RangeInclusive<u64>,
        part: &Path,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<ArchiveWriter<BufWriter<File>>, StoreError> {
        let (range, part) = (heights.clone(), part.to_owned());
        let mut writer = off_thread(move || ArchiveWriter::new(BufWriter::new(create(&part)?), range)).await?;
        for height in heights.clone() {
            let gap = StoreError::Gap { height: *heights.end(), next: height };
            let block = self.archived_block(height).await?.ok_or(gap)?;
            writer = off_thread(move || writer.push(&block).map(|()| writer)).await?;
            progress(height);
        }
        Ok(writer)
    }

    /// Takes the bodies of all blocks up to a height out of the database, and their derived entries: what `header_of`
    /// makes of the bytes stays, and certificates, the entry index, links, tiles and state. Each is taken away only
    /// when an archive of [`Store::with_archives`] has it byte for byte. May be broken off and done again.
    ///
    /// The room is used again; [`Store::compact`] gives it back.
    ///
    /// # Errors
    /// [`StoreError::NotArchived`], [`StoreError::WrongArchive`], [`StoreError::Header`] with the cause that
    /// `header_of` told, otherwise what the database says.
    pub async fn strip<H>(&self, up_to: u64, header_of: H) -> Result<Stripped, StoreError>
    where
        H: Fn(&[u8]) -> Result<Vec<u8>, HeaderError>,
    {
        let mut all = Stripped::default();
        loop {
            let blocks = self.read("read blocks", self.whole_blocks(up_to)).await?;
            if blocks.is_empty() {
                return Ok(all);
            }
            let (mut rows, mut entries) = (Vec::new(), Vec::new());
            for found in blocks {
                let bytes = self.prepare(found, &header_of, &mut rows, &mut entries).await?;
                all.blocks += 1;
                all.bytes += bytes;
            }
            let (rows, entries) = (&rows, &entries);
            self.write("take away archived bodies", |db| async move {
                insert(db.as_ref(), &OVER_BLOCK, rows.clone()).await?;
                insert(db.as_ref(), &OVER_ENTRY, entries.clone()).await
            })
            .await?;
        }
    }

    async fn whole_blocks(&self, up_to: u64) -> Result<Vec<block::Model>, Fault> {
        let query = block::Entity::find().filter(block::Column::Archived.is_null());
        let query = query.filter(block::Column::Height.lte(signed("height", up_to)?));
        Ok(query.order_by_asc(block::Column::Height).limit(AT_ONCE).all(self.reader()).await?)
    }

    /// Adds the rows that stay of one height, and tells how many bytes are taken away.
    async fn prepare<H>(
        &self,
        found: block::Model,
        header_of: &H,
        rows: &mut Vec<Value>,
        entries: &mut Vec<Value>,
    ) -> Result<u64, StoreError>
    where
        H: Fn(&[u8]) -> Result<Vec<u8>, HeaderError>,
    {
        let told = |fault: Fault| fault.told(self.place(), "take away archived bodies");
        let (height, id, time_ms) = (found.height, found.id.clone(), found.time_ms);
        let StoredBlock { bytes, certificate, .. } = block_of(found).map_err(told)?.0;
        let of_height = unsigned("height", height).map_err(told)?;
        let models = self.read("read entries", self.models_of(height)).await?;
        let (mut gone, mut kept) = (Vec::new(), Vec::new());
        for model in models {
            let seen = model.seen;
            let mut row = entry_of(model).map_err(told)?;
            if let Some(derived) = row.derived.take() {
                gone.push(ArchivedEntry { leaf: row.leaf, bytes: derived });
                push_entry(&mut kept, &row, seen).map_err(told)?;
            }
        }
        let here = ArchivedBlock { height: of_height, bytes, derived: gone, ..ArchivedBlock::default() };
        let elsewhere = self.must_be_archived(&here).await?;
        let header = header_of(&here.bytes).map_err(|source| StoreError::Header { height: of_height, source })?;
        let bytes: usize = here.bytes.len() + here.derived.iter().map(|e| e.bytes.len()).sum::<usize>();
        let taken = bytes.saturating_sub(header.len()) as u64;
        rows.extend::<[Value; 6]>([
            height.into(),
            id.into(),
            time_ms.into(),
            header.into(),
            certificate.into(),
            elsewhere.to_column().into(),
        ]);
        entries.append(&mut kept);
        Ok(taken)
    }

    async fn must_be_archived(&self, here: &ArchivedBlock) -> Result<Elsewhere, StoreError> {
        let height = here.height;
        let Some((archive, block)) = self.find_archived(height, None).await? else {
            let folder = self.archives().map(|archives| archives.folder().to_owned());
            return Err(StoreError::NotArchived { height, folder });
        };
        if block.digests() == here.digests() {
            return Ok(Elsewhere::of(&block, &archive));
        }
        Err(StoreError::WrongArchive { file: archive.path().to_owned(), height })
    }

    async fn models_of(&self, height: i64) -> Result<Vec<entry::Model>, Fault> {
        let query = entry::Entity::find().filter(entry::Column::Height.eq(height));
        Ok(query.order_by_asc(entry::Column::Leaf).all(self.reader()).await?)
    }

    /// Gives room that is free inside the database back to the disk.
    ///
    /// SQLite writes its file anew (`VACUUM`), which takes as much free disk again as the file will have, and waits
    /// for nobody's writing meanwhile: do it while the node stands. Room is given back seldom and then much of it; keeping
    /// the file ready for giving it back in pieces (`auto_vacuum`) would cost every commit. PostgreSQL makes the room
    /// usable again (plain `VACUUM`) while the node runs; only `VACUUM FULL blocks, entries`, which locks both, gives it
    /// to the disk.
    ///
    /// # Errors
    /// What the database says; nothing is lost then.
    pub async fn compact(&self) -> Result<(), StoreError> {
        let steps: &[&str] = match self.writer().get_database_backend() {
            DbBackend::Postgres => &["VACUUM \"blocks\", \"entries\""],
            // The second copy of the database belongs on disk, not in memory where temporary tables are otherwise.
            _ => {
                &["PRAGMA temp_store = file", "VACUUM", "PRAGMA temp_store = memory", "PRAGMA wal_checkpoint(TRUNCATE)"]
            }
        };
        self.read("compact it", async {
            let mut failed = Ok(());
            for step in steps {
                let done = self.writer().execute_unprepared(step).await;
                failed = failed.and(done.map(drop));
            }
            Ok(failed?)
        })
        .await
    }
}

/// As they were inserted, over the rows that are there.
const OVER_BLOCK: Insert = Insert {
    conflict: "ON CONFLICT (\"height\") DO UPDATE SET \"bytes\" = excluded.\"bytes\", \"archived\" = excluded.\"archived\", \
        \"checksum\" = excluded.\"checksum\"",
    ..STRIPPED
};
const OVER_ENTRY: Insert = Insert {
    conflict: "ON CONFLICT (\"leaf\") DO UPDATE SET \"derived\" = excluded.\"derived\", \"checksum\" = excluded.\"checksum\"",
    ..ENTRY
};

fn create(path: &Path) -> Result<File, FileError> {
    File::create(path).map_err(|source| FileError::Io { offset: 0, source })
}

/// An archive is read back before it gets its name.
fn settle(writer: ArchiveWriter<BufWriter<File>>, part: &Path, path: &Path) -> Result<(), FileError> {
    let io = |source| FileError::Io { offset: 0, source };
    let file = writer.finish()?.into_inner().map_err(|e| io(e.into_error()))?;
    file.sync_all().map_err(io)?;
    Archive::open(part)?;
    std::fs::rename(part, path).map_err(io)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
}

/// The derived entries of a block by leaf.
pub(crate) fn by_leaf(block: &ArchivedBlock) -> HashMap<u64, &[u8]> {
    block.derived.iter().map(|entry| (entry.leaf, entry.bytes.as_slice())).collect()
}
