//! `covenant ledger`: proves that a replica's tables follow from its blocks, writes them anew, shrinks and copies it.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use covenant_app::port::{BackupView, NodePort as _};
use covenant_daemon::{Checked, NodeError, check_chain, rebuild, rewrite};
use covenant_ledger::Genesis;
use covenant_state::State;
use covenant_store::{Store, StoreError};
use serde::Serialize;
use serde_json::json;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::local::OwnNode;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Execute every block again and compare headers, log roots, state digests and tables; the node must be stopped
    Rebuild {
        /// Database of the replica, `sqlite:///path/node.db` or `postgres://user@host/database`
        #[arg(long, value_name = "URL")]
        store: String,
        /// Write the tables anew from the blocks, instead of comparing them
        #[arg(long)]
        write: bool,
    },
    /// Check every stored block against its certificate and its parent, without executing; the node must be stopped
    Check {
        /// Database of the replica
        #[arg(long, value_name = "URL")]
        store: String,
    },
    /// Have the running node move old bodies of blocks to archive files
    Archive {
        /// The node's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// How many of the newest blocks keep their bodies in the database
        #[arg(long, default_value_t = 10_000)]
        keep: u64,
    },
    /// Have the running node write a snapshot, from which another replica can begin: `covenant restore --snapshot`
    Snapshot {
        /// The node's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Give the room of archived bodies back to the disk; the node must be stopped
    Compact {
        /// Database of the replica
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
    match command {
        LedgerCommand::Rebuild { store, write: false } => rebuilt(context, &store).await,
        LedgerCommand::Rebuild { store, write: true } => rewritten(context, &store).await,
        LedgerCommand::Check { store } => checked(context, &store).await,
        LedgerCommand::Archive { config, keep } => {
            let archived = OwnNode::open(&config)?.node.archive(keep).await?;
            let (count, from) = (archived.files.len(), archived.from_height);
            let human = format!("✓ {count} archive files written; bodies from height {from} on are in the database");
            Ok(Document::new(human, &json!({ "files": archived.files, "from_height": from })))
        }
        LedgerCommand::Snapshot { config } => {
            let written = OwnNode::open(&config)?.node.snapshot().await?;
            let BackupView { path, bytes, height } = written;
            let human = format!("✓ snapshot of height {height}: `{path}` on the node's machine, {bytes} bytes");
            Ok(Document::new(human, &json!({ "path": path, "bytes": bytes, "height": height })))
        }
        LedgerCommand::Compact { store: url } => {
            check_exists(&url)?;
            let store = Store::open(&url).await?;
            let done = store.compact().await;
            let size = store.size().await;
            store.close().await;
            done?;
            let total = size?.total;
            Ok(Document::new(format!("✓ compacted: {total} bytes"), &json!({ "bytes": total })))
        }
    }
}

async fn rebuilt(context: &Context, url: &str) -> Result<Document, CliError> {
    let genesis = context.trust()?;
    genesis.check()?;
    check_exists(url)?;
    let store = Store::open(url).await?;
    let proof = prove(&store, &genesis).await;
    store.close().await;
    let proof = proof?;
    let Proof { blocks, leaves, objects, state } = &proof;
    let human = format!(
        "✓ {blocks} blocks with {leaves} leaves give the same when executed again, and the {objects} rows beside them\nstate {state}"
    );
    Ok(Document::new(human, &proof))
}

async fn rewritten(context: &Context, url: &str) -> Result<Document, CliError> {
    let genesis = context.trust()?;
    check_exists(url)?;
    let store = Store::open_to_rewrite(url).await?;
    let written = rewrite(&store, &genesis).await;
    store.close().await;
    let blocks = written?;
    let human = format!("✓ index, state and log written anew from {blocks} blocks, each as its header says");
    Ok(Document::new(human, &json!({ "blocks": blocks })))
}

async fn checked(context: &Context, url: &str) -> Result<Document, CliError> {
    let genesis = context.trust()?;
    check_exists(url)?;
    let store = Store::open(url).await?;
    let checked = check_chain(&store, &genesis).await;
    store.close().await;
    let Checked { first, last, bodies } = checked?;
    let human = format!("✓ blocks {first} to {last} follow each other and are certified; {bodies} with their bodies");
    Ok(Document::new(human, &json!({ "first": first, "last": last, "bodies": bodies })))
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
