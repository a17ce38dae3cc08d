//! What a live table looks like.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use crate::Conversion;

/// What a column holds, by its declared type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Text,
    /// `character(n)`, padded with spaces.
    Padded,
    Number,
    Float,
    Date,
    Boolean,
    Bytes,
    /// SQLite without a telling type.
    Any,
    Other,
}

/// Identifiers that are quoted into statements: letters (of any script), digits and `_`, at most 63 bytes.
pub(crate) fn plain(identifier: &str) -> bool {
    let first = identifier.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    first && identifier.len() <= 63 && identifier.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// A table's columns with their classes, empty when there is no such table. `table` is quoted.
pub(crate) async fn columns(connection: &DatabaseConnection, table: &str) -> Result<Vec<(String, Class)>, DbErr> {
    let backend = connection.get_database_backend();
    let sqlite = backend == DbBackend::Sqlite;
    let (sql, table) = if sqlite {
        ("SELECT name, type FROM pragma_table_info($1)", table.trim_matches('"'))
    } else {
        let sql = "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute \
                   WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped";
        (sql, table)
    };
    let rows = connection.query_all_raw(Statement::from_sql_and_values(backend, sql, [table.into()])).await?;
    let class = if sqlite { sqlite_class } else { postgres_class };
    rows.iter().map(|r| Ok((r.try_get_by_index(0)?, class(&r.try_get_by_index::<String>(1)?)))).collect()
}

/// Whether an index over all rows starts with the column.
pub(crate) async fn indexed(connection: &DatabaseConnection, table: &str, column: &str) -> Result<bool, DbErr> {
    let backend = connection.get_database_backend();
    let (sql, table) = if backend == DbBackend::Sqlite {
        let sql = "SELECT 1 FROM pragma_index_list($1) l JOIN pragma_index_info(l.name) i ON i.seqno = 0 \
                   WHERE i.name = $2 COLLATE NOCASE AND l.partial = 0";
        (sql, table.trim_matches('"'))
    } else {
        let sql = "SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
                   WHERE i.indrelid = to_regclass($1) AND a.attname = $2 AND i.indpred IS NULL AND i.indisvalid";
        (sql, table)
    };
    let values = [table.into(), column.into()];
    Ok(connection.query_one_raw(Statement::from_sql_and_values(backend, sql, values)).await?.is_some())
}

fn postgres_class(name: &str) -> Class {
    match name {
        "text" | "character varying" | "name" | "citext" => Class::Text,
        "character" | "bpchar" => Class::Padded,
        "smallint" | "integer" | "bigint" | "numeric" => Class::Number,
        "real" | "double precision" => Class::Float,
        "boolean" => Class::Boolean,
        "bytea" => Class::Bytes,
        _ if name == "date" || name.starts_with("timestamp") => Class::Date,
        _ => Class::Other,
    }
}

/// Declared types are hints in SQLite (<https://sqlite.org/datatype3.html>).
fn sqlite_class(name: &str) -> Class {
    let name = name.to_ascii_uppercase();
    let any = |parts: &[&str]| parts.iter().any(|p| name.contains(p));
    match () {
        () if any(&["BOOL"]) => Class::Boolean,
        () if any(&["DATE", "TIME"]) => Class::Date,
        () if any(&["INT", "NUM", "DEC"]) => Class::Number,
        () if any(&["CHAR", "CLOB", "TEXT"]) => Class::Text,
        () if any(&["REAL", "FLOA", "DOUB"]) => Class::Float,
        () if any(&["BLOB"]) => Class::Bytes,
        () => Class::Any,
    }
}

/// Whether texts of the class can convert; if not, why.
pub(crate) fn fit(conversion: &Conversion, class: Class) -> Result<(), &'static str> {
    use Class::{Any, Boolean, Bytes, Date, Float, Number, Other, Padded, Text};
    match (conversion, class) {
        (_, Any)
        | (Conversion::Text { .. }, Text | Padded | Number | Date | Boolean | Other | Float)
        | (Conversion::Integer | Conversion::Decimal { .. }, Number | Text | Padded)
        | (Conversion::Date { .. }, Date | Text | Padded)
        | (Conversion::Boolean { .. }, Boolean | Number | Text | Padded)
        | (Conversion::Document { base_dir: Some(_), .. }, Text | Padded)
        | (Conversion::Document { base_dir: None, .. }, Bytes) => Ok(()),
        (Conversion::Integer | Conversion::Decimal { .. }, Float) => {
            Err("holds floating point, which is not exact: use a numeric column or a view that rounds")
        }
        (Conversion::Document { base_dir: None, .. }, _) => {
            Err("does not hold bytes: give `base_dir` if it holds file names")
        }
        _ => Err("is of a type that does not convert to the field's `type`"),
    }
}

/// The column as text, documents as hex digits.
pub(crate) fn text_of(backend: DbBackend, conversion: &Conversion, column: &str) -> String {
    let bytes = matches!(conversion, Conversion::Document { base_dir: None, .. });
    match (backend, bytes) {
        (DbBackend::Sqlite, true) => format!("hex(t.\"{column}\")"),
        (DbBackend::Sqlite, false) => format!("CAST(t.\"{column}\" AS TEXT)"),
        (_, true) => format!("encode(t.\"{column}\", 'hex')"),
        (_, false) => format!("t.\"{column}\"::text"),
    }
}
