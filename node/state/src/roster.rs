//! Who belongs to the consortium, now and soon, and what is on record about members.

use std::sync::Arc;

use covenant_domain::{Equivocation, Member, MemberId, Standing};
use covenant_ledger::Membership;

use crate::State;
use crate::object::{Key, Object};
use crate::objects::Kind;

impl State {
    /// All members; former ones are none.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        let seats = self.membership().roster().seats.iter();
        seats.filter(|seat| seat.standing != Standing::Removed).map(|seat| &seat.member)
    }

    /// The roster that holds from the height after the next one on, where it is another: what the header of the next block
    /// names.
    pub fn next_roster(&self) -> Option<&Arc<Membership>> {
        let after = self.trust().at(self.height().saturating_add(2));
        (!Arc::ptr_eq(after, self.membership())).then_some(after)
    }

    /// Whether a roster waits for heights to come: blocks are then made without entries too.
    pub fn awaits_roster(&self) -> bool {
        !Arc::ptr_eq(self.trust().latest(), self.membership())
    }

    /// Whether a transport certificate was revoked by its member.
    pub fn is_revoked(&self, member: &MemberId, serial: &str) -> bool {
        let key = Key::Revoked { member: member.clone(), serial: serial.to_owned() };
        self.object(&key).is_some()
    }

    /// Proofs that validators contradicted themselves.
    pub fn equivocations(&self) -> impl Iterator<Item = &Equivocation> {
        self.objects().of(Kind::Equivocation).filter_map(|(_, object)| match object {
            Object::Equivocation(shown) => Some(shown.as_ref()),
            _ => None,
        })
    }
}
