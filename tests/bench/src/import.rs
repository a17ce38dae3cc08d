//! A CSV of 30 000 rows into the vault.

use std::path::PathBuf;

use covenant_demo::catalogue;
use covenant_demo::city::City;
use covenant_source::{ImportOptions, Mapping, Vault};

use crate::figure::{Failure, Figure};

/// Credit records of a city of 30 000, through the demo's mapping file.
pub(crate) async fn run() -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let city = City::generate(1, 30_000, 1);
    let tables = city.tables(catalogue::CONSORTIUM);
    let table = tables.iter().find(|t| t.name == "credit").ok_or("no table")?;
    let (csv, toml): (PathBuf, PathBuf) = (dir.path().join("credit.csv"), dir.path().join("credit.toml"));
    std::fs::write(&csv, &table.csv)?;
    std::fs::write(&toml, &table.mapping)?;
    let datasets = catalogue::datasets()?;
    let dataset = datasets.iter().find(|d| d.id.name() == "credit").ok_or("no dataset")?;
    let vault = Vault::open(&format!("sqlite://{}", dir.path().join("records.db").display())).await?;
    let mapping = Mapping::load(&toml)?;
    let report = vault.import(dataset, &mapping, &csv, ImportOptions::default(), &mut |_| {}).await?;
    if report.imported != 30_000 {
        return Err(format!("{} rows were imported", report.imported).into());
    }
    Ok(vec![Figure {
        name: "import of 30 000 rows",
        value: report.elapsed_ms as f64 / 1e3,
        unit: "s",
        goal: 5.0,
        limit: None,
        limit_is: "",
    }])
}
