//! `covenant delegation`: who acts for whom.

use std::path::PathBuf;

use clap::Subcommand;
use covenant_domain::{Body, DatasetId, Day, Delegation, DelegationId, MemberId, Power};
use serde::Deserialize;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::publish::publish;
use crate::table::Table;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum DelegationCommand {
    /// Let another member act for this one
    Give {
        /// The delegation, TOML or JSON: delegate, powers, datasets, valid_from, valid_until
        file: PathBuf,
    },
    /// End a delegation, as its principal or delegate
    End {
        /// Its id
        id: DelegationId,
    },
    /// List delegations
    List,
}

/// What a principal writes down.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    delegate: MemberId,
    powers: Vec<Power>,
    #[serde(default)]
    datasets: Vec<DatasetId>,
    valid_from: Day,
    valid_until: Day,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: DelegationCommand) -> Result<Document, CliError> {
    match command {
        DelegationCommand::Give { file } => {
            let mut draft: Draft = files::read_value(&file, "a delegation")?;
            draft.powers.sort();
            draft.powers.dedup();
            let client = context.client().await?;
            let delegation = Delegation {
                id: DelegationId::from_parts(words::now_ms(), &covenant_client::ten_random_bytes()),
                principal: client.member().clone(),
                delegate: draft.delegate,
                powers: draft.powers,
                datasets: draft.datasets,
                valid_from_ms: draft.valid_from.start_ms(),
                valid_until_ms: draft.valid_until.start_ms(),
            };
            publish(&client, Body::DelegationGiven(delegation)).await
        }
        DelegationCommand::End { id } => publish(&context.client().await?, Body::DelegationEnded(id)).await,
        DelegationCommand::List => {
            let all = context.client().await?.delegations().await?;
            let mut table = Table::new(["delegation", "for", "acts", "powers", "datasets", "until"]);
            for it in &all {
                table.row([
                    it.id.to_string(),
                    it.principal.to_string(),
                    it.delegate.to_string(),
                    words::list(it.powers.iter().map(words::name)),
                    if it.datasets.is_empty() { "all".into() } else { words::list(&it.datasets) },
                    words::time(it.valid_until_ms),
                ]);
            }
            Ok(Document::new(table.to_string(), &all))
        }
    }
}
