//! The state as it would be in the middle of a block.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_canon::Digest;
use covenant_domain::{
    AccessRequest, Body, Calendar, Case, CaseNumber, Ceremony, ConsentId, Dataset, DatasetId, DatasetStatus, Day,
    Delegation, DelegationId, DisputeId, DisputeState, Entry, GrantId, Intent, IntentId, Member, MemberId, Notice,
    ProposalId, ProposalState, Purpose, PurposeCode, RequestId, RequestState, Roster, RuleBook, Standing, Usage,
};
use covenant_engine::{ConsentState, EpochState, Facts, GrantState, Guard, Moment, auto_approval};

use covenant_ledger::Membership;

use crate::State;
use crate::beside::Beside;
use crate::claim;
use crate::object::{EscrowInForce, Key, Object, OpenQuery, WindowUse};
use crate::objects::Kind;

/// The state before the block, overlaid with what the block has changed so far.
pub(crate) struct Draft<'a> {
    pub(crate) base: &'a State,
    pub(crate) moment: Moment,
    pub(crate) changes: BTreeMap<Key, Option<Object>>,
    pub(crate) guards: BTreeMap<MemberId, Arc<Guard>>,
    pub(crate) derived: Vec<Entry>,
    pub(crate) beside: Option<Beside>,
    /// The roster that this block makes.
    pub(crate) membership: Option<Arc<Membership>>,
    new_grants: Vec<GrantId>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(base: &'a State, moment: Moment) -> Self {
        let (changes, guards) = (BTreeMap::new(), BTreeMap::new());
        let (derived, new_grants) = (Vec::new(), Vec::new());
        Self { base, moment, changes, guards, derived, beside: None, membership: None, new_grants }
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

    /// The newest roster that is decided, whether it holds already or not.
    pub(crate) fn newest_membership(&self) -> &Membership {
        self.membership.as_ref().unwrap_or_else(|| self.base.trust().latest())
    }

    /// A copy of it, to be changed, that holds so many heights later.
    pub(crate) fn next_roster(&self, heights: u64) -> Roster {
        let mut next = self.newest_membership().roster().clone();
        if self.membership.is_none() {
            next.number = next.number.saturating_add(1);
        }
        next.from_height = self.moment.height.saturating_add(heights);
        next
    }

    /// Puts the next roster in force.
    pub(crate) fn put_membership(&mut self, next: Arc<Membership>) {
        let roster = next.roster().clone();
        self.put(Key::Roster(roster.number), Object::Roster(Box::new(roster)));
        self.membership = Some(next);
    }

    /// Records that an entry was ordered but not accepted.
    pub(crate) fn reject(&mut self, entry: Digest, reason: String) {
        self.derive(Body::Rejected { entry, reason });
    }

    pub(crate) fn object(&self, key: &Key) -> Option<&Object> {
        match self.changes.get(key) {
            Some(changed) => changed.as_ref(),
            None => self.base.object(key),
        }
    }

    /// Grants that this block issues.
    pub(crate) fn new_grants(&self) -> &[GrantId] {
        &self.new_grants
    }

    /// All objects of a kind, changes included.
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        let new = self.changes.keys().filter(move |k| k.kind() == kind && self.base.object(k).is_none());
        self.base.objects().of(kind).map(|(key, _)| key).chain(new).filter_map(|key| self.object(key))
    }

    /// Objects of a kind that this block has changed.
    pub(crate) fn changed(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.changes.iter().filter(move |(key, _)| key.kind() == kind).filter_map(|(_, object)| object.as_ref())
    }

    /// Whether the member holds or held a grant on the dataset.
    pub(crate) fn has_held_grant(&self, consumer: &MemberId, dataset: &DatasetId) -> bool {
        let new = self.new_grants.iter().filter_map(|id| self.grant(id));
        self.base.has_held_grant(consumer, dataset)
            || new.into_iter().any(|s| &s.grant.consumer == consumer && &s.grant.dataset == dataset)
    }

    /// The holder's rule that approves this request without a person, if there is one.
    pub(crate) fn auto_approval(&self, holder: &MemberId, request: &AccessRequest) -> Option<String> {
        auto_approval(self.guard(holder)?, request).map(str::to_owned)
    }

    /// Delegations in force, and those that have run out and were not ended.
    pub(crate) fn delegations(&self) -> impl Iterator<Item = &Delegation> {
        self.all(Kind::Delegation).filter_map(|object| match object {
            Object::Delegation(delegation) => Some(delegation),
            _ => None,
        })
    }

    /// The calendar in force.
    pub(crate) fn calendar(&self) -> &Calendar {
        match self.object(&Key::Calendar) {
            Some(Object::Calendar(calendar)) => calendar,
            _ => Calendar::plain(),
        }
    }

    /// Revision of the tariff in force; zero when there is none.
    pub(crate) fn tariff_revision(&self) -> u32 {
        match self.object(&Key::Tariff) {
            Some(Object::Tariff(tariff)) => tariff.revision,
            _ => 0,
        }
    }
}

/// Looks an object up by its key.
macro_rules! lookups {
    ($($name:ident($arg:ident: $id:ty) => $key:expr, $kind:ident($found:ident) -> $noun:ty, $value:expr;)*) => {
        impl Draft<'_> {$(
            pub(crate) fn $name(&self, $arg: $id) -> Option<&$noun> {
                match self.object(&$key) {
                    Some(Object::$kind($found)) => Some($value),
                    _ => None,
                }
            }
        )*}
    };
}

lookups! {
    grant(id: &GrantId) => Key::Grant(*id), Grant(found) -> GrantState, found;
    policy(holder: &MemberId) => Key::Policy(holder.clone()), Policy(found) -> RuleBook, found;
    open(intent: &IntentId) => Key::Open(*intent), Open(found) -> OpenQuery, found;
    grant_use(id: &GrantId) => Key::GrantUse(*id), GrantUse(found) -> WindowUse, found;
    consent_use(id: &ConsentId) => Key::ConsentUse(*id), ConsentUse(found) -> WindowUse, found;
    ceremony(number: u32) => Key::Ceremony(number), Ceremony(found) -> Ceremony, found;
    case(number: &CaseNumber) => Key::Case(number.clone()), Case(found) -> Case, found;
    request(id: &RequestId) => Key::Request(*id), Request(found) -> RequestState, found.as_ref();
    delegation(id: &DelegationId) => Key::Delegation(*id), Delegation(found) -> Delegation, found;
    proposal(id: &ProposalId) => Key::Proposal(*id), Proposal(found) -> ProposalState, found.as_ref();
    dispute(id: &DisputeId) => Key::Dispute(*id), Dispute(found) -> DisputeState, found;
    notice(purpose: &PurposeCode) => Key::Notice(purpose.clone()), Notice(found) -> Notice, found;
}

impl Draft<'_> {
    pub(crate) fn rate(&self, id: &GrantId) -> Option<&WindowUse> {
        if let Some(other) = self.beside.as_ref().filter(|b| b.in_use) {
            return other.rate(id);
        }
        match self.object(&Key::Rate(*id)) {
            Some(Object::Rate(used)) => Some(used),
            _ => None,
        }
    }
}

impl Draft<'_> {
    pub(crate) fn escrow_in_force(&self) -> Option<&EscrowInForce> {
        match self.object(&Key::Escrow) {
            Some(Object::Escrow(escrow)) => Some(escrow),
            _ => None,
        }
    }

    /// Changes the counters of this month, consumer and dataset.
    pub(crate) fn count(&mut self, consumer: &MemberId, dataset: &DatasetId, change: impl FnOnce(&mut Usage)) {
        let Some(holder) = self.dataset(dataset).map(|d| d.holder.clone()) else { return };
        let month = Day::of_ms(self.moment.time_ms).month();
        let key = Key::Usage { month, consumer: consumer.clone(), dataset: dataset.clone() };
        let mut usage = match self.object(&key) {
            Some(Object::Usage(usage)) => usage.clone(),
            _ => Usage::new(month, consumer.clone(), holder, dataset.clone()),
        };
        change(&mut usage);
        self.put(key, Object::Usage(usage));
    }
}

impl Facts for Draft<'_> {
    fn member(&self, id: &MemberId) -> Option<&Member> {
        self.base.member(id)
    }

    fn acts(&self, member: &MemberId) -> bool {
        self.base.membership().standing(member).is_some_and(Standing::acts)
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

    fn consent_used(&self, consent: &ConsentId, window_start_ms: u64) -> u64 {
        self.consent_use(consent).filter(|u| u.window_start_ms == window_start_ms).map_or(0, |u| u.used)
    }

    fn rate_used(&self, grant: &GrantId, window_start_ms: u64) -> u64 {
        self.rate(grant).filter(|u| u.window_start_ms == window_start_ms).map_or(0, |u| u.used)
    }

    fn is_working_day(&self, time_ms: u64) -> bool {
        self.calendar().is_working(Day::of_ms(time_ms))
    }

    fn consent(&self, id: &ConsentId) -> Option<&ConsentState> {
        match self.object(&Key::Consent(*id)) {
            Some(Object::Consent(state)) => Some(state),
            _ => None,
        }
    }

    fn guard(&self, holder: &MemberId) -> Option<&Guard> {
        if let Some(other) = self.beside.as_ref().and_then(|b| b.guard(holder)) {
            return Some(other);
        }
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

    fn dataset_status(&self, dataset: &DatasetId) -> Option<&DatasetStatus> {
        self.status_of(dataset)
    }

    fn claim_holds(&self, intent: &Intent) -> bool {
        claim::holds(self, intent).is_some()
    }
}
