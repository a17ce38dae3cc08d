//! `covenant evidence`: fetches a bundle, or shows one.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use covenant_canon::from_bytes;
use covenant_domain::IntentId;
use covenant_ledger::{Bundle, verify_bundle};
use serde_json::json;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::{files, words};

/// Which evidence.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct EvidenceArgs {
    /// Id of the query
    #[arg(required = true)]
    intent: Option<IntentId>,
    /// Where to write the bundle
    #[arg(long, required = true, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<EvidenceCommand>,
}

/// What else to do.
#[derive(Debug, Subcommand)]
enum EvidenceCommand {
    /// Print a bundle as JSON; this does not verify it
    Show {
        /// The bundle
        file: PathBuf,
    },
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: EvidenceArgs) -> Result<Document, CliError> {
    match args {
        EvidenceArgs { command: Some(EvidenceCommand::Show { file }), .. } => show(&file),
        EvidenceArgs { intent: Some(intent), out: Some(out), .. } => fetch(context, &intent, &out).await,
        _ => Err(CliError::usage("give `INTENT --out FILE`, or `show FILE`")),
    }
}

async fn fetch(context: &Context, intent: &IntentId, out: &Path) -> Result<Document, CliError> {
    let client = context.client().await?;
    let bytes = client.evidence(intent).await?;
    // Written in any case: a bundle that does not verify is evidence too, against whoever served it.
    files::write_new(out, &bytes, false)?;
    let report = verify_bundle(&bytes, client.trust());
    let (path, size) = (out.display().to_string(), bytes.len());
    let outcome = match (&report.outcome, &report.failed) {
        (Some(outcome), _) => format!("verified: the query was {outcome}"),
        (None, failed) => format!("NOT verified: `{}` does not hold", words::name(failed)),
    };
    let human = format!("{} `{path}`, {size} bytes, {outcome}", words::mark(report.verified));
    let machine = json!({ "intent": intent, "file": path, "bytes": size, "report": report });
    Ok(Document::new(human, &machine).demanding(report.verified))
}

fn show(file: &Path) -> Result<Document, CliError> {
    let bytes = files::read(file)?;
    let bundle: Bundle = from_bytes(&bytes).map_err(|e| files::content(file, "an evidence bundle", e.to_string()))?;
    let human = serde_json::to_string_pretty(&bundle)
        .map_err(|e| files::content(file, "an evidence bundle that has a JSON form", e.to_string()))?;
    Ok(Document::new(human, &bundle))
}
