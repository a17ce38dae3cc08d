//! A block with its certificate.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "blocks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub height: i64,
    pub id: Vec<u8>,
    pub time_ms: i64,
    pub bytes: Vec<u8>,
    pub certificate: Vec<u8>,
    /// Absent: `bytes` is the whole block. Otherwise it is the header, and this tells where the body is, see `strip.rs`.
    pub archived: Option<Vec<u8>>,
    pub checksum: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
