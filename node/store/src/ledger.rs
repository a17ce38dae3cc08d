//! Reading blocks, the entry index and tiles.

use std::collections::BTreeMap;

use covenant_canon::{Digest, HashAlgorithm};
use covenant_ledger::{TILE, Tile};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use crate::archives::Elsewhere;
use crate::commit::{self, BLOCK, ENTRY, EVIDENCE, STRIPPED, TIP, algorithm_number};
use crate::entity::{block, entry, evidence, kind, link, tile, tip};
use crate::error::{Fault, StoreError};
use crate::record::{Body, EntryRow, StoredBlock, Tip};
use crate::row::{digest, head, member, signed, unsigned, whole};
use crate::store::Store;
use crate::strip::by_leaf;

impl Store {
    /// The newest height; absent before the first block.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tip(&self) -> Result<Option<Tip>, StoreError> {
        self.read("read the tip", read_tip(self.reader())).await
    }

    /// A block with its certificate: all of it, from an archive when its body was taken away; its header only when its
    /// body was never here.
    ///
    /// # Errors
    /// [`StoreError::Corrupted`] when the bytes are not those that were written, [`StoreError::Archived`] when the archive
    /// is not at hand, [`StoreError::WrongArchive`] when it holds something else, otherwise what the database says.
    pub async fn block(&self, height: u64) -> Result<Option<StoredBlock>, StoreError> {
        match self.read("read a block", self.block_and_place(height)).await? {
            Some((block, Some(elsewhere))) => {
                let bytes = self.fetch_archived(height, &elsewhere).await?.bytes.clone();
                Ok(Some(StoredBlock { bytes, body: Body::Full, ..block }))
            }
            found => Ok(found.map(|(block, _)| block)),
        }
    }

    /// A block as it lies in the database: enough for whoever needs header and certificate only, and needs no archive.
    ///
    /// # Errors
    /// [`StoreError::Corrupted`] when the bytes are not those that were written, otherwise what the database says.
    pub async fn block_here(&self, height: u64) -> Result<Option<StoredBlock>, StoreError> {
        Ok(self.read("read a block", self.block_and_place(height)).await?.map(|(block, _)| block))
    }

    async fn block_and_place(&self, height: u64) -> Result<Option<(StoredBlock, Option<Elsewhere>)>, Fault> {
        let found = block::Entity::find_by_id(signed("height", height)?).one(self.reader()).await?;
        found.map(block_of).transpose()
    }

    /// Entries of the index, with the derived ones of archived blocks from their archives.
    async fn read_entries(&self, query: Select<entry::Entity>) -> Result<Vec<EntryRow>, StoreError> {
        let read = async { query.all(self.reader()).await?.into_iter().map(entry_of).collect::<Result<Vec<_>, _>>() };
        let mut entries = self.read("read entries", read).await?;
        let gone = |entry: &&mut EntryRow| entry.batch.is_none() && entry.derived.is_none();
        let mut by_height: BTreeMap<u64, Vec<&mut EntryRow>> = BTreeMap::new();
        entries.iter_mut().filter(gone).for_each(|entry| by_height.entry(entry.height).or_default().push(entry));
        for (height, entries) in by_height {
            let found = self.read("read a block", self.block_and_place(height)).await?;
            let Some((_, Some(elsewhere))) = found else { continue };
            let block = self.fetch_archived(height, &elsewhere).await?;
            let derived = by_leaf(&block);
            for entry in entries {
                entry.derived = derived.get(&entry.leaf).map(|bytes| bytes.to_vec());
            }
        }
        Ok(entries)
    }

    /// The entries of one height in leaf order.
    pub(crate) async fn entries_of(&self, height: u64) -> Result<Vec<EntryRow>, StoreError> {
        let height = signed("height", height).map_err(|fault| fault.told(self.place(), "read entries"))?;
        self.read_entries(
            entry::Entity::find().filter(entry::Column::Height.eq(height)).order_by_asc(entry::Column::Leaf),
        )
        .await
    }

    /// Proofs of equivocation that came up at a height, in the order they were committed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn evidence(&self, height: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read("read evidence", async {
            let of_height = evidence::Column::Height.eq(signed("height", height)?);
            let query = evidence::Entity::find().filter(of_height).order_by_asc(evidence::Column::Position);
            let found = query.all(self.reader()).await?.into_iter();
            found.map(|row| Ok(whole(row, &EVIDENCE)?.bytes)).collect()
        })
        .await
    }

    /// Everything the ledger holds about one instance, in leaf order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn entries_about(&self, about: &str) -> Result<Vec<EntryRow>, StoreError> {
        let query = entry::Entity::find().filter(entry::Column::About.eq(about)).order_by_asc(entry::Column::Leaf);
        self.read_entries(query).await
    }

    /// Up to `limit` entries that are under something, a consent for example, behind a leaf and in leaf order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn entries_under(
        &self,
        under: &str,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<EntryRow>, StoreError> {
        let leaves = self.read("read entries", async {
            let from = after.map_or(Ok(0), |leaf| signed("leaf", leaf).map(|l| l + 1))?;
            let links = link::Entity::find()
                .filter(link::Column::Under.eq(under))
                .filter(link::Column::Leaf.gte(from))
                .order_by_asc(link::Column::Leaf)
                .limit(u64::from(limit));
            Ok(links.all(self.reader()).await?.into_iter().map(|l| l.leaf).collect::<Vec<i64>>())
        });
        let found = entry::Entity::find().filter(entry::Column::Leaf.is_in(leaves.await?));
        self.read_entries(found.order_by_asc(entry::Column::Leaf)).await
    }

    /// Up to `limit` entries from a leaf on, in leaf order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn entries(&self, from_leaf: u64, limit: u32) -> Result<Vec<EntryRow>, StoreError> {
        let from = signed("leaf", from_leaf).map_err(|fault| fault.told(self.place(), "read entries"))?;
        let query = entry::Entity::find().filter(entry::Column::Leaf.gte(from));
        self.read_entries(query.order_by_asc(entry::Column::Leaf).limit(u64::from(limit))).await
    }

    /// The first entry with a digest.
    ///
    /// # Errors
    /// What the database says.
    pub async fn entry_by_digest(&self, digest: &Digest) -> Result<Option<EntryRow>, StoreError> {
        let query = entry::Entity::find()
            .filter(entry::Column::DigestHead.eq(head(digest)))
            .filter(entry::Column::Digest.eq(digest.0.to_vec()))
            .order_by_asc(entry::Column::Leaf)
            .limit(1);
        Ok(self.read_entries(query).await?.pop())
    }

    /// How many entries of a kind the ledger holds.
    ///
    /// # Errors
    /// What the database says.
    pub async fn count_kind(&self, kind: &str) -> Result<u64, StoreError> {
        self.read("count entries", async {
            let found = kind::Entity::find_by_id(kind.to_owned()).one(self.reader()).await?;
            found.map_or(Ok(0), |found| unsigned("count", found.entries))
        })
        .await
    }

    /// A tile of the evidence log as it now is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tile(&self, algorithm: HashAlgorithm, level: u8, index: u64) -> Result<Option<Tile>, StoreError> {
        self.read("read a tile", async {
            let key = (algorithm_number(algorithm), i16::from(level), signed("tile", index)?);
            tile::Entity::find_by_id(key).one(self.reader()).await?.map(tile_of).transpose()
        })
        .await
    }
}

pub(crate) async fn read_tip(db: &impl ConnectionTrait) -> Result<Option<Tip>, Fault> {
    let Some(found) = tip::Entity::find().one(db).await? else { return Ok(None) };
    let found = whole(found, &TIP)?;
    Ok(Some(Tip {
        height: unsigned("tip height", found.height)?,
        block: digest("tip block", &found.block)?,
        time_ms: unsigned("tip time", found.time_ms)?,
        log_size: unsigned("log size", found.log_size)?,
    }))
}

/// A block as it lies here, and where its body is when it was taken away.
pub(crate) fn block_of(found: block::Model) -> Result<(StoredBlock, Option<Elsewhere>), Fault> {
    let (from, body) = if found.archived.is_some() { (&STRIPPED, Body::Header) } else { (&BLOCK, Body::Full) };
    let found = whole(found, from)?;
    let elsewhere = found.archived.as_deref().map(Elsewhere::of_column).transpose()?.flatten();
    let block = StoredBlock {
        height: unsigned("height", found.height)?,
        id: digest("block id", &found.id)?,
        time_ms: unsigned("block time", found.time_ms)?,
        bytes: found.bytes,
        certificate: found.certificate,
        body,
    };
    Ok((block, elsewhere))
}

pub(crate) fn entry_of(found: entry::Model) -> Result<EntryRow, Fault> {
    let found = whole(found, &ENTRY)?;
    Ok(EntryRow {
        leaf: unsigned("leaf", found.leaf)?,
        height: unsigned("height", found.height)?,
        batch: found.batch.map(|batch| unsigned("batch", batch)).transpose()?,
        position: unsigned("position", found.position)?,
        digest: digest("entry digest", &found.digest)?,
        author: found.author.map(|author| member("entry author", &author)).transpose()?,
        kind: found.kind,
        about: found.about,
        under: Vec::new(),
        fresh_ms: unsigned("freshness", found.fresh_ms)?,
        derived: found.derived,
    })
}

pub(crate) fn tile_of(found: tile::Model) -> Result<Tile, Fault> {
    let found = whole(found, &commit::TILE)?;
    let algorithm = match found.algorithm {
        1 => HashAlgorithm::Sm3,
        2 => HashAlgorithm::Sha256,
        other => return Err(Fault::Damage(format!("tile of unknown hash function {other}"))),
    };
    let (hashes, rest) = found.hashes.as_chunks::<32>();
    if !rest.is_empty() || hashes.is_empty() || hashes.len() > TILE {
        return Err(Fault::Damage(format!("tile of {} bytes", found.hashes.len())));
    }
    let level = unsigned("tile level", i64::from(found.level))?;
    let index = unsigned("tile", found.position)?;
    Ok(Tile { algorithm, level, index, hashes: hashes.iter().copied().map(Digest).collect() })
}
