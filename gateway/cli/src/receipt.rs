//! `covenant receipt`: the receipt of an entry, a revocation for example.

use std::path::PathBuf;

use clap::Args;
use covenant_canon::Digest;
use covenant_ledger::verify_receipt;
use serde_json::json;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::{files, words};

/// Which receipt.
#[derive(Debug, Args)]
pub(crate) struct ReceiptArgs {
    /// Digest of the entry, as the command that recorded it prints with `--json`
    entry: Digest,
    /// Where to write the receipt; `covenant verify` takes it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: ReceiptArgs) -> Result<Document, CliError> {
    let client = context.client().await?;
    let bytes = client.entry_receipt(&args.entry).await?;
    files::write_new(&args.out, &bytes, false)?;
    let report = verify_receipt(&bytes, client.trust());
    let path = args.out.display().to_string();
    let outcome = match (&report.outcome, &report.failed) {
        (Some(outcome), _) => format!("verified: {outcome} took effect"),
        (None, failed) => format!("NOT verified: `{}` does not hold", words::name(failed)),
    };
    let human = format!("{} `{path}`, {} bytes, {outcome}", words::mark(report.verified), bytes.len());
    let machine = json!({ "entry": args.entry, "file": path, "bytes": bytes.len(), "report": report });
    Ok(Document::new(human, &machine).demanding(report.verified))
}
