//! What a node does in the background beside answering.

use std::sync::Arc;
use std::time::Duration;

use covenant_domain::{Body, Equivocation};
use covenant_ledger::SignedBatch;
use tokio::sync::{broadcast, mpsc};

use crate::changes::Changes;
use crate::gossip::Offer;
use crate::holder::Holder;
use crate::replica::{CommittedBlock, Replica};
use crate::track::Tracker;

/// How long sealed inputs and answers are kept for consumers that ask again: thirty days.
const KEEP_ANSWERS_MS: u64 = 30 * 24 * 3_600_000;

/// Keeps the tracker in step with committed blocks.
pub(crate) async fn track(
    mut events: broadcast::Receiver<Arc<CommittedBlock>>,
    tracker: Arc<Tracker>,
    changes: Arc<Changes>,
) {
    loop {
        match events.recv().await {
            Ok(block) => {
                tracker.note(&block);
                changes.note();
            }
            Err(broadcast::error::RecvError::Lagged(missed)) => tracing::warn!(missed, "query tracker fell behind"),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Takes what peers offer.
pub(crate) async fn take_offers(replica: Arc<Replica>, mut offers: mpsc::Receiver<Arc<SignedBatch>>) {
    while let Some(batch) = offers.recv().await {
        let replica = replica.clone();
        let take = move || replica.take(Arc::unwrap_or_clone(batch));
        match tokio::task::spawn_blocking(take).await {
            Ok(Err(fault)) => tracing::debug!(%fault, "a peer's batch is not taken"),
            Ok(Ok(())) => {}
            Err(_) => return,
        }
    }
}

/// Deletes sealed inputs and answers that nobody will ask for any more.
pub(crate) async fn forget_answers(replica: Arc<Replica>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(3_600));
    loop {
        ticks.tick().await;
        let before_ms = replica.clock.now_ms().saturating_sub(KEEP_ANSWERS_MS);
        match replica.store.prune_work(before_ms).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, "old inputs and answers were deleted"),
            Err(error) => tracing::warn!(%error, "old inputs and answers could not be deleted"),
        }
    }
}

/// Offers what still waits to the peers again: one of them may have been away.
pub(crate) async fn offer_again(replica: Arc<Replica>, gossip: Arc<dyn Offer>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(3));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        for batch in replica.mempool.oldest(usize::MAX) {
            gossip.offer(&Arc::new(batch.batch().clone()));
        }
    }
}

/// Shows on the ledger what validators said twice; the first of all nodes is recorded.
///
/// One proof under each roster is enough for those who vote. Showing more would have a validator that contradicts itself at
/// every height make the others record, and so agree on, blocks without end.
pub(crate) async fn show_contradictions(holder: Arc<Holder>, mut found: mpsc::UnboundedReceiver<Equivocation>) {
    while let Some(shown) = found.recv().await {
        tracing::error!(validator = %shown.validator, height = shown.height, "a validator contradicted itself");
        if !holder.replica.is_on_record(&shown.validator) {
            holder.submit(vec![Body::EquivocationShown(shown)]).await;
        }
    }
}
