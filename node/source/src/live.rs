//! A table of the department, read where it stands.

use std::sync::Arc;

use async_trait::async_trait;
use covenant_domain::{Dataset, DatasetId, Record, Subject, Value};
use sea_orm::{DatabaseConnection, QueryResult};

use crate::database::{Access, connect, failed};
use crate::plan::{self, Plan};
use crate::pushdown::{KEYS, Lookup, keys_after};
use crate::table::{self, Class};
use crate::{Mapping, Origin, Source, SourceError, SubjectPage, cell};

/// Opens a live table for reading by key. Nothing is written to it and it is never scanned, provided that the key column
/// has an index; [`Source::checks`] tells when it has none.
///
/// Numbers are compared and printed by the database: key columns must be texts, amounts exact numbers.
///
/// # Errors
/// [`SourceError`] when the database cannot be opened, or table, column or type does not fit the mapping.
pub async fn live(url: &str, dataset: &Dataset, mapping: &Mapping) -> Result<Arc<dyn Source>, SourceError> {
    Ok(Arc::new(open(url, dataset, mapping).await?))
}

pub(crate) async fn open(url: &str, dataset: &Dataset, mapping: &Mapping) -> Result<LiveTable, SourceError> {
    let plan = Plan::new(dataset, mapping)?;
    let Origin::Table { name, key_column } = &mapping.origin else {
        let detail = "it has no `[table]`: import its csv file instead".to_owned();
        return Err(SourceError::Mapping { file: mapping.file.clone(), detail });
    };
    let quoted = quoted(name)?;
    let connection = connect(url, Access::Live).await?;
    let step = |e| failed(format!("look at table `{name}`"), e);
    let columns = table::columns(&connection, &quoted).await.map_err(step)?;
    let lookup = lookup(&connection, &plan, name, quoted.clone(), key_column, &columns)?;
    let mut checks = Vec::new();
    if !table::indexed(&connection, &quoted, key_column).await.map_err(step)? {
        tracing::warn!(table = %name, column = %key_column, "the key column has no index: every query scans the table");
        checks.push(format!(
            "table `{name}`: key column `{key_column}` has no index, every query scans the table: add one"
        ));
    }
    Ok(LiveTable {
        connection,
        table: name.clone(),
        key: key_column.clone(),
        dataset: dataset.clone(),
        plan,
        lookup,
        checks,
    })
}

fn wrong(table: &str, detail: String) -> SourceError {
    SourceError::Table { table: table.to_owned(), detail }
}

/// `"table"` or `"schema"."table"`.
fn quoted(name: &str) -> Result<String, SourceError> {
    let parts: Vec<&str> = name.split('.').collect();
    if parts.len() > 2 || !parts.iter().all(|p| table::plain(p)) {
        return Err(wrong(name, "the name is not plain: use letters, digits and `_`, or make a view".into()));
    }
    Ok(parts.iter().map(|p| format!("\"{p}\"")).collect::<Vec<_>>().join("."))
}

fn lookup(
    connection: &DatabaseConnection,
    plan: &Plan,
    name: &str,
    quoted: String,
    key: &str,
    columns: &[(String, Class)],
) -> Result<Lookup, SourceError> {
    if columns.is_empty() {
        return Err(wrong(name, "there is no such table, or its user may not see it".into()));
    }
    let backend = connection.get_database_backend();
    let parameter = match class_of(name, columns, key)? {
        Class::Text | Class::Any => "{key}",
        // Compared as `text` an index on a padded column would not serve.
        Class::Padded => "{key}::bpchar",
        _ => return Err(wrong(name, format!("key column `{key}` does not hold text: make a view that casts it"))),
    };
    let mut expressions = Vec::with_capacity(plan.rules.len());
    for rule in &plan.rules {
        let class = class_of(name, columns, &rule.column)?;
        let unfit = |why| wrong(name, format!("column `{}` for field `{}` {why}", rule.column, rule.name));
        table::fit(&rule.conversion, class).map_err(unfit)?;
        expressions.push(table::text_of(backend, &rule.conversion, &rule.column));
    }
    // Numbers with letters are found in either case.
    let lower = if parameter == "{key}" { "lower({key})" } else { "lower({key})::bpchar" };
    let condition = format!("t.\"{key}\" IN ({parameter}, {lower})");
    Ok(Lookup { columns: expressions, from: format!("{quoted} AS t"), condition, fixed: Vec::new() })
}

fn class_of(name: &str, columns: &[(String, Class)], column: &str) -> Result<Class, SourceError> {
    if !table::plain(column) {
        return Err(wrong(
            name,
            format!("column name `{column}` is not plain: use letters, digits and `_`, or make a view"),
        ));
    }
    let found = columns.iter().find(|(c, _)| c == column).map(|(_, class)| *class);
    found.ok_or_else(|| wrong(name, format!("there is no column `{column}`")))
}

pub(crate) struct LiveTable {
    pub(crate) connection: DatabaseConnection,
    table: String,
    key: String,
    dataset: Dataset,
    plan: Plan,
    pub(crate) lookup: Lookup,
    checks: Vec<String>,
}

impl LiveTable {
    fn failed(&self, error: sea_orm::DbErr) -> SourceError {
        failed(format!("read table `{}`", self.table), error)
    }

    fn record(&self, row: &QueryResult) -> Result<Record, SourceError> {
        let mut values: Vec<Value> = Vec::with_capacity(self.plan.rules.len());
        for (index, rule) in self.plan.rules.iter().enumerate() {
            let text: Option<String> = row.try_get_by_index(index + 1).map_err(|e| self.failed(e))?;
            let value = cell::convert(rule, &text.unwrap_or_default());
            let unfit = |fault| SourceError::Row { table: self.table.clone(), column: rule.column.clone(), fault };
            values.push(value.map_err(unfit)?);
        }
        Ok(self.plan.record(&values))
    }
}

#[async_trait]
impl Source for LiveTable {
    fn dataset(&self) -> &DatasetId {
        &self.dataset.id
    }

    async fn find(&self, subjects: &[Subject], limit: u32) -> Result<Vec<Vec<Record>>, SourceError> {
        plan::check_kind(&self.dataset, subjects)?;
        let mut found = vec![Vec::new(); subjects.len()];
        for (chunk, slots) in subjects.chunks(KEYS).zip(found.chunks_mut(KEYS)) {
            let keys: Vec<String> = chunk.iter().map(|s| s.expose().to_owned()).collect();
            let rows = self.lookup.rows(&self.connection, &keys, u64::from(limit) + 1).await;
            for row in rows.map_err(|e| self.failed(e))? {
                let index: i32 = row.try_get_by_index(0).map_err(|e| self.failed(e))?;
                if let Some(slot) = usize::try_from(index).ok().and_then(|i| slots.get_mut(i)) {
                    slot.push(self.record(&row)?);
                }
            }
        }
        Ok(found)
    }

    async fn subjects(&self, after: Option<&str>, limit: u32) -> Result<SubjectPage, SourceError> {
        let (key, from) = (format!("t.\"{}\"", self.key), self.lookup.from.as_str());
        let present = format!("{key} IS NOT NULL");
        let keys = keys_after(&self.connection, (&key, from, &present), &[], after, limit).await;
        let keys = keys.map_err(|e| self.failed(e))?;
        let unreadable = |_| SourceError::Key { place: format!("table `{}`, column `{}`", self.table, self.key) };
        let subject = |k: &String| Subject::of_kind(self.dataset.subject, k.trim());
        Ok(SubjectPage {
            next: keys.last().filter(|_| keys.len() == limit as usize).cloned(),
            subjects: keys.iter().map(subject).collect::<Result<_, _>>().map_err(unreadable)?,
        })
    }

    fn checks(&self) -> Vec<String> {
        self.checks.clone()
    }
}
