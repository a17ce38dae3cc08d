//! A replica that begins at a height instead of at the first block.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value};

use covenant_ledger::Tile;
use covenant_state::{Row, SeenEntry};

use crate::commit::{BLOCK, STRIPPED, TILE, TIP, tile_values, tip_values, write_state};
use crate::entity::block;
use crate::error::{Fault, StoreError};
use crate::ledger::block_of;
use crate::mark::set_marks;
use crate::record::{Body, Loaded, StoredBlock, Tip};
use crate::row::{Insert, insert, signed};
use crate::store::Store;

/// What a replica begins with. The store believes it: the caller has verified it against certificates.
///
/// What is not in it is absent afterwards: older blocks, the entry index, its counts, older tiles. Entries to be
/// remembered against replay lie in the entry index of a replica that has executed their blocks. A seed has no index,
/// and rows with made-up leaves and kinds would be told to whoever reads it. So they are kept in a table of their own,
/// `remembered`, which [`Store::load`] reads beside the index; since they are all of earlier leaves than what is
/// committed later, they come first among equally fresh ones, as they would have from the index.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed {
    /// The height it begins at.
    pub tip: Tip,
    /// The newest blocks with their certificates, ascending and without gaps up to the tip.
    pub blocks: Vec<StoredBlock>,
    /// Objects of the state.
    pub rows: Vec<Row>,
    /// Entries to be remembered, in the order of their freshness, then of their leaves.
    pub seen: Vec<SeenEntry>,
    /// The newest tile of every algorithm and level.
    pub tiles: Vec<Tile>,
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tip, blocks, rows, seen, tiles } = self;
        let mut shown = f.debug_struct("Seed");
        shown.field("tip", tip).field("blocks", &blocks.len()).field("rows", &rows.len());
        shown.field("seen", &seen.len()).field("tiles", &tiles.len()).finish()
    }
}

const REMEMBERED: Insert =
    Insert { table: "remembered", columns: &["position", "fresh_ms", "entry", "intent", "checksum"], conflict: "" };

impl Store {
    /// Begins an empty replica at a height, in one transaction, and sets `marks` with it.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`], [`StoreError::Seed`] when the blocks do not lead to the tip, otherwise what the database
    /// says.
    pub async fn seed(&self, seed: &Seed, marks: &[(&str, &[u8])]) -> Result<(), StoreError> {
        check(seed)?;
        self.write("begin at a seed", |db| async move {
            let db = db.as_ref();
            self.must_be_empty(db).await?;
            for block in &seed.blocks {
                insert(db, if block.body == Body::Full { &BLOCK } else { &STRIPPED }, block_values(block)?).await?;
            }
            write_state(db, &seed.rows).await?;
            insert(db, &REMEMBERED, remembered_values(&seed.seen)?).await?;
            insert(db, &TILE, tile_values(&seed.tiles)?).await?;
            insert(db, &TIP, tip_values(&seed.tip)?).await?;
            set_marks(db, marks).await
        })
        .await
    }

    /// What another replica can begin with: as [`Store::load`], with up to `blocks` newest blocks as they lie here.
    /// Absent before the first block.
    ///
    /// # Errors
    /// What the database says.
    pub async fn snapshot_parts(&self, fresh_after_ms: u64, blocks: u64) -> Result<Option<Seed>, StoreError> {
        self.read("read a snapshot", async {
            let db = self.snapshot().await?;
            let Loaded { tip, rows, seen, tiles } = Self::read_all(&db, fresh_after_ms).await?;
            let Some(tip) = tip else { return Ok(None) };
            let from = signed("height", tip.height.saturating_sub(blocks).saturating_add(1))?;
            let newest = block::Entity::find().filter(block::Column::Height.gte(from));
            let newest = newest.order_by_asc(block::Column::Height).limit(blocks).all(&db).await?;
            db.commit().await?;
            let blocks = newest.into_iter().map(|found| Ok(block_of(found)?.0)).collect::<Result<_, Fault>>()?;
            Ok(Some(Seed { tip, blocks, rows, seen, tiles }))
        })
        .await
    }
}

fn check(seed: &Seed) -> Result<(), StoreError> {
    let wrong = |detail: String| Err(StoreError::Seed { detail });
    let Some(last) = seed.blocks.last() else { return wrong("it has no block".to_owned()) };
    if (last.height, last.id, last.time_ms) != (seed.tip.height, seed.tip.block, seed.tip.time_ms) {
        return wrong(format!("its last block, {}, is not its tip, {}", last.height, seed.tip.height));
    }
    let gap = seed.blocks.windows(2).find_map(|pair| match pair {
        [a, b] if a.height.checked_add(1) != Some(b.height) => Some(b.height),
        _ => None,
    });
    if let Some(height) = gap {
        return wrong(format!("block {height} does not follow the one before it"));
    }
    match seed.rows.iter().any(|row| row.value.is_none()) {
        true => wrong("a row of the state has no value".to_owned()),
        false => Ok(()),
    }
}

fn block_values(block: &StoredBlock) -> Result<Vec<Value>, Fault> {
    let mut values: Vec<Value> = vec![
        signed("height", block.height)?.into(),
        block.id.0.to_vec().into(),
        signed("block time", block.time_ms)?.into(),
        block.bytes.clone().into(),
        block.certificate.clone().into(),
    ];
    if block.body == Body::Header {
        values.push(Vec::<u8>::new().into());
    }
    Ok(values)
}

fn remembered_values(seen: &[SeenEntry]) -> Result<Vec<Value>, Fault> {
    let mut values = Vec::with_capacity(seen.len() * 4);
    for (position, seen) in (0_i64..).zip(seen) {
        values.extend::<[Value; 4]>([
            position.into(),
            signed("freshness", seen.fresh_ms)?.into(),
            seen.entry.0.to_vec().into(),
            seen.intent.map(|id| id.as_bytes().to_vec()).into(),
        ]);
    }
    Ok(values)
}

pub(crate) mod remembered {
    //! Reading what a seed remembered.

    use covenant_state::SeenEntry;
    use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

    use super::REMEMBERED;
    use crate::entity::remembered::{Column, Entity, Model};
    use crate::error::Fault;
    use crate::row::{digest, intent, signed, unsigned, whole};

    pub(crate) async fn read(db: &impl ConnectionTrait, fresh_after_ms: u64) -> Result<Vec<SeenEntry>, Fault> {
        let query = Entity::find().filter(Column::FreshMs.gte(signed("freshness", fresh_after_ms)?));
        let found = query.order_by_asc(Column::FreshMs).order_by_asc(Column::Position).all(db).await?;
        found.into_iter().map(seen_of).collect()
    }

    fn seen_of(found: Model) -> Result<SeenEntry, Fault> {
        let found = whole(found, &REMEMBERED)?;
        Ok(SeenEntry {
            fresh_ms: unsigned("freshness", found.fresh_ms)?,
            entry: digest("entry digest", &found.entry)?,
            intent: found.intent.as_deref().map(|id| intent("remembered entry", id)).transpose()?,
        })
    }
}
