//! Tables of the vault.

use sea_orm_migration::prelude::*;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Records)]
    }

    /// Its own table, so that a vault may share a database with other parts of the node.
    fn migration_table_name() -> DynIden {
        "vault_migration".into_iden()
    }
}

#[derive(DeriveIden)]
pub(crate) enum VaultDataset {
    Table,
    No,
    Dataset,
    Records,
    NextPosition,
}

#[derive(DeriveIden)]
pub(crate) enum VaultRecord {
    Table,
    DatasetNo,
    Subject,
    Position,
    Body,
}

/// The first tables.
struct Records;

impl MigrationName for Records {
    fn name(&self) -> &str {
        "m0001_records"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Records {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let datasets = Table::create()
            .table(VaultDataset::Table)
            .col(ColumnDef::new(VaultDataset::No).integer().not_null().auto_increment().primary_key())
            .col(ColumnDef::new(VaultDataset::Dataset).string().not_null().unique_key())
            .col(ColumnDef::new(VaultDataset::Records).big_integer().not_null())
            .col(ColumnDef::new(VaultDataset::NextPosition).big_integer().not_null())
            .to_owned();
        manager.create_table(datasets).await?;
        let (from, to) = ((VaultRecord::Table, VaultRecord::DatasetNo), (VaultDataset::Table, VaultDataset::No));
        let records = Table::create()
            .table(VaultRecord::Table)
            .col(ColumnDef::new(VaultRecord::DatasetNo).integer().not_null())
            .col(ColumnDef::new(VaultRecord::Subject).string().not_null())
            .col(ColumnDef::new(VaultRecord::Position).big_integer().not_null())
            .col(ColumnDef::new(VaultRecord::Body).blob().not_null())
            .primary_key(
                Index::create().col(VaultRecord::DatasetNo).col(VaultRecord::Subject).col(VaultRecord::Position),
            )
            .foreign_key(ForeignKey::create().from(from.0, from.1).to(to.0, to.1))
            .to_owned();
        manager.create_table(records).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(VaultRecord::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(VaultDataset::Table).to_owned()).await
    }
}
