//! Entries by what else they are about: intents by the consent they name.

use sea_orm_migration::prelude::*;

use super::{drop_tables, in_key_order, number, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut key = Index::create().col("under").col("leaf").take();
        let mut links = table("links", [text("under"), number("leaf")]);
        manager.create_table(in_key_order(links.primary_key(&mut key).take(), manager)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["links"]).await
    }
}
