//! The handle, opening, and how work is done in a transaction.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::archives::Archives;
use crate::error::{Fault, StoreError};
use crate::mark::{self, Unfinished};
use crate::migration::Migrator;
use crate::place::Place;
use crate::pool::{self, Pools};

/// A running transaction, shared with the work that is done in it.
pub(crate) type Transaction = Arc<DatabaseTransaction>;

/// The replica of one node. Clones share one writing connection and a few that read.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    archives: Option<Arc<Archives>>,
}

struct Inner {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    place: Place,
    /// Held open for its lock until the store is closed.
    lock: Mutex<Option<File>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.inner.place)
    }
}

impl Store {
    /// Opens `sqlite:///path/node.db` (created when absent), `sqlite::memory:` or `postgres://user@host/name`, checks
    /// it and brings its schema up to this build's.
    ///
    /// What is committed is on disk when a call returns: SQLite runs with a write-ahead log and full synchronisation,
    /// PostgreSQL with synchronous commit.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another node has it, [`StoreError::Corrupted`] when SQLite's own check finds damage,
    /// [`StoreError::Schema`] when a newer build wrote it, [`StoreError::Unfinished`] when a restore or rebuild was broken
    /// off, [`StoreError::Io`] when it cannot be reached.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_despite(url, None).await
    }

    /// As [`Store::open`], also after a rebuild that was broken off: to write it again.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_to_rewrite(url: &str) -> Result<Self, StoreError> {
        Self::open_despite(url, Some(Unfinished::Rebuild)).await
    }

    async fn open_despite(url: &str, accepted: Option<Unfinished>) -> Result<Self, StoreError> {
        let place = Place::of(url);
        let Pools { writer, reader, lock } = pool::open(url, &place).await?;
        let inner = Arc::new(Inner { writer, reader, place, lock: Mutex::new(lock) });
        let store = Self { inner, archives: None };
        store.check().await.map_err(|fault| fault.told(store.place(), "check it"))?;
        store.migrate().await.map_err(|fault| fault.told(store.place(), "bring its schema up to date"))?;
        let found = mark::unfinished(store.writer()).await.map_err(|fault| fault.told(store.place(), "check it"))?;
        match found {
            Some(work) if accepted != found => {
                store.close().await;
                Err(StoreError::Unfinished { place: store.place().clone(), work })
            }
            _ => Ok(store),
        }
    }

    /// The same replica with a folder of archives, in which bodies are looked for that are no longer in the database.
    #[must_use]
    pub fn with_archives(mut self, folder: impl Into<PathBuf>) -> Self {
        self.archives = Some(Arc::new(Archives::new(folder.into())));
        self
    }

    pub(crate) fn archives(&self) -> Option<&Arc<Archives>> {
        self.archives.as_ref()
    }

    /// Closes the connections once the work in progress is done; another node may open the database then. Without it the
    /// same happens, a little later, when the last clone is dropped.
    pub async fn close(&self) {
        // Closing tells of a connection that is gone already, which is what was wanted.
        let _ = self.inner.reader.close_by_ref().await;
        let _ = self.inner.writer.close_by_ref().await;
        if let Some(lock) = self.inner.lock.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Not left to closing the file: a process being started by this one may hold a copy of it for a moment.
            let _ = lock.unlock();
        }
    }

    async fn check(&self) -> Result<(), Fault> {
        let writer = self.writer();
        if writer.get_database_backend() != DbBackend::Sqlite {
            return Ok(());
        }
        let found = writer.query_one_raw(Statement::from_string(DbBackend::Sqlite, "PRAGMA quick_check(1)")).await?;
        let found: Option<String> = found.map(|row| row.try_get_by_index(0)).transpose()?;
        match found.as_deref() {
            Some("ok") => Ok(()),
            other => Err(Fault::Damage(other.unwrap_or("no answer to the integrity check").to_owned())),
        }
    }

    async fn migrate(&self) -> Result<(), Fault> {
        let known: BTreeSet<String> = Migrator::migrations().iter().map(|m| m.name().to_owned()).collect();
        Migrator::install(self.writer()).await?;
        let applied = Migrator::get_migration_models(self.writer()).await?;
        if let Some(unknown) = applied.into_iter().find(|m| !known.contains(&m.version)) {
            return Err(StoreError::Schema { place: self.place().clone(), found: unknown.version }.into());
        }
        Ok(Migrator::up(self.writer(), None).await?)
    }

    pub(crate) fn place(&self) -> &Place {
        &self.inner.place
    }

    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.inner.reader
    }

    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.inner.writer
    }

    /// Does `work` in one transaction of the writing connection, a second time when the database asks for it.
    /// Nothing stays when it fails or the future is dropped.
    pub(crate) async fn write<T, F>(&self, step: &'static str, work: impl Fn(Transaction) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let first = self.try_write(&work).await;
        let done = match first {
            Err(fault) if fault.is_transient() => self.try_write(&work).await,
            other => other,
        };
        done.map_err(|fault| fault.told(self.place(), step))
    }

    async fn try_write<T, F>(&self, work: &impl Fn(Transaction) -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let transaction = Arc::new(self.writer().begin_with_options(options).await?);
        let done = work(transaction.clone()).await?;
        let kept = || DbErr::Custom("a transaction is still in use after its work".to_owned());
        Arc::into_inner(transaction).ok_or_else(kept)?.commit().await?;
        Ok(done)
    }

    /// Reads, and tells what failed and where.
    pub(crate) async fn read<T>(
        &self,
        step: &'static str,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, StoreError> {
        work.await.map_err(|fault| fault.told(self.place(), step))
    }

    /// A reading transaction that sees one height throughout.
    pub(crate) async fn snapshot(&self) -> Result<DatabaseTransaction, Fault> {
        let isolation = match self.reader().get_database_backend() {
            DbBackend::Postgres => Some(IsolationLevel::RepeatableRead),
            _ => None,
        };
        Ok(self.reader().begin_with_config(isolation, None).await?)
    }
}
