//! The story's evidence, as files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use covenant_client::Client;
use covenant_demo::Consortium;
use covenant_domain::{Body, Intent, IntentId, MemberId};
use covenant_ledger::{Report, verify_bundle};
use serde::Serialize;

use crate::error::CliError;
use crate::{files, words};

/// A bundle that was written.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    /// The query.
    intent: IntentId,
    /// Who asked.
    consumer: MemberId,
    /// The file.
    pub(crate) file: PathBuf,
    /// What it proves.
    outcome: String,
}

/// Fetches the evidence of every query from `first_leaf` on, as its consumer, and writes what verifies.
pub(crate) async fn write(consortium: &Consortium, dir: &Path, first_leaf: u64) -> Result<Vec<Written>, CliError> {
    files::make_dir(dir)?;
    let mut clients: BTreeMap<MemberId, Client> = BTreeMap::new();
    let mut written = Vec::new();
    for (intent, number) in intents(consortium, first_leaf).await?.into_iter().zip(1..) {
        let consumer = intent.consumer.clone();
        if !clients.contains_key(&consumer) {
            clients.insert(consumer.clone(), consortium.client(consumer.as_str()).await?);
        }
        let Some(client) = clients.get(&consumer) else { continue };
        // Waits for the completion of an answer that came before it.
        let report = client.verify(&intent.id).await?;
        let name = format!("{number:02}-{consumer}-{}", intent.dataset.name());
        let outcome = proved(&name, report)?;
        let bytes = client.evidence(&intent.id).await?;
        let file = dir.join(format!("{name}-{outcome}.cov"));
        proved(&name, verify_bundle(&bytes, client.trust()))?;
        // An earlier run in the same folder left a bundle of this name.
        std::fs::write(&file, &bytes).map_err(|source| CliError::File {
            action: "write",
            path: file.clone(),
            source,
        })?;
        written.push(Written { intent: intent.id, consumer, file, outcome });
    }
    Ok(written)
}

async fn intents(consortium: &Consortium, first_leaf: u64) -> Result<Vec<Intent>, CliError> {
    let mut found = Vec::new();
    let Some(node) = consortium.nodes.first() else { return Ok(found) };
    for leaf in first_leaf..node.tip().leaves {
        if let Some(Body::Intent(intent)) = node.entry(leaf).await?.map(|e| e.body) {
            found.push(intent);
        }
    }
    Ok(found)
}

fn proved(name: &str, report: Report) -> Result<String, CliError> {
    let step = report.failed.map(|s| words::name(&s)).unwrap_or_default();
    report.outcome.ok_or_else(|| CliError::Evidence { name: name.to_owned(), step })
}
