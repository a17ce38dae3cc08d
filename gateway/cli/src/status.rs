//! `covenant status`: health of the nodes and the newest block.

use covenant_client::{HealthReport, Tip};
use serde_json::json;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::table::Table;
use crate::words;

/// Runs the command.
pub(crate) async fn run(context: &Context) -> Result<Document, CliError> {
    let client = context.client().await?;
    let (health, tip) = (client.health().await?, client.tip().await?);
    let consortium = &client.trust().consortium;
    let human = format!("consortium `{consortium}`, as `{}`\n{}", client.member(), told(&health, &tip));
    let machine = json!({ "consortium": consortium, "member": client.member(), "health": health, "tip": tip });
    Ok(Document::new(human, &machine).demanding(health.all_sound))
}

fn told(health: &HealthReport, tip: &Tip) -> String {
    let mut table = Table::new(["node", "sound", "height", "backlog", "fault"]);
    for node in &health.nodes {
        let fault = node.fault.clone().unwrap_or_default();
        let sound = words::mark(node.sound).to_string();
        table.row([node.member.to_string(), sound, node.height.to_string(), node.backlog.to_string(), fault]);
    }
    let Tip { height, block, leaves, time_ms } = tip;
    format!("{table}\nnewest block {height} of {}: {block}, {leaves} leaves", words::time(*time_ms))
}
