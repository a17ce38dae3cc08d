//! `covenant usage`: what was used, what it is worth, how far it can be relied on.

use clap::Subcommand;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::table::Table;
use crate::words;

/// What to report.
#[derive(Debug, Subcommand)]
pub(crate) enum UsageCommand {
    /// Queries and answers of this member, by consumer and dataset; all of them for a regulator
    Calls {
        /// Year and month, for example 202611; all months when left out
        #[arg(long)]
        month: Option<u32>,
    },
    /// Contribution accounts of all members
    Settlement {
        /// Year and month, for example 202611; all months when left out
        #[arg(long)]
        month: Option<u32>,
    },
    /// Permits that this member is told of by guard rules, as holder or regulator
    Notifications {
        /// Behind this leaf of the log
        #[arg(long)]
        after: Option<u64>,
    },
    /// How far the answers of each dataset can be relied on
    Reliability,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: UsageCommand) -> Result<Document, CliError> {
    let client = context.client().await?;
    match command {
        UsageCommand::Calls { month } => {
            let all = client.usage(month).await?;
            let mut table =
                Table::new(["month", "consumer", "dataset", "answered", "refused", "lapsed", "voided", "disputed"]);
            for it in &all {
                let modes = it.answered.iter().map(|(mode, count)| format!("{mode} {count}"));
                table.row([
                    it.month.to_string(),
                    it.consumer.to_string(),
                    it.dataset.to_string(),
                    words::list(modes),
                    it.refused.to_string(),
                    it.lapsed.to_string(),
                    it.voided.to_string(),
                    it.disputed.to_string(),
                ]);
            }
            Ok(Document::new(table.to_string(), &all))
        }
        UsageCommand::Settlement { month } => {
            let report = client.settlement(month).await?;
            let mut table = Table::new(["member", "answers given", "earned", "answers received", "spent"]);
            for it in &report.accounts {
                table.row([
                    it.member.to_string(),
                    it.answers_given.to_string(),
                    it.earned.to_string(),
                    it.answers_received.to_string(),
                    it.spent.to_string(),
                ]);
            }
            let human = format!("tariff {}\n{table}", report.tariff.revision);
            Ok(Document::new(human, &report))
        }
        UsageCommand::Notifications { after } => {
            let all = client.notifications(after).await?;
            let mut table = Table::new(["leaf", "time", "consumer", "dataset", "mode", "fields", "query"]);
            for it in &all {
                table.row([
                    it.leaf.to_string(),
                    words::time(it.time_ms),
                    it.permit.consumer.to_string(),
                    it.permit.dataset.to_string(),
                    it.permit.mode.to_string(),
                    words::list(&it.permit.obligations.fields),
                    it.permit.intent.to_string(),
                ]);
            }
            Ok(Document::new(table.to_string(), &all))
        }
        UsageCommand::Reliability => {
            let all = client.reliability().await?;
            let mut table =
                Table::new(["dataset", "answers", "disputed", "corrected", "upheld", "overdue", "per mille"]);
            for it in &all {
                let numbers = [it.answers, it.disputed, it.corrected, it.upheld, it.overdue].map(|n| n.to_string());
                let [answers, disputed, corrected, upheld, overdue] = numbers;
                let (dataset, share) = (it.dataset.to_string(), it.per_mille.to_string());
                table.row([dataset, answers, disputed, corrected, upheld, overdue, share]);
            }
            Ok(Document::new(table.to_string(), &all))
        }
    }
}
