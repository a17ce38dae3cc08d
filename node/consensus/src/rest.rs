//! The pause between two blocks.
//!
//! The engine decides height h, the block is committed, and the engine waits to be told to start h+1. As long as it is
//! not told it has no timer that moves anything, and it queues what peers send for h+1. So a consortium without work
//! makes no blocks and no rounds. A replica stops resting when
//!
//! 1. its own application wants a block: it tells all others, so that they start within one network delay;
//! 2. a validator works on that height, known by any consensus message or by (1); or
//! 3. a peer has that block already: it is then fetched.
//!
//! Losing (1) costs a propose timeout, not liveness: the replica that wants a block votes for none after its timeout,
//! and goes on telling so, which is (2) for the others.

use std::sync::Arc;
use std::time::Duration;

use covenant_domain::MemberId;
use covenant_ledger::ValidatorSet;

use crate::app::Application;
use crate::codec::Message;
use crate::transport::Switch;

/// A pause before one height.
pub(crate) struct Rest {
    pub(crate) app: Arc<dyn Application>,
    pub(crate) switch: Arc<Switch>,
    pub(crate) set: Arc<ValidatorSet>,
    pub(crate) me: MemberId,
    pub(crate) height: u64,
    /// How long a proposer woken by others waits for work of its own, which is on its way to it.
    pub(crate) gather: Duration,
}

impl Rest {
    /// Resolves when the height should be started.
    pub(crate) async fn until_wanted(self) {
        let (pulse, height) = (&self.switch.pulse, self.height);
        let proposes = self.set.proposer(height, 0).is_some_and(|v| v.member == self.me);
        self.until_of_use().await;
        tokio::select! {
            biased;
            () = pulse.until(|a| a.exists(height)) => return,
            () = pulse.until(|a| a.working(height, &self.set)) => {
                if proposes {
                    let _ready_or_late = tokio::time::timeout(self.gather, self.app.wanted(height)).await;
                }
            }
            () = self.app.wanted(height) => {
                self.until_of_use().await;
                // A proposer wakes the others with its block.
                if !proposes && self.set.get(&self.me).is_some() {
                    self.switch.broadcast(Message::Wake(height));
                }
            }
        }
        self.until_of_use().await;
    }

    /// Waits until a decision is possible: votes into a network without a quorum are lost and cost rounds.
    async fn until_of_use(&self) {
        self.switch.pulse.until(|a| a.exists(self.height) || a.quorate(&self.me, &self.set)).await;
    }
}
