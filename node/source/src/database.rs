//! Connections to a department's databases.

use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend, DbErr, Statement, Value};

use crate::SourceError;

const PATIENCE: Duration = Duration::from_secs(10);

/// Opens `sqlite://` or `postgres://`. `create` makes a missing SQLite file; live tables are opened read-only.
pub(crate) async fn connect(url: &str, create: bool) -> Result<DatabaseConnection, SourceError> {
    if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(SourceError::Address { url: without_password(url) });
    }
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).acquire_timeout(PATIENCE).connect_timeout(PATIENCE);
    options.max_connections(if url.contains(":memory:") { 1 } else { 5 });
    options.map_sqlx_sqlite_opts(move |o| {
        let o = o.busy_timeout(PATIENCE).foreign_keys(true).read_only(!create).create_if_missing(create);
        if create { o.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full) } else { o }
    });
    Database::connect(options).await.map_err(|source| failed(format!("open `{}`", without_password(url)), source))
}

/// The address as it may be shown.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => url.to_owned(),
    }
}

/// A statement with `?` placeholders in the backend's own form.
pub(crate) fn statement(backend: DbBackend, sql: &str, values: Vec<Value>) -> Statement {
    if backend != DbBackend::Postgres {
        return Statement::from_sql_and_values(backend, sql, values);
    }
    let mut numbered = String::with_capacity(sql.len() + 8 * values.len());
    let mut next = 0;
    for c in sql.chars() {
        if c == '?' {
            next += 1;
            numbered.push('$');
            numbered.push_str(&next.to_string());
        } else {
            numbered.push(c);
        }
    }
    Statement::from_sql_and_values(backend, numbered, values)
}

/// A database error with what it means for the operator.
pub(crate) fn failed(step: impl Into<String>, source: DbErr) -> SourceError {
    let text = source.to_string().to_lowercase();
    let any = |words: &[&str]| words.iter().any(|w| text.contains(w));
    let advice = if any(&["disk is full", "disk full", "no space left"]) {
        "no room is left on its disk: free some, nothing was changed"
    } else if any(&["malformed", "not a database", "corrupt"]) {
        "the database is damaged: restore a backup or import into a new one"
    } else if any(&["database is locked", "busy"]) {
        "another process holds it: wait until that ends, nothing was changed"
    } else if any(&["unable to open", "no such file", "permission"]) {
        "the file cannot be opened: see that it exists and that this user may use it"
    } else {
        "see the cause; nothing was changed"
    };
    SourceError::Database { step: step.into(), advice, source }
}
