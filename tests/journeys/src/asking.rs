//! Words that tests use.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use covenant_canon::{Digest, from_bytes, to_bytes};
use covenant_client::authorise::{self, ConsentTicket, Terms};
use covenant_client::{Client, Reply};
use covenant_daemon::Node;
use covenant_domain::{Body, ConsentChange, ConsentId, DatasetId, Decision, FieldName, Outcome, ReasonCode, Subject};
use covenant_ledger::{Bundle, Closure};

/// Field names.
///
/// # Panics
/// When one is malformed.
pub fn fields(names: &[&str]) -> Vec<FieldName> {
    names.iter().map(|n| FieldName::new(n).unwrap()).collect()
}

/// A dataset of the demo's departments, for example `housing/registry/homes`.
///
/// # Panics
/// When it is malformed.
pub fn dataset(path: &str) -> DatasetId {
    DatasetId::new(&format!("cov:{}/gov/{path}", covenant_demo::catalogue::CONSORTIUM)).unwrap()
}

/// The codes of a refusal.
pub fn codes(reply: &Reply) -> Vec<ReasonCode> {
    reply.reasons.iter().map(|r| r.code).collect()
}

/// Canonical sizes of what one query left on the ledger: intent, decision and completion. Height is left out of the
/// permit: its encoding grows with the chain.
///
/// # Panics
/// When the bundle cannot be read or is not of a completed query.
pub fn ledger_bytes(bundle: &[u8]) -> [usize; 3] {
    let mut bundle: Bundle = from_bytes(bundle).unwrap();
    if let Body::Decision(Decision { outcome: Outcome::Permitted { permit }, .. }) = &mut bundle.decision.entry.body {
        permit.height = 0;
    }
    let Closure::Completed { completion, .. } = &bundle.closure else { panic!("not completed") };
    let size = |entry| to_bytes(entry).len();
    [size(&bundle.intent.leaf.entry), size(&bundle.decision.entry), size(&completion.leaf.entry)]
}

/// Asks again and again until something is so, twenty seconds at most.
///
/// # Panics
/// When it never is.
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..800 {
        if let Some(found) = probe().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what}: not within twenty seconds");
}

/// Waits until all nodes stand at one block with nothing waiting, and demands that their states are equal.
///
/// # Panics
/// When they do not meet, or differ.
pub async fn settled(nodes: &[Arc<Node>]) -> Digest {
    // A state that differs at one tip never becomes equal; two looks at different moments of a moving chain do.
    until("all nodes at one block, in one state", async || {
        let stands: BTreeSet<_> = nodes.iter().map(|n| (n.tip().block, n.with_state(|s| s.digest()))).collect();
        let open = nodes.iter().any(|n| n.backlog() > 0 || n.with_state(|s| s.open_queries().count()) > 0);
        stands.first().filter(|_| stands.len() == 1 && !open).map(|(_, digest)| *digest)
    })
    .await
}

/// The authorisation service and one consumer.
pub struct Desk {
    service: Client,
    key: covenant_suite::SealingKey,
}

impl Desk {
    /// The service, sealing tickets to a consumer.
    ///
    /// # Panics
    /// When the consumer has no key.
    pub fn new(service: Client, consumer: &Client) -> Self {
        let member = consumer.trust().member(consumer.member()).unwrap();
        Self { service, key: member.sealing_key.parse().unwrap() }
    }

    /// Consents on the ledger, with their tickets.
    ///
    /// # Panics
    /// When the ledger does not take one.
    pub async fn issue(&self, wanted: Vec<(Subject, Terms)>) -> Vec<ConsentTicket> {
        let issued = wanted.into_iter().map(|(subject, terms)| authorise::issue(&subject, terms, &self.key).unwrap());
        let (bodies, tickets): (Vec<_>, Vec<_>) = issued.unzip();
        self.publish(bodies).await;
        tickets
    }

    /// Pauses, resumes or revokes.
    pub async fn change(&self, consent: ConsentId, change: ConsentChange) {
        self.publish(vec![Body::ConsentChanged { consent, change }]).await;
    }

    async fn publish(&self, bodies: Vec<Body>) {
        for entry in self.service.publish(bodies).await.unwrap() {
            assert_eq!(entry.rejected, None);
        }
    }
}
