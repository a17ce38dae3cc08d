//! What happens by itself when its time has come: permits lapse, clocks run out, votes close.

use covenant_domain::{Body, ClockOverdue};

use super::{deletion, intent, proposal};
use crate::draft::Draft;
use crate::object::{Key, Object};

/// Most that is done so in one block; the rest follows in the next.
const PER_BLOCK: usize = 256;

/// Does what is due by the time of the block, the oldest first.
pub(crate) fn due(draft: &mut Draft<'_>) {
    let base = draft.base;
    for (due_ms, key) in base.overdue(draft.moment.time_ms).take(PER_BLOCK) {
        match base.object(key) {
            Some(Object::Open(query)) => intent::lapsed(draft, *due_ms, query),
            Some(Object::Grant(state)) => deletion::overdue(draft, *due_ms, state),
            Some(Object::Revoked(_)) => draft.delete(key.clone()),
            Some(Object::Proposal(state)) => proposal::close(draft, state.as_ref().clone()),
            Some(Object::Request(state)) => {
                let mut state = state.clone();
                let member = state.clock.as_mut().map(|clock| {
                    clock.overdue = true;
                    clock.member.clone()
                });
                if let Some(member) = member {
                    let id = state.request.id.to_string();
                    draft.put(key.clone(), Object::Request(state));
                    escalate(draft, "request", id, member, *due_ms);
                }
            }
            Some(Object::Dispute(state)) => {
                let mut state = state.clone();
                state.clock.overdue = true;
                let (member, id) = (state.clock.member.clone(), state.dispute.id.to_string());
                draft.count(&state.consumer, &state.dispute.dataset, |u| u.overdue += 1);
                draft.put(Key::Dispute(state.dispute.id), Object::Dispute(state));
                escalate(draft, "dispute", id, member, *due_ms);
            }
            _ => {}
        }
    }
}

/// Records who delays what. From here on it stands on the ledger, where regulators look for it.
pub(super) fn escalate(draft: &mut Draft<'_>, what: &str, id: String, member: covenant_domain::MemberId, due_ms: u64) {
    draft.derive(Body::ClockOverdue(ClockOverdue { what: what.into(), id, member, due_ms }));
}
