//! What the ledger's state knows, asked for by kind.

use covenant_domain::{
    Calendar, Delegation, DisputeState, Notice, ProposalState, RequestState, RuleBook, Tariff, Usage,
};
use covenant_engine::GrantState;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($noun:ty);)*) => {
        /// A kind of record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum RecordKind {
            $($(#[$doc])* $kind,)*
        }

        /// All records of one kind, in the order of their ids.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Records {
            $($(#[$doc])* $kind(Vec<$noun>),)*
        }

        $(impl Recorded for $noun {
            const KIND: RecordKind = RecordKind::$kind;

            fn of(records: Records) -> Option<Vec<Self>> {
                match records {
                    Records::$kind(all) => Some(all),
                    _ => None,
                }
            }
        })*
    };
}

/// A noun that the state lists.
pub trait Recorded: Sized {
    /// Its kind.
    const KIND: RecordKind;

    /// The records, if they are of this kind.
    fn of(records: Records) -> Option<Vec<Self>>;
}

kinds! {
    /// Grants with their status.
    Grants(GrantState);
    /// Access requests.
    Requests(RequestState);
    /// Delegations.
    Delegations(Delegation);
    /// Proposals with their votes.
    Proposals(ProposalState);
    /// Disputes.
    Disputes(DisputeState);
    /// Counters by month, consumer and dataset.
    Usage(Usage);
    /// The calendar in force, alone.
    Calendar(Calendar);
    /// The newest notice of each purpose.
    Notices(Notice);
    /// The tariff in force, alone.
    Tariff(Tariff);
    /// Rule books in force.
    RuleBooks(RuleBook);
}
