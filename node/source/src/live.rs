//! A department's own table, read where it stands, by key only.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use covenant_domain::{Dataset, DatasetId, Record, Subject, Value as Cell};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Value};

use crate::cell::convert;
use crate::database::{connect, failed, statement};
use crate::intake::parse_subject;
use crate::plan::Plan;
use crate::{CellFault, Conversion, FieldRule, KeyKind, Mapping, Origin, Source, SourceError};

/// Subjects of one SELECT.
const SUBJECTS: usize = 100;

/// Opens a live table of PostgreSQL or SQLite, read-only. Table and columns must exist and their names be plain.
///
/// # Errors
/// [`SourceError`] when mapping, table or database are at fault.
pub async fn live(url: &str, dataset: &Dataset, mapping: &Mapping) -> Result<Arc<dyn Source>, SourceError> {
    let Origin::Table { name, key_column } = &mapping.origin else {
        let detail = "it maps a csv file, not a `[table]`".to_owned();
        return Err(SourceError::Mapping { file: mapping.file.clone(), detail });
    };
    let plan = Plan::new(dataset, mapping)?;
    let columns = plan.rules.iter().map(|r| &r.column).chain([key_column]);
    for identifier in columns.chain([name]) {
        check_plain(name, identifier)?;
    }
    let table = LiveTable {
        db: connect(url, false).await?,
        dataset: dataset.id.clone(),
        table: name.clone(),
        key_column: key_column.clone(),
        key: mapping.key,
        plan,
        checks: Vec::new(),
    };
    Ok(Arc::new(table.checked().await?))
}

/// Only names that need no quoting rules of their own; they are quoted all the same.
fn check_plain(table: &str, identifier: &str) -> Result<(), SourceError> {
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    let ok = identifier.split('.').all(|part| !part.is_empty() && part.chars().all(plain));
    if ok {
        return Ok(());
    }
    let detail = format!("`{identifier}` is not a plain name of letters, digits and `_`: offer a view with plain names");
    Err(SourceError::Table { table: table.to_owned(), detail })
}

fn quoted(identifier: &str) -> String {
    identifier.split('.').map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(".")
}

struct LiveTable {
    db: DatabaseConnection,
    dataset: DatasetId,
    table: String,
    key_column: String,
    key: KeyKind,
    plan: Plan,
    checks: Vec<String>,
}

impl LiveTable {
    /// Asks for nothing, which shows that table and columns are there, and whether the key is indexed.
    async fn checked(mut self) -> Result<Self, SourceError> {
        let sql = self.select("1 = 0");
        let probe = self.db.query_all_raw(statement(self.db.get_database_backend(), &sql, Vec::new())).await;
        probe.map_err(|e| {
            let detail = format!("cannot be read as mapped: {e}");
            SourceError::Table { table: self.table.clone(), detail }
        })?;
        if !self.key_is_indexed().await? {
            let check = format!("column `{}` of table `{}` has no index: every query scans it", self.key_column, self.table);
            tracing::warn!(table = %self.table, column = %self.key_column, "the key column has no index");
            self.checks.push(check);
        }
        Ok(self)
    }

    async fn key_is_indexed(&self) -> Result<bool, SourceError> {
        let backend = self.db.get_database_backend();
        let (schema, table) = self.table.split_once('.').unwrap_or(("public", &self.table));
        let (sql, values): (&str, Vec<Value>) = match backend {
            DbBackend::Postgres => (
                "SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
                 JOIN pg_namespace n ON n.oid = c.relnamespace \
                 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
                 WHERE n.nspname = ? AND c.relname = ? AND a.attname = ?",
                vec![schema.into(), table.into(), self.key_column.as_str().into()],
            ),
            _ => (
                "SELECT 1 FROM pragma_index_list(?) l JOIN pragma_index_info(l.name) i ON i.seqno = 0 WHERE i.name = ? \
                 UNION SELECT 1 FROM pragma_table_info(?) WHERE pk = 1 AND name = ?",
                vec![
                    table.into(),
                    self.key_column.as_str().into(),
                    table.into(),
                    self.key_column.as_str().into(),
                ],
            ),
        };
        let row = self.db.query_one_raw(statement(backend, sql, values)).await;
        Ok(row.map_err(|e| failed("look for an index", e))?.is_some())
    }

    /// Values come as text, whatever the column's type, so that one set of rules serves files and tables.
    fn select(&self, condition: &str) -> String {
        let text = |column: &str| format!("CAST({} AS TEXT)", quoted(column));
        let mut columns = vec![text(&self.key_column)];
        columns.extend(self.plan.rules.iter().map(|rule| match rule.conversion {
            Conversion::Document { base_dir: None, .. } => quoted(&rule.column),
            _ => text(&rule.column),
        }));
        format!("SELECT {} FROM {} WHERE {condition}", columns.join(", "), quoted(&self.table))
    }

    fn record(&self, row: &QueryResult) -> Result<Record, SourceError> {
        let cell = |(index, rule): (usize, &FieldRule)| {
            let fault = |fault| SourceError::Row { table: self.table.clone(), column: rule.column.clone(), fault };
            if let Conversion::Document { base_dir: None, media_type, max_bytes } = &rule.conversion {
                let bytes: Option<Vec<u8>> = row.try_get_by_index(index + 1).map_err(|_| fault(CellFault::NotBytes))?;
                let Some(bytes) = bytes else { return Ok(Cell::Absent) };
                if bytes.len() as u64 > *max_bytes {
                    return Err(fault(CellFault::LargeDocument { max: *max_bytes }));
                }
                return Ok(Cell::Document { media_type: media_type.clone(), bytes });
            }
            let text: Option<String> = row.try_get_by_index(index + 1).map_err(|e| failed("read a row", e))?;
            convert(rule, text.as_deref().unwrap_or_default()).map_err(fault)
        };
        let values = self.plan.rules.iter().enumerate().map(cell).collect::<Result<Vec<_>, _>>()?;
        Ok(self.plan.record(&values))
    }
}

#[async_trait]
impl Source for LiveTable {
    fn dataset(&self) -> &DatasetId {
        &self.dataset
    }

    async fn find(&self, subjects: &[Subject], limit: u32) -> Result<Vec<Vec<Record>>, SourceError> {
        let mut found: HashMap<Subject, Vec<Record>> = HashMap::new();
        for chunk in subjects.chunks(SUBJECTS) {
            let places = vec!["?"; chunk.len()].join(", ");
            // The key is compared as it is stored, so that its index serves.
            let sql = self.select(&format!("{} IN ({places})", quoted(&self.key_column)));
            let values = chunk.iter().map(|s| Value::from(s.expose())).collect();
            let rows = self.db.query_all_raw(statement(self.db.get_database_backend(), &sql, values)).await;
            for row in rows.map_err(|e| failed(format!("read table `{}`", self.table), e))? {
                let key: String = row.try_get_by_index(0).map_err(|e| failed("read a key", e))?;
                let fault = |fault| SourceError::Row { table: self.table.clone(), column: self.key_column.clone(), fault };
                let of_subject = found.entry(parse_subject(self.key, &key).map_err(fault)?).or_default();
                if of_subject.len() <= limit as usize {
                    of_subject.push(self.record(&row)?);
                }
            }
        }
        Ok(subjects.iter().map(|s| found.get(s).cloned().unwrap_or_default()).collect())
    }

    fn checks(&self) -> Vec<String> {
        self.checks.clone()
    }
}
