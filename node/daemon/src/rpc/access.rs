//! Who may ask a node.

use std::sync::Arc;

use covenant_app::port::NodeAsk;
use covenant_domain::{MemberId, Role};

use crate::node::Node;

/// Says whether a member may make a call.
pub type MayCall = Arc<dyn Fn(&MemberId, &NodeAsk) -> bool + Send + Sync>;

/// Gateways, which members of role `platform` run, and the node's own member may call everything, but that what administers the node is for its own member
/// alone; other members nothing.
/// The roster is the one on the ledger at the time of the call. Does not keep the node alive.
pub fn by_role(node: &Arc<Node>) -> MayCall {
    let node = Arc::downgrade(node);
    Arc::new(move |caller, ask| {
        let administers = matches!(ask, NodeAsk::Backup(_) | NodeAsk::Archive(_) | NodeAsk::Snapshot(_));
        node.upgrade().is_some_and(|node| {
            let known = node.with_state(|s| s.membership().member(caller).cloned());
            known.is_some_and(|member| node.member() == caller || (member.has(Role::Platform) && !administers))
        })
    })
}
