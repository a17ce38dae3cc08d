//! The mesh as consensus and mempools see it.

use std::sync::Arc;

use bytes::Bytes;
use covenant_canon::{from_bytes, to_bytes};
use covenant_consensus::{Link, LinkEvent, Network};
use covenant_domain::MemberId;
use covenant_ledger::SignedBatch;
use covenant_mesh::{Events, Lane, Mesh, MeshEvent};
use tokio::sync::mpsc;

use crate::gossip::{Gossip, Offer};

/// Frames that may wait for the engine before more are lost.
const FRAMES: usize = 16_384;
/// Batches of peers that may wait to be checked.
const BATCHES: usize = 4_096;

struct Consensus(Arc<Mesh>);

impl Link for Consensus {
    fn send(&self, to: &MemberId, frame: Bytes) {
        self.0.send(to, Lane::Consensus, frame);
    }

    fn broadcast(&self, frame: Bytes) {
        self.0.broadcast(Lane::Consensus, frame);
    }
}

struct Batches(Arc<Mesh>);

impl Offer for Batches {
    fn offer(&self, batch: &Arc<SignedBatch>) {
        self.0.broadcast(Lane::Gossip, to_bytes(batch.as_ref()).into());
    }
}

/// Splits what the mesh brings between consensus and mempool, until the mesh ends.
pub(crate) fn split(mesh: &Arc<Mesh>, mut events: Events) -> (Network, Gossip) {
    let (to_engine, for_engine) = mpsc::channel(FRAMES);
    let (to_mempool, for_mempool) = mpsc::channel(BATCHES);
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            let event = match event {
                MeshEvent::Connected(peer) => LinkEvent::Connected(peer),
                MeshEvent::Disconnected(peer) => LinkEvent::Disconnected(peer),
                MeshEvent::Frame(peer, Lane::Consensus, frame) => LinkEvent::Frame(peer, frame),
                MeshEvent::Frame(peer, Lane::Gossip, frame) => {
                    match from_bytes::<SignedBatch>(&frame) {
                        // What does not fit is offered again.
                        Ok(batch) => drop(to_mempool.try_send(Arc::new(batch))),
                        Err(error) => tracing::warn!(%peer, %error, "a peer offers what is no batch"),
                    }
                    continue;
                }
            };
            // Waiting here lets peers wait, each for itself.
            if to_engine.send(event).await.is_err() {
                return;
            }
        }
    });
    let network = Network { link: Arc::new(Consensus(mesh.clone())), events: for_engine };
    (network, Gossip { offer: Arc::new(Batches(mesh.clone())), offered: for_mempool })
}
