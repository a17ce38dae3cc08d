//! Connections: one that writes and a few that read.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Executor, Row};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};

use crate::error::{Fault, StoreError};
use crate::lock;
use crate::place::Place;

const READERS: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(10);

/// An open database.
pub(crate) struct Pools {
    pub(crate) writer: DatabaseConnection,
    pub(crate) reader: DatabaseConnection,
    pub(crate) lock: Option<File>,
}

/// Opens the database of a url; nothing is written yet but the empty file.
pub(crate) async fn open(url: &str, place: &Place) -> Result<Pools, StoreError> {
    let told = |fault: DbErr| Fault::from(fault).told(place, "open it");
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return open_postgres(url, place).await;
    }
    let wrong = || StoreError::Url { place: place.clone() };
    if !url.starts_with("sqlite:") {
        return Err(wrong());
    }
    let parsed: SqliteConnectOptions = url.parse().map_err(|_| wrong())?;
    if url.contains(":memory:") || url.contains("mode=memory") {
        let writer = Database::connect(sqlite(url, false)).await.map_err(told)?;
        return Ok(Pools { reader: writer.clone(), writer, lock: None });
    }
    let lock = Some(lock::take(parsed.get_filename(), place)?);
    let writer = Database::connect(sqlite(url, false)).await.map_err(told)?;
    let reader = Database::connect(sqlite(url, true)).await.map_err(told)?;
    Ok(Pools { writer, reader, lock })
}

fn common(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    // Statements carry no values, but one of a thousand rows is long.
    options.sqlx_logging(false).record_stmt_in_spans(false).acquire_timeout(PATIENCE);
    options.idle_timeout(None).max_lifetime(None).test_before_acquire(false);
    options
}

fn sqlite(url: &str, reads_only: bool) -> ConnectOptions {
    let mut options = common(url);
    options.max_connections(if reads_only { READERS } else { 1 }).connect_lazy(reads_only);
    options.map_sqlx_sqlite_opts(move |o| {
        o.create_if_missing(!reads_only)
            .journal_mode(SqliteJournalMode::Wal)
            // INVARIANT: a commit or a vote's proposal that returned survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .statement_cache_capacity(128)
            .pragma("query_only", if reads_only { "on" } else { "off" })
            .pragma("cache_size", if reads_only { "-8192" } else { "-65536" })
            .pragma("wal_autocheckpoint", "4000")
            .pragma("journal_size_limit", "67108864")
            .pragma("temp_store", "memory")
    });
    options
}

async fn open_postgres(url: &str, place: &Place) -> Result<Pools, StoreError> {
    let taken = Arc::new(AtomicBool::new(false));
    let writer = match Database::connect(postgres_writer(url, taken.clone())).await {
        Err(_) if taken.load(Ordering::Relaxed) => Err(StoreError::Locked { place: place.clone() }),
        other => other.map_err(|e| Fault::from(e).told(place, "open it")),
    }?;
    let mut reads = common(url);
    reads.max_connections(READERS).min_connections(0).connect_lazy(true);
    reads.test_before_acquire_if_idle_for(PATIENCE);
    let reader = Database::connect(reads).await.map_err(|e| Fault::from(e).told(place, "open it"))?;
    Ok(Pools { writer, reader, lock: None })
}

/// The writing session holds an advisory lock on its schema: whenever it is opened anew it must get that lock first,
/// so two nodes never write to one schema.
fn postgres_writer(url: &str, taken: Arc<AtomicBool>) -> ConnectOptions {
    let mut options = common(url);
    options.max_connections(1).test_before_acquire_if_idle_for(PATIENCE);
    options.map_sqlx_postgres_opts(|o| {
        o.application_name("covenant-store").options([("synchronous_commit", "on"), ("client_min_messages", "warning")])
    });
    options.map_sqlx_postgres_pool_opts(move |o| {
        let taken = taken.clone();
        o.after_connect(move |session, _| {
            let taken = taken.clone();
            Box::pin(async move {
                let sql = "SELECT pg_try_advisory_lock(hashtext('covenant-store'), hashtext(current_schema()))";
                let ours: bool = session.fetch_one(sql).await?.try_get(0)?;
                taken.store(!ours, Ordering::Relaxed);
                if ours { Ok(()) } else { Err(sqlx::Error::PoolTimedOut) }
            })
        })
    });
    options
}
