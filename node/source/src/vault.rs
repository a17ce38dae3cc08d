//! The department's imported records.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use covenant_canon::from_bytes;
use covenant_domain::{Dataset, DatasetId, Record, Subject};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait, Value};
use sea_orm_migration::MigratorTrait;
use tokio::sync::Mutex;

use crate::database::{connect, failed, statement};
use crate::intake::{Seen, fingerprint};
use crate::migration::Migrator;
use crate::plan::reshape;
use crate::{Source, SourceError};

/// Rows of one INSERT; four parameters each stay below SQLite's 32 766.
const INSERT_ROWS: usize = 4_000;
/// Subjects of one SELECT.
const SUBJECTS: usize = 500;

/// One SQLite file or PostgreSQL schema with the imported records of a department.
#[derive(Clone)]
pub struct Vault {
    db: DatabaseConnection,
    pub(crate) importing: Arc<Mutex<()>>,
}

impl Vault {
    /// Opens `sqlite:///path/records.db` (made if missing) or `postgres://...`.
    ///
    /// # Errors
    /// [`SourceError`] when the address is not a database's or the database cannot be used.
    pub async fn open(url: &str) -> Result<Self, SourceError> {
        let db = connect(url, true).await?;
        Migrator::up(&db, None).await.map_err(|e| failed("prepare the vault's tables", e))?;
        Ok(Self { db, importing: Arc::default() })
    }

    /// Records of a dataset.
    ///
    /// # Errors
    /// [`SourceError::Database`].
    pub async fn count(&self, dataset: &DatasetId) -> Result<u64, SourceError> {
        let sql = "SELECT records FROM vault_dataset WHERE dataset = ?";
        let row = self.one(sql, vec![dataset.as_str().into()], "count records").await?;
        let count: Option<i64> = row.map(|r| r.try_get_by_index(0)).transpose().map_err(|e| failed("count records", e))?;
        Ok(count.and_then(|c| u64::try_from(c).ok()).unwrap_or(0))
    }

    /// The records of a dataset as a source.
    pub fn source(&self, dataset: &Dataset) -> Arc<dyn Source> {
        Arc::new(VaultSource { vault: self.clone(), dataset: dataset.clone() })
    }

    async fn one(
        &self,
        sql: &str,
        values: Vec<Value>,
        step: &str,
    ) -> Result<Option<sea_orm::QueryResult>, SourceError> {
        let statement = statement(self.db.get_database_backend(), sql, values);
        self.db.query_one_raw(statement).await.map_err(|e| failed(step, e))
    }

    /// Opens the one transaction of an import.
    pub(crate) async fn begin(&self, dataset: &DatasetId, replace: bool) -> Result<Import, SourceError> {
        let told = |e| failed("begin the import", e);
        let transaction = self.db.begin().await.map_err(told)?;
        let backend = self.db.get_database_backend();
        let named = |sql: &str| statement(backend, sql, vec![dataset.as_str().into()]);
        let insert = "INSERT INTO vault_dataset (dataset, records, next_position) VALUES (?, 0, 0) ON CONFLICT (dataset) DO NOTHING";
        transaction.execute_raw(named(insert)).await.map_err(told)?;
        let select = "SELECT no, records, next_position FROM vault_dataset WHERE dataset = ?";
        let row = transaction.query_one_raw(named(select)).await.map_err(told)?.ok_or(SourceError::Stopped)?;
        let (no, mut records, position): (i32, i64, i64) = (
            row.try_get_by_index(0).map_err(told)?,
            row.try_get_by_index(1).map_err(told)?,
            row.try_get_by_index(2).map_err(told)?,
        );
        if replace {
            let delete = statement(backend, "DELETE FROM vault_record WHERE dataset_no = ?", vec![no.into()]);
            transaction.execute_raw(delete).await.map_err(told)?;
            records = 0;
        }
        Ok(Import { transaction, no, records, position })
    }
}

/// An import under way; dropping it changes nothing.
pub(crate) struct Import {
    transaction: DatabaseTransaction,
    no: i32,
    records: i64,
    position: i64,
}

impl Import {
    /// Subjects that are in the vault already.
    pub(crate) async fn subjects(&self) -> Result<Seen, SourceError> {
        let told = |e| failed("read the subjects on record", e);
        let backend = self.transaction.get_database_backend();
        let sql = "SELECT DISTINCT subject FROM vault_record WHERE dataset_no = ?";
        let rows = self.transaction.query_all_raw(statement(backend, sql, vec![self.no.into()])).await.map_err(told)?;
        let subject = |row: sea_orm::QueryResult| row.try_get_by_index::<String>(0).map(|s| (fingerprint(&s), 0));
        rows.into_iter().map(subject).collect::<Result<_, _>>().map_err(told)
    }

    /// Adds rows: subject and canonical record.
    pub(crate) async fn insert(&mut self, rows: Vec<(String, Vec<u8>)>) -> Result<(), SourceError> {
        let backend = self.transaction.get_database_backend();
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let mut values: Vec<Value> = Vec::with_capacity(4 * INSERT_ROWS);
            let mut count = 0;
            for (subject, body) in rows.by_ref().take(INSERT_ROWS) {
                values.extend([self.no.into(), subject.into(), self.position.into(), body.into()]);
                self.position += 1;
                count += 1;
            }
            let places = vec!["(?, ?, ?, ?)"; count].join(", ");
            let sql = format!("INSERT INTO vault_record (dataset_no, subject, position, body) VALUES {places}");
            let done = self.transaction.execute_raw(statement(backend, &sql, values)).await;
            done.map_err(|e| failed("write records", e))?;
        }
        Ok(())
    }

    pub(crate) async fn commit(self, imported: u64) -> Result<(), SourceError> {
        let told = |e| failed("finish the import", e);
        let backend = self.transaction.get_database_backend();
        let records = self.records.saturating_add(i64::try_from(imported).unwrap_or(i64::MAX));
        let sql = "UPDATE vault_dataset SET records = ?, next_position = ? WHERE no = ?";
        let update = statement(backend, sql, vec![records.into(), self.position.into(), self.no.into()]);
        self.transaction.execute_raw(update).await.map_err(told)?;
        self.transaction.commit().await.map_err(told)
    }

    pub(crate) async fn roll_back(self) -> Result<(), SourceError> {
        self.transaction.rollback().await.map_err(|e| failed("undo the import", e))
    }
}

struct VaultSource {
    vault: Vault,
    dataset: Dataset,
}

#[async_trait]
impl Source for VaultSource {
    fn dataset(&self) -> &DatasetId {
        &self.dataset.id
    }

    async fn find(&self, subjects: &[Subject], limit: u32) -> Result<Vec<Vec<Record>>, SourceError> {
        let mut found: HashMap<String, Vec<Record>> = HashMap::new();
        for chunk in subjects.chunks(SUBJECTS) {
            self.find_chunk(chunk, limit, &mut found).await?;
        }
        Ok(subjects.iter().map(|s| found.get(&s.canonical()).cloned().unwrap_or_default()).collect())
    }
}

impl VaultSource {
    async fn find_chunk(
        &self,
        subjects: &[Subject],
        limit: u32,
        found: &mut HashMap<String, Vec<Record>>,
    ) -> Result<(), SourceError> {
        let told = |e| failed("read records", e);
        let places = vec!["?"; subjects.len()].join(", ");
        let sql = format!(
            "SELECT r.subject, r.body FROM vault_record r JOIN vault_dataset d ON d.no = r.dataset_no \
             WHERE d.dataset = ? AND r.subject IN ({places}) ORDER BY r.subject, r.position"
        );
        let mut values: Vec<Value> = vec![self.dataset.id.as_str().into()];
        values.extend(subjects.iter().map(|s| Value::from(s.canonical())));
        let backend = self.vault.db.get_database_backend();
        let rows = self.vault.db.query_all_raw(statement(backend, &sql, values)).await.map_err(told)?;
        for row in rows {
            let subject: String = row.try_get_by_index(0).map_err(told)?;
            let of_subject = found.entry(subject).or_default();
            if of_subject.len() <= limit as usize {
                let body: Vec<u8> = row.try_get_by_index(1).map_err(told)?;
                let record = from_bytes(&body)
                    .map_err(|source| SourceError::Stored { dataset: self.dataset.id.clone(), source })?;
                of_subject.push(reshape(&self.dataset, record));
            }
        }
        Ok(())
    }
}
