//! Shapes of the domain nouns' JSON, for the OpenAPI document alone: the nouns themselves know nothing of HTTP. A test
//! holds each against a serialised noun.

use utoipa::ToSchema;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($word:ident),* })*) => {$(
        $(#[$doc])*
        #[derive(ToSchema)]
        #[schema(rename_all = "snake_case")]
        #[allow(dead_code, missing_docs, reason = "described, never made")]
        pub(crate) enum $name { $($word),* }
    )*};
}

words! {
    /// How a query is answered, least revealing first.
    Mode { Match, Lookup, Detail, Submit }
    /// What the consumer needs to learn.
    Need { Verify, Read, Document }
    /// Sharing attribute of the catalogue.
    Sharing { Unconditional, Conditional, Refused }
    /// Grade under the data classification rules.
    Grade { General, Important, Core }
    /// Type of a field's values.
    FieldKind { Text, Integer, Date, Boolean, Document }
    /// How often a dataset is brought up to date.
    UpdateCycle { Realtime, Daily, Weekly, Monthly, Quarterly, Yearly, Irregular }
    /// Subject matter, by the codes of the European data themes.
    Theme { Agri, Econ, Educ, Ener, Envi, Gove, Heal, Intr, Just, Regi, Soci, Tech, Tran }
    /// Where a dataset stands.
    DatasetStage { Published, Deprecated, Suspended, Archived }
    /// What happens to a right.
    RightKind { Registration, Pledge, Transfer }
    /// What kind of thing a record is about.
    SubjectKind { Resident, Company, Unit }
    /// Kind of organisation.
    Class { Government, Finance, Regulator, Notary }
    /// What a member may do on the ledger.
    Role { Holder, Consumer, Authoriser, Regulator, Validator, Trustee, Platform, Observer }
    /// State of a consent.
    ConsentStatus { Active, Paused, Revoked, Exhausted }
    /// When an answer may leave the holder.
    Release { AfterPermit, AfterReceipt }
    /// Who is told of a query.
    Notify { Subject, Steward, Regulator }
    /// Where a ceremony stands.
    CeremonyStatus { Open, Finished, Failed }
    /// What opening an escrow showed.
    CaseOutcome { Confirmed, Excluded, Mismatch }
    /// In what capacity somebody spoke for the subject.
    Capacity { Guardian, Attorney, LegalRepresentative }
    /// What a delegate may do.
    Power { DecideRequests, ChangeGrants, AnswerDisputes, RequestAccess }
    /// How much can go wrong.
    RiskLevel { Low, Medium, High }
    /// Where an access request stands.
    RequestStatus { Submitted, Returned, Checked, Approved, Rejected, Withdrawn }
    /// How a proposal stands.
    ProposalStatus { Open, Accepted, Rejected, Expired, Overtaken }
    /// A vote.
    Vote { Yes, No }
    /// What is wrong with a record.
    DisputeKind { Wrong, Missing, Outdated, Mistaken }
    /// How a use under a consent ended.
    UseOutcome { Refused, Permitted, Answered, Lapsed, Voided }
    /// Allow or forbid.
    Effect { Allow, Forbid }
    /// Cipher suite.
    Suite { Sm, Intl }
}

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(ToSchema)]
        #[allow(dead_code, missing_docs, reason = "described, never made")]
        pub(crate) struct $name { $($field: $kind),* }
    )*};
}

shapes! {
    /// A text in simplified Chinese and in English.
    Names { zh: String, en: String }
    /// One field of a dataset; `mask` is absent when values are released whole.
    Field {
        name: String, names: Names, kind: FieldKind, unit: Option<String>, personal: bool, mask: Option<Mask>,
        modes: Vec<Mode>, level: Option<Level>, bound: Option<Bound>, score: Option<ScoreHint>,
    }
    /// What values of a field may be.
    Bound { min: Option<i64>, max: Option<i64>, max_chars: Option<u32> }
    /// How a field enters a scoring rule: `kind` is `number`, with `bits`, `bins`, with `edges`, or `flag`.
    ScoreHint { kind: String, bits: Option<u32>, edges: Option<Vec<i64>> }
    /// Time that records are about, in days.
    Period { from: String, until: Option<String> }
    /// Figures of quality as they were measured on a day; records are rounded.
    Quality {
        completeness_permille: u16, accuracy_permille: u16, timeliness_permille: u16, measured_on: String, records: u64,
    }
    /// Until when a deprecated dataset is answered, and what takes its place.
    Deprecation { until_ms: u64, successor: Option<String> }
    /// What happened to a dataset since it was published.
    DatasetStatus { suspended_by: Vec<String>, deprecated: Option<Deprecation>, archived: bool }
    /// A change of a right; `record` is a salted digest.
    RightChange { id: String, dataset: String, kind: RightKind, record: String, follows: Option<String> }
    /// A change of a right with its signatures; effective when all signers have signed.
    RightState {
        change: RightChange, signed: Vec<String>, signers: Vec<String>, effective_ms: u64, followed_by: Option<String>,
    }
    /// A dataset as its holder publishes it.
    Dataset {
        id: String, holder: String, revision: u32, names: Names, duty_basis: String, sharing: Sharing, grade: Grade,
        subject: SubjectKind, fields: Vec<Field>, max_rows: u32, update_cycle: UpdateCycle,
        cosigners: Vec<String>, about: Option<Description>,
    }
    /// Why data may be used.
    Purpose {
        code: String, names: Names, legal_basis: String, needs_consent: bool, needs_case: bool, modes: Vec<Mode>,
        retention_days: u32, needs_record: Option<bool>,
    }
    /// An organisation that has joined, with its public keys.
    Member {
        id: String, names: Names, class: Class, roles: Vec<Role>, verifying_key: String, sealing_key: String,
    }
    /// Queries per window.
    Quota { limit: u64, window_ms: u64 }
    /// What a holder allows a consumer.
    Grant {
        id: String, holder: String, consumer: String, dataset: String, purpose: String, modes: Vec<Mode>,
        fields: Vec<String>, quota: Quota, valid_from_ms: u64, valid_until_ms: u64, data_life_days: u32, max_rows: u32,
        supersedes: Option<String>,
    }
    /// One dataset a consent covers.
    ConsentScope { dataset: String, fields: Vec<String> }
    /// What a citizen or company allowed; the subject is hidden in the commitment.
    Consent {
        id: String, consumer: String, purpose: String, scopes: Vec<ConsentScope>, modes: Vec<Mode>, commitment: String,
        valid_from_ms: u64, valid_until_ms: u64, max_uses: u32, data_life_days: u32,
        kind: ConsentKind, frequency: Option<Quota>, notice: Option<String>, representative: Option<Representative>,
        request: Option<String>,
    }
    /// On what an authorisation rests: `kind` is `consent`, or `legal_authority` with its case number.
    ConsentKind { kind: String, case: Option<String>, sealed_until_ms: Option<u64> }
    /// Who spoke for the subject, on evidence kept by the service.
    Representative { capacity: Capacity, commitment: String, evidence: String }
    /// A grant with what happened to it.
    GrantState {
        grant: Grant, suspended_by: Vec<String>, revoked: bool, signed_by: Vec<String>, request: Option<String>,
        superseded_by: Option<String>, deletion_due_ms: Option<u64>, deletion_overdue: bool, deletion: Option<String>,
    }
    /// A grant with the consumer's signature over its digest.
    SignedGrant { grant: Grant, consumer_signature: String }
    /// One of the four dimensions of a risk record.
    RiskAnswer { level: RiskLevel, answer: String }
    /// What can go wrong, in four dimensions; author and reviewer are two operators.
    RiskRecord {
        data: RiskAnswer, scene: RiskAnswer, mode: RiskAnswer, audience: RiskAnswer, author: String, reviewer: String,
    }
    /// A consumer's request for a grant.
    AccessRequest { id: String, subsystem: String, dataset_revision: u32, grant: SignedGrant, risk: RiskRecord }
    /// One step of an access request.
    RequestEvent {
        by: String, on_behalf_of: Option<String>, at_ms: u64, step: String, words: String, late_ms: u64,
    }
    /// A statutory clock.
    Clock { member: String, started_ms: u64, due_ms: u64, overdue: bool }
    /// An access request with what happened to it.
    RequestState {
        request: AccessRequest, status: RequestStatus, events: Vec<RequestEvent>, clock: Option<Clock>,
        approvals: Vec<String>, approvers: Vec<String>, rule: Option<String>,
    }
    /// Who acts for whom.
    Delegation {
        id: String, principal: String, delegate: String, powers: Vec<Power>, datasets: Vec<String>, valid_from_ms: u64,
        valid_until_ms: u64,
    }
    /// A change of the roster: `change` is `admit`, `remove`, `suspend`, `reinstate`, `lock`, `replace_keys`, `set_roles` or
    /// `amend`. `member` is a description in `admit` and an id elsewhere.
    RosterChange {
        change: String, member: Option<serde_json::Value>, possession: Option<String>, keys: Option<NewKeys>,
        roles: Option<Vec<Role>>, charter: Option<Charter>,
    }
    /// New keys, and the proof that they are the member's own.
    NewKeys { member: String, verifying_key: String, sealing_key: String, possession: String }
    /// What is proposed: `kind` is `policy`, with a rule book and the digest of its review, or `roster`, with a change.
    ProposalSubject {
        kind: String, book: Option<RuleBook>, review: Option<String>, change: Option<RosterChange>,
    }
    /// A member's place: `standing` is `active`, `suspended`, `frozen`, `locked` or `removed`.
    Seat { member: Member, standing: String, officer_key: Option<String> }
    /// Everybody with their keys, and the charter.
    Roster { number: u32, from_height: u64, seats: Vec<Seat>, charter: Charter }
    /// A proposal.
    Proposal { id: String, subject: ProposalSubject, reason: String }
    /// A vote that was cast.
    CastBallot { member: String, vote: Vote, reason: String }
    /// A proposal with its votes.
    ProposalState {
        proposal: Proposal, proposer: String, opened_ms: u64, closes_ms: u64, status: ProposalStatus,
        voters: Vec<String>, ballots: Vec<CastBallot>,
    }
    /// A consumer's doubt about an answer.
    Dispute { id: String, intent: String, dataset: String, fields: Vec<String>, kind: DisputeKind, grounds: String }
    /// What the holder says to it: `answer` is `corrected`, with a note, or `refused`, with a reason.
    DisputeAnswer { answer: String, note: Option<String>, reason: Option<String> }
    /// A dispute with what became of it.
    DisputeState {
        dispute: Dispute, consumer: String, holder: String, clock: Clock, answer: Option<DisputeAnswer>,
        answered_ms: u64,
    }
    /// How many working days each step may take.
    Clocks { check_days: u16, decide_days: u16, dispute_days: u16, deletion_days: u16 }
    /// Working days, as `YYYY-MM-DD`.
    Calendar { revision: u32, holidays: Vec<String>, workdays: Vec<String>, clocks: Clocks }
    /// The newest notice text of a purpose.
    Notice { purpose: String, version: u32, text: String }
    /// Points per answer: each line is a mode and its points.
    Tariff { revision: u32, points: Vec<Vec<String>> }
    /// Counters of one month, consumer and dataset; each line of `answered` is a mode and a number.
    Usage {
        month: u32, consumer: String, holder: String, dataset: String, refused: u64, permitted: u64, lapsed: u64,
        voided: u64, answered: Vec<Vec<String>>, disputed: u64, corrected: u64, upheld: u64, overdue: u64,
    }
    /// A member's contribution account.
    Account { member: String, answers_given: u64, earned: u64, answers_received: u64, spent: u64 }
    /// How far a dataset's answers can be relied on.
    Reliability {
        dataset: String, holder: String, answers: u64, disputed: u64, corrected: u64, upheld: u64, overdue: u64,
        per_mille: u32,
    }
    /// One query that named a consent.
    ConsentUse {
        intent: String, leaf: u64, height: u64, time_ms: u64, consumer: String, holder: Option<String>,
        dataset: String, purpose: String, mode: Mode, fields: Vec<String>, outcome: UseOutcome,
    }
    /// A permit that somebody is told of.
    Notification { leaf: u64, time_ms: u64, permit: Permit }
    /// A role link.
    RoleLink { member: String, role: String }
    /// One guard rule; `ground` is `*`, `consent` or `legal`, `days` is `*`, `working` or `free`.
    GuardRule {
        name: String, subject: String, dataset: String, mode: String, purpose: String, from_hour: u8, until_hour: u8,
        effect: Effect, ground: Option<String>, days: Option<String>, grade: Option<Grade>,
        fields: Option<Vec<String>>, obligations: Option<RuleObligations>,
    }
    /// What an allowing rule demands of the answer; absent parts demand nothing.
    RuleObligations {
        masked: Option<Vec<String>>, max_rows: Option<u32>, rate_per_minute: Option<u32>, k_minimum: Option<u32>,
        release_after_receipt: Option<bool>, notify: Option<Vec<Notify>>,
    }
    /// A holder's rule book.
    RuleBook {
        holder: String, revision: u32, rules: Vec<GuardRule>, roles: Vec<RoleLink>, auto: Option<Vec<AutoRule>>,
    }
    /// Which access requests are approved without a person.
    AutoRule {
        name: String, subject: String, dataset: String, purposes: Vec<String>, modes: Vec<Mode>,
        fields: Option<Vec<String>>, max_per_day: u64, max_valid_days: u32, highest_risk: RiskLevel,
    }
    /// One reason of a decision, with its stable code.
    Reason { code: String, detail: String }
    /// What the holder must observe when it answers.
    Obligations {
        fields: Vec<String>, masked: Vec<String>, max_rows: u32, release: Release, data_life_days: u32,
        rate_per_minute: Option<u32>, k_minimum: Option<u32>, notify: Option<Vec<Notify>>,
    }
    /// Leave to answer one intent once.
    Permit {
        intent: String, query: String, holder: String, consumer: String, dataset: String, dataset_revision: u32,
        mode: Mode, obligations: Obligations, grant: String, height: u64, expires_ms: u64, policy: String,
        epoch: Option<u32>,
    }
    /// Rules the members agreed on when they founded the consortium.
    Charter { freshness_ms: u64, completion_ms: u64, pending_per_member: u32, restores_voided: Option<bool>, policy_vote: Option<VoteRule>, member_vote: Option<VoteRule>, four_eyes: Option<bool> }
    /// How rule books are voted on.
    VoteRule { quorum_percent: u8, objection_ms: u64 }
    /// The founding document.
    Genesis {
        version: u32, consortium: String, suite: Suite, created_ms: u64, members: Vec<Member>, charter: Charter,
    }
    /// A decision: `outcome` is `permitted`, with a permit, or `refused`.
    Decision {
        intent: String, query: String, outcome: String, permit: Option<Permit>, reasons: Vec<Reason>,
        policy: Option<String>,
    }
    /// The public side of one table for private retrieval; binary parts in hex.
    LookupTable {
        rows: u64, row_bytes: u32, columns: u32, seed: String, matrix: String, hint: String, locator: String,
        locator_bytes: u64,
    }
    /// One epoch of a dataset's private lookup as its holder published it.
    Epoch {
        dataset: String, number: u32, dataset_revision: u32, fields: Vec<String>, max_rows: u32, key: String,
        possession: String, table: LookupTable, overlay: LookupTable, opens_ms: u64, closes_ms: u64,
    }
    /// Tables whose answers a completion may still name.
    RecentTables { epoch: u32, table: String, overlay: String }
    /// The epoch in force, with its newest overlay.
    EpochState { epoch: Epoch, overlay_revision: u32, overlay: LookupTable, recent: Vec<RecentTables> }
    /// The holder's evaluation of a blinded subject under its epoch key, in hex.
    Evaluation { intent: String, evaluated: String, proof: String }
    /// A regulator's call to the trustees to make a key together.
    CeremonyCall { number: u32, threshold: u16, trustees: Vec<String> }
    /// A secret share, sealed to one trustee, in hex.
    SealedShare { to: String, sealed: String }
    /// What one trustee has contributed.
    Contribution { package: Option<String>, shares: Vec<SealedShare>, attestation: Option<String> }
    /// A ceremony; `fault` is who is to blame and why.
    Ceremony {
        call: CeremonyCall, caller: String, status: CeremonyStatus, contributions: Vec<Contribution>,
        group: Option<String>, key: Option<String>, fault: Option<Vec<String>>,
    }
    /// One lookup of a case; each share is a trustee and its sealed part in hex.
    CaseItem { intent: String, shares: Vec<Vec<String>>, outcome: Option<CaseOutcome> }
    /// A case about lookups.
    Case { number: String, regulator: String, order: String, opened_ms: u64, items: Vec<CaseItem> }
    /// The ground of a query: `kind` is `consent`, with an id, or `legal`, with a commitment and perhaps a case number.
    Authority { kind: String, id: Option<String>, commitment: Option<String>, case: Option<String> }
    /// How released values are shortened: `kind` is `keep`, with `first` and `last`, `floor`, with `step`, or `year`.
    Mask { kind: String, first: Option<u32>, last: Option<u32>, step: Option<u32> }
}

/// Level of a field, from public to most sensitive.
#[derive(ToSchema)]
#[allow(dead_code, missing_docs, reason = "described, never made")]
pub(crate) enum Level {
    L1,
    L2,
    L3,
    L4,
}

/// What the catalogue says of a dataset; all of it may be left out.
#[derive(ToSchema)]
#[allow(dead_code, missing_docs, reason = "described, never made")]
pub(crate) struct Description {
    #[schema(rename = "abstract")]
    summary: Option<Names>,
    steward: Option<String>,
    keywords: Option<Vec<Names>>,
    themes: Option<Vec<Theme>>,
    spatial: Option<Names>,
    conditions: Option<Names>,
    model: Option<String>,
    temporal: Option<Period>,
    quality: Option<Quality>,
}

#[cfg(test)]
mod tests;
