//! What the state knows of private lookups: epochs, the escrow key, cases.

use covenant_canon::Digest;
use covenant_domain::{Case, Ceremony, DatasetId, MemberId};
use covenant_engine::{EpochState, Guard};

use crate::State;
use crate::object::{EscrowInForce, Key, Object};
use crate::objects::Kind;

impl State {
    /// A dataset's epoch in force.
    pub fn epoch(&self, dataset: &DatasetId) -> Option<&EpochState> {
        match self.object(&Key::Epoch(dataset.clone())) {
            Some(Object::Epoch(state)) => Some(state),
            _ => None,
        }
    }

    /// The escrow key in force.
    pub fn escrow(&self) -> Option<&EscrowInForce> {
        match self.object(&Key::Escrow) {
            Some(Object::Escrow(escrow)) => Some(escrow),
            _ => None,
        }
    }

    /// All ceremonies, in the order of their numbers.
    pub fn ceremonies(&self) -> impl Iterator<Item = &Ceremony> {
        self.objects().of(Kind::Ceremony).filter_map(|(_, o)| match o {
            Object::Ceremony(ceremony) => Some(ceremony),
            _ => None,
        })
    }

    /// All cases, in the order of their numbers.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.objects().of(Kind::Case).filter_map(|(_, o)| match o {
            Object::Case(case) => Some(case),
            _ => None,
        })
    }

    /// Digest of a holder's rule book in force.
    pub fn policy_digest(&self, holder: &MemberId) -> Option<Digest> {
        self.guard(holder).map(Guard::digest)
    }
}
