//! What this node's worker answered.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "answers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub intent: Vec<u8>,
    pub consumer: String,
    pub sealed: Vec<u8>,
    pub completion: Vec<u8>,
    pub submitted: bool,
    pub created_ms: i64,
    pub checksum: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
