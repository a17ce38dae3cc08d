//! The state as it would be in the middle of a block.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_canon::Digest;
use covenant_domain::{
    Body, Case, CaseNumber, Ceremony, ConsentId, Dataset, DatasetId, Entry, GrantId, Intent, IntentId, Member,
    MemberId, Purpose, PurposeCode, RuleBook,
};
use covenant_engine::{ConsentState, EpochState, Facts, GrantState, Guard, Moment};

use crate::State;
use crate::claim;
use crate::object::{EscrowInForce, GrantUse, Key, Object, OpenQuery};

/// The state before the block, overlaid with what the block has changed so far.
pub(crate) struct Draft<'a> {
    pub(crate) base: &'a State,
    pub(crate) moment: Moment,
    pub(crate) changes: BTreeMap<Key, Option<Object>>,
    pub(crate) guards: BTreeMap<MemberId, Arc<Guard>>,
    pub(crate) derived: Vec<Entry>,
    new_grants: Vec<GrantId>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(base: &'a State, moment: Moment) -> Self {
        let (changes, guards) = (BTreeMap::new(), BTreeMap::new());
        Self { base, moment, changes, guards, derived: Vec::new(), new_grants: Vec::new() }
    }

    pub(crate) fn put(&mut self, key: Key, object: Object) {
        if let Key::Grant(id) = &key
            && self.base.object(&key).is_none()
        {
            self.new_grants.push(*id);
        }
        self.changes.insert(key, Some(object));
    }

    pub(crate) fn delete(&mut self, key: Key) {
        self.changes.insert(key, None);
    }

    pub(crate) fn derive(&mut self, body: Body) {
        self.derived.push(Entry { author: None, made_ms: self.moment.time_ms, body });
    }

    /// Records that an entry was ordered but not accepted.
    pub(crate) fn reject(&mut self, entry: Digest, reason: String) {
        self.derive(Body::Rejected { entry, reason });
    }

    fn object(&self, key: &Key) -> Option<&Object> {
        match self.changes.get(key) {
            Some(changed) => changed.as_ref(),
            None => self.base.object(key),
        }
    }

    pub(crate) fn grant(&self, id: &GrantId) -> Option<&GrantState> {
        match self.object(&Key::Grant(*id)) {
            Some(Object::Grant(state)) => Some(state),
            _ => None,
        }
    }

    pub(crate) fn policy(&self, holder: &MemberId) -> Option<&RuleBook> {
        match self.object(&Key::Policy(holder.clone())) {
            Some(Object::Policy(book)) => Some(book),
            _ => None,
        }
    }

    pub(crate) fn open(&self, intent: &IntentId) -> Option<&OpenQuery> {
        match self.object(&Key::Open(*intent)) {
            Some(Object::Open(query)) => Some(query),
            _ => None,
        }
    }

    pub(crate) fn grant_use(&self, id: &GrantId) -> Option<&GrantUse> {
        match self.object(&Key::GrantUse(*id)) {
            Some(Object::GrantUse(used)) => Some(used),
            _ => None,
        }
    }

    pub(crate) fn ceremony(&self, number: u32) -> Option<&Ceremony> {
        match self.object(&Key::Ceremony(number)) {
            Some(Object::Ceremony(ceremony)) => Some(ceremony),
            _ => None,
        }
    }

    pub(crate) fn escrow_in_force(&self) -> Option<&EscrowInForce> {
        match self.object(&Key::Escrow) {
            Some(Object::Escrow(escrow)) => Some(escrow),
            _ => None,
        }
    }

    pub(crate) fn case(&self, number: &CaseNumber) -> Option<&Case> {
        match self.object(&Key::Case(number.clone())) {
            Some(Object::Case(case)) => Some(case),
            _ => None,
        }
    }
}

impl Facts for Draft<'_> {
    fn member(&self, id: &MemberId) -> Option<&Member> {
        self.base.member(id)
    }

    fn dataset(&self, id: &DatasetId) -> Option<&Dataset> {
        match self.object(&Key::Dataset(id.clone())) {
            Some(Object::Dataset(dataset)) => Some(dataset),
            _ => None,
        }
    }

    fn purpose(&self, code: &PurposeCode) -> Option<&Purpose> {
        match self.object(&Key::Purpose(code.clone())) {
            Some(Object::Purpose(purpose)) => Some(purpose),
            _ => None,
        }
    }

    fn grants(&self, consumer: &MemberId, dataset: &DatasetId, purpose: &PurposeCode) -> Vec<&GrantState> {
        let fits = |s: &&GrantState| {
            &s.grant.consumer == consumer && &s.grant.dataset == dataset && &s.grant.purpose == purpose
        };
        let known = self.base.grant_ids(consumer, dataset, purpose);
        let mut out: Vec<_> = known.chain(&self.new_grants).filter_map(|id| self.grant(id)).filter(fits).collect();
        out.sort_by_key(|s| s.grant.id);
        out
    }

    fn quota_used(&self, grant: &GrantId, window_start_ms: u64) -> u64 {
        self.grant_use(grant).filter(|u| u.window_start_ms == window_start_ms).map_or(0, |u| u.used)
    }

    fn consent(&self, id: &ConsentId) -> Option<&ConsentState> {
        match self.object(&Key::Consent(*id)) {
            Some(Object::Consent(state)) => Some(state),
            _ => None,
        }
    }

    fn guard(&self, holder: &MemberId) -> Option<&Guard> {
        self.guards.get(holder).map(Arc::as_ref).or_else(|| self.base.guard(holder))
    }

    fn epoch(&self, dataset: &DatasetId) -> Option<&EpochState> {
        match self.object(&Key::Epoch(dataset.clone())) {
            Some(Object::Epoch(state)) => Some(state),
            _ => None,
        }
    }

    fn escrow(&self) -> Option<u32> {
        self.escrow_in_force().map(|e| e.ceremony)
    }

    fn claim_holds(&self, intent: &Intent) -> bool {
        claim::holds(self, intent).is_some()
    }
}
