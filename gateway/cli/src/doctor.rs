//! `covenant doctor`: does the real operations, one after the other, and says which fails and what to do.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use covenant_app::port::{NodePort, PeerView};
use covenant_canon::{Digest, Label, to_bytes};
use covenant_daemon::service::NodeFile;
use covenant_domain::{Body, CertificateRevoked, Entry};
use covenant_ledger::{SignedBatch, entry_id, verify_receipt};
use serde::Serialize;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::local::OwnNode;
use crate::table::Table;
use crate::words;

/// Longest wait for the entry that is recorded as a test.
const WAIT: Duration = Duration::from_secs(20);

/// Which node.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The node's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only look: record no entry on the ledger
    #[arg(long)]
    look: bool,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    what: &'static str,
    sound: bool,
    detail: String,
}

/// Checks until one fails whose failure makes the next ones useless.
#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn note(&mut self, what: &'static str, result: Result<String, String>) -> bool {
        let sound = result.is_ok();
        let detail = result.unwrap_or_else(|fault| fault);
        self.0.push(Check { what, sound, detail });
        sound
    }
}

/// Runs the command.
pub(crate) async fn run(_context: &Context, args: &DoctorArgs) -> Result<Document, CliError> {
    let mut checks = Checks::default();
    examine(&mut checks, args).await;
    let sound = checks.0.iter().all(|c| c.sound);
    let mut table = Table::new(["check", "sound", "detail"]);
    for Check { what, sound, detail } in &checks.0 {
        table.row([(*what).to_owned(), words::mark(*sound).to_string(), words::tame(detail)]);
    }
    Ok(Document::new(table.to_string(), &checks.0).demanding(sound))
}

async fn examine(checks: &mut Checks, args: &DoctorArgs) {
    let own = match OwnNode::open(&args.config) {
        Ok(own) => own,
        Err(error) => {
            checks.note("configuration", Err(error.causes().join(": ")));
            return;
        }
    };
    let NodeFile { member, listen, .. } = &own.file;
    checks.note("configuration", Ok(format!("node of `{member}`, keys and certificate open")));
    let runs = own.runs().await.map(|()| format!("answers at {listen}, both sides known"));
    if !checks.note("connection", runs.map_err(|e| format!("{listen}: {e}: is `covenant node` running?"))) {
        return;
    }
    let health = own.node.health().await.map_err(|e| e.to_string());
    let health = health.and_then(|h| match h.fault {
        None if h.sound => Ok(format!("signs, verifies and reads back block {}", h.height)),
        fault => Err(fault.unwrap_or_else(|| "not sound".into())),
    });
    checks.note("replica", health);
    let peers = own.node.peers().await.map_err(|e| e.to_string());
    checks.note("peers", peers.and_then(|peers| told(&peers)));
    if !args.look {
        checks.note("ledger", record(&own).await);
    }
}

fn told(peers: &[PeerView]) -> Result<String, String> {
    let away: Vec<String> = peers
        .iter()
        .filter(|p| !p.connected)
        .map(|p| format!("{}: {}", p.member, p.refusal.as_deref().unwrap_or("not reached yet")))
        .collect();
    if away.is_empty() {
        Ok(format!("{} connected", peers.len()))
    } else {
        Err(format!("{} of {} connected; {}", peers.len() - away.len(), peers.len(), away.join("; ")))
    }
}

/// Records an entry that changes nothing, waits until it is final, and verifies its receipt offline.
async fn record(own: &OwnNode) -> Result<String, String> {
    let (genesis, _) = covenant_daemon::service::read_trust(&own.file.genesis, own.file.handovers.as_ref())
        .map_err(|e| e.to_string())?;
    let now_ms = words::now_ms();
    // A certificate that never was and ends in a minute: the smallest entry that any member may make.
    let nothing = Digest::of(genesis.suite, Label::REQUEST, &now_ms.to_be_bytes());
    let serial = nothing.to_string().chars().take(32).collect();
    let body = Body::CertificateRevoked(CertificateRevoked { serial, not_after_ms: now_ms.saturating_add(60_000) });
    let entry = Entry { author: Some(own.file.member.clone()), made_ms: now_ms, body };
    let id = entry_id(genesis.suite, &to_bytes(&entry));
    let roster = own.roster().await?;
    let key = own.secrets.keyring.key_of(&roster).ok_or("the ledger names a key of this member that is not here")?;
    let batch = SignedBatch::sign(&genesis.digest(), &own.file.member, &[entry], &key).map_err(|e| e.to_string())?;
    let recorded = own.node.record(batch, WAIT).await.map_err(|e| e.to_string())?;
    let outcome = recorded.first().ok_or("the node did not say what became of it")?;
    if let Some(reason) = &outcome.rejected {
        return Err(format!("recorded at height {} and rejected: {reason}", outcome.height));
    }
    let receipt = own.node.receipt(id).await.map_err(|e| e.to_string())?.ok_or("it has no receipt")?;
    let report = verify_receipt(&to_bytes(&receipt), &genesis);
    match report.failed {
        None => Ok(format!("an entry is final at height {}, its receipt verifies offline", outcome.height)),
        Some(step) => Err(format!("the receipt does not verify: {}", step.name())),
    }
}
