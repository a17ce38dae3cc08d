//! Batches on their way from one node's mempool to the others'.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_domain::MemberId;
use covenant_ledger::SignedBatch;
use parking_lot::Mutex;
use tokio::sync::mpsc;

/// Batches that may wait for a slow peer; what does not fit is lost and offered again by its origin.
const QUEUE: usize = 4096;

/// Joins the mempools of nodes in one process.
#[derive(Clone, Default)]
pub struct GossipHub(Arc<Mutex<BTreeMap<MemberId, mpsc::Sender<Arc<SignedBatch>>>>>);

impl GossipHub {
    /// An empty hub.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn join(&self, member: &MemberId) -> mpsc::Receiver<Arc<SignedBatch>> {
        let (send, receive) = mpsc::channel(QUEUE);
        self.0.lock().insert(member.clone(), send);
        receive
    }

    pub(crate) fn offer(&self, from: &MemberId, batch: &Arc<SignedBatch>) {
        for (member, peer) in self.0.lock().iter().filter(|(m, _)| *m != from) {
            if peer.try_send(batch.clone()).is_err() {
                tracing::debug!(%member, "a peer's mempool takes no batches now");
            }
        }
    }
}
