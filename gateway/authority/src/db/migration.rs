//! Steps of the schema, the same for SQLite and PostgreSQL. A released step is never changed.

use sea_orm_migration::prelude::*;

/// Brings the schema up and down.
#[derive(Debug)]
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(M0001Authority)]
    }
}

struct M0001Authority;

impl MigrationName for M0001Authority {
    fn name(&self) -> &str {
        "m0001_authority"
    }
}

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

fn blob(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().take()
}

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

fn perhaps(mut column: ColumnDef) -> ColumnDef {
    column.null().take()
}

fn table(name: &'static str, columns: impl IntoIterator<Item = ColumnDef>) -> TableCreateStatement {
    let mut table = Table::create().table(name).take();
    for column in columns {
        table.col(column);
    }
    table
}

fn index(name: &'static str, table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(name).table(table).col(column).take()
}

#[async_trait::async_trait]
impl MigrationTrait for M0001Authority {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let requests = [
            text("id").primary_key().take(),
            text("consumer"),
            blob("person"),
            blob("subject"),
            blob("terms"),
            text("state"),
            number("created_ms"),
            perhaps(ColumnDef::new("decided_ms").big_integer().take()),
            perhaps(ColumnDef::new("consent").text().take()),
            perhaps(ColumnDef::new("ticket").blob().take()),
            perhaps(ColumnDef::new("leaf").big_integer().take()),
            perhaps(ColumnDef::new("height").big_integer().take()),
            perhaps(ColumnDef::new("representation").text().take()),
            perhaps(ColumnDef::new("spoken").blob().take()),
            number("sealed_until_ms"),
        ];
        manager.create_table(table("requests", requests)).await?;
        manager.create_index(index("requests_person", "requests", "person")).await?;
        manager.create_index(index("requests_state", "requests", "state")).await?;
        let representations = [
            text("id").primary_key().take(),
            blob("person"),
            blob("speaker"),
            text("capacity"),
            blob("evidence"),
            text("purposes"),
            number("valid_from_ms"),
            number("valid_until_ms"),
            perhaps(ColumnDef::new("revoked_ms").big_integer().take()),
            number("created_ms"),
        ];
        manager.create_table(table("representations", representations)).await?;
        manager.create_index(index("representations_person", "representations", "person")).await?;
        manager.create_index(index("representations_speaker", "representations", "speaker")).await?;
        let key = || blob("id").primary_key().take();
        manager.create_table(table("sessions", [key(), blob("subject"), number("expires_ms")])).await?;
        manager.create_table(table("logins", [key(), blob("secrets"), number("expires_ms")])).await?;
        let one = ColumnDef::new("id").small_integer().not_null().primary_key().take();
        manager.create_table(table("vault", [one, blob("wrapped")])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["vault", "logins", "sessions", "representations", "requests"] {
            manager.drop_table(Table::drop().table(name).take()).await?;
        }
        Ok(())
    }
}
