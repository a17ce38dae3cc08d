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
//! What peers say in (2) and (3) may be lies, and one that names a height far away would hold for ever. So a replica without
//! work that was made to agree on empty blocks before waits longer each time before it does so again.
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
    /// How many empty blocks were made in a row before this height.
    pub(crate) idle: u32,
}

/// Empty blocks in a row that are nothing unusual: what made a peer want them may be on its way.
const USUAL: u32 = 2;

/// Longest wait of a replica that was woken in vain again and again.
const LONGEST: Duration = Duration::from_secs(10);

impl Rest {
    /// Resolves when the height should be started.
    pub(crate) async fn until_wanted(self) {
        let (pulse, height) = (&self.switch.pulse, self.height);
        let proposes = self.set.proposer(height, 0).is_some_and(|v| v.member == self.me);
        self.until_of_use().await;
        tokio::select! {
            biased;
            () = pulse.until(|a| a.exists(height)) => {
                self.work_within(self.reluctance()).await;
                return;
            }
            () = pulse.until(|a| a.working(height, &self.set)) => {
                let gather = if proposes { self.gather } else { Duration::ZERO };
                self.work_within(gather.max(self.reluctance())).await;
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

    /// Waits for work of its own, but not for longer.
    async fn work_within(&self, longest: Duration) {
        if !longest.is_zero() {
            let _ready_or_late = tokio::time::timeout(longest, self.app.wanted(self.height)).await;
        }
    }

    /// How long others must wait for a replica that has nothing to do itself: twice as long after each empty block.
    fn reluctance(&self) -> Duration {
        let Some(doubled) = self.idle.checked_sub(USUAL) else { return Duration::ZERO };
        let factor = 1_u32.checked_shl(doubled).unwrap_or(u32::MAX);
        self.gather.saturating_mul(factor).min(LONGEST)
    }

    /// Waits until a decision is possible: votes into a network without a quorum are lost and cost rounds.
    async fn until_of_use(&self) {
        self.switch.pulse.until(|a| a.exists(self.height) || a.quorate(&self.me, &self.set)).await;
    }
}
