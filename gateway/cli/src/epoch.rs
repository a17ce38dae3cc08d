//! `covenant epoch`: tables of private lookup (for holders), and what is in force.

use std::time::Duration;

use clap::Subcommand;
use covenant_client::{BuildView, Client};
use covenant_domain::DatasetId;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::words;

/// How often a build is looked at while the command waits for it.
const LOOK: Duration = Duration::from_millis(500);

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum EpochCommand {
    /// Build and publish the next epoch of a dataset, and wait until it is in force
    Build {
        /// The dataset
        dataset: DatasetId,
        /// How long it is open, in days
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=31))]
        days: u32,
        /// Do not wait
        #[arg(long)]
        detach: bool,
    },
    /// Build and publish the next table of same-day changes, and wait until it is in force
    Overlay {
        /// The dataset
        dataset: DatasetId,
        /// Do not wait
        #[arg(long)]
        detach: bool,
    },
    /// Tell where the newest build of a dataset stands
    State {
        /// The dataset
        dataset: DatasetId,
    },
    /// Show the epoch in force
    Show {
        /// The dataset
        dataset: DatasetId,
    },
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: EpochCommand) -> Result<Document, CliError> {
    let client = context.client().await?;
    match command {
        EpochCommand::Build { dataset, days, detach } => {
            client.build_epoch(&dataset, days).await?;
            followed(context, &client, &dataset, detach).await
        }
        EpochCommand::Overlay { dataset, detach } => {
            client.build_overlay(&dataset).await?;
            followed(context, &client, &dataset, detach).await
        }
        EpochCommand::State { dataset } => Ok(told(&dataset, &client.build_state(&dataset).await?)),
        EpochCommand::Show { dataset } => show(&client, &dataset).await,
    }
}

/// Waits for a build with its progress on standard error.
async fn followed(context: &Context, client: &Client, dataset: &DatasetId, detach: bool) -> Result<Document, CliError> {
    let mut last = String::new();
    loop {
        let state = client.build_state(dataset).await?;
        let running = matches!(state, BuildView::Running { .. });
        if detach || !running {
            return Ok(told(dataset, &state));
        }
        let now = line(&state);
        if now != last {
            context.printer.note(&now);
            last = now;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn line(state: &BuildView) -> String {
    match state {
        BuildView::Idle => "nothing was built since the node started".into(),
        BuildView::Running { step, done, total } if done == total => format!("{step}: {done}"),
        BuildView::Running { step, done, total } => format!("{step}: {done} of {total}"),
        BuildView::Done { epoch } => format!("epoch {epoch} is in force"),
        BuildView::Failed { reason } => format!("not built: {}", words::tame(reason)),
    }
}

fn told(dataset: &DatasetId, state: &BuildView) -> Document {
    let failed = matches!(state, BuildView::Failed { .. });
    let human = format!("{} `{dataset}`: {}", words::mark(!failed), line(state));
    Document::new(human, state).demanding(!failed)
}

async fn show(client: &Client, dataset: &DatasetId) -> Result<Document, CliError> {
    let document = client.epoch(dataset).await?;
    let (state, epoch) = (&document.state, &document.state.epoch);
    let escrow = document.escrow.as_ref().map_or("none: no lookup is permitted".into(), |e| e.ceremony.to_string());
    let lines = [
        format!("epoch:    {} of `{dataset}`", epoch.number),
        format!("open:     {} to {}", words::time(epoch.opens_ms), words::time(epoch.closes_ms)),
        format!("fields:   {}", words::list(&epoch.fields)),
        format!(
            "rows:     {} of {} bytes, in {} columns",
            epoch.table.rows, epoch.table.row_bytes, epoch.table.columns
        ),
        format!("matrix:   {}", epoch.table.matrix),
        format!("overlay:  revision {}, matrix {}", state.overlay_revision, state.overlay.matrix),
        format!("rules:    {}", document.policy),
        format!("escrow:   {escrow}"),
    ];
    Ok(Document::new(lines.join("\n"), &document))
}
