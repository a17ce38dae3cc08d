//! What the state knows, for those who look at it from outside.

use covenant_domain::{
    Calendar, ConsentId, Dataset, DatasetId, Delegation, DisputeState, GrantId, IntentId, Notice, ProposalState,
    Purpose, PurposeCode, RequestId, RequestState, RuleBook, Tariff, Usage,
};
use covenant_domain::{DisputeId, MemberId};
use covenant_engine::{ConsentState, GrantState, Plan, Wish, plan};

use crate::State;
use crate::draft::Draft;
use crate::object::{Key, Object, OpenQuery};
use crate::objects::Kind;

/// One object by its key, and all of its kind.
macro_rules! views {
    ($($(#[$one_doc:meta])* $one:ident($arg:ident: $id:ty) => $key:expr, $(#[$all_doc:meta])* $all:ident, $kind:ident($found:ident) -> $noun:ty, $value:expr;)*) => {
        impl State {$(
            $(#[$one_doc])*
            pub fn $one(&self, $arg: &$id) -> Option<&$noun> {
                match self.object(&$key) {
                    Some(Object::$kind($found)) => Some($value),
                    _ => None,
                }
            }

            $(#[$all_doc])*
            pub fn $all(&self) -> impl Iterator<Item = &$noun> {
                self.objects().of(Kind::$kind).filter_map(|(_, object)| match object {
                    Object::$kind($found) => Some($value),
                    _ => None,
                })
            }
        )*}
    };
}

views! {
    /// A dataset in force.
    dataset(id: DatasetId) => Key::Dataset(id.clone()),
    /// All datasets.
    datasets, Dataset(found) -> Dataset, found;
    /// A purpose.
    purpose(code: PurposeCode) => Key::Purpose(code.clone()),
    /// All purposes.
    purposes, Purpose(found) -> Purpose, found;
    /// A holder's rule book in force.
    rule_book(holder: MemberId) => Key::Policy(holder.clone()),
    /// All rule books in force.
    rule_books, Policy(found) -> RuleBook, found;
    /// A grant with its status.
    grant(id: GrantId) => Key::Grant(*id),
    /// All grants.
    grants_all, Grant(found) -> GrantState, found;
    /// A consent with its status.
    consent(id: ConsentId) => Key::Consent(*id),
    /// All consents.
    consents, Consent(found) -> ConsentState, found;
    /// An access request.
    request(id: RequestId) => Key::Request(*id),
    /// All access requests.
    requests, Request(found) -> RequestState, found.as_ref();
    /// A delegation.
    delegation(id: covenant_domain::DelegationId) => Key::Delegation(*id),
    /// All delegations.
    delegations, Delegation(found) -> Delegation, found;
    /// A proposal.
    proposal(id: covenant_domain::ProposalId) => Key::Proposal(*id),
    /// All proposals.
    proposals, Proposal(found) -> ProposalState, found.as_ref();
    /// A dispute.
    dispute(id: DisputeId) => Key::Dispute(*id),
    /// All disputes.
    disputes, Dispute(found) -> DisputeState, found;
    /// The newest notice text of a purpose.
    notice(purpose: PurposeCode) => Key::Notice(purpose.clone()),
    /// All newest notice texts.
    notices, Notice(found) -> Notice, found;
}

impl State {
    /// The counters of all months, consumers and datasets.
    pub fn usage(&self) -> impl Iterator<Item = &Usage> {
        self.objects().of(Kind::Usage).filter_map(|(_, object)| match object {
            Object::Usage(usage) => Some(usage),
            _ => None,
        })
    }

    /// The calendar in force; weekends alone are free until one is adopted.
    pub fn calendar(&self) -> &Calendar {
        match self.object(&Key::Calendar) {
            Some(Object::Calendar(calendar)) => calendar,
            _ => Calendar::plain(),
        }
    }

    /// The tariff in force; every answer is worth one point until one is adopted.
    pub fn tariff(&self) -> Tariff {
        match self.object(&Key::Tariff) {
            Some(Object::Tariff(tariff)) => tariff.clone(),
            _ => Tariff::default(),
        }
    }

    /// Queries debited from a grant in its newest window.
    pub fn grant_used(&self, id: &GrantId) -> u64 {
        match self.object(&Key::GrantUse(*id)) {
            Some(Object::GrantUse(used)) => used.used,
            _ => 0,
        }
    }

    /// Permitted queries that await completion.
    pub fn open_queries(&self) -> impl Iterator<Item = &OpenQuery> {
        self.objects().of(Kind::Open).filter_map(|(_, object)| match object {
            Object::Open(query) => Some(query),
            _ => None,
        })
    }

    /// One permitted query that awaits completion.
    pub fn open_query(&self, id: &IntentId) -> Option<&OpenQuery> {
        match self.object(&Key::Open(*id)) {
            Some(Object::Open(query)) => Some(query),
            _ => None,
        }
    }

    /// Advice on a query as of now.
    pub fn plan(&self, wish: &Wish, time_ms: u64) -> Plan {
        let draft = Draft::new(self, self.moment(self.height() + 1, time_ms.max(self.time_ms())));
        plan(&draft, wish, &draft.moment)
    }
}
