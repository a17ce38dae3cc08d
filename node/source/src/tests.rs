//! What needs a look inside: plans of statements, migrations, a full disk, a damaged file.

use covenant_domain::Dataset;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use sea_orm_migration::MigratorTrait;

use crate::migration::Migrator;
use crate::pushdown::Lookup;
use crate::{ImportOptions, Mapping, Vault, live, vault};

#[allow(clippy::unwrap_used, unreachable_pub, reason = "a helper of tests")]
#[path = "../tests/support/postgres.rs"]
mod postgres;

const MAPPING: &str = "version = 1\ndataset = \"cov:a/gov/b/c/d\"\nsubject = { kind = \"synthetic_resident\" }\n\
    [[field]]\nname = \"note\"\ncolumn = \"note\"\ntype = \"text\"\n";
const TABLE: &str = "version = 1\ndataset = \"cov:a/gov/b/c/d\"\nsubject = { kind = \"resident\" }\n\
    [table]\nname = \"notes\"\nkey_column = \"id\"\n[[field]]\nname = \"note\"\ncolumn = \"note\"\ntype = \"text\"\n";

fn notes() -> Dataset {
    let names = serde_json::json!({ "zh": "注", "en": "note" });
    let field =
        serde_json::json!({ "name": "note", "names": names, "kind": "text", "personal": false, "modes": ["detail"] });
    serde_json::from_value(serde_json::json!({
        "id": "cov:a/gov/b/c/d", "holder": "b", "revision": 1, "names": names, "duty_basis": "", "sharing": "conditional",
        "grade": "general", "subject": "resident", "fields": [field], "max_rows": 1, "update_cycle": "irregular",
    }))
    .unwrap()
}

fn mapping(text: &str) -> Mapping {
    Mapping::parse(text, "notes.toml", std::path::Path::new(".")).unwrap()
}

fn postgres(test: &str) -> Option<postgres::Postgres> {
    let server = postgres::Postgres::start();
    if server.is_none() {
        println!("SKIPPED {test}: no PostgreSQL");
        assert_ne!(std::env::var("COVENANT_REQUIRE_ALL").as_deref(), Ok("1"), "SKIPPED {test}");
    }
    server
}

struct Desk {
    dir: tempfile::TempDir,
    url: String,
    vault: Vault,
}

impl Desk {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", dir.path().join("vault.db").display());
        let vault = Vault::open(&url).await.unwrap();
        Self { dir, url, vault }
    }

    async fn import(&self, vault: &Vault, rows: usize) -> Result<u64, String> {
        let file = self.dir.path().join("notes.csv");
        std::fs::write(&file, "note,x\n".to_owned() + &"a longer note to fill pages,1\n".repeat(rows)).unwrap();
        let options = ImportOptions { replace: true, ..Default::default() };
        let report = vault.import(&notes(), &mapping(MAPPING), &file, options, &mut |_| {}).await;
        report.map(|r| r.imported).map_err(|e| e.to_string())
    }
}

#[tokio::test]
async fn a_full_disk_changes_nothing() {
    let desk = Desk::new().await;
    desk.import(&desk.vault, 100).await.unwrap();
    desk.vault.writer.execute_unprepared("PRAGMA max_page_count = 60").await.unwrap();
    let error = desk.import(&desk.vault, 20_000).await.unwrap_err();
    assert!(error.contains("disk is full") && error.contains("nothing was changed"), "{error}");
    assert_eq!(desk.vault.count(&notes().id).await.unwrap(), 100);
    desk.vault.writer.execute_unprepared("PRAGMA max_page_count = 100000").await.unwrap();
    assert_eq!(desk.import(&desk.vault, 20_000).await, Ok(20_000));
}

#[tokio::test]
async fn a_damaged_file_says_so() {
    let desk = Desk::new().await;
    desk.import(&desk.vault, 20_000).await.unwrap();
    desk.vault.writer.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    let path = desk.dir.path().join("vault.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8_192..].iter_mut().for_each(|b| *b = 0x5a);
    let copy = desk.dir.path().join("copy.db");
    std::fs::write(&copy, bytes).unwrap();
    let told = match Vault::open(&format!("sqlite://{}", copy.display())).await {
        Err(error) => error.to_string(),
        Ok(vault) => desk.import(&vault, 10).await.unwrap_err(),
    };
    assert!(told.contains("damaged"), "{told}");
}

async fn walk(connection: &DatabaseConnection) {
    for _ in 0..2 {
        Migrator::up(connection, None).await.unwrap();
        assert!(Migrator::get_pending_migrations(connection).await.unwrap().is_empty());
        Migrator::down(connection, None).await.unwrap();
        assert!(connection.execute_unprepared("SELECT * FROM vault_record").await.is_err());
    }
}

async fn plan(connection: &DatabaseConnection, lookup: &Lookup) -> String {
    let backend = connection.get_database_backend();
    let explain = if backend == DbBackend::Sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
    let values = lookup.fixed.iter().cloned().chain(["x".to_owned(), "y".to_owned()]).map(sea_orm::Value::from);
    let statement = Statement::from_sql_and_values(backend, format!("{explain} {}", lookup.sql(2, 11)), values);
    let column = if backend == DbBackend::Sqlite { 3 } else { 0 };
    let rows = connection.query_all_raw(statement).await.unwrap();
    rows.iter().map(|r| r.try_get_by_index::<String>(column).unwrap() + "\n").collect()
}

#[tokio::test]
async fn sqlite_walks_and_never_scans() {
    let desk = Desk::new().await;
    desk.import(&desk.vault, 5_000).await.unwrap();
    let database = Database::connect(&desk.url).await.unwrap();
    let vault = plan(&database, &vault::lookup(&notes())).await;
    assert!(vault.matches("SEARCH r USING").count() == 2 && !vault.contains("SCAN r"), "{vault}");
    database.execute_unprepared("CREATE TABLE notes (id TEXT PRIMARY KEY, note TEXT)").await.unwrap();
    let table = live::open(&desk.url, &notes(), &mapping(TABLE)).await.unwrap();
    let live = plan(&table.connection, &table.lookup).await;
    assert!(live.matches("SEARCH t USING").count() == 2 && !live.contains("SCAN t"), "{live}");
    assert!(table.connection.execute_unprepared("DELETE FROM notes").await.is_err(), "live tables are read only");
    walk(&database).await;
}

#[tokio::test]
async fn postgres_walks_and_never_scans() {
    let Some(server) = postgres("postgres_walks_and_never_scans") else { return };
    let (desk, vault) = (Desk::new().await, Vault::open(&server.url()).await.unwrap());
    desk.import(&vault, 5_000).await.unwrap();
    let database = Database::connect(server.url()).await.unwrap();
    database.execute_unprepared("ANALYZE").await.unwrap();
    let looked = plan(&database, &vault::lookup(&notes())).await;
    assert!(looked.contains("vault_record_pkey") && !looked.contains("Seq Scan on vault_record"), "{looked}");
    for key in ["character(18)", "varchar(18)", "text"] {
        let create = format!(
            "DROP TABLE IF EXISTS notes; CREATE TABLE notes (id {key} PRIMARY KEY, note text); \
             INSERT INTO notes SELECT lpad(n::text, 18, '0'), 'x' FROM generate_series(1, 20000) n; ANALYZE notes"
        );
        database.execute_unprepared(&create).await.unwrap();
        let table = live::open(&server.url(), &notes(), &mapping(TABLE)).await.unwrap();
        let live = plan(&table.connection, &table.lookup).await;
        assert!(live.contains("notes_pkey") && !live.contains("Seq Scan"), "{key}: {live}");
        assert!(table.connection.execute_unprepared("DELETE FROM notes").await.is_err(), "live tables are read only");
    }
    walk(&database).await;
}
