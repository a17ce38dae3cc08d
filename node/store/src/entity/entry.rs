//! The entry index.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub leaf: i64,
    pub height: i64,
    pub batch: Option<i64>,
    pub position: i64,
    pub digest: Vec<u8>,
    /// The digest's first eight bytes: what the index holds, at a quarter of the size.
    pub digest_head: i64,
    pub author: Option<String>,
    pub kind: String,
    pub about: String,
    pub fresh_ms: i64,
    /// 0: not to be remembered, 1: to be remembered, 2: with the intent in `about`.
    pub seen: i16,
    pub derived: Option<Vec<u8>>,
    pub checksum: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
