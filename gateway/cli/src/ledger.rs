//! `covenant ledger`: proves that a replica's tables follow from its blocks.

use std::path::Path;

use clap::Subcommand;
use covenant_daemon::{NodeError, rebuild};
use covenant_ledger::Genesis;
use covenant_state::State;
use covenant_store::{Store, StoreError};
use serde::Serialize;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Execute every block again and compare headers, log roots, state digests and tables; the node must be stopped
    Rebuild {
        /// Database of the replica, `sqlite:///path/node.db` or `postgres://user@host/database`
        #[arg(long, value_name = "URL")]
        store: String,
    },
}

/// What was executed and compared.
#[derive(Debug, Serialize)]
struct Proof {
    blocks: u64,
    leaves: u64,
    objects: u64,
    state: String,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: LedgerCommand) -> Result<Document, CliError> {
    let LedgerCommand::Rebuild { store: url } = command;
    let genesis = context.trust()?;
    genesis.check()?;
    check_exists(&url)?;
    let store = Store::open(&url).await?;
    let proof = prove(&store, &genesis).await;
    store.close().await;
    let proof = proof?;
    let Proof { blocks, leaves, objects, state } = &proof;
    let human = format!(
        "✓ {blocks} blocks with {leaves} leaves give the same when executed again, and the {objects} rows beside them\nstate {state}"
    );
    Ok(Document::new(human, &proof))
}

async fn prove(store: &Store, genesis: &Genesis) -> Result<Proof, CliError> {
    let rebuilt = match rebuild(store, genesis, u64::MAX, None).await {
        Err(NodeError::Store(source)) => return Err(unreadable(store, source).await),
        other => other?,
    };
    let loaded = store.load(i64::MAX.unsigned_abs()).await?;
    let (height, time_ms) = loaded.tip.as_ref().map_or((0, genesis.created_ms), |t| (t.height, t.time_ms));
    let objects = loaded.rows.len() as u64;
    let tables = State::restore(genesis, height, time_ms, loaded.rows, Vec::new())?;
    let (found, expected) = (tables.digest().to_string(), rebuilt.state.digest().to_string());
    if found != expected {
        return Err(CliError::TablesDiffer { height, found, expected });
    }
    Ok(Proof { blocks: rebuilt.blocks, leaves: rebuilt.leaves, objects, state: expected })
}

/// The store says that a block is damaged, this says which is the first.
async fn unreadable(store: &Store, source: StoreError) -> CliError {
    let tip = store.tip().await.ok().flatten().map_or(0, |t| t.height);
    for height in 1..=tip {
        if let Err(source) = store.block(height).await {
            return CliError::Block { height, source };
        }
    }
    source.into()
}

/// Opening a SQLite file that is not there would make it.
fn check_exists(url: &str) -> Result<(), CliError> {
    let Some(rest) = url.strip_prefix("sqlite:") else { return Ok(()) };
    let path = Path::new(rest.strip_prefix("//").unwrap_or(rest).split('?').next().unwrap_or_default());
    if path.is_file() {
        return Ok(());
    }
    let source = std::io::Error::from(std::io::ErrorKind::NotFound);
    Err(CliError::File { action: "read", path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_database_is_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.db");
        let url = format!("sqlite://{}?mode=rwc", path.display());
        assert!(check_exists(&url).unwrap_err().to_string().contains("node.db"));
        std::fs::write(&path, b"").unwrap();
        check_exists(&url).unwrap();
        check_exists("postgres://node@db/node").unwrap();
    }
}
