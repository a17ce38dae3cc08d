//! What is known of the peers: who is connected, who works on which height, who has which tip. It decides when a replica
//! that rests between two blocks starts the next height.

use std::collections::{BTreeMap, BTreeSet};

use covenant_domain::MemberId;
use covenant_ledger::ValidatorSet;
use tokio::sync::watch;

/// The peers as last heard.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    connected: BTreeSet<MemberId>,
    /// Height of the latest consensus message of a peer.
    working: BTreeMap<MemberId, u64>,
    /// Latest tip a peer told.
    tips: BTreeMap<MemberId, u64>,
}

impl Activity {
    /// Whether block `height` exists somewhere, so it is to be fetched rather than made.
    pub(crate) fn exists(&self, height: u64) -> bool {
        self.tips.values().any(|tip| *tip >= height)
    }

    /// Whether a validator works on this height or a later one.
    pub(crate) fn working(&self, height: u64, set: &ValidatorSet) -> bool {
        self.working.iter().any(|(member, at)| *at >= height && set.get(member).is_some())
    }

    /// Whether the connected validators, with `me`, can decide. Votes sent before are lost and cost a whole round.
    pub(crate) fn quorate(&self, me: &MemberId, set: &ValidatorSet) -> bool {
        let here = |member: &MemberId| member == me || self.connected.contains(member);
        let power: u64 = set.validators().iter().filter(|v| here(&v.member)).map(|v| v.power).sum();
        power >= set.quorum()
    }
}

/// The peers, shared between the transport that hears them and the adapter that waits for them.
#[derive(Debug, Default)]
pub(crate) struct Pulse(watch::Sender<Activity>);

impl Pulse {
    pub(crate) fn connected(&self, peer: &MemberId) {
        self.0.send_modify(|a| {
            a.connected.insert(peer.clone());
        });
    }

    pub(crate) fn disconnected(&self, peer: &MemberId) {
        self.0.send_modify(|a| {
            a.connected.remove(peer);
            a.working.remove(peer);
            a.tips.remove(peer);
        });
    }

    /// A consensus message of this height came from the peer.
    pub(crate) fn working(&self, peer: &MemberId, height: u64) {
        self.0
            .send_if_modified(|a| a.connected.contains(peer) && a.working.insert(peer.clone(), height) != Some(height));
    }

    /// The peer told its tip.
    pub(crate) fn tip(&self, peer: &MemberId, tip: u64) {
        self.0.send_if_modified(|a| a.connected.contains(peer) && a.tips.insert(peer.clone(), tip) != Some(tip));
    }

    /// Waits until the peers are such.
    pub(crate) async fn until(&self, such: impl Fn(&Activity) -> bool) {
        // The sender lives in `self`, so the wait cannot end by its loss.
        let _never_closed = self.0.subscribe().wait_for(|a| such(a)).await.map(drop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> MemberId {
        MemberId::new(name).unwrap()
    }

    #[test]
    fn a_peer_counts_while_it_is_connected() {
        let set = ValidatorSet::equal(["a", "b", "c", "d"].map(member)).unwrap();
        let pulse = Pulse::default();
        pulse.tip(&member("b"), 9);
        assert!(!pulse.0.borrow().exists(1), "not connected");
        for name in ["b", "c"] {
            pulse.connected(&member(name));
        }
        assert!(pulse.0.borrow().quorate(&member("a"), &set));
        assert!(!pulse.0.borrow().quorate(&member("x"), &set), "an observer has no power");
        pulse.tip(&member("b"), 9);
        pulse.working(&member("c"), 10);
        {
            let activity = pulse.0.borrow();
            assert!(activity.exists(9) && !activity.exists(10));
            assert!(activity.working(10, &set) && !activity.working(11, &set));
        }
        pulse.connected(&member("x"));
        pulse.working(&member("x"), 99);
        assert!(!pulse.0.borrow().working(11, &set), "only validators wake others");
        pulse.disconnected(&member("b"));
        pulse.disconnected(&member("c"));
        let activity = pulse.0.borrow();
        assert!(!activity.exists(1) && !activity.working(1, &set) && !activity.quorate(&member("a"), &set));
    }
}
