//! The nouns of the consortium: their ids, fields and the checks that a value must pass to exist.
//!
//! Everything here is plain data with canonical bytes (for the ledger) and JSON (for people). What the nouns *mean*
//! lives above: decisions in `policy/engine`, state changes in `node/state`.
#![deny(missing_docs)]

mod answer;
mod calendar;
mod charter;
mod completion;
mod consent;
mod dataset;
mod decision;
mod delegation;
mod dispute;
mod entry;
mod epoch;
mod equivocation;
mod escrow;
mod grant;
mod id;
mod intent;
mod lookup;
mod member;
mod mode;
mod personal;
mod policy;
mod proposal;
mod purpose;
mod record;
mod request;
mod right;
mod roster;
mod simulation;
mod subject;
mod told;
mod usage;

pub use answer::{Answer, AnswerError, Disclosure, FieldMatch, MatchOutcome, QueryInput, disclose};
pub use calendar::{Calendar, CalendarError, Clocks, Day};
pub use charter::{Charter, CharterError};
pub use completion::{Completion, Lapse, Voided};
pub use consent::{
    Capacity, Consent, ConsentChange, ConsentKind, ConsentScope, ConsentStatus, ConsentUse, Notice, Representative,
    UseOutcome,
};
pub use dataset::{
    Bound, Dataset, DatasetChange, DatasetError, DatasetStage, DatasetStatus, Deprecation, Description, Field,
    FieldKind, Grade, Level, MAX_FIELDS, Mask, Period, Quality, ScoreHint, Sharing, Theme, UpdateCycle,
};
pub use decision::{Decision, Notification, Obligations, Outcome, Permit, Reason, ReasonCode, Release};
pub use delegation::{Delegation, Power};
pub use dispute::{Dispute, DisputeAnswer, DisputeKind, DisputeState};
pub use entry::{Body, Countersigned, Entry, countersigned};
pub use epoch::{Epoch, EpochError, LookupTable, MAX_ROW_BYTES, Overlay, Point, Proof};
pub use equivocation::{Equivocation, SignedStatement};
pub use escrow::{
    Case, CaseItem, CaseNumber, CaseNumberError, CaseOpened, CaseOutcome, CaseResult, CaseShare, Ceremony,
    CeremonyCall, CeremonyStatus, CeremonyStep, Contribution, MAX_TRUSTEES, Package, SealedShare, attested,
};
pub use grant::{Grant, GrantChange, Quota, SignedGrant};
pub use id::{
    ConsentId, DatasetId, DelegationId, DisputeId, FieldName, GrantId, IdError, IntentId, MemberId, ProposalId,
    PurposeCode, RequestId, RightId,
};
pub use intent::{Authority, Commitment, Intent};
pub use lookup::{Evaluation, LookupClaim, LookupRecord, LookupRow, Retrieval, Retrieved, SignedRetrieval};
pub use member::{Class, Member, Names, Role};
pub use mode::Mode;
pub use personal::{Found, PersonalKind, personal, scan};
pub use policy::{AutoRule, DayKind, Effect, Ground, GuardRule, Notify, RoleLink, RuleBook, RuleObligations};
pub use proposal::{
    Ballot, CastBallot, Proposal, ProposalClosed, ProposalState, ProposalStatus, ProposalSubject, Vote, VoteRule,
};
pub use purpose::Purpose;
pub use record::{Record, Value, normalise_text};
pub use request::{
    AccessRequest, Clock, ClockOverdue, DeletionAttestation, MAX_STEPS, MAX_WORDS, RequestEvent, RequestState,
    RequestStatus, RequestStep, RiskAnswer, RiskLevel, RiskRecord, RuleApplied,
};
pub use right::{RightChange, RightKind, RightState};
pub use roster::{CertificateRevoked, Freeze, NewKeys, Roster, RosterChange, RosterStep, Seat, Standing, possession};
pub use simulation::{Simulated, Simulation};
pub use subject::{CreditCode, ResidentNumber, Subject, SubjectError, SubjectKind, UnitNumber};
pub use told::told_to;
pub use usage::{Account, Reliability, Tariff, Usage, reliability, settle};
