//! The nouns of the consortium: their ids, fields and the checks that a value must pass to exist.
//!
//! Everything here is plain data with canonical bytes (for the ledger) and JSON (for people). What the nouns *mean*
//! lives above: decisions in `policy/engine`, state changes in `node/state`.
#![deny(missing_docs)]

mod answer;
mod completion;
mod consent;
mod dataset;
mod decision;
mod entry;
mod epoch;
mod escrow;
mod grant;
mod id;
mod intent;
mod lookup;
mod member;
mod mode;
mod policy;
mod purpose;
mod record;
mod subject;

pub use answer::{Answer, AnswerError, Disclosure, FieldMatch, MatchOutcome, QueryInput, disclose};
pub use completion::{Completion, Lapse, Voided};
pub use consent::{Consent, ConsentChange, ConsentScope, ConsentStatus};
pub use dataset::{Dataset, DatasetError, Field, FieldKind, Grade, Mask, Sharing};
pub use decision::{Decision, Obligations, Outcome, Permit, Reason, ReasonCode, Release};
pub use entry::{Body, Entry};
pub use epoch::{Epoch, EpochError, LookupTable, MAX_ROW_BYTES, Overlay, Point, Proof};
pub use escrow::{
    Case, CaseItem, CaseNumber, CaseNumberError, CaseOpened, CaseOutcome, CaseResult, CaseShare, Ceremony,
    CeremonyCall, CeremonyStatus, CeremonyStep, Contribution, MAX_TRUSTEES, Package, SealedShare, attested,
};
pub use grant::{Grant, GrantChange, Quota, SignedGrant};
pub use id::{ConsentId, DatasetId, FieldName, GrantId, IdError, IntentId, MemberId, PurposeCode};
pub use intent::{Authority, Commitment, Intent};
pub use lookup::{Evaluation, LookupClaim, LookupRecord, LookupRow, Retrieval, Retrieved, SignedRetrieval};
pub use member::{Class, Member, Names, Role};
pub use mode::Mode;
pub use policy::{Effect, GuardRule, RoleLink, RuleBook};
pub use purpose::Purpose;
pub use record::{Record, Value, normalise_text};
pub use subject::{CreditCode, ResidentNumber, Subject, SubjectError, SubjectKind, UnitNumber};
