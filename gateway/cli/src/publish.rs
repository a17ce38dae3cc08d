//! Entries for the ledger.

use covenant_client::{Client, EntryResult};
use covenant_domain::Body;
use serde::Serialize;

use crate::document::Document;
use crate::error::CliError;
use crate::words::{name, tame};

/// What became of an entry.
#[derive(Debug, Serialize)]
struct Published {
    kind: &'static str,
    about: String,
    #[serde(flatten)]
    entry: Option<EntryResult>,
}

/// Publishes one entry and waits until it is final. A rejection by the ledger is a document that ends with 1.
pub(crate) async fn publish(client: &Client, body: Body) -> Result<Document, CliError> {
    let (kind, about, what) = (body.kind(), body.about(), what(&body));
    let entry = client.publish(vec![body]).await?.pop();
    let rejected = entry.as_ref().and_then(|e| e.rejected.clone());
    let at = entry.as_ref().map(|e| format!("block {}, leaf {}", e.height, e.leaf)).unwrap_or_default();
    let human = match &rejected {
        None => format!("✓ {what} `{about}`: {at}"),
        Some(reason) => format!("✗ {what} `{about}` is on record as rejected ({at}): {}", tame(reason)),
    };
    Ok(Document::new(human, &Published { kind, about, entry }).demanding(rejected.is_none()))
}

fn what(body: &Body) -> String {
    match body {
        Body::GrantChanged { change, .. } => format!("grant {}", name(change)),
        Body::ConsentChanged { change, .. } => format!("consent {}", name(change)),
        other => other.kind().replace('_', " "),
    }
}
