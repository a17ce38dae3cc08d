//! Undecided blocks and the mempool.

use sea_orm_migration::prelude::*;

use super::{blob, drop_tables, number, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns =
            [number("height"), number("round"), blob("id"), text("proposer"), blob("bytes"), number("checksum")];
        let mut key = Index::create().col("height").col("round").col("id").take();
        manager.create_table(table("undecided", columns).primary_key(&mut key).take()).await?;
        let arrival = ColumnDef::new("arrival").big_integer().not_null().auto_increment().primary_key().take();
        let id = blob("id").unique_key().take();
        manager.create_table(table("pending", [arrival, id, text("author"), blob("bytes"), number("checksum")])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["pending", "undecided"]).await
    }
}
