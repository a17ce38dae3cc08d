//! Connections, and what their errors mean.

use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr, sqlx};

use crate::SourceError;

const WAIT: Duration = Duration::from_secs(5);

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The vault, made when missing.
    Vault {
        /// Connections.
        pool: u32,
    },
    /// A live table: nothing is written, statements are cut off.
    Live,
}

pub(crate) async fn connect(url: &str, access: Access) -> Result<DatabaseConnection, SourceError> {
    let shown = shown(url);
    if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(SourceError::Address { url: shown });
    }
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).connect_timeout(WAIT).acquire_timeout(WAIT);
    match access {
        Access::Vault { pool } => {
            options.max_connections(pool).map_sqlx_sqlite_opts(|o| {
                let o = o.create_if_missing(true).foreign_keys(true).busy_timeout(WAIT);
                o.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
            });
        }
        Access::Live => {
            options.max_connections(4).map_sqlx_sqlite_opts(|o| o.read_only(true).busy_timeout(WAIT));
            options.map_sqlx_postgres_opts(|o| {
                let settings = [("default_transaction_read_only", "on"), ("statement_timeout", "30000")];
                o.options(settings).options([("DateStyle", "ISO")])
            });
        }
    }
    Database::connect(options).await.map_err(|e| failed(format!("open `{shown}`"), e))
}

/// The address without user, password and options.
fn shown(url: &str) -> String {
    let plain = url.split('?').next().unwrap_or_default();
    match (plain.split_once("://"), plain.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => plain.to_owned(),
    }
}

pub(crate) fn failed(step: impl Into<String>, source: DbErr) -> SourceError {
    SourceError::Database { step: step.into(), advice: advice(&source), source }
}

fn advice(error: &DbErr) -> &'static str {
    match error {
        DbErr::ConnectionAcquire(_) => "no connection became free in time, try again",
        DbErr::Conn(RuntimeErr::SqlxError(e))
        | DbErr::Exec(RuntimeErr::SqlxError(e))
        | DbErr::Query(RuntimeErr::SqlxError(e)) => match e.as_ref() {
            sqlx::Error::Database(e) => code_advice(&e.code().unwrap_or_default()),
            sqlx::Error::Io(_) => "the database cannot be reached, check that it runs and is addressed rightly",
            sqlx::Error::PoolTimedOut => "the database did not answer in time, check that it runs",
            _ => OTHER,
        },
        _ => OTHER,
    }
}

const OTHER: &str = "the database refused, see the cause";

/// SQLite result codes (<https://sqlite.org/rescode.html>) are numbers, PostgreSQL's (appendix A) have five characters.
fn code_advice(code: &str) -> &'static str {
    if code.len() == 5 {
        return match code {
            "53100" => "the disk of the database is full, make room and try again",
            "55P03" | "57014" => "the database is busy or locked, try again",
            "42501" => "the database user lacks the right, have it granted",
            "XX001" | "XX002" => "the database is damaged, restore it from a backup",
            _ if code.starts_with("28") => "the database refuses the user, check name and password",
            _ if code.starts_with("53") => "the database is out of resources, try again later",
            _ => OTHER,
        };
    }
    match code.parse::<u32>().unwrap_or_default() & 0xff {
        5 | 6 => "the database is locked by another program, close it and try again",
        8 => "the database file is read-only, check its rights",
        10 => "the disk reports an error, check it",
        11 | 26 => "the file is damaged or no database, restore it from a backup",
        13 => "the disk is full, make room and try again",
        14 => "the file cannot be opened, check its folder and rights",
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_secrets() {
        assert_eq!(shown("postgres://u:p@ss@host:5432/db?password=x"), "postgres://host:5432/db");
        assert_eq!(shown("sqlite:///var/lib/v.db?mode=rwc"), "sqlite:///var/lib/v.db");
        assert_eq!(shown("postgres://host/db"), "postgres://host/db");
    }

    #[tokio::test]
    async fn other_addresses_are_refused() {
        let error = connect("mysql://u:secret@host/db", Access::Live).await.unwrap_err().to_string();
        assert!(error.contains("sqlite://") && !error.contains("secret"), "{error}");
    }
}
