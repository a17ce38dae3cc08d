//! Inputs and answers of the node's worker.

use sea_orm_migration::prelude::*;

use super::{blob, drop_tables, index, number, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let intent = || blob("intent").primary_key().take();
        let inputs = [blob("intent"), text("consumer"), blob("sealed"), number("received_ms"), number("checksum")];
        let mut by_sender = Index::create().col("intent").col("consumer").take();
        manager.create_table(table("inputs", inputs).primary_key(&mut by_sender).take()).await?;
        manager.create_index(index("inputs_received", "inputs", "received_ms")).await?;
        let submitted = ColumnDef::new("submitted").boolean().not_null().take();
        let created = number("created_ms");
        let answers =
            [intent(), text("consumer"), blob("sealed"), blob("completion"), submitted, created, number("checksum")];
        manager.create_table(table("answers", answers)).await?;
        manager.create_index(index("answers_created", "answers", "created_ms")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["answers", "inputs"]).await
    }
}
