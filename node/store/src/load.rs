//! What a node reads when it starts.

use covenant_canon::HashAlgorithm;
use covenant_ledger::Tile;
use covenant_state::{Row, SeenEntry};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::commit::{ENTRY, STATE, algorithm_number};
use crate::entity::{entry, state, tile};
use crate::error::{Fault, StoreError};
use crate::ledger::{read_tip, tile_of};
use crate::record::Loaded;
use crate::row::{digest, signed, unsigned, whole};
use crate::seed::remembered;
use crate::store::Store;

impl Store {
    /// Everything a node needs to go on from its tip: the state, the entries whose freshness is `fresh_after_ms` or later,
    /// the unfinished tiles. All of one height, also while another is being committed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn load(&self, fresh_after_ms: u64) -> Result<Loaded, StoreError> {
        self.read("load the replica", async {
            let db = self.snapshot().await?;
            let loaded = Self::read_all(&db, fresh_after_ms).await?;
            db.commit().await?;
            Ok(loaded)
        })
        .await
    }

    pub(crate) async fn read_all(db: &impl ConnectionTrait, fresh_after_ms: u64) -> Result<Loaded, Fault> {
        // Those that a seed brought are of earlier leaves: among equally fresh ones they stay first.
        let mut seen = remembered::read(db, fresh_after_ms).await?;
        seen.extend(read_seen(db, fresh_after_ms).await?);
        seen.sort_by_key(|seen| seen.fresh_ms);
        Ok(Loaded { tip: read_tip(db).await?, rows: read_state(db).await?, seen, tiles: read_newest_tiles(db).await? })
    }
}

async fn read_state(db: &impl ConnectionTrait) -> Result<Vec<Row>, Fault> {
    let found = state::Entity::find().order_by_asc(state::Column::Key).all(db).await?;
    let row = |row: state::Model| Ok(Row { key: row.key, value: Some(row.value) });
    found.into_iter().map(|found| whole(found, &STATE).and_then(row)).collect()
}

async fn read_seen(db: &impl ConnectionTrait, fresh_after_ms: u64) -> Result<Vec<SeenEntry>, Fault> {
    let found = entry::Entity::find()
        .filter(entry::Column::FreshMs.gte(signed("freshness", fresh_after_ms)?))
        .filter(entry::Column::Seen.gt(0))
        .order_by_asc(entry::Column::FreshMs)
        .order_by_asc(entry::Column::Leaf)
        .all(db)
        .await?;
    found.into_iter().map(seen_of).collect()
}

fn seen_of(found: entry::Model) -> Result<SeenEntry, Fault> {
    let found = whole(found, &ENTRY)?;
    let damage = || Fault::Damage(format!("entry at leaf {} names no intent", found.leaf));
    let intent = if found.seen == 2 { Some(found.about.parse().map_err(|_| damage())?) } else { None };
    let entry = digest("entry digest", &found.digest)?;
    Ok(SeenEntry { fresh_ms: unsigned("freshness", found.fresh_ms)?, entry, intent })
}

/// Levels follow each other without a gap, so the search ends at the first that has no tile.
async fn read_newest_tiles(db: &impl ConnectionTrait) -> Result<Vec<Tile>, Fault> {
    let mut newest = Vec::new();
    for algorithm in [HashAlgorithm::Sm3, HashAlgorithm::Sha256] {
        for level in 0..=i16::from(u8::MAX) {
            let found = tile::Entity::find()
                .filter(tile::Column::Algorithm.eq(algorithm_number(algorithm)))
                .filter(tile::Column::Level.eq(level))
                .order_by_desc(tile::Column::Position)
                .one(db)
                .await?;
            let Some(found) = found else { break };
            newest.push(tile_of(found)?);
        }
    }
    Ok(newest)
}
