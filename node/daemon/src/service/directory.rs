//! Who may connect, by the ledger: the node's replica, or a roster file while the replica has to catch up.

use std::sync::{Arc, OnceLock, Weak};

use covenant_domain::{MemberId, Role};
use covenant_ledger::{Membership, Trust};
use covenant_suite::VerifyingKey;
use covenant_tls::Directory;
use parking_lot::RwLock;

use crate::node::Node;

/// The members as a process knows them: from the genesis and handovers at first, from its own replica as soon as it has
/// one, whichever is newer.
pub struct Circle {
    consortium: String,
    trust: RwLock<Trust>,
    node: OnceLock<Weak<Node>>,
}

impl Circle {
    /// What the genesis and handovers say.
    pub fn new(consortium: String, trust: Trust) -> Arc<Self> {
        Arc::new(Self { consortium, trust: RwLock::new(trust), node: OnceLock::new() })
    }

    /// The consortium's name.
    pub fn name(&self) -> &str {
        &self.consortium
    }

    /// From now on this replica is asked too.
    pub fn ask(&self, node: &Arc<Node>) {
        // Only the first node of a process counts; there is one.
        let _first = self.node.set(Arc::downgrade(node));
    }

    /// Replaces what is trusted beside the replica: a gateway's view, which it has verified.
    pub fn follow(&self, trust: Trust) {
        *self.trust.write() = trust;
    }

    /// The newest roster known here.
    pub fn latest(&self) -> Arc<Membership> {
        let known = self.trust.read().latest().clone();
        let own = self.node.get().and_then(Weak::upgrade).map(|node| node.with_state(|s| s.membership().clone()));
        match own {
            Some(own) if own.roster().number >= known.roster().number => own,
            _ => known,
        }
    }

    /// Whether the member may have a node connected: validators, holders, regulators and observers.
    pub fn runs_node(&self, member: &MemberId) -> bool {
        let latest = self.latest();
        let roles = [Role::Validator, Role::Holder, Role::Regulator, Role::Observer];
        latest.member(member).is_some_and(|m| roles.into_iter().any(|role| m.has(role)))
    }

    /// Whether the member may call a node on others' behalf: it runs the platform, so its gateway.
    pub fn runs_gateway(&self, member: &MemberId) -> bool {
        self.latest().member(member).is_some_and(|m| m.has(Role::Platform))
    }
}

impl Directory for Circle {
    fn authorities(&self, member: &MemberId) -> Vec<VerifyingKey> {
        let latest = self.latest();
        latest.member(member).and_then(|m| m.verifying_key.parse().ok()).into_iter().collect()
    }

    fn is_revoked(&self, member: &MemberId, serial: &[u8]) -> bool {
        let serial: String = serial.iter().map(|b| format!("{b:02x}")).collect();
        self.node.get().and_then(Weak::upgrade).is_some_and(|node| node.with_state(|s| s.is_revoked(member, &serial)))
    }

    fn consortium(&self) -> Option<String> {
        Some(self.consortium.clone())
    }
}
