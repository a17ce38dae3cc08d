//! Brings records and rules into a fresh demo consortium.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use covenant_canon::{Digest, Label, to_bytes};
use covenant_client::{Client, ten_random_bytes};
use covenant_daemon::{Clock, SystemClock};
use covenant_domain::{
    Ballot, Body, Dataset, Grant, MemberId, Proposal, ProposalId, ProposalSubject, RuleBook, SignedGrant, Vote,
};
use covenant_review::{Catalogue, review};
use covenant_source::{ImportOptions, Mapping, RecordCheck, Source, Vault};
use covenant_suite::suite;

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
            let model = dataset.about.as_ref().and_then(|about| covenant_models::model(about.model.as_deref()?));
            let options = ImportOptions { check: model.map(RecordCheck::by), ..ImportOptions::default() };
            let report = vault.import(dataset, &mapping, &csv, options, &mut |_| {}).await?;
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

/// Brings rule books into force: by everybody's vote where the charter wants one, else each by its holder.
async fn adopt(consortium: &Consortium, books: Vec<RuleBook>) -> Result<(), DemoError> {
    let genesis = &consortium.founding.genesis;
    if genesis.charter.policy_vote.is_none() {
        for book in books {
            publish(consortium, book.holder.clone().as_str(), vec![Body::PolicyAdopted(book)]).await?;
        }
        return Ok(());
    }
    let (datasets, purposes) = (catalogue::datasets()?, catalogue::purposes()?);
    let mut proposed = Vec::new();
    for book in books {
        let id = ProposalId::from_parts(SystemClock.now_ms(), &ten_random_bytes());
        let holder = book.holder.clone();
        let known = Catalogue { datasets: &datasets, purposes: &purposes, members: &genesis.members };
        let reviewed = review(genesis.suite, &book, None, &known).digest(genesis.suite);
        let subject = ProposalSubject::Policy { book, review: reviewed };
        let proposal = Proposal { id, subject, reason: "首次建立规则库".into() };
        publish(consortium, holder.as_str(), vec![Body::ProposalOpened(proposal)]).await?;
        proposed.push((holder, id));
    }
    for voter in genesis.members.iter().filter(|m| m.votes()) {
        let foreign = proposed.iter().filter(|(holder, _)| holder != &voter.id);
        let ballot = |(_, id): &(MemberId, ProposalId)| {
            Body::BallotCast(Ballot { proposal: *id, vote: Vote::Yes, reason: "已审阅".into() })
        };
        publish(consortium, voter.id.as_str(), foreign.map(ballot).collect()).await?;
    }
    Ok(())
}

/// Publishes purposes, datasets, rule books and grants, each by the member whose it is.
///
/// # Errors
/// [`DemoError::Story`] when the ledger rejects one of them.
pub async fn publish_rules(consortium: &Consortium, datasets: &[Dataset], now_ms: u64) -> Result<(), DemoError> {
    let purposes = catalogue::purposes()?.into_iter().map(Body::PurposeRegistered).collect();
    publish(consortium, "regulator", purposes).await?;
    let (books, grants) = (catalogue::rule_books()?, catalogue::grants(now_ms, ten_random_bytes)?);
    for book in &books {
        let own = datasets.iter().filter(|d| d.holder == book.holder).cloned().map(Body::DatasetPublished);
        let mut bodies: Vec<Body> = own.collect();
        for grant in grants.iter().filter(|g| g.holder == book.holder) {
            bodies.push(Body::GrantIssued(counter_sign(&consortium.founding, grant.clone())?));
        }
        publish(consortium, book.holder.as_str(), bodies).await?;
    }
    adopt(consortium, books).await
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
