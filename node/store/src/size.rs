//! How much room the replica takes.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::error::{Fault, StoreError};
use crate::row::unsigned;
use crate::store::Store;
use crate::table::TABLES;

/// Bytes on disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Size {
    /// Of the database, free room inside it included; with SQLite without its write-ahead log.
    pub total: u64,
    /// Of that, free room inside it, as far as the database tells: SQLite does.
    pub free: u64,
    /// By table with its indices: PostgreSQL tells cheaply, SQLite would have to read the whole file and is not asked.
    pub tables: BTreeMap<&'static str, u64>,
}

impl Store {
    /// How much room it takes; cheap enough for a status page.
    ///
    /// # Errors
    /// What the database says.
    pub async fn size(&self) -> Result<Size, StoreError> {
        self.read("measure it", async {
            if self.reader().get_database_backend() == DbBackend::Postgres {
                return self.size_postgres().await;
            }
            let page = self.number("PRAGMA page_size").await?;
            let pages = self.number("PRAGMA page_count").await?;
            let free = self.number("PRAGMA freelist_count").await?;
            Ok(Size { total: pages * page, free: free * page, tables: BTreeMap::new() })
        })
        .await
    }

    async fn size_postgres(&self) -> Result<Size, Fault> {
        let mut tables = BTreeMap::new();
        for table in &TABLES {
            let sql = format!("SELECT pg_total_relation_size('\"{}\"'::regclass)", table.name);
            tables.insert(table.name, self.number(&sql).await?);
        }
        Ok(Size { total: tables.values().sum(), free: 0, tables })
    }

    async fn number(&self, sql: &str) -> Result<u64, Fault> {
        let statement = Statement::from_string(self.reader().get_database_backend(), sql.to_owned());
        let found = self.reader().query_one_raw(statement).await?;
        let found: Option<i64> = found.map(|row| row.try_get_by_index(0)).transpose()?;
        unsigned("size", found.unwrap_or_default())
    }
}
