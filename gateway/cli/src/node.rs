//! `covenant node`: one member's node as a process of its own.

use std::path::PathBuf;

use clap::Args;
use covenant_daemon::Steps;
use covenant_daemon::service::{NodeFile, Service};
use serde_json::json;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::signals;

/// Which node.
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// Its configuration, as `covenant init` writes it
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Runs the command until the process is told to end, or consensus dies here.
pub(crate) async fn run(context: &Context, args: &NodeArgs) -> Result<Document, CliError> {
    let file = NodeFile::read(&args.config)?;
    let member = file.member.clone();
    let service = Service::start(file, Steps::default()).await?;
    let tip = service.node.tip();
    let note = format!("node of `{member}` at {}, height {}", service.mesh.local_addr(), tip.height);
    context.printer.note(&note);
    let failure = tokio::select! {
        failure = service.node.failed() => Some(failure),
        () = signals::stop() => None,
    };
    let height = service.node.tip().height;
    service.stop().await;
    match failure {
        Some(failure) => Err(CliError::Halted { height, failure }),
        None => Ok(Document::new("stopped", &json!({ "member": member, "height": height }))),
    }
}
