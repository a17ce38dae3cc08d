//! `covenant calendar`, `notice`, `tariff`: what a regulator sets for all.

use std::path::PathBuf;

use clap::Subcommand;
use covenant_authority::notice_digest;
use covenant_domain::{Body, Calendar, Day, Notice, PurposeCode, Tariff};
use serde_json::json;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::publish::publish;
use crate::table::Table;
use crate::{files, words};

/// What a notice file holds.
const NOTICE: &str = "a notice text";

/// What to do with the calendar.
#[derive(Debug, Subcommand)]
pub(crate) enum CalendarCommand {
    /// Adopt the next calendar, as the regulator
    Adopt {
        /// The calendar, TOML or JSON
        file: PathBuf,
    },
    /// Show the calendar in force
    Show,
    /// Tell when a clock runs out
    Due {
        /// The day on which it starts, `YYYY-MM-DD`
        from: Day,
        /// Its length in working days
        days: u16,
    },
}

/// What to do with notices.
#[derive(Debug, Subcommand)]
pub(crate) enum NoticeCommand {
    /// Register the next version of a purpose's notice text, as the regulator
    Register {
        /// The purpose
        purpose: PurposeCode,
        /// The text in simplified Chinese, as subjects will see it
        #[arg(long, value_name = "FILE")]
        zh: PathBuf,
        /// The text in English
        #[arg(long, value_name = "FILE")]
        en: PathBuf,
    },
    /// List the notices in force by their digests
    List,
}

/// What to do with the tariff.
#[derive(Debug, Subcommand)]
pub(crate) enum TariffCommand {
    /// Adopt the next tariff, as the regulator
    Adopt {
        /// The tariff, TOML or JSON
        file: PathBuf,
    },
    /// Show the tariff in force
    Show,
}

/// Runs `covenant calendar`.
pub(crate) async fn run(context: &Context, command: CalendarCommand) -> Result<Document, CliError> {
    let client = context.client().await?;
    match command {
        CalendarCommand::Adopt { file } => {
            let calendar: Calendar = files::read_value(&file, "a calendar")?;
            calendar.check().map_err(|e| files::content(&file, "a calendar", e.to_string()))?;
            publish(&client, Body::CalendarAdopted(calendar)).await
        }
        CalendarCommand::Show => {
            let calendar = client.calendar().await?;
            let clocks = &calendar.clocks;
            let lines = [
                format!("revision: {}", calendar.revision),
                format!("holidays: {}", words::list(&calendar.holidays)),
                format!("make-up:  {}", words::list(&calendar.workdays)),
                format!(
                    "clocks:   check {}, decide {}, dispute {}, deletion {} working days",
                    clocks.check_days, clocks.decide_days, clocks.dispute_days, clocks.deletion_days
                ),
            ];
            Ok(Document::new(lines.join("\n"), &calendar))
        }
        CalendarCommand::Due { from, days } => {
            let due_ms = client.calendar().await?.due_ms(from.start_ms(), days);
            let last = Day::of_ms(due_ms.saturating_sub(1));
            let human = format!("{days} working days from {from} end with {last}");
            Ok(Document::new(human, &json!({ "from": from, "days": days, "last": last, "due_ms": due_ms })))
        }
    }
}

/// Runs `covenant notice`.
pub(crate) async fn notice(context: &Context, command: NoticeCommand) -> Result<Document, CliError> {
    let client = context.client().await?;
    let notices = client.notices().await?;
    match command {
        NoticeCommand::Register { purpose, zh, en } => {
            let text =
                notice_digest(client.trust().suite, &files::read_text(&zh, NOTICE)?, &files::read_text(&en, NOTICE)?);
            let version = notices.iter().find(|n| n.purpose == purpose).map_or(1, |n| n.version + 1);
            publish(&client, Body::NoticeRegistered(Notice { purpose, version, text })).await
        }
        NoticeCommand::List => {
            let mut table = Table::new(["purpose", "version", "digest of the text"]);
            for it in &notices {
                table.row([it.purpose.to_string(), it.version.to_string(), it.text.to_string()]);
            }
            Ok(Document::new(table.to_string(), &notices))
        }
    }
}

/// Runs `covenant tariff`.
pub(crate) async fn tariff(context: &Context, command: TariffCommand) -> Result<Document, CliError> {
    let client = context.client().await?;
    match command {
        TariffCommand::Adopt { file } => {
            let tariff: Tariff = files::read_value(&file, "a tariff")?;
            publish(&client, Body::TariffAdopted(tariff)).await
        }
        TariffCommand::Show => {
            let tariff = client.tariff().await?;
            let mut table = Table::new(["mode", "points per answer"]);
            for mode in covenant_domain::Mode::ALL {
                table.row([mode.to_string(), tariff.of(mode).to_string()]);
            }
            Ok(Document::new(table.to_string(), &tariff))
        }
    }
}
