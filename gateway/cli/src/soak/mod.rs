//! `covenant soak`: a consortium of real processes on this machine, real faults in a random order, and what must hold after
//! each of them.
//!
//! Which faults come when follows from the seed, which is printed; what the machine makes of them does not.

mod check;
mod cluster;
mod load;
mod scenario;

use std::path::PathBuf;

use clap::Args;
use covenant_suite::SuiteId;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::table::Table;
use crate::words;
use check::Found;
use cluster::Cluster;
use load::Load;
use scenario::Scenario;

/// What to soak, and how long.
#[derive(Debug, Args)]
pub(crate) struct SoakArgs {
    /// Choice of faults; a random one unless given
    #[arg(long)]
    seed: Option<u64>,
    /// How many faults
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Only these faults, in this order
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<Scenario>,
    /// Validators
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=16))]
    validators: u16,
    /// `sm` or `intl`
    #[arg(long, default_value = "sm")]
    suite: SuiteId,
    /// Databases of the nodes, `postgres://user@host/{}` with the member in the place of the braces; SQLite files unless given
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// A new folder that is kept, for looking into; a temporary one unless given
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// One fault and what was found after it.
#[derive(Debug, Serialize)]
struct Round {
    number: u32,
    fault: String,
    #[serde(flatten)]
    found: Found,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: SoakArgs) -> Result<Document, CliError> {
    let seed = args.seed.unwrap_or_else(rand::random);
    context.printer.note(&format!("seed {seed}"));
    let temporary;
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => {
            temporary =
                tempfile::tempdir().map_err(|source| CliError::File { action: "make", path: "temp".into(), source })?;
            temporary.path().join("soak")
        }
    };
    let mut dice = StdRng::seed_from_u64(seed);
    let mut cluster = Cluster::found(&dir, args.suite, args.validators, args.store.as_deref()).await?;
    let load = Load::start(&cluster)?;
    let mut rounds = Vec::new();
    let total = if args.only.is_empty() { args.rounds } else { args.only.len() as u32 };
    for number in 1..=total {
        let scenario = match args.only.get(number as usize - 1) {
            Some(only) => *only,
            None => Scenario::random(&mut dice, args.validators),
        };
        let began = load.acknowledged();
        let told = scenario.run(&mut cluster, &load, &mut dice).await;
        let found = match told {
            Ok(()) => check::after(&cluster, &load).await,
            Err(fault) => Err(fault),
        };
        let found = found.map_err(|fault| CliError::Soak {
            seed,
            round: number,
            fault: scenario.name().to_owned(),
            found: fault,
            dir: dir.clone(),
        })?;
        context.printer.note(&format!(
            "{number}/{total} {}: height {}, {} entries acknowledged meanwhile",
            scenario.name(),
            found.height,
            load.acknowledged().saturating_sub(began),
        ));
        rounds.push(Round { number, fault: scenario.name().to_owned(), found });
        // Between two faults the load goes on alone for a moment, as long as the dice say.
        let pause_ms = dice.random_range(100..600);
        tokio::time::sleep(std::time::Duration::from_millis(pause_ms)).await;
    }
    let acknowledged = load.stop().await;
    cluster.stop().await;
    Ok(told(seed, acknowledged, &rounds))
}

fn told(seed: u64, acknowledged: u64, rounds: &[Round]) -> Document {
    let mut table = Table::new(["round", "fault", "height", "entries checked", "state"]);
    for Round { number, fault, found } in rounds {
        let row = [
            number.to_string(),
            fault.clone(),
            found.height.to_string(),
            found.entries.to_string(),
            found.block.clone(),
        ];
        table.row(row);
    }
    let human = format!(
        "{table}\n{} after {} faults: one chain at all nodes, {acknowledged} acknowledged entries each recorded once, receipts verify\nseed {seed}",
        words::mark(true),
        rounds.len()
    );
    Document::new(human, &serde_json::json!({ "seed": seed, "acknowledged": acknowledged, "rounds": rounds }))
}
