//! Entries to be remembered that came with a seed and are not in the index.

use sea_orm_migration::prelude::*;

use super::{blob, drop_tables, number, row_number, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let intent = ColumnDef::new("intent").blob().take();
        let columns = [row_number("position"), number("fresh_ms"), blob("entry"), intent, number("checksum")];
        manager.create_table(table("remembered", columns)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["remembered"]).await
    }
}
