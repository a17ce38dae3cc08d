//! One statement that looks up several keys, each with its own limit.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, QueryResult, Statement, Value};

/// Keys per statement; SQLite joins at most 500 selects.
pub(crate) const KEYS: usize = 100;

/// Where rows are and how they are found.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    /// SQL expressions of the columns, in order; rows are sorted by them.
    pub(crate) columns: Vec<String>,
    /// What follows `FROM`.
    pub(crate) from: String,
    /// The condition, with `{key}` for the parameter of the key.
    pub(crate) condition: String,
    /// Parameters before the keys.
    pub(crate) fixed: Vec<String>,
}

/// Keys after one, in their order; the empty text is before all of them.
pub(crate) async fn keys_after(
    connection: &DatabaseConnection,
    (key, from, condition): (&str, &str, &str),
    fixed: &[String],
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<String>, DbErr> {
    let parameter = fixed.len() + 1;
    let sql = format!(
        "SELECT DISTINCT {key} AS k FROM {from} WHERE {condition} AND {key} > ${parameter} ORDER BY 1 LIMIT {limit}"
    );
    let values = fixed.iter().map(String::as_str).chain([after.unwrap_or_default()]).map(Value::from);
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.query_all_raw(statement).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}

impl Lookup {
    /// Rows of each key, sorted, at most `limit` each; column 0 is the key's index, the others follow.
    pub(crate) async fn rows(
        &self,
        connection: &DatabaseConnection,
        keys: &[String],
        limit: u64,
    ) -> Result<Vec<QueryResult>, DbErr> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let values = self.fixed.iter().chain(keys).map(|v| Value::from(v.clone()));
        let sql = self.sql(keys.len(), limit);
        connection.query_all_raw(Statement::from_sql_and_values(connection.get_database_backend(), sql, values)).await
    }

    /// `SELECT .. WHERE key = $1 ORDER BY .. LIMIT n UNION ALL SELECT .. WHERE key = $2 ..`: each branch is an index
    /// lookup that stops at its limit.
    pub(crate) fn sql(&self, keys: usize, limit: u64) -> String {
        let ordinals = (2..=self.columns.len() + 1).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
        let named: Vec<String> = self.columns.iter().enumerate().map(|(i, c)| format!("{c} AS c{i}")).collect();
        let (columns, from) = (named.join(", "), &self.from);
        let mut sql = String::new();
        for index in 0..keys {
            let parameter = format!("${}", self.fixed.len() + index + 1);
            let condition = self.condition.replace("{key}", &parameter);
            let union = if index == 0 { "" } else { " UNION ALL " };
            // Writing to a text cannot fail.
            let _infallible = write!(
                sql,
                "{union}SELECT * FROM (SELECT {index} AS k, {columns} FROM {from} WHERE {condition} \
                 ORDER BY {ordinals} LIMIT {limit}) AS b{index}"
            );
        }
        sql + " ORDER BY 1, " + &ordinals
    }
}
