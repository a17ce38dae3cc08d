//! The service's own database: SQLite or PostgreSQL.

pub(crate) mod entity;
mod migration;

use std::sync::Arc;
use std::time::Duration;

use covenant_suite::{OpeningKey, SuiteError};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, ConnectOptions, Database, DatabaseConnection, DbErr,
    EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use sea_orm_migration::MigratorTrait as _;

use crate::vault::Vault;
use entity::{login, representation, request, session, vault};
use migration::Migrator;

/// Rows that a list gives at most.
const MOST: u64 = 500;
/// Logins under way at most.
const LOGINS: u64 = 20_000;

/// Why the database does not open.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// It cannot be reached, or does not do what is asked.
    #[error("the database of the authorisation service fails")]
    Db(#[from] DbErr),
    /// Its data key is sealed to another key file.
    #[error("the database belongs to another key file: its data key does not open")]
    Key(#[source] SuiteError),
}

/// States of a request, as stored.
pub(crate) mod state {
    pub(crate) const REQUESTED: &str = "requested";
    /// Being written to the ledger.
    pub(crate) const ISSUING: &str = "issuing";
    pub(crate) const ISSUED: &str = "issued";
    pub(crate) const DECLINED: &str = "declined";
    pub(crate) const WITHDRAWN: &str = "withdrawn";
}

/// The open database.
#[derive(Debug, Clone)]
pub(crate) struct Db(DatabaseConnection);

type Done<T> = Result<T, DbErr>;

impl Db {
    /// Opens `sqlite:///path/authority.db` (made when absent), `sqlite::memory:` or `postgres://…`.
    pub(crate) async fn open(url: &str) -> Result<Self, DbError> {
        let mut options = ConnectOptions::new(url);
        options.sqlx_logging(false).record_stmt_in_spans(false).acquire_timeout(Duration::from_secs(10));
        if url.starts_with("sqlite:") {
            // One connection: SQLite has one writer anyway, and a database in memory has no second.
            options.max_connections(1).idle_timeout(None).max_lifetime(None);
            options.map_sqlx_sqlite_opts(|o| {
                o.create_if_missing(true).pragma("secure_delete", "on").busy_timeout(Duration::from_secs(10))
            });
        }
        let db = Database::connect(options).await?;
        Migrator::up(&db, None).await?;
        Ok(Self(db))
    }

    /// The vault of this database, made when it is new.
    pub(crate) async fn vault(&self, key: &Arc<OpeningKey>) -> Result<Vault, DbError> {
        if let Some(row) = vault::Entity::find_by_id(1_i16).one(&self.0).await? {
            return Vault::open(Arc::clone(key), &row.wrapped).map_err(DbError::Key);
        }
        let (made, wrapped) = Vault::create(key).map_err(DbError::Key)?;
        vault::Entity::insert(vault::Model { id: 1, wrapped }.into_active_model()).exec(&self.0).await?;
        Ok(made)
    }

    pub(crate) async fn close(self) {
        if let Err(error) = self.0.close().await {
            tracing::warn!(%error, "the database did not close");
        }
    }

    pub(crate) async fn add_request(&self, row: request::Model) -> Done<()> {
        request::Entity::insert(row.into_active_model()).exec(&self.0).await.map(|_| ())
    }

    pub(crate) async fn request(&self, id: &str) -> Done<Option<request::Model>> {
        request::Entity::find_by_id(id.to_owned()).one(&self.0).await
    }

    pub(crate) async fn request_of_consent(&self, consent: &str) -> Done<Option<request::Model>> {
        request::Entity::find().filter(request::Column::Consent.eq(consent)).one(&self.0).await
    }

    /// Requests about these people in a state, newest first.
    pub(crate) async fn requests_of(&self, people: &[Vec<u8>], state: &str) -> Done<Vec<request::Model>> {
        let about =
            Condition::all().add(request::Column::Person.is_in(people.to_vec())).add(request::Column::State.eq(state));
        let found = request::Entity::find().filter(about).order_by_desc(request::Column::CreatedMs);
        found.limit(MOST).all(&self.0).await
    }

    /// Requests that were being written when the process ended.
    pub(crate) async fn unfinished(&self) -> Done<Vec<request::Model>> {
        request::Entity::find().filter(request::Column::State.eq(state::ISSUING)).all(&self.0).await
    }

    /// Moves a request from one state to another; false when it was not in the first.
    pub(crate) async fn turn(&self, id: &str, from: &str, to: &str, decided_ms: Option<i64>) -> Done<bool> {
        let turned = request::Entity::update_many()
            .col_expr(request::Column::State, Expr::value(to))
            .col_expr(request::Column::DecidedMs, Expr::value(decided_ms))
            .filter(request::Column::Id.eq(id))
            .filter(request::Column::State.eq(from));
        Ok(turned.exec(&self.0).await?.rows_affected == 1)
    }

    /// Writes a whole row.
    pub(crate) async fn put_request(&self, row: request::Model) -> Done<()> {
        row.into_active_model().reset_all().update(&self.0).await.map(|_| ())
    }

    pub(crate) async fn add_representation(&self, row: representation::Model) -> Done<()> {
        representation::Entity::insert(row.into_active_model()).exec(&self.0).await.map(|_| ())
    }

    /// Representations that stand at a moment, by who is spoken for.
    pub(crate) async fn speakers(&self, person: &[u8], now_ms: i64) -> Done<Vec<representation::Model>> {
        self.standing(representation::Column::Person, person, now_ms).await
    }

    /// Representations that stand at a moment, by who speaks.
    pub(crate) async fn spoken_for(&self, speaker: &[u8], now_ms: i64) -> Done<Vec<representation::Model>> {
        self.standing(representation::Column::Speaker, speaker, now_ms).await
    }

    async fn standing(&self, by: representation::Column, who: &[u8], now_ms: i64) -> Done<Vec<representation::Model>> {
        let stands = Condition::all()
            .add(by.eq(who))
            .add(representation::Column::RevokedMs.is_null())
            .add(representation::Column::ValidUntilMs.gt(now_ms));
        representation::Entity::find().filter(stands).limit(MOST).all(&self.0).await
    }

    /// Ends a representation; false when there is none that stands.
    pub(crate) async fn end_representation(&self, id: &str, now_ms: i64) -> Done<bool> {
        let ended = representation::Entity::update_many()
            .col_expr(representation::Column::RevokedMs, Expr::value(now_ms))
            .filter(representation::Column::Id.eq(id))
            .filter(representation::Column::RevokedMs.is_null());
        Ok(ended.exec(&self.0).await?.rows_affected == 1)
    }

    pub(crate) async fn add_session(&self, row: session::Model, now_ms: i64) -> Done<()> {
        session::Entity::delete_many().filter(session::Column::ExpiresMs.lte(now_ms)).exec(&self.0).await?;
        session::Entity::insert(row.into_active_model()).exec(&self.0).await.map(|_| ())
    }

    pub(crate) async fn session(&self, id: &[u8]) -> Done<Option<session::Model>> {
        session::Entity::find_by_id(id.to_vec()).one(&self.0).await
    }

    pub(crate) async fn end_session(&self, id: &[u8]) -> Done<()> {
        session::Entity::delete_by_id(id.to_vec()).exec(&self.0).await.map(|_| ())
    }

    /// Keeps a login under way; false when there are too many, since anybody may begin one.
    pub(crate) async fn add_login(&self, row: login::Model, now_ms: i64) -> Done<bool> {
        login::Entity::delete_many().filter(login::Column::ExpiresMs.lte(now_ms)).exec(&self.0).await?;
        if login::Entity::find().count(&self.0).await? >= LOGINS {
            return Ok(false);
        }
        login::Entity::insert(row.into_active_model()).exec(&self.0).await.map(|_| true)
    }

    /// Takes a login out: a state serves once, also when two callbacks come at the same time.
    pub(crate) async fn take_login(&self, id: &[u8]) -> Done<Option<login::Model>> {
        let found = login::Entity::find_by_id(id.to_vec()).one(&self.0).await?;
        let taken = login::Entity::delete_by_id(id.to_vec()).exec(&self.0).await?.rows_affected;
        Ok(found.filter(|_| taken == 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_schema_goes_up_and_down() {
        let db = Db::open("sqlite::memory:").await.unwrap();
        Migrator::down(&db.0, None).await.unwrap();
        Migrator::up(&db.0, None).await.unwrap();
        assert!(db.unfinished().await.unwrap().is_empty());
    }
}
