//! `covenant backup` and `covenant restore`.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::Args;
use covenant_app::port::NodePort as _;
use covenant_canon::to_bytes;
use covenant_daemon::service::{NodeFile, read_trust};
use covenant_daemon::{RESTORED, begin_with, read_snapshot};
use covenant_store::Store;
use serde_json::json;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::local::OwnNode;

/// Which node.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The configuration of the running node
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// What to restore, and where.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The configuration of the node, whose database must be empty and which must not run
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// A backup of this member's own node
    #[arg(long, value_name = "FILE", required_unless_present = "snapshot")]
    backup: Option<PathBuf>,
    /// A snapshot of anybody's node: only the ledger, verified from the genesis
    #[arg(long, value_name = "FILE", conflicts_with = "backup")]
    snapshot: Option<PathBuf>,
}

/// Has the running node write a backup beside its database.
pub(crate) async fn backup(_context: &Context, args: &BackupArgs) -> Result<Document, CliError> {
    let own = OwnNode::open(&args.config)?;
    let written = own.node.backup().await?;
    let human = format!(
        "✓ backup at height {}: `{}` on the node's machine, {} bytes\nit holds sealed inputs and answers: guard it as the database",
        written.height, written.path, written.bytes
    );
    let machine = json!({ "path": written.path, "bytes": written.bytes, "height": written.height });
    Ok(Document::new(human, &machine))
}

/// Fills an empty database.
pub(crate) async fn restore(_context: &Context, args: &RestoreArgs) -> Result<Document, CliError> {
    let file = NodeFile::read(&args.config)?;
    let (genesis, _) = read_trust(&file.genesis, file.handovers.as_ref())?;
    let open = |path: &PathBuf| {
        let opened = File::open(path).map(BufReader::new);
        opened.map_err(|source| CliError::File { action: "read", path: path.clone(), source })
    };
    std::fs::create_dir_all(&file.data).map_err(|source| CliError::File {
        action: "make",
        path: file.data.clone(),
        source,
    })?;
    if let Some(path) = &args.snapshot {
        let (seed, handovers) = read_snapshot(open(path)?, &genesis)?;
        let store = Store::open(&file.store).await?;
        let begun = begin_with(&store, &seed, &handovers).await;
        store.close().await;
        begun?;
        let height = seed.tip.height;
        let human = format!(
            "✓ the replica begins at height {height}: {} objects, proven from the genesis\nstart the node: it catches up from its peers",
            seed.rows.len()
        );
        return Ok(Document::new(human, &json!({ "height": height, "objects": seed.rows.len() })));
    }
    let Some(path) = &args.backup else { return Err(CliError::usage("name a `--backup` or a `--snapshot`")) };
    let own = OwnNode::open(&args.config)?;
    // The machine that this copy is of may have voted since it was made: the same key must not vote here.
    let barred = to_bytes(&own.secrets.keyring.names());
    let loaded = Store::load_dump(&file.store, open(path)?, &[(RESTORED, &barred)], |_| {}).await;
    let (store, summary) = loaded?;
    let tip = store.tip().await?.map_or(0, |t| t.height);
    store.close().await;
    let rows: u64 = summary.rows.values().sum();
    let human = format!(
        "✓ {rows} rows restored, newest block {tip}\nthe node follows without voting: let it catch up, take a new key with `covenant keys rotate`, and start it again when `covenant member list` names that key"
    );
    Ok(Document::new(human, &json!({ "height": tip, "rows": summary.rows, "votes": false })))
}
