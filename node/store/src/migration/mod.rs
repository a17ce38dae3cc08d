//! Steps of the schema, the same for SQLite and PostgreSQL. A released step is never changed.

mod m0001_ledger;
mod m0002_proposals;
mod m0003_work;
mod m0004_links;
mod m0005_marks;
mod m0006_remembered;
mod m0007_archived;

use sea_orm_migration::prelude::*;

/// Brings the schema up and down.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_ledger::Step),
            Box::new(m0002_proposals::Step),
            Box::new(m0003_work::Step),
            Box::new(m0004_links::Step),
            Box::new(m0005_marks::Step),
            Box::new(m0006_remembered::Step),
            Box::new(m0007_archived::Step),
        ]
    }
}

/// A number that is the table's order on disk: in SQLite the row id.
fn row_number(name: &'static str) -> ColumnDef {
    number(name).primary_key().take()
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

fn small(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).small_integer().not_null().take()
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

/// Keeps a table in the order of its key: one tree on disk instead of two.
fn in_key_order(mut table: TableCreateStatement, manager: &SchemaManager<'_>) -> TableCreateStatement {
    if manager.get_database_backend() == sea_orm::DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

async fn drop_tables(manager: &SchemaManager<'_>, names: &[&'static str]) -> Result<(), DbErr> {
    for name in names {
        manager.drop_table(Table::drop().table(*name).take()).await?;
    }
    Ok(())
}
