//! Writing the mirror beside the blocks anew.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryOrder, QuerySelect};

use crate::commit::write_mirror;
use crate::entity::block;
use crate::error::{Fault, StoreError};
use crate::mark::{self, Unfinished};
use crate::record::Commit;
use crate::row::{digest, signed, unsigned};
use crate::store::Store;
use crate::table::{TABLES, Table};

/// What follows from the blocks, and nothing else.
const MIRROR: [&str; 7] = ["entries", "links", "kinds", "state", "tiles", "remembered", "tip"];
/// Rows per transaction.
const ROWS: usize = 20_000;

/// A mirror being written. Dropped before [`Rewrite::finish`], it leaves a database that [`Store::open`] refuses and
/// [`Store::open_to_rewrite`] opens.
#[derive(Debug)]
pub struct Rewrite {
    store: Store,
    next: u64,
    waiting: Vec<Commit>,
    rows: usize,
}

impl Store {
    /// The height of the newest block, whatever the mirror says; zero before the first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn newest_block(&self) -> Result<u64, StoreError> {
        self.read("read the newest block", outermost(self.reader(), Order::Desc)).await
    }

    /// The height of the oldest block, above 1 in a replica that began at a seed; zero before the first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn oldest_block(&self) -> Result<u64, StoreError> {
        self.read("read the oldest block", outermost(self.reader(), Order::Asc)).await
    }

    /// Empties entry index, links, counts, state, tiles and tip, for [`Rewrite::push`] to write them again from the first
    /// block on. Blocks, certificates, evidence, the mempool, inputs, answers and marks stay. Nobody else may use the
    /// store meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Seeded`] when the first block is not here, otherwise what the database says; nothing was emptied.
    pub async fn rewrite(&self) -> Result<Rewrite, StoreError> {
        self.write("empty the mirror", |db| async move {
            let first = outermost(db.as_ref(), Order::Asc).await?;
            if first > 1 {
                return Err(StoreError::Seeded { place: self.place().clone(), first }.into());
            }
            mark::begin(db.as_ref(), Unfinished::Rebuild).await?;
            for table in TABLES.iter().filter(|table: &&Table| MIRROR.contains(&table.name)) {
                table.empty(db.as_ref()).await?;
            }
            Ok(())
        })
        .await?;
        Ok(Rewrite { store: self.clone(), next: 1, waiting: Vec::new(), rows: 0 })
    }
}

impl Rewrite {
    /// Adds what executing the next height gave. `bytes`, `certificate`, `included` and `evidence` are not looked at.
    ///
    /// # Errors
    /// [`StoreError::Gap`] when it is not the next height, [`StoreError::Fork`] when the replica holds another block
    /// there, otherwise as [`Store::commit`].
    pub async fn push(&mut self, commit: Commit) -> Result<(), StoreError> {
        if commit.height != self.next {
            return Err(StoreError::Gap { height: commit.height, next: self.next });
        }
        self.next += 1;
        self.rows += commit.entries.len() + commit.rows.len() + commit.tiles.len() + 1;
        self.waiting.push(commit);
        if self.rows < ROWS {
            return Ok(());
        }
        self.write(false).await
    }

    /// Ends it: the mirror is that of the newest block.
    ///
    /// # Errors
    /// [`StoreError::Rebuild`] when heights are missing, otherwise as [`Rewrite::push`].
    pub async fn finish(mut self) -> Result<(), StoreError> {
        let (height, newest) = (self.next - 1, self.store.newest_block().await?);
        if height != newest {
            return Err(StoreError::Rebuild { height, newest });
        }
        self.write(true).await
    }

    async fn write(&mut self, last: bool) -> Result<(), StoreError> {
        let waiting = &self.waiting;
        self.store
            .write("write the mirror", |db| async move {
                for commit in waiting {
                    write_again(db.as_ref(), commit).await?;
                }
                if last { mark::end(db.as_ref()).await } else { Ok(()) }
            })
            .await?;
        (self.waiting, self.rows) = (Vec::new(), 0);
        Ok(())
    }
}

async fn write_again(db: &impl ConnectionTrait, commit: &Commit) -> Result<(), Fault> {
    let height = commit.height;
    let query = block::Entity::find_by_id(signed("height", height)?).select_only();
    let query = query.column(block::Column::Id).column_as(block::Column::Archived.is_not_null(), "gone");
    let found: Option<(Vec<u8>, bool)> = query.into_tuple().one(db).await?;
    let Some((id, gone)) = found else {
        return Err(Fault::Damage(format!("block {height} is missing")));
    };
    let stored = digest("block id", &id)?;
    if stored != commit.block {
        return Err(StoreError::Fork { height, stored, offered: commit.block }.into());
    }
    if !gone {
        return write_mirror(db, commit).await;
    }
    let mut stripped = Commit { bytes: Vec::new(), certificate: Vec::new(), ..commit.clone() };
    stripped.entries.iter_mut().for_each(|entry| entry.derived = None);
    write_mirror(db, &stripped).await
}

async fn outermost(db: &impl ConnectionTrait, order: Order) -> Result<u64, Fault> {
    let query = block::Entity::find().select_only().column(block::Column::Height);
    let found: Option<i64> = query.order_by(block::Column::Height, order).into_tuple().one(db).await?;
    found.map_or(Ok(0), |height| unsigned("height", height))
}
