//! One height, one transaction.

use std::collections::{BTreeMap, HashMap};

use covenant_canon::{Digest, HashAlgorithm};
use covenant_domain::IntentId;
use covenant_ledger::Tile;
use covenant_state::{Row, SeenEntry};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Value};

use crate::entity::{block, tip, undecided};
use crate::error::{Fault, StoreError};
use crate::record::{Commit, EntryRow, Tip};
use crate::row::{Insert, delete, digest, digests, head, insert, signed, unsigned};
use crate::store::Store;

impl Store {
    /// Writes one height: block, certificate, entry index, state rows, tiles, tip. Undecided blocks up to this height and
    /// the mempool's batches that it includes are deleted. All of it or nothing, on disk when it returns.
    ///
    /// False when the height is there already with the same block id.
    ///
    /// # Errors
    /// [`StoreError::Fork`] when the height holds another block, [`StoreError::Gap`] when it is not the tip's next,
    /// [`StoreError::Unindexed`] when `seen` names an entry that `entries` does not, otherwise what the database says.
    pub async fn commit(&self, commit: &Commit) -> Result<bool, StoreError> {
        self.write("commit a block", |db| async move { write_height(db.as_ref(), commit).await }).await
    }
}

async fn write_height(db: &impl ConnectionTrait, commit: &Commit) -> Result<bool, Fault> {
    let tip = tip::Entity::find().one(db).await?.map_or(Ok(0), |t| unsigned("tip height", t.height))?;
    if commit.height <= tip {
        return same_block(db, commit).await;
    }
    if commit.height != tip + 1 {
        return Err(StoreError::Gap { height: commit.height, next: tip + 1 }.into());
    }
    insert(db, &BLOCK, block_values(commit)?).await?;
    insert(db, &EVIDENCE, evidence_values(commit)?).await?;
    let height = signed("height", commit.height)?;
    undecided::Entity::delete_many().filter(undecided::Column::Height.lte(height)).exec(db).await?;
    delete(db, "pending", "id", digests(&commit.included)).await?;
    write_mirror(db, commit).await?;
    Ok(true)
}

/// What follows from a block: entry index, state rows, tiles, tip.
pub(crate) async fn write_mirror(db: &impl ConnectionTrait, commit: &Commit) -> Result<(), Fault> {
    insert(db, &ENTRY, entry_values(commit)?).await?;
    insert(db, &LINK, link_values(&commit.entries)?).await?;
    insert(db, &KIND, kind_values(&commit.entries)?).await?;
    write_state(db, &commit.rows).await?;
    insert(db, &TILE, tile_values(&commit.tiles)?).await?;
    let Commit { height, block, time_ms, log_size, .. } = *commit;
    insert(db, &TIP, tip_values(&Tip { height, block, time_ms, log_size })?).await
}

/// A height that is there: fine when it is the same block.
async fn same_block(db: &impl ConnectionTrait, commit: &Commit) -> Result<bool, Fault> {
    let height = commit.height;
    let query = block::Entity::find_by_id(signed("height", height)?).select_only().column(block::Column::Id);
    let stored: Option<Vec<u8>> = query.into_tuple().one(db).await?;
    let stored = stored.ok_or_else(|| Fault::Damage(format!("block {height} below the tip is missing")))?;
    let stored = digest("block id", &stored)?;
    if stored == commit.block {
        return Ok(false);
    }
    Err(StoreError::Fork { height, stored, offered: commit.block }.into())
}

pub(crate) const BLOCK: Insert =
    Insert { table: "blocks", columns: &["height", "id", "time_ms", "bytes", "certificate", "checksum"], conflict: "" };

/// A block whose body lies elsewhere, see `archives.rs`. Whole blocks are summed without the column.
pub(crate) const STRIPPED: Insert = Insert {
    table: "blocks",
    columns: &["height", "id", "time_ms", "bytes", "certificate", "archived", "checksum"],
    conflict: "",
};

fn block_values(commit: &Commit) -> Result<Vec<Value>, Fault> {
    Ok(vec![
        signed("height", commit.height)?.into(),
        commit.block.0.to_vec().into(),
        signed("block time", commit.time_ms)?.into(),
        commit.bytes.clone().into(),
        commit.certificate.clone().into(),
    ])
}

pub(crate) const TIP: Insert = Insert {
    table: "tip",
    columns: &["only", "height", "block", "time_ms", "log_size", "checksum"],
    conflict: "ON CONFLICT (\"only\") DO UPDATE SET \"height\" = excluded.\"height\", \"block\" = excluded.\"block\", \
        \"time_ms\" = excluded.\"time_ms\", \"log_size\" = excluded.\"log_size\", \"checksum\" = excluded.\"checksum\"",
};

pub(crate) fn tip_values(tip: &Tip) -> Result<Vec<Value>, Fault> {
    Ok(vec![
        1_i16.into(),
        signed("height", tip.height)?.into(),
        tip.block.0.to_vec().into(),
        signed("block time", tip.time_ms)?.into(),
        signed("log size", tip.log_size)?.into(),
    ])
}

pub(crate) const ENTRY: Insert = Insert {
    table: "entries",
    columns: &[
        "leaf",
        "height",
        "batch",
        "position",
        "digest",
        "digest_head",
        "author",
        "kind",
        "about",
        "fresh_ms",
        "seen",
        "derived",
        "checksum",
    ],
    conflict: "",
};

fn entry_values(commit: &Commit) -> Result<Vec<Value>, Fault> {
    let mut seen: HashMap<Digest, &SeenEntry> = commit.seen.iter().map(|s| (s.entry, s)).collect();
    let mut values = Vec::with_capacity(commit.entries.len() * ENTRY.columns.len());
    for entry in &commit.entries {
        let mark = match seen.remove(&entry.digest) {
            Some(seen) => seen_mark(seen, entry, commit.height)?,
            None => 0,
        };
        push_entry(&mut values, entry, mark)?;
    }
    match seen.into_values().next() {
        Some(left) => Err(StoreError::Unindexed { height: commit.height, entry: left.entry }.into()),
        None => Ok(values),
    }
}

/// How the index remembers a seen entry, see the column's description.
fn seen_mark(seen: &SeenEntry, entry: &EntryRow, height: u64) -> Result<i16, Fault> {
    let named = seen.intent.is_none_or(|id: IntentId| entry.about.parse() == Ok(id));
    if seen.fresh_ms != entry.fresh_ms || !named {
        return Err(StoreError::Unindexed { height, entry: seen.entry }.into());
    }
    Ok(if seen.intent.is_some() { 2 } else { 1 })
}

pub(crate) fn push_entry(values: &mut Vec<Value>, entry: &EntryRow, seen: i16) -> Result<(), Fault> {
    values.extend::<[Value; 12]>([
        signed("leaf", entry.leaf)?.into(),
        signed("height", entry.height)?.into(),
        entry.batch.map(i64::from).into(),
        i64::from(entry.position).into(),
        entry.digest.0.to_vec().into(),
        head(&entry.digest).into(),
        entry.author.as_ref().map(|a| a.as_str().to_owned()).into(),
        entry.kind.as_str().into(),
        entry.about.as_str().into(),
        signed("freshness", entry.fresh_ms)?.into(),
        seen.into(),
        entry.derived.clone().into(),
    ]);
    Ok(())
}

const LINK: Insert = Insert { table: "links", columns: &["under", "leaf"], conflict: "" };

fn link_values(entries: &[EntryRow]) -> Result<Vec<Value>, Fault> {
    let mut values = Vec::new();
    for entry in entries {
        for under in &entry.under {
            values.extend::<[Value; 2]>([under.as_str().into(), signed("leaf", entry.leaf)?.into()]);
        }
    }
    Ok(values)
}

const KIND: Insert = Insert {
    table: "kinds",
    columns: &["kind", "entries"],
    conflict: "ON CONFLICT (\"kind\") DO UPDATE SET \"entries\" = \"kinds\".\"entries\" + excluded.\"entries\"",
};

fn kind_values(entries: &[EntryRow]) -> Result<Vec<Value>, Fault> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in entries {
        *counts.entry(&entry.kind).or_default() += 1;
    }
    let mut values = Vec::with_capacity(counts.len() * 2);
    for (kind, count) in counts {
        values.extend::<[Value; 2]>([kind.into(), signed("count", count)?.into()]);
    }
    Ok(values)
}

pub(crate) const STATE: Insert = Insert {
    table: "state",
    columns: &["key", "value", "checksum"],
    conflict: "ON CONFLICT (\"key\") DO UPDATE SET \"value\" = excluded.\"value\", \"checksum\" = excluded.\"checksum\"",
};

pub(crate) async fn write_state(db: &impl ConnectionTrait, rows: &[Row]) -> Result<(), Fault> {
    let last: BTreeMap<_, _> = rows.iter().map(|row| (&row.key, &row.value)).collect();
    let (mut kept, mut gone) = (Vec::with_capacity(last.len() * 2), Vec::new());
    for (key, value) in last {
        match value {
            Some(value) => kept.extend::<[Value; 2]>([key.clone().into(), value.clone().into()]),
            None => gone.push(key.clone().into()),
        }
    }
    insert(db, &STATE, kept).await?;
    delete(db, "state", "key", gone).await.map(drop)
}

pub(crate) const TILE: Insert = Insert {
    table: "tiles",
    columns: &["algorithm", "level", "position", "hashes", "checksum"],
    conflict: "ON CONFLICT (\"algorithm\", \"level\", \"position\") DO UPDATE SET \"hashes\" = excluded.\"hashes\", \"checksum\" = excluded.\"checksum\"",
};

pub(crate) fn tile_values(tiles: &[Tile]) -> Result<Vec<Value>, Fault> {
    let last: BTreeMap<_, _> = tiles.iter().map(|t| ((t.algorithm, t.level, t.index), t)).collect();
    let mut values = Vec::with_capacity(last.len() * 4);
    for ((algorithm, level, position), tile) in last {
        let mut hashes = Vec::with_capacity(tile.hashes.len() * 32);
        tile.hashes.iter().for_each(|hash| hashes.extend_from_slice(&hash.0));
        let position = signed("tile", position)?;
        values.extend::<[Value; 4]>([
            algorithm_number(algorithm).into(),
            i16::from(level).into(),
            position.into(),
            hashes.into(),
        ]);
    }
    Ok(values)
}

/// A hash function's number in the tile table; never changed.
pub(crate) fn algorithm_number(algorithm: HashAlgorithm) -> i16 {
    match algorithm {
        HashAlgorithm::Sm3 => 1,
        HashAlgorithm::Sha256 => 2,
    }
}

pub(crate) const EVIDENCE: Insert =
    Insert { table: "evidence", columns: &["height", "position", "bytes", "checksum"], conflict: "" };

fn evidence_values(commit: &Commit) -> Result<Vec<Value>, Fault> {
    let height = signed("height", commit.height)?;
    let mut values = Vec::with_capacity(commit.evidence.len() * 3);
    for (position, bytes) in (0_i64..).zip(&commit.evidence) {
        values.extend::<[Value; 3]>([height.into(), position.into(), bytes.clone().into()]);
    }
    Ok(values)
}
