//! `covenant policy simulate`: what past queries would have been told.

use std::path::Path;

use covenant_domain::{Obligations, Simulated, Simulation};

use super::read;
use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::table::Table;

/// Has a node try the book on the newest queries.
pub(super) async fn run(context: &Context, file: &Path, last: u32) -> Result<Document, CliError> {
    let book = read(file)?;
    let simulation = context.client().await?.simulate(&book, last).await?;
    Ok(Document::new(tell(&simulation), &simulation))
}

fn tell(simulation: &Simulation) -> String {
    let Simulation { compared, changed, height, .. } = simulation;
    let head = format!("{compared} queries up to block {height} compared, {} would differ", changed.len());
    if changed.is_empty() {
        return head;
    }
    let mut table = Table::new(["query", "block", "consumer", "dataset", "mode", "purpose", "was", "would be", "why"]);
    changed.iter().for_each(|one| table.row(line(one)));
    format!("{head}\n{table}")
}

fn line(one: &Simulated) -> [String; 9] {
    let said = |obligations: &Option<Obligations>| if obligations.is_some() { "permitted" } else { "refused" };
    let would = if one.was.is_some() && one.would.is_some() { "permitted, other demands" } else { said(&one.would) };
    [
        one.intent.to_string(),
        one.height.to_string(),
        one.consumer.to_string(),
        one.dataset.name().to_owned(),
        one.mode.to_string(),
        one.purpose.to_string(),
        said(&one.was).into(),
        would.into(),
        one.reasons.iter().map(|r| r.detail.as_str()).collect::<Vec<_>>().join("; "),
    ]
}
