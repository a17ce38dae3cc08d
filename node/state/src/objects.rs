//! Objects by kind, so that whoever wants all of one kind does not walk the others.

use std::collections::BTreeMap;

use crate::object::{Key, Object};

/// The kinds of objects that are listed as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Purpose,
    Dataset,
    Policy,
    Grant,
    Consent,
    Open,
    Ceremony,
    Case,
    Request,
    Delegation,
    Proposal,
    Dispute,
    Usage,
    Notice,
    Roster,
    Revoked,
    Equivocation,
    /// Found by their key alone.
    Other,
}

impl Key {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Purpose(_) => Kind::Purpose,
            Self::Dataset(_) => Kind::Dataset,
            Self::Policy(_) => Kind::Policy,
            Self::Grant(_) => Kind::Grant,
            Self::Consent(_) => Kind::Consent,
            Self::Open(_) => Kind::Open,
            Self::Ceremony(_) => Kind::Ceremony,
            Self::Case(_) => Kind::Case,
            Self::Request(_) => Kind::Request,
            Self::Delegation(_) => Kind::Delegation,
            Self::Proposal(_) => Kind::Proposal,
            Self::Dispute(_) => Kind::Dispute,
            Self::Usage { .. } => Kind::Usage,
            Self::Notice(_) => Kind::Notice,
            Self::Roster(_) => Kind::Roster,
            Self::Revoked { .. } => Kind::Revoked,
            Self::Equivocation { .. } => Kind::Equivocation,
            Self::GrantUse(_)
            | Self::Rate(_)
            | Self::Epoch(_)
            | Self::Escrow
            | Self::Calendar
            | Self::Tariff
            | Self::DatasetStatus(_)
            | Self::Right(_)
            | Self::ConsentUse(_) => Kind::Other,
        }
    }
}

/// All objects of a state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Objects(BTreeMap<Kind, BTreeMap<Key, Object>>);

impl Objects {
    pub(crate) fn get(&self, key: &Key) -> Option<&Object> {
        self.0.get(&key.kind())?.get(key)
    }

    pub(crate) fn insert(&mut self, key: Key, object: Object) -> Option<Object> {
        self.0.entry(key.kind()).or_default().insert(key, object)
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<Object> {
        self.0.get_mut(&key.kind())?.remove(key)
    }

    /// All of one kind, in the order of their keys.
    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = (&Key, &Object)> {
        self.0.get(&kind).into_iter().flatten()
    }
}
