//! Rows: many in one statement, with a checksum each; numbers and ids to and from columns.

use covenant_canon::{Digest, HashAlgorithm, Hasher};
use covenant_domain::{IntentId, MemberId};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ModelTrait, Statement, Value};
use uuid::Uuid;

use crate::error::{Fault, StoreError};

/// Where rows go and what happens to those that are there already.
pub(crate) struct Insert {
    pub(crate) table: &'static str,
    /// The columns that are written. When the last is `checksum`, it is computed over those before it.
    pub(crate) columns: &'static [&'static str],
    /// An `ON CONFLICT` clause, or nothing.
    pub(crate) conflict: &'static str,
}

/// Inserts rows, given one after the other as a flat list of values without their checksums.
pub(crate) async fn insert(db: &impl ConnectionTrait, into: &Insert, values: Vec<Value>) -> Result<(), Fault> {
    let width = into.columns.len();
    let values = if into.is_checked() { with_checksums(values, width - 1) } else { values };
    let sql = |rows, backend| insert_sql(into.table, into.columns, into.conflict, rows, backend);
    for_chunks(db, values, width, sql).await.map(drop)
}

/// Inserts rows whose checksums are among their values.
pub(crate) async fn insert_as_is(
    db: &impl ConnectionTrait,
    table: &str,
    columns: &[&str],
    values: Vec<Value>,
) -> Result<(), Fault> {
    let sql = |rows, backend| insert_sql(table, columns, "", rows, backend);
    for_chunks(db, values, columns.len(), sql).await.map(drop)
}

fn with_checksums(values: Vec<Value>, width: usize) -> Vec<Value> {
    let mut checked = Vec::with_capacity(values.len() + values.len() / width.max(1));
    let mut values = values.into_iter();
    while values.len() > 0 {
        let row = checked.len();
        checked.extend(values.by_ref().take(width));
        let sum = checksum(checked.get(row..).unwrap_or_default());
        checked.push(sum.into());
    }
    checked
}

/// The first eight bytes of SHA-256 over the values. Databases keep no checksum of the insides of their values, and
/// this one finds damage, not malice: what others vouch for is checked against their signatures elsewhere.
pub(crate) fn checksum<'a>(values: impl IntoIterator<Item = &'a Value>) -> i64 {
    let mut hasher = Hasher::new(HashAlgorithm::Sha256);
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    for value in values {
        match value {
            Value::BigInt(Some(number)) => add(&number.to_be_bytes()),
            Value::SmallInt(Some(number)) => add(&number.to_be_bytes()),
            Value::String(Some(text)) => add(text.as_bytes()),
            Value::Bytes(Some(bytes)) => add(bytes),
            // A flag may be set later, so it is not covered.
            Value::Bool(_) => {}
            // Absent: no other value of a column that may be is one byte long.
            _ => add(&[0]),
        }
    }
    head(&hasher.finish())
}

/// The first eight bytes of a digest as a column holds them.
pub(crate) fn head(digest: &Digest) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = digest.0;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Compares a row that was read with its checksum.
pub(crate) fn whole<M>(found: M, from: &Insert) -> Result<M, Fault>
where
    M: ModelTrait,
    <M::Entity as EntityTrait>::Column: ColumnTrait,
{
    let mut values = Vec::with_capacity(from.columns.len());
    for name in from.columns {
        let column = name.parse().map_err(|_| Fault::Damage(format!("no column `{name}`")))?;
        values.push(found.get(column));
    }
    match values.pop() {
        Some(Value::BigInt(Some(sum))) if sum == checksum(&values) => Ok(found),
        _ => Err(Fault::Damage(format!("a row of table `{}` is not what was written", from.table))),
    }
}

/// Deletes the rows whose column has one of the values and counts them.
pub(crate) async fn delete(
    db: &impl ConnectionTrait,
    table: &'static str,
    column: &'static str,
    values: Vec<Value>,
) -> Result<u64, Fault> {
    let sql = |rows, backend| {
        let mut sql = format!("DELETE FROM \"{table}\" WHERE \"{column}\" IN (");
        push_placeholders(&mut sql, 1, rows, backend);
        sql.push(')');
        sql
    };
    for_chunks(db, values, 1, sql).await
}

/// Rows per statement: as many as fit, then fewer. Few sizes, so that the prepared statements of all tables stay in
/// the connection's cache; preparing one of a thousand rows costs as much as running it.
const SIZES: [usize; 6] = [1024, 256, 64, 16, 4, 1];

async fn for_chunks(
    db: &impl ConnectionTrait,
    values: Vec<Value>,
    width: usize,
    sql: impl Fn(usize, DbBackend) -> String,
) -> Result<u64, Fault> {
    let backend = db.get_database_backend();
    let most = if backend == DbBackend::Sqlite { 32_766 } else { 65_535 };
    let mut left = values.len() / width.max(1);
    let mut values = values.into_iter();
    let mut changed = 0;
    while left > 0 {
        let rows = SIZES.into_iter().find(|n| *n <= left && n * width <= most).unwrap_or(1);
        let chunk = values.by_ref().take(rows * width);
        let statement = Statement::from_sql_and_values(backend, sql(rows, backend), chunk);
        changed += db.execute_raw(statement).await?.rows_affected();
        left -= rows;
    }
    Ok(changed)
}

impl Insert {
    fn is_checked(&self) -> bool {
        self.columns.last() == Some(&"checksum")
    }
}

fn insert_sql(table: &str, columns: &[&str], conflict: &str, rows: usize, backend: DbBackend) -> String {
    let width = columns.len();
    let mut sql = format!("INSERT INTO \"{table}\" (\"{}\") VALUES ", columns.join("\", \""));
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        push_placeholders(&mut sql, row * width + 1, width, backend);
        sql.push(')');
    }
    sql.push(' ');
    sql.push_str(conflict);
    sql
}

pub(crate) fn push_placeholders(sql: &mut String, first: usize, count: usize, backend: DbBackend) {
    for n in first..first + count {
        if n > first {
            sql.push_str(", ");
        }
        if backend == DbBackend::Sqlite {
            sql.push('?');
        } else {
            sql.push('$');
            sql.push_str(&n.to_string());
        }
    }
}

/// A number as a signed column holds it.
pub(crate) fn signed(what: &'static str, value: u64) -> Result<i64, Fault> {
    i64::try_from(value).map_err(|_| StoreError::Range { what, value }.into())
}

/// A number as it was before it was stored.
pub(crate) fn unsigned<N: TryFrom<i64>>(what: &str, stored: i64) -> Result<N, Fault> {
    N::try_from(stored).map_err(|_| Fault::Damage(format!("{what} {stored} is out of range")))
}

/// A digest as it was before it was stored.
pub(crate) fn digest(what: &str, stored: &[u8]) -> Result<Digest, Fault> {
    let bytes = stored.try_into().map_err(|_| Fault::Damage(format!("{what} has {} bytes, not 32", stored.len())))?;
    Ok(Digest(bytes))
}

/// A member id as it was before it was stored.
pub(crate) fn member(what: &str, stored: &str) -> Result<MemberId, Fault> {
    MemberId::new(stored).map_err(|e| Fault::Damage(format!("{what}: {e}")))
}

/// An intent id as it was before it was stored.
pub(crate) fn intent(what: &str, stored: &[u8]) -> Result<IntentId, Fault> {
    Uuid::from_slice(stored).map(IntentId::from_uuid).map_err(|e| Fault::Damage(format!("{what}: {e}")))
}

/// The bytes of digests as values.
pub(crate) fn digests(ids: &[Digest]) -> Vec<Value> {
    ids.iter().map(|id| id.0.to_vec().into()).collect()
}
