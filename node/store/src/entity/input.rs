//! What consumers sent to this node's worker.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "inputs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub intent: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub consumer: String,
    pub sealed: Vec<u8>,
    pub received_ms: i64,
    pub checksum: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
