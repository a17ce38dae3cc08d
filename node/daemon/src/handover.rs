//! How the rosters of this ledger follow from the genesis, for those who verify offline.

use covenant_canon::from_bytes;
use covenant_domain::RosterStep;
use covenant_ledger::{Handover, Trust};
use covenant_state::State;
use covenant_store::Store;

use crate::error::NodeError;
use crate::replica::Replica;
use crate::snapshot::HANDOVERS;
use crate::stored::anchor_of;

/// The handovers up to the roster in force, read from the blocks that made them.
pub(crate) async fn load(store: &Store, trust: &Trust, state: &State) -> Result<Vec<Handover>, NodeError> {
    let last = state.membership().roster().from_height;
    // A replica that began with a snapshot has them from there; what follows, it has executed itself.
    let mut handovers: Vec<Handover> = match store.mark(HANDOVERS).await? {
        Some(bytes) => from_bytes(&bytes)?,
        None => Vec::new(),
    };
    let known = handovers.last().map_or(1, |h| h.step.from_height);
    let mut before = trust.at(known).clone();
    while let Some(next) = trust.after(&before).filter(|next| next.roster().from_height <= last) {
        let height = next.roster().from_height.saturating_sub(1);
        let missing = || NodeError::Unexecutable { height, reason: "its bytes are not in the store".into() };
        let stored = store.block(height).await?.ok_or_else(missing)?;
        let step = RosterStep::between(before.roster(), next.roster());
        handovers.push(Handover { step, anchor: anchor_of(&stored)? });
        before = next.clone();
    }
    Ok(handovers)
}

impl Replica {
    /// Handovers that lead to the roster of a height; absent when it is that of the genesis.
    pub(crate) fn handovers_to(&self, height: u64) -> Option<Vec<Handover>> {
        let handovers = self.handovers.read();
        let needed = handovers.iter().take_while(|h| h.step.from_height <= height);
        let needed: Vec<Handover> = needed.cloned().collect();
        (!needed.is_empty()).then_some(needed)
    }
}
