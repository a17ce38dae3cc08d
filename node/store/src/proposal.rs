//! What is not decided: proposed blocks and the mempool.

use covenant_canon::Digest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select, Value};

use crate::entity::{pending, undecided};
use crate::error::{Fault, StoreError};
use crate::record::{Pending, Undecided};
use crate::row::{Insert, delete, digest, digests, insert, member, signed, unsigned, whole};
use crate::store::Store;

const UNDECIDED: Insert = Insert {
    table: "undecided",
    columns: &["height", "round", "id", "proposer", "bytes", "checksum"],
    conflict: "ON CONFLICT DO NOTHING",
};
const PENDING: Insert =
    Insert { table: "pending", columns: &["id", "author", "bytes", "checksum"], conflict: "ON CONFLICT DO NOTHING" };

impl Store {
    /// Keeps a proposed block; on disk when it returns. The same block of the same round is kept once.
    ///
    /// # Errors
    /// What the database says.
    pub async fn put_undecided(&self, proposed: &Undecided) -> Result<(), StoreError> {
        self.write("keep a proposed block", |db| async move {
            let values: Vec<Value> = vec![
                signed("height", proposed.height)?.into(),
                i64::from(proposed.round).into(),
                proposed.id.0.to_vec().into(),
                proposed.proposer.as_str().into(),
                proposed.bytes.clone().into(),
            ];
            insert(db.as_ref(), &UNDECIDED, values).await
        })
        .await
    }

    /// The blocks that were proposed in one round.
    ///
    /// # Errors
    /// What the database says.
    pub async fn undecided(&self, height: u64, round: u32) -> Result<Vec<Undecided>, StoreError> {
        let height = signed("height", height).map_err(|fault| fault.told(self.place(), "read proposed blocks"))?;
        let of_height = undecided::Entity::find().filter(undecided::Column::Height.eq(height));
        self.read_undecided(of_height.filter(undecided::Column::Round.eq(i64::from(round)))).await
    }

    /// All proposed blocks, by height, round and id.
    ///
    /// # Errors
    /// What the database says.
    pub async fn undecided_all(&self) -> Result<Vec<Undecided>, StoreError> {
        self.read_undecided(undecided::Entity::find()).await
    }

    async fn read_undecided(&self, query: Select<undecided::Entity>) -> Result<Vec<Undecided>, StoreError> {
        let query = query
            .order_by_asc(undecided::Column::Height)
            .order_by_asc(undecided::Column::Round)
            .order_by_asc(undecided::Column::Id);
        self.read("read proposed blocks", async {
            query.all(self.reader()).await?.into_iter().map(undecided_of).collect()
        })
        .await
    }

    /// Adds batches to the mempool, in this order, after those that are there; one that is there already keeps its place.
    ///
    /// # Errors
    /// What the database says.
    pub async fn put_pending(&self, batches: &[Pending]) -> Result<(), StoreError> {
        self.write("keep batches", |db| async move {
            let row = |b: &Pending| -> [Value; 3] {
                [b.id.0.to_vec().into(), b.author.as_str().into(), b.bytes.clone().into()]
            };
            insert(db.as_ref(), &PENDING, batches.iter().flat_map(row).collect()).await
        })
        .await
    }

    /// Takes batches out of the mempool.
    ///
    /// # Errors
    /// What the database says.
    pub async fn drop_pending(&self, ids: &[Digest]) -> Result<(), StoreError> {
        self.write(
            "drop batches",
            |db| async move { delete(db.as_ref(), "pending", "id", digests(ids)).await.map(drop) },
        )
        .await
    }

    /// The mempool in the order of arrival.
    ///
    /// # Errors
    /// What the database says.
    pub async fn pending(&self) -> Result<Vec<Pending>, StoreError> {
        let query = pending::Entity::find().order_by_asc(pending::Column::Arrival);
        self.read("read the mempool", async { query.all(self.reader()).await?.into_iter().map(pending_of).collect() })
            .await
    }
}

fn undecided_of(found: undecided::Model) -> Result<Undecided, Fault> {
    let found = whole(found, &UNDECIDED)?;
    Ok(Undecided {
        height: unsigned("height", found.height)?,
        round: unsigned("round", found.round)?,
        proposer: member("proposer", &found.proposer)?,
        id: digest("block id", &found.id)?,
        bytes: found.bytes,
    })
}

fn pending_of(found: pending::Model) -> Result<Pending, Fault> {
    let found = whole(found, &PENDING)?;
    Ok(Pending {
        id: digest("batch id", &found.id)?,
        author: member("batch author", &found.author)?,
        bytes: found.bytes,
    })
}
