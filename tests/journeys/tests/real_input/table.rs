//! A public table, read plainly: no code of the platform between the file and a value.

use std::path::{Path, PathBuf};

use covenant_domain::{Dataset, FieldKind, FieldName, Value};
use covenant_source::{Mapping, Vault};

/// One table with its description.
pub(crate) struct Table {
    pub(crate) dataset: Dataset,
    pub(crate) mapping: Mapping,
    pub(crate) file: PathBuf,
    pub(crate) header: Vec<String>,
    pub(crate) cells: Vec<csv::StringRecord>,
}

fn described(name: &str, kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../node/source/tests/mappings/{name}.{kind}"))
}

impl Table {
    pub(crate) fn read(data: &Path, name: &str) -> Self {
        let file = data.join(format!("{name}.csv"));
        let dataset: Dataset =
            serde_json::from_str(&std::fs::read_to_string(described(name, "json")).unwrap()).unwrap();
        dataset.check().unwrap();
        let mut plain = csv::Reader::from_path(&file).unwrap();
        let header = plain.headers().unwrap().iter().map(|h| h.trim_start_matches('\u{feff}').to_owned()).collect();
        let cells = plain.records().map(Result::unwrap).collect();
        Self { dataset, mapping: Mapping::load(&described(name, "toml")).unwrap(), file, header, cells }
    }

    /// The same mapping with some fields required.
    pub(crate) fn stricter(&self, required: &[&str]) -> Mapping {
        let mut mapping = self.mapping.clone();
        let chosen = mapping.fields.iter_mut().filter(|f| required.contains(&f.name.as_str()));
        chosen.for_each(|f| f.required = true);
        mapping
    }

    pub(crate) fn cell(&self, row: usize, column: &str) -> &str {
        self.cells[row].get(self.header.iter().position(|h| h == column).unwrap()).unwrap()
    }

    /// Every second field may be asked, the others not.
    pub(crate) fn granted(&self) -> Vec<FieldName> {
        self.dataset.fields.iter().step_by(2).map(|f| f.name.clone()).collect()
    }

    pub(crate) fn withheld(&self) -> Vec<FieldName> {
        self.dataset.fields.iter().skip(1).step_by(2).map(|f| f.name.clone()).collect()
    }

    /// What the file says: floats, split dates, white space folded by hand.
    pub(crate) fn value(&self, row: usize, field: &FieldName) -> Value {
        let column = &self.mapping.fields.iter().find(|f| &f.name == field).unwrap().column;
        let cell = self.cell(row, column).split_whitespace().collect::<Vec<_>>().join(" ");
        if cell.is_empty() {
            return Value::Absent;
        }
        match self.dataset.field(field).unwrap().kind {
            FieldKind::Integer => Value::Integer(cell.parse::<f64>().unwrap() as i64),
            FieldKind::Boolean => Value::Boolean(cell == "1"),
            FieldKind::Date => {
                let parts: Vec<u32> = cell.split('/').map(|p| p.parse().unwrap()).collect();
                let century = if parts[2] < 69 { 2000 } else { 1900 };
                Value::Date(format!("{:04}-{:02}-{:02}", century + parts[2], parts[0], parts[1]))
            }
            _ => Value::Text(cell),
        }
    }

    /// Rows imported and rejected.
    pub(crate) async fn import(&self, vault: &Vault) -> (u64, u64) {
        let options = covenant_source::ImportOptions {
            rejects: Some(std::env::temp_dir().join(format!("covenant-rejects-{}.csv", std::process::id()))),
            ..Default::default()
        };
        let report = vault.import(&self.dataset, &self.mapping, &self.file, options, &mut |_| {}).await.unwrap();
        (report.imported, report.rejected)
    }
}
