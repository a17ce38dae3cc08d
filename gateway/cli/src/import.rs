//! `covenant dataset import`: a CSV file into the department's vault.

use std::path::PathBuf;

use clap::Args;
use covenant_source::{ImportOptions, ImportReport, Mapping, Progress, SourceError, Vault};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::context::Context;
use crate::document::{Document, Exit};
use crate::error::CliError;
use crate::{dataset, words};

/// What to import, and how.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Mapping file: how columns become fields
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// Description of the dataset, TOML or JSON
    #[arg(long, value_name = "FILE")]
    dataset: PathBuf,
    /// The vault, `sqlite://path/to/records.db` or `postgres://user@host/database`
    #[arg(long, value_name = "URL")]
    vault: String,
    /// The CSV file
    csv: PathBuf,
    /// Leave bad rows out instead of refusing the file
    #[arg(long)]
    keep_going: bool,
    /// Where bad rows go; beside the file unless given
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Replace what the vault holds of the dataset
    #[arg(long)]
    replace: bool,
    /// A subject may have several rows
    #[arg(long)]
    multiple: bool,
}

/// Runs the import. Refused rows are a document that ends with 1; nothing was changed then.
pub(crate) async fn run(context: &Context, args: ImportArgs) -> Result<Document, CliError> {
    let ImportArgs { mapping, dataset, vault, csv, keep_going, rejects, replace, multiple } = args;
    let dataset = dataset::read(&dataset)?;
    let mapping = Mapping::load(&mapping)?;
    let vault = Vault::open(&vault).await?;
    let options = ImportOptions { keep_going, rejects, multiple, replace };
    let bar = bar(context.printer.is_watched());
    let mut progress = |now: Progress| {
        bar.set_length(now.total_bytes);
        bar.set_position(now.bytes);
        bar.set_message(format!("{} rows, {} refused", now.rows, now.rejected));
    };
    let outcome = vault.import(&dataset, &mapping, &csv, options, &mut progress).await;
    bar.finish_and_clear();
    match outcome {
        Ok(report) => Ok(Document::new(told(&report, true), &report)),
        Err(SourceError::Rejected(report)) => Ok(Document::new(told(&report, false), &*report).ending(Exit::No)),
        Err(error) => Err(error.into()),
    }
}

fn bar(watched: bool) -> ProgressBar {
    let target = if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let plain = ProgressStyle::default_bar();
    let style = plain.clone().template("{bar:30} {percent}% {msg}, {eta} left").unwrap_or(plain);
    ProgressBar::with_draw_target(None, target).with_style(style)
}

fn told(report: &ImportReport, done: bool) -> String {
    let ImportReport { rows, imported, rejected, rejects_file, first_rejects, elapsed_ms } = report;
    let mut lines = vec![if done {
        format!("✓ {imported} of {rows} rows imported, {rejected} refused ({elapsed_ms} ms)")
    } else {
        format!("✗ {rejected} of {rows} rows refused, nothing was changed: correct them, or use `--keep-going`")
    }];
    lines.extend(first_rejects.iter().map(|r| format!("  {}", words::tame(&r.to_string()))));
    if *rejected > first_rejects.len() as u64 {
        lines.push(format!("  and {} more", rejected - first_rejects.len() as u64));
    }
    lines.extend(rejects_file.as_ref().map(|f| format!("refused rows: `{}`", f.display())));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_source::Reject;

    #[test]
    fn the_first_rejects_are_named_and_the_rest_counted() {
        let reject =
            Reject { file: "a.csv".into(), line: 7, column: "面积".into(), reason: "is not a number".into() };
        let report = ImportReport { rows: 9, rejected: 3, first_rejects: vec![reject], ..ImportReport::default() };
        let text = told(&report, false);
        for part in ["3 of 9", "line 7", "`面积`", "and 2 more", "--keep-going"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
