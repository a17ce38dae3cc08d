//! Batches on their way from one node's mempool to the others'.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_domain::MemberId;
use covenant_ledger::SignedBatch;
use parking_lot::Mutex;
use tokio::sync::mpsc;

/// Batches that may wait for a slow peer; what does not fit is lost and offered again by its origin.
const QUEUE: usize = 4096;

/// Takes batches to the other nodes. Best effort; it never blocks.
pub trait Offer: Send + Sync + 'static {
    /// Offers a batch to every peer.
    fn offer(&self, batch: &Arc<SignedBatch>);
}

/// One node's end of the way between mempools.
pub struct Gossip {
    /// Outwards.
    pub offer: Arc<dyn Offer>,
    /// Inwards: batches of peers, which are checked like anybody's.
    pub offered: mpsc::Receiver<Arc<SignedBatch>>,
}

type Inboxes = Arc<Mutex<BTreeMap<MemberId, mpsc::Sender<Arc<SignedBatch>>>>>;

/// Joins the mempools of nodes in one process.
#[derive(Clone, Default)]
pub struct GossipHub(Inboxes);

impl GossipHub {
    /// An empty hub.
    pub fn new() -> Self {
        Self::default()
    }

    /// Joins a member; joining again replaces it.
    pub fn join(&self, member: &MemberId) -> Gossip {
        let (send, offered) = mpsc::channel(QUEUE);
        self.0.lock().insert(member.clone(), send);
        Gossip { offer: Arc::new(Joined { hub: self.0.clone(), member: member.clone() }), offered }
    }
}

struct Joined {
    hub: Inboxes,
    member: MemberId,
}

impl Offer for Joined {
    fn offer(&self, batch: &Arc<SignedBatch>) {
        for (member, peer) in self.hub.lock().iter().filter(|(m, _)| **m != self.member) {
            if peer.try_send(batch.clone()).is_err() {
                tracing::debug!(%member, "a peer's mempool takes no batches now");
            }
        }
    }
}
