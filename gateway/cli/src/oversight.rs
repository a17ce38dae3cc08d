//! `covenant oversight`: the trustees' key, cases, and answers computed again.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use covenant_client::ShareFile;
use covenant_domain::{CaseNumber, CaseOutcome, DatasetId, IntentId, MemberId};
use serde_json::json;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::subject::SubjectArgs;
use crate::table::Table;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum OversightCommand {
    /// Call the trustees to make an escrow key together (for regulators)
    Call {
        /// How many trustees it takes to open an escrow
        #[arg(long)]
        threshold: u16,
        /// The trustees
        #[arg(required = true)]
        trustees: Vec<MemberId>,
    },
    /// Take part in a ceremony to its end, and keep the share (for trustees); all must be at it at the same time
    Join {
        /// Number of the ceremony
        number: u32,
        /// File for the share; it opens with your key file only
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// How long to wait for the others, in seconds
        #[arg(long, default_value_t = 600)]
        patience: u64,
    },
    /// List the ceremonies
    Ceremonies,
    /// Open a case about lookups (for regulators)
    Case {
        /// Number of the case: letters, digits and `-`, `_`, `/`, `.`
        case: CaseNumber,
        /// Lookup; repeat it for more
        #[arg(long = "intent", value_name = "INTENT", required = true)]
        intents: Vec<IntentId>,
        /// The order that allows it; its digest goes on the ledger, the file stays here
        #[arg(long, value_name = "FILE")]
        order: PathBuf,
    },
    /// Give your part for every lookup of a case (for trustees)
    Help {
        /// Number of the case
        case: CaseNumber,
        /// Your share
        #[arg(long, value_name = "FILE")]
        share: PathBuf,
    },
    /// Open the escrow of a lookup and tell whether it was about a subject (for the case's regulator)
    Open {
        /// Number of the case
        case: CaseNumber,
        /// The lookup
        #[arg(long)]
        intent: IntentId,
        #[command(flatten)]
        subject: SubjectArgs,
    },
    /// Record what an opening showed (for the case's regulator)
    Conclude {
        /// Number of the case
        case: CaseNumber,
        /// The lookup
        #[arg(long)]
        intent: IntentId,
        /// What it showed
        #[arg(long)]
        outcome: OutcomeArg,
    },
    /// List the cases (for regulators and trustees)
    Cases,
    /// Keep a copy of an epoch's tables, so that answers can be computed again later (for regulators)
    Mirror {
        /// The dataset
        dataset: DatasetId,
    },
    /// Compute the answer of a past lookup again and compare it with what its holder signed (for regulators)
    Recompute {
        /// The lookup
        intent: IntentId,
    },
}

/// What an opening showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutcomeArg {
    /// The subject is the one in mind
    Confirmed,
    /// It is another
    Excluded,
    /// The escrow fits no subject of its commitment: the consumer has cheated
    Mismatch,
}

impl From<OutcomeArg> for CaseOutcome {
    fn from(it: OutcomeArg) -> Self {
        match it {
            OutcomeArg::Confirmed => Self::Confirmed,
            OutcomeArg::Excluded => Self::Excluded,
            OutcomeArg::Mismatch => Self::Mismatch,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: OversightCommand) -> Result<Document, CliError> {
    let client = context.client().await?;
    match command {
        OversightCommand::Call { threshold, trustees } => {
            let number = client.call_ceremony(threshold, trustees).await?;
            let human =
                format!("✓ ceremony {number} is called; each trustee: `covenant oversight join {number} --out FILE`");
            Ok(Document::new(human, &json!({ "ceremony": number })))
        }
        OversightCommand::Join { number, out, patience } => {
            let share = client.join_ceremony(number, Duration::from_secs(patience)).await?;
            let text = serde_json::to_vec_pretty(&share).map_err(|e| files::content(&out, "a share", e.to_string()))?;
            files::write_new(&out, &text, true)?;
            let human = format!("✓ ceremony {number} is finished; your share is in `{}`: keep it safe", out.display());
            Ok(Document::new(human, &json!({ "ceremony": number, "share": out.display().to_string() })))
        }
        OversightCommand::Ceremonies => ceremonies(&client).await,
        OversightCommand::Case { case, intents, order } => {
            client.open_case(&case, intents, &files::read(&order)?).await?;
            let human = format!("✓ case `{case}` is open; each trustee: `covenant oversight help {case} --share FILE`");
            Ok(Document::new(human, &json!({ "case": case })))
        }
        OversightCommand::Help { case, share } => {
            let share: ShareFile = files::read_value(&share, "a trustee's share")?;
            let given = client.help_case(&case, &share).await?;
            Ok(Document::new(
                format!("✓ {given} parts given in case `{case}`"),
                &json!({ "case": case, "given": given }),
            ))
        }
        OversightCommand::Open { case, intent, subject } => {
            let subject = subject.read(context)?;
            let is = client.open_escrow(&case, &intent).await?.is(&subject);
            let what = if is { "it was about this subject" } else { "it was not about this subject" };
            let human = format!("{} lookup {intent}: {what}", words::mark(is));
            Ok(Document::new(human, &json!({ "case": case, "intent": intent, "is": is })).demanding(is))
        }
        OversightCommand::Conclude { case, intent, outcome } => {
            client.conclude_case(&case, &intent, outcome.into()).await?;
            Ok(Document::new(format!("✓ lookup {intent} of case `{case}` is concluded"), &json!({ "case": case })))
        }
        OversightCommand::Cases => cases(&client).await,
        OversightCommand::Mirror { dataset } => {
            let bytes = client.mirror_epoch(&dataset).await?;
            Ok(Document::new(format!("✓ {bytes} bytes of `{dataset}` are kept"), &json!({ "bytes": bytes })))
        }
        OversightCommand::Recompute { intent } => {
            let again = client.recompute(&intent).await?;
            let human = format!("{} lookup {intent}: {}", words::mark(again.equal), again.detail);
            let machine = json!({ "intent": intent, "equal": again.equal, "detail": again.detail });
            Ok(Document::new(human, &machine).demanding(again.equal))
        }
    }
}

async fn ceremonies(client: &covenant_client::Client) -> Result<Document, CliError> {
    let all = client.ceremonies().await?;
    let mut table = Table::new(["number", "status", "threshold", "trustees", "fault"]);
    for ceremony in &all {
        let fault = ceremony.fault.as_ref().map(|(who, why)| format!("{who}: {why}")).unwrap_or_default();
        let trustees = words::list(&ceremony.call.trustees);
        let (number, threshold) = (ceremony.call.number.to_string(), ceremony.call.threshold.to_string());
        table.row([number, words::name(&ceremony.status), threshold, trustees, fault]);
    }
    Ok(Document::new(table.to_string(), &all))
}

async fn cases(client: &covenant_client::Client) -> Result<Document, CliError> {
    let all = client.cases().await?;
    let mut table = Table::new(["case", "regulator", "opened", "lookup", "parts of", "outcome"]);
    for case in &all {
        for item in &case.items {
            let helped: Vec<&MemberId> = item.shares.iter().map(|(trustee, _)| trustee).collect();
            table.row([
                case.number.to_string(),
                case.regulator.to_string(),
                words::time(case.opened_ms),
                item.intent.to_string(),
                words::list(&helped),
                item.outcome.as_ref().map(words::name).unwrap_or_default(),
            ]);
        }
    }
    Ok(Document::new(table.to_string(), &all))
}
