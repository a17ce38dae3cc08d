//! Marks: what is noted about the replica as a whole.

use sea_orm::{ConnectionTrait, EntityTrait, Value};

use crate::entity::mark;
use crate::error::{Fault, StoreError};
use crate::row::{Insert, insert, whole};
use crate::store::Store;

/// Names that begin with it are the store's own.
const OWN: &str = "store/";
const UNFINISHED: &str = "store/unfinished";

const MARK: Insert = Insert {
    table: "marks",
    columns: &["name", "bytes", "checksum"],
    conflict: "ON CONFLICT (\"name\") DO UPDATE SET \"bytes\" = excluded.\"bytes\", \"checksum\" = excluded.\"checksum\"",
};

/// Work that takes many transactions and leaves nothing usable when it is broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// A backup was being loaded.
    Restore,
    /// The mirror beside the blocks was being written again.
    Rebuild,
}

impl Unfinished {
    const ALL: [Self; 2] = [Self::Restore, Self::Rebuild];

    fn word(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::Rebuild => "rebuild",
        }
    }
}

impl std::fmt::Display for Unfinished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Restore => "unfinished restore: remove it and restore again",
            Self::Rebuild => "unfinished rebuild: run `covenant ledger rebuild --write` again",
        })
    }
}

impl Store {
    /// What is noted under a name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn mark(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("read a mark", read_mark(self.reader(), name)).await
    }

    /// Notes something under a name, in the place of what was there; on disk when it returns.
    ///
    /// # Errors
    /// [`StoreError::MarkName`] for a name of the store's own, otherwise what the database says.
    pub async fn set_mark(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.write("set a mark", |db| async move { set_marks(db.as_ref(), &[(name, bytes)]).await }).await
    }

    /// Removes what is noted under a name; nothing happens when there is nothing.
    ///
    /// # Errors
    /// [`StoreError::MarkName`] for a name of the store's own, otherwise what the database says.
    pub async fn clear_mark(&self, name: &str) -> Result<(), StoreError> {
        self.write("clear a mark", |db| async move {
            check_name(name)?;
            mark::Entity::delete_by_id(name.to_owned()).exec(db.as_ref()).await?;
            Ok(())
        })
        .await
    }
}

fn check_name(name: &str) -> Result<(), Fault> {
    if name.starts_with(OWN) { Err(StoreError::MarkName { name: name.to_owned() }.into()) } else { Ok(()) }
}

async fn read_mark(db: &impl ConnectionTrait, name: &str) -> Result<Option<Vec<u8>>, Fault> {
    let found = mark::Entity::find_by_id(name.to_owned()).one(db).await?;
    found.map(|found| Ok(whole(found, &MARK)?.bytes)).transpose()
}

pub(crate) async fn set_marks(db: &impl ConnectionTrait, marks: &[(&str, &[u8])]) -> Result<(), Fault> {
    for (name, bytes) in marks {
        check_name(name)?;
        insert(db, &MARK, vec![(*name).into(), bytes.to_vec().into()]).await?;
    }
    Ok(())
}

/// What was begun here and not ended.
pub(crate) async fn unfinished(db: &impl ConnectionTrait) -> Result<Option<Unfinished>, Fault> {
    let Some(word) = read_mark(db, UNFINISHED).await? else { return Ok(None) };
    let known = Unfinished::ALL.into_iter().find(|work| work.word().as_bytes() == word);
    known.map(Some).ok_or_else(|| Fault::Damage("an unfinished work of another build".to_owned()))
}

pub(crate) async fn begin(db: &impl ConnectionTrait, work: Unfinished) -> Result<(), Fault> {
    let values: Vec<Value> = vec![UNFINISHED.into(), work.word().as_bytes().to_vec().into()];
    insert(db, &MARK, values).await
}

pub(crate) async fn end(db: &impl ConnectionTrait) -> Result<(), Fault> {
    mark::Entity::delete_by_id(UNFINISHED.to_owned()).exec(db).await?;
    Ok(())
}
