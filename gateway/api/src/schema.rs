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
    /// What kind of thing a record is about.
    SubjectKind { Resident, Company, Unit }
    /// Kind of organisation.
    Class { Government, Finance, Regulator, Notary }
    /// What a member may do on the ledger.
    Role { Holder, Consumer, Authoriser, Regulator, Validator, Trustee }
    /// State of a consent.
    ConsentStatus { Active, Paused, Revoked, Exhausted }
    /// When an answer may leave the holder.
    Release { AfterPermit, AfterReceipt }
    /// Where a ceremony stands.
    CeremonyStatus { Open, Finished, Failed }
    /// What opening an escrow showed.
    CaseOutcome { Confirmed, Excluded, Mismatch }
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
        modes: Vec<Mode>,
    }
    /// A dataset as its holder publishes it.
    Dataset {
        id: String, holder: String, revision: u32, names: Names, duty_basis: String, sharing: Sharing, grade: Grade,
        subject: SubjectKind, fields: Vec<Field>, max_rows: u32, update_cycle: String,
    }
    /// Why data may be used.
    Purpose {
        code: String, names: Names, legal_basis: String, needs_consent: bool, needs_case: bool, modes: Vec<Mode>,
        retention_days: u32,
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
    }
    /// One dataset a consent covers.
    ConsentScope { dataset: String, fields: Vec<String> }
    /// What a citizen or company allowed; the subject is hidden in the commitment.
    Consent {
        id: String, consumer: String, purpose: String, scopes: Vec<ConsentScope>, modes: Vec<Mode>, commitment: String,
        valid_from_ms: u64, valid_until_ms: u64, max_uses: u32, data_life_days: u32,
    }
    /// One reason of a decision, with its stable code.
    Reason { code: String, detail: String }
    /// What the holder must observe when it answers.
    Obligations {
        fields: Vec<String>, masked: Vec<String>, max_rows: u32, release: Release, data_life_days: u32,
    }
    /// Leave to answer one intent once.
    Permit {
        intent: String, query: String, holder: String, consumer: String, dataset: String, dataset_revision: u32,
        mode: Mode, obligations: Obligations, grant: String, height: u64, expires_ms: u64, policy: String,
        epoch: Option<u32>,
    }
    /// Rules the members agreed on when they founded the consortium.
    Charter { freshness_ms: u64, completion_ms: u64, pending_per_member: u32, restores_voided: Option<bool> }
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

#[cfg(test)]
mod tests;
