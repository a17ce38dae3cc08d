//! Live tables of SQLite and PostgreSQL.

use covenant_domain::Value;
use covenant_source::{SourceError, live};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};

use crate::support::postgres::Postgres;
use crate::support::{homes, homes_table, person, skipped, text};

const TABLE: &str = "[table]\nname = \"homes\"\nkey_column = \"id\"\n";

async fn open(
    url: &str,
    table: &str,
    fields: &str,
) -> Result<std::sync::Arc<dyn covenant_source::Source>, SourceError> {
    live(url, &homes(), &homes_table(table, fields)?).await
}

async fn fill(database: &DatabaseConnection, create: &str, blob: &str) {
    database.execute_unprepared(create).await.unwrap();
    for n in 1..=150_u64 {
        let id = person(n).expose().to_lowercase();
        let row = format!("INSERT INTO homes VALUES ('{id}', '甲街  {n}', {n}.25, '2020-02-29', true, {blob})");
        database.execute_unprepared(&row).await.unwrap();
    }
    let more = format!(
        "INSERT INTO homes SELECT id, '乙街', 7, since, NULL, NULL FROM homes WHERE id = '{}'",
        person(3).expose().to_lowercase()
    );
    database.execute_unprepared(&more).await.unwrap();
    database.execute_unprepared(&more).await.unwrap();
}

/// The same look-ups and the same refusals on both.
async fn story(url: &str) {
    let source = open(url, TABLE, "").await.unwrap();
    assert_eq!(source.dataset(), &homes().id);
    let asked: Vec<_> = (1..=150).rev().chain([999]).map(person).collect();
    let found = source.find(&asked, 2).await.unwrap();
    let record = &found[0][0];
    assert_eq!((text(record, "address"), text(record, "since")), ("甲街 150".into(), "2020-02-29".into()));
    assert_eq!(record.values[1].1, Value::Integer(1_502_500));
    assert_eq!(record.values[3].1, Value::Boolean(true));
    assert!(matches!(&record.values[4].1, Value::Document { bytes, .. } if bytes == b"%PDF"));
    assert_eq!(found[147].len(), 3, "limit and one more");
    assert!(found[150].is_empty());

    for (table, fields, needle) in [
        ("[table]\nname = \"homes; DROP TABLE homes\"\nkey_column = \"id\"\n", "", "not plain"),
        ("[table]\nname = \"nowhere\"\nkey_column = \"id\"\n", "", "no such table"),
        ("[table]\nname = \"homes\"\nkey_column = \"nr\"\n", "", "no column `nr`"),
        ("[table]\nname = \"homes\"\nkey_column = \"id\\\" = \\\"id\"\n", "", "not plain"),
        ("[table]\nname = \"homes\"\nkey_column = \"area\"\n", "", "does not hold text"),
        (TABLE, "[[field]]\nname = \"address\"\ncolumn = \"scan\"\ntype = \"text\"\n", "`scan`"),
        (
            TABLE,
            "[[field]]\nname = \"scan\"\ncolumn = \"address\"\ntype = \"document\"\nmedia_type = \"a/b\"\n",
            "bytes",
        ),
        (TABLE, "[[field]]\nname = \"since\"\ncolumn = \"mortgaged\"\ntype = \"date\"\n", "does not convert"),
    ] {
        let error = open(url, table, fields).await.err().unwrap().to_string();
        assert!(error.contains(needle), "{needle}: {error}");
    }
    let strict = "[[field]]\nname = \"area_cm2\"\ncolumn = \"area\"\ntype = \"integer\"\n";
    let error = open(url, TABLE, strict).await.unwrap().find(&[person(5)], 1).await.unwrap_err().to_string();
    assert!(error.contains("`area`") && error.contains("not an integer") && !error.contains("5.25"), "{error}");
}

#[tokio::test]
async fn sqlite_table() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", dir.path().join("registry.db").display());
    let database = Database::connect(&url).await.unwrap();
    fill(
        &database,
        "CREATE TABLE homes (id TEXT, address TEXT, area DECIMAL, since DATE, mortgaged BOOLEAN, scan BLOB)",
        "x'25504446'",
    )
    .await;
    story(&url).await;
    let checks = open(&url, TABLE, "").await.unwrap().checks();
    assert!(checks.len() == 1 && checks[0].contains("no index"), "{checks:?}");
    database.execute_unprepared("CREATE INDEX by_id ON homes (id)").await.unwrap();
    assert!(open(&url, TABLE, "").await.unwrap().checks().is_empty());
    let missing = format!("sqlite://{}", dir.path().join("missing.db").display());
    assert!(open(&missing, TABLE, "").await.is_err() && !dir.path().join("missing.db").exists());
}

#[tokio::test]
async fn postgres_table() {
    let Some(server) = Postgres::start() else { return skipped("postgres_table", "no PostgreSQL") };
    let url = server.url();
    let database = Database::connect(&url).await.unwrap();
    for key in ["character(18)", "varchar(18)"] {
        let create = format!(
            "DROP TABLE IF EXISTS homes; CREATE TABLE homes (id {key}, address text, area numeric(12,2), since date, mortgaged boolean, scan bytea)"
        );
        fill(&database, &create, "'\\x25504446'").await;
        story(&url).await;
        assert!(open(&url, TABLE, "").await.unwrap().checks()[0].contains("no index"));
        database.execute_unprepared("CREATE INDEX ON homes (id)").await.unwrap();
        assert!(open(&url, TABLE, "").await.unwrap().checks().is_empty());
    }
    let schema = "[table]\nname = \"public.homes\"\nkey_column = \"id\"\n";
    assert_eq!(open(&url, schema, "").await.unwrap().find(&[person(1)], 1).await.unwrap()[0].len(), 1);
    let floats = "ALTER TABLE homes ALTER area TYPE double precision";
    database.execute_unprepared(floats).await.unwrap();
    assert!(open(&url, TABLE, "").await.err().unwrap().to_string().contains("floating point"));
}
