//! What is noted about the replica as a whole.

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
        let columns = [text("name").primary_key().take(), blob("bytes"), number("checksum")];
        manager.create_table(table("marks", columns)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["marks"]).await
    }
}
