//! Every table by its columns, for work that treats them all alike: copying, emptying, measuring.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};

use crate::error::Fault;
use crate::row::{checksum, insert_as_is, push_placeholders};

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Big,
    Small,
    Text,
    Bytes,
    Flag,
}

/// Whether the row's checksum covers a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sum {
    Covered,
    Free,
    /// Covered where it is present; older rows were summed without it.
    Present,
}

pub(crate) struct Column {
    pub(crate) name: &'static str,
    kind: Kind,
    null: bool,
    sum: Sum,
}

/// A table, its columns in the order in which its checksum takes them.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    columns: &'static [Column],
    key: &'static [&'static str],
    /// Rows read at once: few where they are long.
    page: u64,
}

const fn col(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, null: false, sum: Sum::Covered }
}

const fn maybe(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, null: true, sum: Sum::Covered }
}

const SUM: Column = Column { name: "checksum", kind: Kind::Big, null: false, sum: Sum::Free };

use Kind::{Big, Bytes, Flag, Small, Text};

/// All tables of the replica. A table that is not named here is in no backup; a test compares with the schema.
pub(crate) const TABLES: [Table; 14] = [
    Table {
        name: "blocks",
        columns: &[
            col("height", Big),
            col("id", Bytes),
            col("time_ms", Big),
            col("bytes", Bytes),
            col("certificate", Bytes),
            Column { name: "archived", kind: Bytes, null: true, sum: Sum::Present },
            SUM,
        ],
        key: &["height"],
        page: 8,
    },
    Table {
        name: "entries",
        columns: &[
            col("leaf", Big),
            col("height", Big),
            maybe("batch", Big),
            col("position", Big),
            col("digest", Bytes),
            col("digest_head", Big),
            maybe("author", Text),
            col("kind", Text),
            col("about", Text),
            col("fresh_ms", Big),
            col("seen", Small),
            maybe("derived", Bytes),
            SUM,
        ],
        key: &["leaf"],
        page: 512,
    },
    Table { name: "links", columns: &[col("under", Text), col("leaf", Big)], key: &["under", "leaf"], page: 4096 },
    Table { name: "kinds", columns: &[col("kind", Text), col("entries", Big)], key: &["kind"], page: 1024 },
    Table { name: "state", columns: &[col("key", Bytes), col("value", Bytes), SUM], key: &["key"], page: 256 },
    Table {
        name: "tiles",
        columns: &[col("algorithm", Small), col("level", Small), col("position", Big), col("hashes", Bytes), SUM],
        key: &["algorithm", "level", "position"],
        page: 64,
    },
    Table {
        name: "remembered",
        columns: &[col("position", Big), col("fresh_ms", Big), col("entry", Bytes), maybe("intent", Bytes), SUM],
        key: &["position"],
        page: 1024,
    },
    Table {
        name: "evidence",
        columns: &[col("height", Big), col("position", Big), col("bytes", Bytes), SUM],
        key: &["height", "position"],
        page: 64,
    },
    Table {
        name: "undecided",
        columns: &[
            col("height", Big),
            col("round", Big),
            col("id", Bytes),
            col("proposer", Text),
            col("bytes", Bytes),
            SUM,
        ],
        key: &["height", "round", "id"],
        page: 8,
    },
    Table {
        name: "pending",
        columns: &[
            Column { name: "arrival", kind: Big, null: false, sum: Sum::Free },
            col("id", Bytes),
            col("author", Text),
            col("bytes", Bytes),
            SUM,
        ],
        key: &["arrival"],
        page: 16,
    },
    Table {
        name: "inputs",
        columns: &[col("intent", Bytes), col("consumer", Text), col("sealed", Bytes), col("received_ms", Big), SUM],
        key: &["intent", "consumer"],
        page: 8,
    },
    Table {
        name: "answers",
        columns: &[
            col("intent", Bytes),
            col("consumer", Text),
            col("sealed", Bytes),
            col("completion", Bytes),
            col("submitted", Flag),
            col("created_ms", Big),
            SUM,
        ],
        key: &["intent"],
        page: 8,
    },
    Table { name: "marks", columns: &[col("name", Text), col("bytes", Bytes), SUM], key: &["name"], page: 16 },
    Table {
        name: "tip",
        columns: &[
            col("only", Small),
            col("height", Big),
            col("block", Bytes),
            col("time_ms", Big),
            col("log_size", Big),
            SUM,
        ],
        key: &["only"],
        page: 1,
    },
];

/// One row, a value for each column.
pub(crate) type Values = Vec<Value>;

impl Table {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.name == name)
    }

    /// The rows behind one, in the order of the key, with their checksums compared; none at the end.
    pub(crate) async fn page(&self, db: &impl ConnectionTrait, after: Option<&Values>) -> Result<Vec<Values>, Fault> {
        let backend = db.get_database_backend();
        let (columns, key) = (self.names().join("\", \""), self.key.join("\", \""));
        let mut sql = format!("SELECT \"{columns}\" FROM \"{}\"", self.name);
        if after.is_some() {
            sql.push_str(&format!(" WHERE (\"{key}\") > ("));
            push_placeholders(&mut sql, 1, self.key.len(), backend);
            sql.push(')');
        }
        sql.push_str(&format!(" ORDER BY \"{}\" LIMIT {}", self.key.join("\", \""), self.page));
        let last = after.map(|row| self.key_of(row)).unwrap_or_default();
        let found = db.query_all_raw(Statement::from_sql_and_values(backend, sql, last)).await?;
        found.iter().map(|row| self.values(row)).collect()
    }

    fn values(&self, row: &QueryResult) -> Result<Values, Fault> {
        let values = self.columns.iter().enumerate().map(|(at, column)| column.read(row, at));
        let values = values.collect::<Result<Values, _>>()?;
        if self.is_whole(&values) {
            return Ok(values);
        }
        Err(Fault::Damage(format!("a row of table `{}` is not what was written", self.name)))
    }

    /// Whether a row has the checksum that it was written with; rows of tables without one always have.
    pub(crate) fn is_whole(&self, row: &[Value]) -> bool {
        let covered = self.columns.iter().zip(row).filter(|(column, value)| column.covers(value));
        let covered = covered.map(|(_, value)| value);
        match (self.names().last(), row.last()) {
            (Some(&"checksum"), Some(Value::BigInt(Some(sum)))) => *sum == checksum(covered),
            (Some(&"checksum"), _) => false,
            _ => true,
        }
    }

    fn key_of(&self, row: &[Value]) -> Values {
        let column = |name: &&str| self.columns.iter().position(|c| c.name == *name);
        self.key.iter().filter_map(|name| row.get(column(name)?).cloned()).collect()
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.columns.iter().map(|column| column.name).collect()
    }

    /// Writes rows with the checksums they have.
    pub(crate) async fn put(&self, db: &impl ConnectionTrait, rows: Vec<Values>) -> Result<(), Fault> {
        insert_as_is(db, self.name, &self.names(), rows.into_iter().flatten().collect()).await
    }

    pub(crate) async fn is_empty(&self, db: &impl ConnectionTrait) -> Result<bool, Fault> {
        let sql = format!("SELECT 1 FROM \"{}\" LIMIT 1", self.name);
        Ok(db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?.is_none())
    }

    /// Nobody else may read meanwhile: what PostgreSQL truncates is gone for older snapshots too.
    pub(crate) async fn empty(&self, db: &impl ConnectionTrait) -> Result<(), Fault> {
        let verb = if db.get_database_backend() == DbBackend::Postgres { "TRUNCATE" } else { "DELETE FROM" };
        db.execute_unprepared(&format!("{verb} \"{}\"", self.name)).await?;
        Ok(())
    }

    /// Rows as canonical CBOR: an array of arrays.
    pub(crate) fn encode(rows: &[Values], out: &mut Encoder<Vec<u8>>) -> Result<(), Fault> {
        let told = |e: minicbor::encode::Error<_>| Fault::Damage(e.to_string());
        out.array(rows.len() as u64).map_err(told)?;
        for row in rows {
            out.array(row.len() as u64).map_err(told)?;
            for value in row {
                match value {
                    Value::BigInt(Some(number)) => out.i64(*number),
                    Value::SmallInt(Some(number)) => out.i16(*number),
                    Value::String(Some(text)) => out.str(text),
                    Value::Bytes(Some(bytes)) => out.bytes(bytes),
                    Value::Bool(Some(flag)) => out.bool(*flag),
                    _ => out.null(),
                }
                .map_err(told)?;
            }
        }
        Ok(())
    }

    pub(crate) fn decode(&self, from: &mut Decoder<'_>) -> Result<Vec<Values>, minicbor::decode::Error> {
        let count = from.array()?.ok_or_else(wrong)?;
        let mut rows = Vec::new();
        for _ in 0..count {
            if from.array()? != Some(self.columns.len() as u64) {
                return Err(wrong());
            }
            rows.push(self.columns.iter().map(|column| column.decode(from)).collect::<Result<_, _>>()?);
        }
        Ok(rows)
    }
}

fn wrong() -> minicbor::decode::Error {
    minicbor::decode::Error::message("not the rows of this table")
}

impl Column {
    fn covers(&self, value: &Value) -> bool {
        match self.sum {
            Sum::Covered => true,
            Sum::Free => false,
            Sum::Present => !matches!(value, Value::Bytes(None)),
        }
    }

    fn read(&self, row: &QueryResult, at: usize) -> Result<Value, Fault> {
        Ok(match self.kind {
            Kind::Big => Value::BigInt(row.try_get_by_index(at)?),
            Kind::Small => Value::SmallInt(row.try_get_by_index(at)?),
            Kind::Text => Value::String(row.try_get_by_index(at)?),
            Kind::Bytes => Value::Bytes(row.try_get_by_index(at)?),
            Kind::Flag => Value::Bool(row.try_get_by_index(at)?),
        })
    }

    fn decode(&self, from: &mut Decoder<'_>) -> Result<Value, minicbor::decode::Error> {
        let absent = self.null && from.datatype()? == Type::Null;
        if absent {
            from.null()?;
        }
        Ok(match self.kind {
            Kind::Big => Value::BigInt((!absent).then(|| from.i64()).transpose()?),
            Kind::Small => Value::SmallInt((!absent).then(|| from.i16()).transpose()?),
            Kind::Text => Value::String((!absent).then(|| from.str().map(str::to_owned)).transpose()?),
            Kind::Bytes => Value::Bytes((!absent).then(|| from.bytes().map(<[u8]>::to_vec)).transpose()?),
            Kind::Flag => Value::Bool((!absent).then(|| from.bool()).transpose()?),
        })
    }
}
