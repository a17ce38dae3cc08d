//! `covenant catalogue`: finds datasets and shows where they stand.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use covenant_client::{CatalogueItem, CataloguePage, CatalogueQuery, DatasetVersion};
use covenant_domain::{DatasetId, DatasetStage, DatasetStatus, Grade, MemberId, Mode, Sharing, SubjectKind};
use serde::de::IntoDeserializer;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::table::Table;
use crate::{dataset, files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum CatalogueCommand {
    /// Find datasets by words in title, keywords, fields and abstract, in Chinese or English
    Search(SearchArgs),
    /// Show one dataset with where it stands
    Show {
        /// Its id
        id: DatasetId,
    },
    /// List all revisions of a dataset with their place in the ledger
    Versions {
        /// Its id
        id: DatasetId,
    },
    /// Write the whole catalogue as JSON-LD by DCAT-AP 3
    Export {
        /// The new file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Address at which readers of the file reach the gateway
        #[arg(long, value_name = "URL")]
        base: Option<String>,
    },
}

/// Words and filters.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// All of them must be found; every dataset when there are none
    words: Vec<String>,
    /// Of this holder
    #[arg(long)]
    holder: Option<MemberId>,
    /// `unconditional`, `conditional` or `refused`
    #[arg(long, value_parser = word::<Sharing>)]
    sharing: Option<Sharing>,
    /// `general`, `important` or `core`
    #[arg(long, value_parser = word::<Grade>)]
    grade: Option<Grade>,
    /// With some field open to this mode
    #[arg(long)]
    mode: Option<Mode>,
    /// `resident`, `company` or `unit`
    #[arg(long, value_parser = word::<SubjectKind>)]
    subject: Option<SubjectKind>,
    /// `published`, `deprecated`, `suspended` or `archived`
    #[arg(long, value_parser = word::<DatasetStage>)]
    stage: Option<DatasetStage>,
    /// Most datasets to list, 50 at most
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// Go on behind a page: what its last line says
    #[arg(long)]
    after: Option<String>,
}

/// A word by its JSON name.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    T::deserialize(text).map_err(|e| e.to_string())
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: CatalogueCommand) -> Result<Document, CliError> {
    let client = context.client().await?;
    match command {
        CatalogueCommand::Search(args) => {
            let page = client.catalogue(&query(args)).await?;
            Ok(Document::new(listed(&page), &page))
        }
        CatalogueCommand::Show { id } => {
            let item = client.catalogue_item(&id).await?;
            Ok(Document::new(shown(&item), &item))
        }
        CatalogueCommand::Versions { id } => {
            let versions = client.dataset_versions(&id).await?;
            Ok(Document::new(versions_listed(&versions), &versions))
        }
        CatalogueCommand::Export { out, base } => {
            let text = client.catalogue_export(base.as_deref()).await?;
            files::write_new(&out, text.as_bytes(), false)?;
            let told = format!("✓ catalogue written to `{}`, {} bytes", out.display(), text.len());
            Ok(Document::new(told, &serde_json::json!({ "file": out, "bytes": text.len() })))
        }
    }
}

fn query(args: SearchArgs) -> CatalogueQuery {
    let SearchArgs { words, holder, sharing, grade, mode, subject, stage, limit, after } = args;
    let (q, limit) = (words.join(" "), Some(limit));
    CatalogueQuery { q, holder, sharing, grade, mode, subject, stage, limit, after }
}

fn listed(page: &CataloguePage) -> String {
    let mut table = Table::new(["dataset", "name", "holder", "stage", "grade", "sharing", "score"]);
    for item in &page.items {
        let dataset = &item.dataset;
        table.row([
            dataset.id.to_string(),
            dataset.names.zh.clone(),
            dataset.holder.to_string(),
            words::name(&item.stage),
            words::name(&dataset.grade),
            words::name(&dataset.sharing),
            item.score.to_string(),
        ]);
    }
    let more = page.next.as_ref().map_or_else(String::new, |next| format!("\nmore: --after {}", words::shell(next)));
    format!("{} datasets\n{table}{more}", page.total)
}

fn shown(item: &CatalogueItem) -> String {
    format!("{}\n{}", standing(item.stage, &item.status), dataset::shown(&item.dataset))
}

fn standing(stage: DatasetStage, status: &DatasetStatus) -> String {
    let mut line = words::name(&stage);
    if !status.suspended_by.is_empty() {
        line.push_str(&format!(", suspended by {}", words::list(&status.suspended_by)));
    }
    if let Some(deprecation) = &status.deprecated {
        line.push_str(&format!(", answered until {}", words::time(deprecation.until_ms)));
        let next = deprecation.successor.as_ref();
        line.push_str(&next.map_or_else(String::new, |next| format!(", replaced by {next}")));
    }
    line
}

fn versions_listed(versions: &[DatasetVersion]) -> String {
    let mut table = Table::new(["rev", "name", "fields", "published", "block", "leaf", "entry"]);
    for version in versions {
        table.row([
            version.dataset.revision.to_string(),
            version.dataset.names.zh.clone(),
            version.dataset.fields.len().to_string(),
            words::time(version.time_ms),
            version.height.to_string(),
            version.leaf.to_string(),
            version.entry.short(),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_domain::Deprecation;

    #[test]
    fn where_a_dataset_stands_is_told_with_who_and_until_when() {
        let mut status = DatasetStatus::default();
        assert_eq!(standing(status.stage(0), &status), "published");
        status.deprecated = Some(Deprecation { until_ms: 1_000, successor: None });
        assert_eq!(standing(status.stage(0), &status), "deprecated, answered until 1970-01-01T00:00:01Z");
        status.suspended_by = vec![MemberId::new("regulator").unwrap()];
        assert!(standing(status.stage(0), &status).starts_with("suspended, suspended by regulator"));
    }

    #[test]
    fn filters_are_words() {
        assert_eq!(word::<Grade>("core"), Ok(Grade::Core));
        assert!(word::<Grade>("cores").unwrap_err().contains("cores"));
    }
}
