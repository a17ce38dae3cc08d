//! Shapes are those of the nouns.

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

#[test]
fn shapes_of_lookup_are_those_of_the_nouns() {
    use covenant_domain as d;
    let table = d::LookupTable {
        rows: 1,
        row_bytes: 1,
        columns: 1,
        seed: [0; 32],
        matrix: Digest::ZERO,
        hint: Digest::ZERO,
        locator: Digest::ZERO,
        locator_bytes: 1,
    };
    assert_eq!(keys_of(&table), described::<LookupTable>());
    let epoch = d::Epoch {
        dataset: d::DatasetId::new("cov:city/gov/housing/registry/homes").unwrap(),
        number: 1,
        dataset_revision: 1,
        fields: vec![],
        max_rows: 1,
        key: d::Point([0; 32]),
        possession: d::Proof(vec![]),
        table: table.clone(),
        overlay: table.clone(),
        opens_ms: 0,
        closes_ms: 1,
    };
    assert_eq!(keys_of(&epoch), described::<Epoch>());
    let recent = covenant_engine::RecentTables { epoch: 1, table: Digest::ZERO, overlay: Digest::ZERO };
    assert_eq!(keys_of(&recent), described::<RecentTables>());
    let state = covenant_engine::EpochState { epoch, overlay_revision: 0, overlay: table, recent: vec![recent] };
    assert_eq!(keys_of(&state), described::<EpochState>());
    let intent = IntentId::from_parts(1, &[0; 10]);
    let evaluation = d::Evaluation { intent, evaluated: d::Point([0; 32]), proof: d::Proof(vec![]) };
    assert_eq!(keys_of(&evaluation), described::<Evaluation>());
}

#[test]
fn shapes_of_oversight_are_those_of_the_nouns() {
    use covenant_domain as d;
    let member = d::MemberId::new("notary").unwrap();
    let package = d::Package(vec![1]);
    let share = d::SealedShare { to: member.clone(), sealed: package.clone() };
    assert_eq!(keys_of(&share), described::<SealedShare>());
    let contribution =
        d::Contribution { package: Some(package.clone()), shares: vec![share], attestation: Some("sm:00".into()) };
    assert_eq!(keys_of(&contribution), described::<Contribution>());
    let call = d::CeremonyCall { number: 1, threshold: 1, trustees: vec![member.clone()] };
    assert_eq!(keys_of(&call), described::<CeremonyCall>());
    let ceremony = d::Ceremony {
        call,
        caller: member.clone(),
        status: d::CeremonyStatus::Open,
        contributions: vec![contribution],
        group: Some(package.clone()),
        key: Some(d::Point([0; 32])),
        fault: Some((member.clone(), "late".into())),
    };
    assert_eq!(keys_of(&ceremony), described::<Ceremony>());
    let item = d::CaseItem {
        intent: IntentId::from_parts(1, &[0; 10]),
        shares: vec![(member.clone(), package)],
        outcome: Some(d::CaseOutcome::Confirmed),
    };
    assert_eq!(keys_of(&item), described::<CaseItem>());
    let case = d::Case {
        number: d::CaseNumber::new("JC-2026/1").unwrap(),
        regulator: member,
        order: Digest::ZERO,
        opened_ms: 1,
        items: vec![item],
    };
    assert_eq!(keys_of(&case), described::<Case>());
}
