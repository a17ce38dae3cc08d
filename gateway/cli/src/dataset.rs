//! `covenant dataset`: the catalogue, and imports into the department's vault.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use covenant_domain::{Body, Dataset, DatasetChange, DatasetId, Mask};

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::import::{self, ImportArgs};
use crate::publish::publish;
use crate::table::Table;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum DatasetCommand {
    /// Import a CSV file into the department's vault; no network
    Import(ImportArgs),
    /// Publish a dataset, or a new revision of it, as its holder
    Publish {
        /// Its description, TOML or JSON
        file: PathBuf,
    },
    /// Announce its end, as its holder: it is answered until a time, then archived
    Deprecate {
        /// Its id
        id: DatasetId,
        /// Days from now until which it is answered
        #[arg(long)]
        days: u32,
        /// What takes its place
        #[arg(long)]
        successor: Option<DatasetId>,
    },
    /// Have it not answered until resumed; for holder, platform and regulators, each for itself
    Suspend {
        /// Its id
        id: DatasetId,
    },
    /// Lift one's own suspension
    Resume {
        /// Its id
        id: DatasetId,
    },
    /// End it for good, as its holder
    Archive {
        /// Its id
        id: DatasetId,
    },
    /// List the datasets in force
    List,
    /// Show one dataset with its fields
    Show {
        /// Its id
        id: DatasetId,
    },
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: DatasetCommand) -> Result<Document, CliError> {
    match command {
        DatasetCommand::Import(args) => import::run(context, args).await,
        DatasetCommand::Publish { file } => {
            let dataset = read(&file)?;
            publish(&context.client().await?, Body::DatasetPublished(dataset)).await
        }
        DatasetCommand::Deprecate { id, days, successor } => {
            let until_ms = words::now_ms().saturating_add(u64::from(days) * 24 * 3_600_000);
            change(context, id, DatasetChange::Deprecated { until_ms, successor }).await
        }
        DatasetCommand::Suspend { id } => change(context, id, DatasetChange::Suspended).await,
        DatasetCommand::Resume { id } => change(context, id, DatasetChange::Resumed).await,
        DatasetCommand::Archive { id } => change(context, id, DatasetChange::Archived).await,
        DatasetCommand::List => {
            let datasets = context.client().await?.datasets().await?;
            Ok(Document::new(listed(&datasets), &datasets))
        }
        DatasetCommand::Show { id } => {
            let dataset = context.client().await?.dataset(&id).await?;
            Ok(Document::new(shown(&dataset), &dataset))
        }
    }
}

async fn change(context: &Context, dataset: DatasetId, change: DatasetChange) -> Result<Document, CliError> {
    publish(&context.client().await?, Body::DatasetChanged { dataset, change }).await
}

/// Reads and checks a dataset's description.
pub(crate) fn read(file: &Path) -> Result<Dataset, CliError> {
    let dataset: Dataset = files::read_value(file, "a dataset")?;
    dataset.check()?;
    Ok(dataset)
}

fn listed(datasets: &[Dataset]) -> String {
    let mut table = Table::new(["dataset", "name", "rev", "grade", "sharing", "subject", "fields"]);
    for dataset in datasets {
        table.row([
            dataset.id.to_string(),
            dataset.names.zh.clone(),
            dataset.revision.to_string(),
            words::name(&dataset.grade),
            words::name(&dataset.sharing),
            dataset.subject.to_string(),
            dataset.fields.len().to_string(),
        ]);
    }
    table.to_string()
}

/// A dataset with its fields.
pub(crate) fn shown(dataset: &Dataset) -> String {
    let mut table = Table::new(["field", "name", "kind", "unit", "personal", "mask", "modes"]);
    for field in &dataset.fields {
        table.row([
            field.name.to_string(),
            field.names.zh.clone(),
            words::name(&field.kind),
            field.unit.clone().unwrap_or_default(),
            if field.personal { "yes" } else { "" }.to_owned(),
            field.mask.map(masked).unwrap_or_default(),
            words::list(&field.modes),
        ]);
    }
    let Dataset { id, names, holder, revision, duty_basis, max_rows, update_cycle, .. } = dataset;
    let [zh, en, basis] = [&names.zh, &names.en, duty_basis].map(|t| words::tame(t));
    let cycle = words::name(update_cycle);
    let about = dataset.about.as_ref().and_then(|a| a.summary.as_ref());
    let about = about.map_or_else(String::new, |a| format!("{} ({})\n", words::tame(&a.zh), words::tame(&a.en)));
    let signs = if dataset.cosigners.is_empty() {
        String::new()
    } else {
        format!("grants and rights are signed by {} too\n", words::list(&dataset.cosigners))
    };
    format!(
        "{id}, revision {revision}\n{zh} ({en}), held by `{holder}`: {basis}\n{} data about a {}, sharing {}, at most {max_rows} records an answer, updated {cycle}\n{about}{signs}{table}",
        words::name(&dataset.grade),
        dataset.subject,
        words::name(&dataset.sharing),
    )
}

fn masked(mask: Mask) -> String {
    match mask {
        Mask::Keep { first, last } => format!("keeps {first} first, {last} last"),
        Mask::Floor { step } => format!("rounds down to {step}"),
        Mask::Year => "keeps the year".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datasets_are_read_back_from_json_and_toml() {
        let dir = tempfile::tempdir().unwrap();
        for dataset in covenant_demo::catalogue::datasets().unwrap() {
            let (json, toml) = (dir.path().join("d.json"), dir.path().join("d.toml"));
            std::fs::write(&json, serde_json::to_vec(&dataset).unwrap()).unwrap();
            std::fs::write(&toml, toml::to_string(&dataset).unwrap()).unwrap();
            assert_eq!(read(&json).unwrap(), dataset);
            assert_eq!(read(&toml).unwrap(), dataset);
            assert!(shown(&dataset).contains(dataset.fields[0].name.as_str()));
        }
    }
}
