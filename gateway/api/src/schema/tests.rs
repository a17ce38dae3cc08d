//! Shapes are those of the nouns.

use std::collections::BTreeSet;

use covenant_canon::Digest;
use covenant_domain::{Commitment, ConsentId, ConsentKind, Decision, GrantId, IntentId, Outcome, Quota};
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
    let name = covenant_domain::FieldName::new("area").unwrap();
    let field = covenant_domain::Field {
        unit: Some("cm2".into()),
        mask: Some(covenant_domain::Mask::Year),
        level: Some(covenant_domain::Level::L1),
        bound: Some(covenant_domain::Bound { min: Some(1), max: Some(2), max_chars: Some(3) }),
        score: Some(covenant_domain::ScoreHint::Flag),
        ..covenant_domain::Field::new(name, names.clone(), covenant_domain::FieldKind::Integer, &[])
    };
    assert_eq!(keys_of(&field), described::<Field>());
    let member = covenant_domain::MemberId::new("housing").unwrap();
    let dataset = covenant_domain::Dataset {
        cosigners: vec![member.clone()],
        about: Some(covenant_domain::Description::default()),
        ..covenant_domain::Dataset::new(id.clone(), member.clone(), names.clone(), vec![field])
    };
    assert_eq!(keys_of(&dataset), described::<Dataset>());
    assert_eq!(keys_of(&full_description()), described::<Description>());
    let status = covenant_domain::DatasetStatus {
        deprecated: Some(covenant_domain::Deprecation { until_ms: 1, successor: Some(id.clone()) }),
        ..covenant_domain::DatasetStatus::default()
    };
    assert_eq!(keys_of(&status), described::<DatasetStatus>());
    assert_eq!(keys_of(&status.deprecated), described::<Deprecation>());
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
        supersedes: Some(GrantId::from_parts(2, &[0; 10])),
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
        kind: ConsentKind::Consent,
        frequency: Some(Quota { limit: 1, window_ms: 1 }),
        notice: Some(Digest::ZERO),
        representative: Some(covenant_domain::Representative {
            capacity: covenant_domain::Capacity::Guardian,
            commitment: Commitment([0; 32]),
            evidence: Digest::ZERO,
        }),
        request: Some(Digest::ZERO),
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

fn full_description() -> covenant_domain::Description {
    use covenant_domain as d;
    let names = Some(d::Names::new("甲", "a"));
    let day: d::Day = "2026-01-31".parse().unwrap();
    let period = d::Period { from: day, until: Some(day) };
    assert_eq!(keys_of(&period), described::<Period>());
    let quality = d::Quality {
        completeness_permille: 1,
        accuracy_permille: 1,
        timeliness_permille: 1,
        measured_on: day,
        records: 1,
    };
    assert_eq!(keys_of(&quality), described::<Quality>());
    d::Description {
        summary: names.clone(),
        steward: Some("s".into()),
        keywords: vec![d::Names::new("甲", "a")],
        themes: vec![d::Theme::Econ],
        spatial: names.clone(),
        conditions: names,
        model: Some("m/1".into()),
        temporal: Some(period),
        quality: Some(quality),
    }
}

#[test]
fn shapes_of_rights_are_those_of_the_nouns() {
    use covenant_domain as d;
    let change = d::RightChange {
        id: d::RightId::from_parts(1, &[0; 10]),
        dataset: d::DatasetId::new("cov:city/gov/housing/registry/homes").unwrap(),
        kind: d::RightKind::Pledge,
        record: Digest::ZERO,
        follows: Some(d::RightId::from_parts(1, &[1; 10])),
    };
    assert_eq!(keys_of(&change), described::<RightChange>());
    let followed_by = Some(change.id);
    let state = d::RightState { change, signed: vec![], signers: vec![], effective_ms: 1, followed_by };
    assert_eq!(keys_of(&state), described::<RightState>());
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

/// The noun reads this JSON, writes it back, and its shape describes the same keys.
fn holds<Noun: serde::de::DeserializeOwned + Serialize, Shape: PartialSchema>(json: &serde_json::Value) {
    let noun: Noun = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&noun).unwrap(), json);
    assert_eq!(keys_of(&noun), described::<Shape>());
}

/// The noun reads each JSON and writes it back, and its shape describes the keys of all together.
fn hold<Noun: serde::de::DeserializeOwned + Serialize, Shape: PartialSchema>(variants: &[&serde_json::Value]) {
    let mut keys = BTreeSet::new();
    for json in variants {
        let noun: Noun = serde_json::from_value((*json).clone()).unwrap();
        assert_eq!(&&serde_json::to_value(&noun).unwrap(), json);
        keys.append(&mut keys_of(&noun));
    }
    assert_eq!(keys, described::<Shape>());
}

#[test]
fn shapes_of_the_roster_are_those_of_the_nouns() {
    use serde_json::json;
    let member = json!({
        "id": "housing", "names": { "zh": "住建", "en": "Housing" }, "class": "government", "roles": ["observer"],
        "verifying_key": "sm:00", "sealing_key": "sm:00",
    });
    let vote = json!({ "quorum_percent": 60, "objection_ms": 1 });
    let charter = json!({
        "freshness_ms": 1, "completion_ms": 2, "pending_per_member": 3, "restores_voided": true, "policy_vote": vote,
        "member_vote": vote, "four_eyes": true,
    });
    let seat = json!({ "member": member, "standing": "frozen", "officer_key": "sm:00" });
    holds::<covenant_domain::Seat, Seat>(&seat);
    let roster = json!({ "number": 1, "from_height": 2, "seats": [seat], "charter": charter });
    holds::<covenant_domain::Roster, Roster>(&roster);
    let keys = json!({ "member": "tax", "verifying_key": "sm:00", "sealing_key": "sm:00", "possession": "sm:00" });
    holds::<covenant_domain::NewKeys, NewKeys>(&keys);
    let changes = [
        json!({ "change": "admit", "member": member, "possession": "sm:00" }),
        json!({ "change": "lock", "member": "tax" }),
        json!({ "change": "replace_keys", "keys": keys }),
        json!({ "change": "set_roles", "member": "tax", "roles": ["holder"] }),
        json!({ "change": "amend", "charter": charter }),
    ];
    hold::<covenant_domain::RosterChange, RosterChange>(&changes.iter().collect::<Vec<_>>());
}

#[test]
fn shapes_of_the_register_are_those_of_the_nouns() {
    use serde_json::json;
    let id = "0197f3c2-0000-7000-8000-000000000001";
    let digest = "00".repeat(32);
    let set = "cov:city/gov/housing/registry/homes";
    let grant = json!({
        "id": id, "holder": "housing", "consumer": "bank", "dataset": set, "purpose": "p", "modes": ["match"],
        "fields": ["owner"], "quota": { "limit": 1, "window_ms": 1 }, "valid_from_ms": 0, "valid_until_ms": 1,
        "data_life_days": 1, "max_rows": 1, "supersedes": id,
    });
    holds::<covenant_domain::Grant, Grant>(&grant);
    holds::<covenant_engine::GrantState, GrantState>(&json!({
        "grant": grant, "suspended_by": [], "revoked": false, "signed_by": ["bank"], "request": id,
        "superseded_by": id, "deletion_due_ms": 5, "deletion_overdue": false, "deletion": digest,
    }));
    let answer = json!({ "level": "low", "answer": "none" });
    holds::<covenant_domain::RiskAnswer, RiskAnswer>(&answer);
    let risk = json!({
        "data": answer, "scene": answer, "mode": answer, "audience": answer, "author": "a", "reviewer": "b",
    });
    holds::<covenant_domain::RiskRecord, RiskRecord>(&risk);
    let signed = json!({ "grant": grant, "consumer_signature": "sm:00" });
    holds::<covenant_domain::SignedGrant, SignedGrant>(&signed);
    let request = json!({ "id": id, "subsystem": "loans", "dataset_revision": 1, "grant": signed, "risk": risk });
    holds::<covenant_domain::AccessRequest, AccessRequest>(&request);
    let event = json!({
        "by": "bank", "on_behalf_of": "tax", "at_ms": 1, "step": "submitted", "words": "", "late_ms": 0,
    });
    holds::<covenant_domain::RequestEvent, RequestEvent>(&event);
    let clock = json!({ "member": "housing", "started_ms": 1, "due_ms": 2, "overdue": false });
    holds::<covenant_domain::Clock, Clock>(&clock);
    holds::<covenant_domain::RequestState, RequestState>(&json!({
        "request": request, "status": "submitted", "events": [event], "clock": clock, "approvals": [],
        "approvers": ["housing"], "rule": "small",
    }));
    holds::<covenant_domain::Delegation, Delegation>(&json!({
        "id": id, "principal": "housing", "delegate": "tax", "powers": ["decide_requests"], "datasets": [set],
        "valid_from_ms": 0, "valid_until_ms": 1,
    }));
    let ballot = json!({ "member": "tax", "vote": "yes", "reason": "" });
    holds::<covenant_domain::CastBallot, CastBallot>(&ballot);
    let duties = json!({
        "masked": ["owner"], "max_rows": 1, "rate_per_minute": 2, "k_minimum": 3, "release_after_receipt": true,
        "notify": ["subject"],
    });
    holds::<covenant_domain::RuleObligations, RuleObligations>(&duties);
    let rule = json!({
        "name": "n", "subject": "*", "dataset": "*", "mode": "*", "purpose": "*", "from_hour": 0, "until_hour": 24,
        "effect": "allow", "ground": "legal", "days": "working", "grade": "core", "fields": ["owner"],
        "obligations": duties,
    });
    holds::<covenant_domain::GuardRule, GuardRule>(&rule);
    let auto = json!({
        "name": "small", "subject": "*", "dataset": "*", "purposes": ["p"], "modes": ["match"], "fields": ["owner"],
        "max_per_day": 1, "max_valid_days": 2, "highest_risk": "low",
    });
    holds::<covenant_domain::AutoRule, AutoRule>(&auto);
    let link = json!({ "member": "bank", "role": "licensed" });
    holds::<covenant_domain::RoleLink, RoleLink>(&link);
    let book = json!({ "holder": "tax", "revision": 1, "rules": [rule], "roles": [link], "auto": [auto] });
    holds::<covenant_domain::RuleBook, RuleBook>(&book);
    let subject = json!({ "kind": "policy", "book": book, "review": digest });
    let leaves = json!({ "kind": "roster", "change": { "change": "remove", "member": "bank" } });
    hold::<covenant_domain::ProposalSubject, ProposalSubject>(&[&subject, &leaves]);
    let proposal = json!({ "id": id, "subject": subject, "reason": "r" });
    holds::<covenant_domain::Proposal, Proposal>(&proposal);
    holds::<covenant_domain::ProposalState, ProposalState>(&json!({
        "proposal": proposal, "proposer": "housing", "opened_ms": 1, "closes_ms": 2, "status": "open",
        "voters": ["housing"], "ballots": [ballot],
    }));
    let dispute = json!({
        "id": id, "intent": id, "dataset": set, "fields": ["owner"], "kind": "wrong", "grounds": digest,
    });
    holds::<covenant_domain::Dispute, Dispute>(&dispute);
    holds::<covenant_domain::DisputeState, DisputeState>(&json!({
        "dispute": dispute, "consumer": "bank", "holder": "housing", "clock": clock,
        "answer": { "answer": "corrected", "note": "n" }, "answered_ms": 3,
    }));
    let clocks = json!({ "check_days": 5, "decide_days": 10, "dispute_days": 10, "deletion_days": 10 });
    holds::<covenant_domain::Clocks, Clocks>(&clocks);
    holds::<covenant_domain::Calendar, Calendar>(&json!({
        "revision": 1, "holidays": ["2026-10-01"], "workdays": ["2026-10-10"], "clocks": clocks,
    }));
    holds::<covenant_domain::Notice, Notice>(&json!({ "purpose": "p", "version": 1, "text": digest }));
    holds::<covenant_domain::Tariff, Tariff>(&json!({ "revision": 1, "points": [["match", 2]] }));
    holds::<covenant_domain::Usage, Usage>(&json!({
        "month": 202611, "consumer": "bank", "holder": "tax", "dataset": set, "refused": 1, "permitted": 2,
        "lapsed": 0, "voided": 0, "answered": [["match", 2]], "disputed": 0, "corrected": 0, "upheld": 0, "overdue": 0,
    }));
    holds::<covenant_domain::Account, Account>(&json!({
        "member": "tax", "answers_given": 1, "earned": 1, "answers_received": 0, "spent": 0,
    }));
    holds::<covenant_domain::Reliability, Reliability>(&json!({
        "dataset": set, "holder": "tax", "answers": 1, "disputed": 0, "corrected": 0, "upheld": 0, "overdue": 0,
        "per_mille": 1000,
    }));
    holds::<covenant_domain::ConsentUse, ConsentUse>(&json!({
        "intent": id, "leaf": 1, "height": 1, "time_ms": 1, "consumer": "bank", "holder": "tax", "dataset": set,
        "purpose": "p", "mode": "match", "fields": ["owner"], "outcome": "answered",
    }));
}
