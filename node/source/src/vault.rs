//! The department's imported records: one SQLite file, or tables of a PostgreSQL schema.

use std::sync::Arc;

use async_trait::async_trait;
use covenant_canon::from_bytes;
use covenant_domain::{Dataset, DatasetId, Record, Subject};
use futures::TryStreamExt;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, StreamTrait,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::database::{Access, connect, failed};
use crate::intake::{Seen, fingerprint};
use crate::migration::{Migrator, VaultDataset as D, VaultRecord as R};
use crate::pushdown::{KEYS, Lookup, keys_after};
use crate::{Source, SourceError, SubjectPage, plan};

/// Imported records of all datasets of one department: per row its subject, a position and the record's canonical
/// bytes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Vault {
    pub(crate) reader: DatabaseConnection,
    /// One connection, so that SQLite never waits for itself.
    pub(crate) writer: DatabaseConnection,
    pub(crate) importing: Arc<tokio::sync::Mutex<()>>,
}

impl Vault {
    /// Opens a vault and brings its tables up to date; a SQLite file is made when missing. In PostgreSQL the tables
    /// `vault_*` are in the first schema of the search path, which the address may set:
    /// `postgres://user@host/db?options[search_path]=vault`.
    ///
    /// # Errors
    /// [`SourceError`] when the database cannot be opened.
    pub async fn open(url: &str) -> Result<Self, SourceError> {
        let writer = connect(url, Access::Vault { pool: 1 }).await?;
        Migrator::up(&writer, None).await.map_err(|e| failed("prepare the vault's tables", e))?;
        let memory = url.contains(":memory:") || url.contains("mode=memory");
        let reader = if memory { writer.clone() } else { connect(url, Access::Vault { pool: 4 }).await? };
        Ok(Self { reader, writer, importing: Arc::default() })
    }

    /// The records of a dataset in the shape that the dataset has now.
    pub fn source(&self, dataset: &Dataset) -> Arc<dyn Source> {
        Arc::new(VaultSource { connection: self.reader.clone(), dataset: dataset.clone(), lookup: lookup(dataset) })
    }

    /// How many records the vault holds of a dataset.
    ///
    /// # Errors
    /// [`SourceError`] when the database fails.
    pub async fn count(&self, dataset: &DatasetId) -> Result<u64, SourceError> {
        let query = Query::select()
            .column(D::Records)
            .from(D::Table)
            .and_where(Expr::col(D::Dataset).eq(dataset.as_str()))
            .take();
        let count = async {
            let row = self.reader.query_one(&query).await?;
            row.map(|r| r.try_get_by_index::<i64>(0)).transpose()
        };
        let count = count.await.map_err(|e| failed(format!("count the records of `{dataset}`"), e))?;
        Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
    }

    /// Starts the transaction of an import: it holds the dataset's row until its end, so that imports follow each other.
    pub(crate) async fn begin(&self, dataset: &DatasetId, replace: bool) -> Result<Import, SourceError> {
        let started = async {
            let mode = Some(SqliteTransactionMode::Immediate);
            let options = TransactionOptions { sqlite_transaction_mode: mode, ..Default::default() };
            let transaction = self.writer.begin_with_options(options).await?;
            let (no, records, next) = claim(&transaction, dataset).await?;
            let (records, next) = if replace { (0, 0) } else { (records, next) };
            if replace {
                let former = Query::delete().from_table(R::Table).and_where(Expr::col(R::DatasetNo).eq(no)).take();
                transaction.execute(&former).await?;
            }
            Ok(Import { transaction, no, records, next })
        };
        started.await.map_err(|e: DbErr| failed(format!("start the import of `{dataset}`"), e))
    }
}

/// That a record is of the dataset named by the first parameter.
const OWN: &str = "r.dataset_no = (SELECT d.no FROM vault_dataset d WHERE d.dataset = $1)";

/// Records of a dataset by subject, in the order of their import.
pub(crate) fn lookup(dataset: &Dataset) -> Lookup {
    Lookup {
        columns: vec!["r.position".into(), "r.body".into()],
        from: "vault_record r".into(),
        condition: format!("{OWN} AND r.subject = {{key}}"),
        fixed: vec![dataset.id.to_string()],
    }
}

async fn claim(transaction: &DatabaseTransaction, dataset: &DatasetId) -> Result<(i32, i64, i64), DbErr> {
    let locked = OnConflict::column(D::Dataset).update_column(D::Dataset).to_owned();
    let row = Query::insert()
        .into_table(D::Table)
        .columns([D::Dataset, D::Records, D::NextPosition])
        .values([dataset.as_str().into(), 0_i64.into(), 0_i64.into()])
        .map_err(|e| DbErr::Custom(e.to_string()))?
        .on_conflict(locked)
        .take();
    transaction.execute(&row).await?;
    let columns = [D::No, D::Records, D::NextPosition];
    let query =
        Query::select().columns(columns).from(D::Table).and_where(Expr::col(D::Dataset).eq(dataset.as_str())).take();
    let row = transaction.query_one(&query).await?.ok_or_else(|| DbErr::RecordNotFound("vault_dataset".into()))?;
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?))
}

/// A transaction under way; dropped, it leaves everything as it was.
pub(crate) struct Import {
    transaction: DatabaseTransaction,
    no: i32,
    records: i64,
    next: i64,
}

impl Import {
    /// Subjects on record.
    pub(crate) async fn subjects(&self) -> Result<Seen, SourceError> {
        let query =
            Query::select().column(R::Subject).from(R::Table).and_where(Expr::col(R::DatasetNo).eq(self.no)).take();
        let all = async {
            let mut seen = Seen::new();
            let mut rows = self.transaction.stream(&query).await?;
            while let Some(row) = rows.try_next().await? {
                seen.insert(fingerprint(&row.try_get_by_index::<String>(0)?), 0);
            }
            Ok::<_, DbErr>(seen)
        };
        all.await.map_err(|e| failed("read the subjects on record", e))
    }

    /// Adds rows in one statement; `before` is how many this import has added.
    pub(crate) async fn insert(&self, before: u64, rows: Vec<(String, Vec<u8>)>) -> Result<u64, SourceError> {
        let count = rows.len() as u64;
        if count == 0 {
            return Ok(0);
        }
        let first = self.next.saturating_add_unsigned(before);
        let added = async {
            let mut insert = Query::insert();
            insert.into_table(R::Table).columns([R::DatasetNo, R::Subject, R::Position, R::Body]);
            for (position, (subject, body)) in (first..).zip(rows) {
                insert
                    .values([self.no.into(), subject.into(), position.into(), body.into()])
                    .map_err(|e| DbErr::Custom(e.to_string()))?;
            }
            self.transaction.execute(&insert).await
        };
        added.await.map_err(|e| failed("write records, nothing was changed", e))?;
        Ok(count)
    }

    pub(crate) async fn commit(self, added: u64) -> Result<(), SourceError> {
        let plus = |value: i64| value.saturating_add_unsigned(added);
        let update = Query::update()
            .table(D::Table)
            .values([(D::Records, plus(self.records).into()), (D::NextPosition, plus(self.next).into())])
            .and_where(Expr::col(D::No).eq(self.no))
            .take();
        let committed = async {
            self.transaction.execute(&update).await?;
            self.transaction.commit().await
        };
        committed.await.map_err(|e| failed("commit the import, nothing was changed", e))
    }

    pub(crate) async fn roll_back(self) -> Result<(), SourceError> {
        self.transaction.rollback().await.map_err(|e| failed("roll the import back", e))
    }
}

struct VaultSource {
    connection: DatabaseConnection,
    dataset: Dataset,
    lookup: Lookup,
}

#[async_trait]
impl Source for VaultSource {
    fn dataset(&self) -> &DatasetId {
        &self.dataset.id
    }

    async fn find(&self, subjects: &[Subject], limit: u32) -> Result<Vec<Vec<Record>>, SourceError> {
        plan::check_kind(&self.dataset, subjects)?;
        let mut found = vec![Vec::new(); subjects.len()];
        for (chunk, slots) in subjects.chunks(KEYS).zip(found.chunks_mut(KEYS)) {
            let keys: Vec<String> = chunk.iter().map(Subject::canonical).collect();
            let step = |e| failed(format!("read records of `{}`", self.dataset.id), e);
            for row in self.lookup.rows(&self.connection, &keys, u64::from(limit) + 1).await.map_err(step)? {
                let body: Vec<u8> = row.try_get_by_index(2).map_err(step)?;
                let record = from_bytes(&body)
                    .map_err(|source| SourceError::Stored { dataset: self.dataset.id.clone(), source })?;
                let index: i32 = row.try_get_by_index(0).map_err(step)?;
                if let Some(slot) = usize::try_from(index).ok().and_then(|i| slots.get_mut(i)) {
                    slot.push(plan::reshape(&self.dataset, record));
                }
            }
        }
        Ok(found)
    }

    async fn subjects(&self, after: Option<&str>, limit: u32) -> Result<SubjectPage, SourceError> {
        let fixed = [self.dataset.id.to_string()];
        let keys = keys_after(&self.connection, ("r.subject", "vault_record r", OWN), &fixed, after, limit).await;
        let keys = keys.map_err(|e| failed(format!("list the subjects of `{}`", self.dataset.id), e))?;
        let unreadable = |_| SourceError::Key { place: format!("the vault's `{}`", self.dataset.id) };
        Ok(SubjectPage {
            next: keys.last().filter(|_| keys.len() == limit as usize).cloned(),
            subjects: keys.iter().map(|k| Subject::parse(k)).collect::<Result<_, _>>().map_err(unreadable)?,
        })
    }
}
