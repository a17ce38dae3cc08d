//! Blocks, the entry index, state rows, tiles and the tip.

use sea_orm_migration::prelude::*;

use super::{blob, drop_tables, in_key_order, index, number, row_number, small, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables(manager) {
            manager.create_table(table).await?;
        }
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["tip", "tiles", "state", "kinds", "evidence", "entries", "blocks"]).await
    }
}

fn tables(manager: &SchemaManager<'_>) -> [TableCreateStatement; 7] {
    let blocks =
        [row_number("height"), blob("id"), number("time_ms"), blob("bytes"), blob("certificate"), number("checksum")];
    let tip = [
        small("only").primary_key().take(),
        number("height"),
        blob("block"),
        number("time_ms"),
        number("log_size"),
        number("checksum"),
    ];
    let kinds = [text("kind").primary_key().take(), number("entries")];
    let state = [blob("key").primary_key().take(), blob("value"), number("checksum")];
    let mut tile_key = Index::create().col("algorithm").col("level").col("position").take();
    let mut tiles =
        table("tiles", [small("algorithm"), small("level"), number("position"), blob("hashes"), number("checksum")]);
    let mut evidence_key = Index::create().col("height").col("position").take();
    let mut evidence = table("evidence", [number("height"), number("position"), blob("bytes"), number("checksum")]);
    [
        table("blocks", blocks),
        table("entries", entry_columns()),
        table("tip", tip),
        in_key_order(table("kinds", kinds), manager),
        in_key_order(table("state", state), manager),
        tiles.primary_key(&mut tile_key).take(),
        evidence.primary_key(&mut evidence_key).take(),
    ]
}

fn entry_columns() -> Vec<ColumnDef> {
    vec![
        row_number("leaf"),
        number("height"),
        ColumnDef::new("batch").big_integer().take(),
        number("position"),
        blob("digest"),
        number("digest_head"),
        ColumnDef::new("author").text().take(),
        text("kind"),
        text("about"),
        number("fresh_ms"),
        small("seen"),
        ColumnDef::new("derived").blob().take(),
        number("checksum"),
    ]
}

/// The digest's index is not unique: at most once is the state machine's law, and a replica that breaks off on it
/// would differ from the others.
fn indices() -> [IndexCreateStatement; 4] {
    [
        index("entries_about", "entries", "about"),
        index("entries_digest", "entries", "digest_head"),
        index("entries_height", "entries", "height"),
        index("entries_fresh", "entries", "fresh_ms").and_where(Expr::col("seen").gt(0)).take(),
    ]
}
