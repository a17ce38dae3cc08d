//! Brings records and rules into a fresh demo consortium.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use covenant_canon::{Digest, Label, to_bytes};
use covenant_client::Client;
use covenant_domain::{Body, Dataset, Grant, MemberId, SignedGrant};
use covenant_source::{ImportOptions, Mapping, Source, Vault};
use covenant_suite::suite;
use rand::Rng;

use crate::catalogue;
use crate::city::{City, Table};
use crate::consortium::{Consortium, Founding};
use crate::error::DemoError;

/// Rows that were imported, by dataset.
pub type Imported = BTreeMap<String, u64>;

/// Writes the city's exports into the departments' folders and imports them through their mapping files.
///
/// # Errors
/// [`DemoError`] naming the file at fault.
pub async fn import_city(
    founding: &Founding,
    city: &City,
    datasets: &[Dataset],
) -> Result<(BTreeMap<MemberId, Vec<Arc<dyn Source>>>, Imported), DemoError> {
    let mut sources: BTreeMap<MemberId, Vec<Arc<dyn Source>>> = BTreeMap::new();
    let mut vaults: BTreeMap<MemberId, Vault> = BTreeMap::new();
    let mut imported = Imported::new();
    for table in city.tables(catalogue::CONSORTIUM) {
        let holder = MemberId::new(table.holder)?;
        let Some(dataset) = datasets.iter().find(|d| d.holder == holder && d.id.name() == table.name) else { continue };
        let dir = founding.member_dir(&holder)?;
        if !vaults.contains_key(&holder) {
            let vault = Vault::open(&format!("sqlite://{}", dir.join("records.db").display())).await?;
            vaults.insert(holder.clone(), vault);
        }
        let Some(vault) = vaults.get(&holder) else { continue };
        if vault.count(&dataset.id).await? == 0 {
            let csv = write_table(&dir.join("export"), &table)?;
            let mapping = Mapping::load(&csv.with_extension("toml"))?;
            let report = vault.import(dataset, &mapping, &csv, ImportOptions::default(), &mut |_| {}).await?;
            imported.insert(table.name.to_owned(), report.imported);
        }
        sources.entry(holder).or_default().push(vault.source(dataset));
    }
    Ok((sources, imported))
}

/// Writes one export with its mapping and documents; returns the CSV's path.
fn write_table(dir: &Path, table: &Table) -> Result<std::path::PathBuf, DemoError> {
    let write = |path: &Path, content: &str| {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, content)
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DemoError::File { path, source }
    };
    let csv = dir.join(format!("{}.csv", table.name));
    write(&csv, &table.csv).map_err(failed(&csv))?;
    let mapping = csv.with_extension("toml");
    write(&mapping, &table.mapping).map_err(failed(&mapping))?;
    for document in &table.documents {
        let path = dir.join("documents").join(&document.name);
        write(&path, &document.content).map_err(failed(&path))?;
    }
    Ok(csv)
}

/// Publishes purposes, datasets, rule books and grants, each by the member whose it is.
///
/// # Errors
/// [`DemoError::Story`] when the ledger rejects one of them.
pub async fn publish_rules(consortium: &Consortium, datasets: &[Dataset], now_ms: u64) -> Result<(), DemoError> {
    let purposes = catalogue::purposes()?.into_iter().map(Body::PurposeRegistered).collect();
    publish(consortium, "regulator", purposes).await?;
    let mut random = || {
        let mut bytes = [0; 10];
        rand::rng().fill_bytes(&mut bytes);
        bytes
    };
    let grants = catalogue::grants(now_ms, &mut random)?;
    for book in catalogue::rule_books()? {
        let holder = book.holder.clone();
        let own = datasets.iter().filter(|d| d.holder == holder).cloned().map(Body::DatasetPublished);
        let mut bodies: Vec<Body> = own.collect();
        bodies.push(Body::PolicyAdopted(book));
        for grant in grants.iter().filter(|g| g.holder == holder) {
            bodies.push(Body::GrantIssued(counter_sign(&consortium.founding, grant.clone())?));
        }
        publish(consortium, holder.as_str(), bodies).await?;
    }
    Ok(())
}

/// The consumer's signature on a grant, made with its own key as it would at home.
///
/// # Errors
/// [`DemoError::Client`] when its keys cannot be read.
pub fn counter_sign(founding: &Founding, grant: Grant) -> Result<SignedGrant, DemoError> {
    let consumer = founding.identity(grant.consumer.as_str())?;
    let words = suite(founding.genesis.suite);
    let digest = Digest::of(founding.genesis.suite, Label::GRANT, &to_bytes(&grant));
    let signature = words.sign(&consumer.signing, Label::GRANT, digest.as_bytes());
    let signature = signature.map_err(|e| DemoError::story("grant", e.to_string()))?;
    Ok(SignedGrant { grant, consumer_signature: signature.to_string() })
}

/// Publishes as a member and demands that everything took effect.
///
/// # Errors
/// [`DemoError::Story`] with the ledger's reason.
pub async fn publish(consortium: &Consortium, member: &str, bodies: Vec<Body>) -> Result<(), DemoError> {
    publish_as(&consortium.client(member).await?, bodies).await
}

/// As [`publish`], with a client at hand.
///
/// # Errors
/// [`DemoError::Story`] with the ledger's reason.
pub async fn publish_as(client: &Client, bodies: Vec<Body>) -> Result<(), DemoError> {
    match client.publish(bodies).await?.into_iter().find_map(|o| o.rejected) {
        Some(reason) => Err(DemoError::story("publish", reason)),
        None => Ok(()),
    }
}
