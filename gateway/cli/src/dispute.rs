//! `covenant dispute`: doubts about records, and their answers.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use covenant_client::Grounds;
use covenant_domain::{Body, DatasetId, DisputeAnswer, DisputeId, DisputeKind, FieldName, IntentId};
use serde_json::json;

use crate::context::Context;
use crate::document::{Document, Exit};
use crate::error::CliError;
use crate::publish::publish;
use crate::table::Table;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum DisputeCommand {
    /// Dispute an answer; its grounds are written to a file for the holder
    Open(OpenArgs),
    /// Say that the record was wrong and is corrected, as its holder
    Correct {
        /// The dispute
        id: DisputeId,
        /// What was done, without values
        #[arg(long)]
        note: String,
    },
    /// Say why the record stands, as its holder
    Refuse {
        /// The dispute
        id: DisputeId,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Compare grounds that were received with their digest on the ledger
    Grounds {
        /// The file
        file: PathBuf,
    },
    /// List disputes of which this member is a party
    List,
}

/// A dispute to open.
#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// The answered query
    intent: IntentId,
    /// The dataset it was about
    #[arg(long)]
    dataset: DatasetId,
    /// Field in doubt; repeat it for more
    #[arg(long = "field", value_name = "FIELD", required = true)]
    fields: Vec<FieldName>,
    /// What is wrong
    #[arg(long)]
    kind: Kind,
    /// File with the grounds, UTF-8 text; `-` is standard input
    #[arg(long, value_name = "FILE")]
    grounds: PathBuf,
    /// The new file to hand to the holder
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What is wrong, as it is typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// A value is wrong
    Wrong,
    /// A value or the record is missing
    Missing,
    /// It is out of date
    Outdated,
    /// It belongs to somebody else, or stands there twice
    Mistaken,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: DisputeCommand) -> Result<Document, CliError> {
    let (dispute, answer) = match command {
        DisputeCommand::Open(args) => return open(context, args).await,
        DisputeCommand::Grounds { file } => return compare(context, &file).await,
        DisputeCommand::List => return list(context).await,
        DisputeCommand::Correct { id, note } => (id, DisputeAnswer::Corrected { note }),
        DisputeCommand::Refuse { id, reason } => (id, DisputeAnswer::Refused { reason }),
    };
    publish(&context.client().await?, Body::DisputeAnswered { dispute, answer }).await
}

async fn open(context: &Context, args: OpenArgs) -> Result<Document, CliError> {
    let kind = match args.kind {
        Kind::Wrong => DisputeKind::Wrong,
        Kind::Missing => DisputeKind::Missing,
        Kind::Outdated => DisputeKind::Outdated,
        Kind::Mistaken => DisputeKind::Mistaken,
    };
    let text = files::read_text(&args.grounds, "grounds")?;
    let client = context.client().await?;
    let (dispute, grounds) = client.dispute(args.intent, args.dataset, args.fields, kind, text)?;
    // Written first: without the salt, the digest on the ledger would be of no use.
    let json = serde_json::to_vec_pretty(&grounds).map_err(|e| files::content(&args.out, "grounds", e.to_string()))?;
    files::write_new(&args.out, &json, true)?;
    let published = publish(&client, Body::DisputeOpened(dispute)).await?;
    if published.exit == Exit::Done {
        let human = format!("{}\ngrounds for the holder: `{}`", published.human, args.out.display());
        return Ok(Document { human, ..published });
    }
    Ok(published)
}

async fn compare(context: &Context, file: &Path) -> Result<Document, CliError> {
    let grounds: Grounds = files::read_value(file, "grounds of a dispute")?;
    let client = context.client().await?;
    let found = client.disputes().await?.into_iter().find(|d| d.dispute.id == grounds.dispute);
    let found = found.ok_or_else(|| CliError::usage(format!("no dispute {} of this member", grounds.dispute)))?;
    let holds = client.grounds_digest(&grounds) == found.dispute.grounds;
    let what = if holds { "are those of" } else { "are NOT those of" };
    let human = format!("{} the grounds {what} dispute {}", words::mark(holds), grounds.dispute);
    Ok(Document::new(human, &json!({ "dispute": grounds.dispute, "holds": holds })).demanding(holds))
}

async fn list(context: &Context) -> Result<Document, CliError> {
    let all = context.client().await?.disputes().await?;
    let mut table = Table::new(["dispute", "consumer", "holder", "dataset", "fields", "kind", "answer", "due"]);
    for it in &all {
        let answer = match &it.answer {
            Some(DisputeAnswer::Corrected { note }) => format!("corrected: {note}"),
            Some(DisputeAnswer::Refused { reason }) => format!("refused: {reason}"),
            None if it.clock.overdue => "OVERDUE".into(),
            None => "open".into(),
        };
        table.row([
            it.dispute.id.to_string(),
            it.consumer.to_string(),
            it.holder.to_string(),
            it.dispute.dataset.to_string(),
            words::list(&it.dispute.fields),
            words::name(&it.dispute.kind),
            answer,
            words::time(it.clock.due_ms),
        ]);
    }
    Ok(Document::new(table.to_string(), &all))
}
