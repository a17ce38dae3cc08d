//! Reading blocks, the entry index and tiles.

use covenant_canon::{Digest, HashAlgorithm};
use covenant_ledger::{TILE, Tile};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::commit::{self, BLOCK, ENTRY, EVIDENCE, TIP, algorithm_number};
use crate::entity::{block, entry, evidence, kind, link, tile, tip};
use crate::error::{Fault, StoreError};
use crate::record::{EntryRow, StoredBlock, Tip};
use crate::row::{digest, head, member, signed, unsigned, whole};
use crate::store::Store;

impl Store {
    /// The newest height; absent before the first block.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tip(&self) -> Result<Option<Tip>, StoreError> {
        self.read("read the tip", read_tip(self.reader())).await
    }

    /// A block with its certificate.
    ///
    /// # Errors
    /// [`StoreError::Corrupted`] when the bytes are not those that were written, otherwise what the database says.
    pub async fn block(&self, height: u64) -> Result<Option<StoredBlock>, StoreError> {
        self.read("read a block", async {
            let found = block::Entity::find_by_id(signed("height", height)?).one(self.reader()).await?;
            found.map(block_of).transpose()
        })
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
        self.read("read entries", async { query.all(self.reader()).await?.into_iter().map(entry_of).collect() }).await
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
        self.read("read entries", async {
            let from = after.map_or(Ok(0), |leaf| signed("leaf", leaf).map(|l| l + 1))?;
            let links = link::Entity::find()
                .filter(link::Column::Under.eq(under))
                .filter(link::Column::Leaf.gte(from))
                .order_by_asc(link::Column::Leaf)
                .limit(u64::from(limit));
            let leaves: Vec<i64> = links.all(self.reader()).await?.into_iter().map(|l| l.leaf).collect();
            let found = entry::Entity::find().filter(entry::Column::Leaf.is_in(leaves));
            found.order_by_asc(entry::Column::Leaf).all(self.reader()).await?.into_iter().map(entry_of).collect()
        })
        .await
    }

    /// Up to `limit` entries from a leaf on, in leaf order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn entries(&self, from_leaf: u64, limit: u32) -> Result<Vec<EntryRow>, StoreError> {
        self.read("read entries", async {
            let query = entry::Entity::find().filter(entry::Column::Leaf.gte(signed("leaf", from_leaf)?));
            let query = query.order_by_asc(entry::Column::Leaf).limit(u64::from(limit));
            query.all(self.reader()).await?.into_iter().map(entry_of).collect()
        })
        .await
    }

    /// The first entry with a digest.
    ///
    /// # Errors
    /// What the database says.
    pub async fn entry_by_digest(&self, digest: &Digest) -> Result<Option<EntryRow>, StoreError> {
        let query = entry::Entity::find()
            .filter(entry::Column::DigestHead.eq(head(digest)))
            .filter(entry::Column::Digest.eq(digest.0.to_vec()))
            .order_by_asc(entry::Column::Leaf);
        self.read("read an entry", async { query.one(self.reader()).await?.map(entry_of).transpose() }).await
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

fn block_of(found: block::Model) -> Result<StoredBlock, Fault> {
    let found = whole(found, &BLOCK)?;
    Ok(StoredBlock {
        height: unsigned("height", found.height)?,
        id: digest("block id", &found.id)?,
        time_ms: unsigned("block time", found.time_ms)?,
        bytes: found.bytes,
        certificate: found.certificate,
    })
}

fn entry_of(found: entry::Model) -> Result<EntryRow, Fault> {
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
