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
    Mode { Match, Detail, Submit }
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
    Role { Holder, Consumer, Authoriser, Regulator, Validator }
    /// State of a consent.
    ConsentStatus { Active, Paused, Revoked, Exhausted }
    /// When an answer may leave the holder.
    Release { AfterPermit, AfterReceipt }
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
    }
    /// Rules the members agreed on when they founded the consortium.
    Charter { freshness_ms: u64, completion_ms: u64, pending_per_member: u32 }
    /// The founding document.
    Genesis {
        version: u32, consortium: String, suite: Suite, created_ms: u64, members: Vec<Member>, charter: Charter,
    }
    /// A decision: `outcome` is `permitted`, with a permit, or `refused`.
    Decision {
        intent: String, query: String, outcome: String, permit: Option<Permit>, reasons: Vec<Reason>,
        policy: Option<String>,
    }
    /// The ground of a query: `kind` is `consent`, with an id, or `legal`, with a commitment and perhaps a case number.
    Authority { kind: String, id: Option<String>, commitment: Option<String>, case: Option<String> }
    /// How released values are shortened: `kind` is `keep`, with `first` and `last`, `floor`, with `step`, or `year`.
    Mask { kind: String, first: Option<u32>, last: Option<u32>, step: Option<u32> }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use covenant_canon::Digest;
    use covenant_domain::{Commitment, ConsentId, Decision, GrantId, IntentId, Outcome, Quota};
    use serde::Serialize;
    use utoipa::PartialSchema;

    use super::*;

    fn keys_of(value: &impl Serialize) -> BTreeSet<String> {
        serde_json::to_value(value).unwrap().as_object().unwrap().keys().cloned().collect()
    }

    fn described<T: PartialSchema>() -> BTreeSet<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn shapes_are_those_of_the_nouns() {
        let names = covenant_domain::Names::new("甲", "a");
        let id = covenant_domain::DatasetId::new("cov:city/gov/housing/registry/homes").unwrap();
        let field = covenant_domain::Field {
            name: covenant_domain::FieldName::new("area").unwrap(),
            names: names.clone(),
            kind: covenant_domain::FieldKind::Integer,
            unit: Some("cm2".into()),
            personal: false,
            mask: Some(covenant_domain::Mask::Year),
            modes: vec![],
        };
        assert_eq!(keys_of(&field), described::<Field>());
        let member = covenant_domain::MemberId::new("housing").unwrap();
        let dataset = covenant_domain::Dataset {
            id: id.clone(),
            holder: member.clone(),
            revision: 1,
            names: names.clone(),
            duty_basis: String::new(),
            sharing: covenant_domain::Sharing::Conditional,
            grade: covenant_domain::Grade::Core,
            subject: covenant_domain::SubjectKind::Unit,
            fields: vec![field],
            max_rows: 1,
            update_cycle: String::new(),
        };
        assert_eq!(keys_of(&dataset), described::<Dataset>());
        let code = covenant_domain::PurposeCode::new("p").unwrap();
        let grant = covenant_domain::Grant {
            id: GrantId::from_parts(1, &[0; 10]),
            holder: member.clone(),
            consumer: member.clone(),
            dataset: id,
            purpose: code.clone(),
            modes: vec![],
            fields: vec![],
            quota: Quota { limit: 1, window_ms: 1 },
            valid_from_ms: 0,
            valid_until_ms: 1,
            data_life_days: 1,
            max_rows: 1,
        };
        assert_eq!(keys_of(&grant), described::<Grant>());
        let consent = covenant_domain::Consent {
            id: ConsentId::from_parts(1, &[0; 10]),
            consumer: member.clone(),
            purpose: code,
            scopes: vec![],
            modes: vec![],
            commitment: Commitment([0; 32]),
            valid_from_ms: 0,
            valid_until_ms: 1,
            max_uses: 1,
            data_life_days: 1,
        };
        assert_eq!(keys_of(&consent), described::<Consent>());
        let member = covenant_domain::Member {
            id: member,
            names,
            class: covenant_domain::Class::Government,
            roles: vec![],
            verifying_key: String::new(),
            sealing_key: String::new(),
        };
        assert_eq!(keys_of(&member), described::<Member>());
        let genesis = covenant_ledger::Genesis {
            version: 1,
            consortium: "city".into(),
            suite: covenant_canon::SuiteId::Sm,
            created_ms: 1,
            members: vec![],
            charter: covenant_ledger::Charter::default(),
        };
        assert_eq!(keys_of(&genesis), described::<Genesis>());
        let decision = Decision {
            intent: IntentId::from_parts(1, &[0; 10]),
            query: Digest::ZERO,
            outcome: Outcome::Refused,
            reasons: vec![],
            policy: Some(Digest::ZERO),
        };
        let mut with_permit = keys_of(&decision);
        with_permit.insert("permit".into());
        assert_eq!(with_permit, described::<super::Decision>());
    }
}
