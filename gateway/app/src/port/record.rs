//! What the ledger's state knows, asked for by kind.

use covenant_domain::{
    Calendar, Delegation, DisputeState, Notice, ProposalState, RequestState, Roster, RuleBook, Tariff, Usage,
};
use covenant_engine::GrantState;
use minicbor::{Decode, Encode};

macro_rules! kinds {
    ($($(#[$doc:meta])* $n:literal $kind:ident($noun:ty);)*) => {
        /// A kind of record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
        pub enum RecordKind {
            $($(#[$doc])* #[n($n)] $kind,)*
        }

        /// All records of one kind, in the order of their ids.
        #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
        pub enum Records {
            $($(#[$doc])* #[n($n)] $kind(#[n(0)] Vec<$noun>),)*
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
    0 Grants(GrantState);
    /// Access requests.
    1 Requests(RequestState);
    /// Delegations.
    2 Delegations(Delegation);
    /// Proposals with their votes.
    3 Proposals(ProposalState);
    /// Disputes.
    4 Disputes(DisputeState);
    /// Counters by month, consumer and dataset.
    5 Usage(Usage);
    /// The calendar in force, alone.
    6 Calendar(Calendar);
    /// The newest notice of each purpose.
    7 Notices(Notice);
    /// The tariff in force, alone.
    8 Tariff(Tariff);
    /// Rule books in force.
    9 RuleBooks(RuleBook);
    /// The roster of the next height, alone.
    10 Roster(Roster);
}
