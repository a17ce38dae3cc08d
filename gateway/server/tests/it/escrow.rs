//! Who oversees lookups.

use covenant_api::EntriesRequest;
use covenant_canon::{Digest, to_bytes};
use covenant_domain::{
    Body, CaseNumber, CaseOpened, CaseOutcome, CaseResult, CaseShare, CeremonyCall, CeremonyStep, Entry, IntentId,
    Package, Voided,
};
use covenant_ledger::SignedBatch;

use super::support::{World, case_about, ceremony, id};

#[tokio::test]
async fn ceremonies_are_for_all_and_cases_for_few() {
    let world = World::new().await;
    let case = case_about(IntentId::from_parts(1, &[5; 10]), Some(CaseOutcome::Confirmed));
    world.fake.cases.lock().push(case.clone());
    for (member, sees) in [
        ("regulator", true),
        ("trustee", true),
        ("bank", false),
        ("insurer", false),
        ("housing", false),
        ("authority", false),
    ] {
        let raw = world.raw(member);
        let ceremonies = raw.get("/v1/ceremonies").await.json();
        assert_eq!(ceremonies, serde_json::to_value([ceremony()]).unwrap(), "{member}");
        let cases = raw.get("/v1/cases").await;
        match sees {
            true => assert_eq!(cases.json(), serde_json::to_value([&case]).unwrap(), "{member}"),
            false => assert_eq!((cases.status, cases.code().as_str()), (403, "not-a-party"), "{member}"),
        }
    }
}

#[tokio::test]
async fn entries_of_oversight_are_the_ledgers_to_judge() {
    let world = World::new().await;
    let case = CaseNumber::new("JC-2026/0001").unwrap();
    let intent = IntentId::from_parts(1, &[5; 10]);
    let bodies = [
        Body::CeremonyCalled(CeremonyCall { number: 1, threshold: 1, trustees: vec![id("trustee")] }),
        Body::CeremonyStepped { number: 1, step: CeremonyStep::Committed { package: Package(vec![1]) } },
        Body::CaseOpened(CaseOpened { case: case.clone(), intents: vec![intent], order: Digest::ZERO }),
        Body::CaseShared(CaseShare { case: case.clone(), intent, sealed: Package(vec![2]) }),
        Body::CaseConcluded(CaseResult { case, intent, outcome: CaseOutcome::Mismatch }),
        Body::Voided(Voided { intent, permit: Digest::ZERO, reason: "no key".into() }),
    ];
    let entries: Vec<_> = bodies.map(|body| Entry { author: Some(id("regulator")), made_ms: 1, body }).into();
    let key = world.identity("regulator");
    let batch = SignedBatch::sign(&world.genesis.digest(), &key.member, &entries, &key.signing).unwrap();
    let body = serde_json::to_vec(&EntriesRequest { batch: to_bytes(&batch).into() }).unwrap();
    let answered = world.raw("regulator").post("/v1/entries", body).await;
    assert_eq!((answered.status, answered.json().as_array().unwrap().len()), (201, 6));
}
