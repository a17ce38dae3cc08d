//! `covenant dataset import`: a CSV file into the department's vault.

use std::path::PathBuf;

use clap::Args;
use covenant_domain::Dataset;
use covenant_source::{ImportOptions, ImportReport, Mapping, Progress, RecordCheck, SourceError, Vault};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::context::Context;
use crate::document::{Document, Exit};
use crate::error::CliError;
use crate::{dataset, record_model, words};

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
    /// Check each record against a shipped model, for example `credit-record`; by default the one its description names
    #[arg(long, value_name = "CODE")]
    model: Option<String>,
    /// A subject may have several rows
    #[arg(long)]
    multiple: bool,
}

/// Runs the import. Refused rows are a document that ends with 1; nothing was changed then.
pub(crate) async fn run(context: &Context, args: ImportArgs) -> Result<Document, CliError> {
    let ImportArgs { mapping, dataset, vault, csv, keep_going, rejects, replace, multiple, model } = args;
    let dataset = dataset::read(&dataset)?;
    let mapping = Mapping::load(&mapping)?;
    let vault = Vault::open(&vault).await?;
    let check = checked_by(&dataset, model)?;
    let options = ImportOptions { keep_going, rejects, multiple, replace, check };
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

/// The check of a model, if one is named here or in the description. A dataset that departs from it is refused at once.
fn checked_by(dataset: &Dataset, named: Option<String>) -> Result<Option<RecordCheck>, CliError> {
    let described = dataset.about.as_ref().and_then(|about| about.model.clone());
    let code = match (named, described) {
        (Some(code), _) => code,
        // A model of the department's own, or of a later build, is no reason to refuse its records.
        (None, Some(code)) if covenant_models::model(&code).is_some() => code,
        _ => return Ok(None),
    };
    let model = record_model::known(&code)?;
    let departures = model.departures(dataset);
    if !departures.is_empty() {
        let told = departures.join("; ");
        return Err(CliError::usage(format!("dataset `{}` does not follow model `{code}`: {told}", dataset.id)));
    }
    Ok(Some(RecordCheck::by(model)))
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

    #[tokio::test]
    async fn records_that_a_model_refuses_are_told_by_line_and_column() {
        use covenant_domain::{DatasetId, MemberId, SubjectKind};
        let id = DatasetId::new("cov:city/gov/tax/levy/income").unwrap();
        let model = covenant_models::model("tax-summary").unwrap();
        let mut dataset = model.dataset(id, MemberId::new("tax").unwrap()).unwrap();
        dataset.fields.truncate(3);
        let dir = tempfile::tempdir().unwrap();
        let people: Vec<_> = (1..=3).map(|n| covenant_source::synthetic_subject(SubjectKind::Resident, n)).collect();
        let rows = [("1000", "10"), ("1000", "1001"), ("-5", "0")];
        let lines =
            people.iter().zip(rows).map(|(who, (income, paid))| format!("{},{income},{paid},0\n", who.expose()));
        let csv = dir.path().join("income.csv");
        std::fs::write(&csv, format!("id,income,paid,arrears\n{}", lines.collect::<String>())).unwrap();
        let field = |name: &str, column: &str| {
            format!("[[field]]\nname = \"{name}\"\ncolumn = \"{column}\"\ntype = \"integer\"\n")
        };
        let fields =
            [field("income_fen", "income"), field("paid_fen", "paid"), field("arrears_fen", "arrears")].concat();
        let head = "version = 1\ndataset = \"cov:city/gov/tax/levy/income\"\nsubject = { column = \"id\", kind = \"resident\" }\n";
        let mapping = Mapping::parse(&format!("{head}{fields}"), "income.toml", dir.path()).unwrap();
        let vault = Vault::open("sqlite::memory:").await.unwrap();
        let check = checked_by(&dataset, None).unwrap();
        assert!(check.is_some(), "the description names the model");
        let options = ImportOptions { check, ..ImportOptions::default() };
        let error = vault.import(&dataset, &mapping, &csv, options, &mut |_| {}).await.unwrap_err();
        let SourceError::Rejected(report) = error else { panic!("{error}") };
        let told: Vec<_> = report.first_rejects.iter().map(|r| (r.line, r.column.as_str())).collect();
        assert_eq!(told, [(3, "paid"), (4, "income")]);
        assert!(report.first_rejects[1].reason.contains("not between 0"), "{:?}", report.first_rejects);
        dataset.fields.pop();
        assert!(checked_by(&dataset, None).unwrap_err().to_string().contains("arrears_fen"));
    }
}
