//! What the tests of this crate share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use covenant_domain::{Dataset, FieldName, Record, Subject, SubjectKind};
use covenant_source::{ImportOptions, ImportReport, Mapping, Source, SourceError, Vault, synthetic_subject};

pub(crate) mod postgres;

/// Says that a test cannot run, and fails where everything must.
pub(crate) fn skipped(test: &str, why: &str) {
    println!("SKIPPED {test}: {why}");
    assert_ne!(std::env::var("COVENANT_REQUIRE_ALL").as_deref(), Ok("1"), "SKIPPED {test}: {why}");
}

/// The public tables, where they are.
pub(crate) fn shared(test: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let dir = std::env::var_os("COVENANT_SHARED_DATA").map_or(beside, PathBuf::from);
    if dir.join("credit_card_clients.csv").exists() {
        return Some(dir);
    }
    // The tables are no part of the project: CI says so where it finds none, and then this is no failure.
    match std::env::var("COVENANT_WITHOUT_SHARED_DATA").as_deref() {
        Ok("1") => println!("SKIPPED {test}: no public tables on this machine"),
        _ => skipped(test, "no public tables: set COVENANT_SHARED_DATA"),
    }
    None
}

/// Description and mapping of a public table.
pub(crate) fn described(table: &str) -> (Dataset, Mapping) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mappings");
    let json = std::fs::read_to_string(dir.join(format!("{table}.json"))).unwrap();
    let dataset: Dataset = serde_json::from_str(&json).unwrap();
    dataset.check().unwrap();
    (dataset, Mapping::load(&dir.join(format!("{table}.toml"))).unwrap())
}

/// A small dataset of homes with one field of each kind.
pub(crate) fn homes() -> Dataset {
    let field = |name: &str, kind: &str| {
        let names = serde_json::json!({ "zh": name, "en": name });
        serde_json::json!({ "name": name, "names": names, "kind": kind, "personal": true, "modes": ["detail"] })
    };
    let fields = [
        ("address", "text"),
        ("area_cm2", "integer"),
        ("since", "date"),
        ("mortgaged", "boolean"),
        ("scan", "document"),
    ];
    serde_json::from_value(serde_json::json!({
        "id": "cov:yungang/gov/housing/registry/homes", "holder": "housing", "revision": 1,
        "names": { "zh": "房屋", "en": "homes" }, "duty_basis": "test", "sharing": "conditional", "grade": "general",
        "subject": "resident", "fields": fields.map(|(n, k)| field(n, k)), "max_rows": 10, "update_cycle": "daily",
    }))
    .unwrap()
}

const FIELDS: &str = "[[field]]\nname = \"area_cm2\"\ncolumn = \"area\"\ntype = \"decimal\"\nscale = 4\n\
    [[field]]\nname = \"address\"\ncolumn = \"address\"\ntype = \"text\"\nrequired = true\n\
    [[field]]\nname = \"since\"\ncolumn = \"since\"\ntype = \"date\"\n\
    [[field]]\nname = \"mortgaged\"\ncolumn = \"mortgaged\"\ntype = \"boolean\"\n";

/// Mapping of [`homes`] from a CSV with the columns `id,address,area,since,mortgaged`.
pub(crate) fn homes_csv() -> Mapping {
    mapping("subject = { column = \"id\", kind = \"resident\" }\n", FIELDS)
}

/// Mapping of [`homes`] from a live table with the same columns and a document in `scan`.
pub(crate) fn homes_table(table: &str, fields: &str) -> Result<Mapping, SourceError> {
    let head = format!("version = 1\ndataset = \"{}\"\nsubject = {{ kind = \"resident\" }}\n", homes().id);
    let scan = "[[field]]\nname = \"scan\"\ncolumn = \"scan\"\ntype = \"document\"\nmedia_type = \"application/pdf\"\n";
    let fields = if fields.is_empty() { format!("{FIELDS}{scan}") } else { fields.to_owned() };
    Mapping::parse(&format!("{head}{table}{fields}"), "homes.toml", Path::new("."))
}

pub(crate) fn mapping(subject: &str, fields: &str) -> Mapping {
    let text = format!("version = 1\ndataset = \"{}\"\n{subject}{fields}", homes().id);
    Mapping::parse(&text, "homes.toml", Path::new(".")).unwrap()
}

/// The n-th made-up resident.
pub(crate) fn person(n: u64) -> Subject {
    synthetic_subject(SubjectKind::Resident, n)
}

/// A vault in a temporary folder.
pub(crate) struct Desk {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) vault: Vault,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::open(&format!("sqlite://{}", dir.path().join("vault.db").display())).await.unwrap();
        Self { dir, vault }
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Imports a text as homes.
    pub(crate) async fn import(
        &self,
        content: impl AsRef<[u8]>,
        options: ImportOptions,
    ) -> Result<ImportReport, SourceError> {
        let file = self.file("homes.csv", content);
        self.vault.import(&homes(), &homes_csv(), &file, options, &mut |_| {}).await
    }

    pub(crate) async fn count(&self) -> u64 {
        self.vault.count(&homes().id).await.unwrap()
    }

    pub(crate) fn homes(&self) -> Arc<dyn Source> {
        self.vault.source(&homes())
    }
}

/// A field of a record as text.
pub(crate) fn text(record: &Record, field: &str) -> String {
    record.get(&FieldName::new(field).unwrap()).unwrap().to_text()
}
