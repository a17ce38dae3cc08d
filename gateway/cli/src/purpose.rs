//! `covenant purpose`: purposes of use.

use std::path::PathBuf;

use clap::Subcommand;
use covenant_domain::{Body, Purpose};

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::publish::publish;
use crate::table::Table;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum PurposeCommand {
    /// Register a purpose, as the regulator
    Register {
        /// The purpose, TOML or JSON
        file: PathBuf,
    },
    /// List the registered purposes
    List,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: PurposeCommand) -> Result<Document, CliError> {
    match command {
        PurposeCommand::Register { file } => {
            let purpose: Purpose = files::read_value(&file, "a purpose")?;
            publish(&context.client().await?, Body::PurposeRegistered(purpose)).await
        }
        PurposeCommand::List => {
            let purposes = context.client().await?.purposes().await?;
            Ok(Document::new(listed(&purposes), &purposes))
        }
    }
}

fn listed(purposes: &[Purpose]) -> String {
    let mut table = Table::new(["purpose", "name", "legal basis", "needs", "modes", "days kept"]);
    for purpose in purposes {
        let needs = [(purpose.needs_consent, "consent"), (purpose.needs_case, "case")];
        table.row([
            purpose.code.to_string(),
            purpose.names.zh.clone(),
            purpose.legal_basis.clone(),
            words::list(needs.into_iter().filter(|(needed, _)| *needed).map(|(_, what)| what)),
            words::list(&purpose.modes),
            purpose.retention_days.to_string(),
        ]);
    }
    table.to_string()
}
