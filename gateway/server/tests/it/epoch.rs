//! Epochs, their files and their builds.

use covenant_api::{Code, EpochDocument, EpochPart, MAX_CHUNK_BYTES};
use covenant_canon::{Digest, Label};
use covenant_client::Transport;
use covenant_domain::DatasetId;

use super::support::{HOMES, World, file};

fn homes() -> DatasetId {
    DatasetId::new(HOMES).unwrap()
}

fn target(part: &str, query: &str) -> String {
    format!("/v1/epoch-files/{part}?dataset={HOMES}&epoch=1&{query}")
}

#[tokio::test]
async fn every_member_sees_the_epoch() {
    let world = World::new().await;
    for member in ["bank", "housing", "insurer", "regulator", "trustee"] {
        let answered = world.raw(member).get(&format!("/v1/epochs/{HOMES}")).await;
        let document: EpochDocument = serde_json::from_slice(&answered.body).unwrap();
        assert_eq!((document.state.epoch.number, document.escrow.unwrap().ceremony), (1, 1), "{member}");
    }
    let raw = world.raw("bank");
    let escaped = raw.get("/v1/epochs/cov%3Acity%2Fgov%2Fhousing%2Fregistry%2Fhomes").await;
    assert_eq!(escaped.json()["state"]["epoch"]["dataset"], HOMES);
    let unknown = raw.get("/v1/epochs/cov:city/gov/housing/registry/other").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "epoch-unknown"));
    assert_eq!(raw.get("/v1/epochs/nonsense").await.code(), "parameter-invalid");
}

#[tokio::test]
async fn chunks_make_up_the_whole() {
    let world = World::new().await;
    for transport in [Transport::Rest, Transport::Grpc] {
        let client = world.client("trustee", transport).await;
        let document = client.epoch(&homes()).await.unwrap();
        for part in EpochPart::ALL.into_iter().filter(|p| *p != EpochPart::Matrix) {
            let mut whole = Vec::new();
            loop {
                let chunk = client.epoch_file(&homes(), 1, 0, part, whole.len() as u64, 4000).await.unwrap();
                whole.extend(chunk.bytes);
                if whole.len() as u64 == chunk.total {
                    break;
                }
            }
            assert_eq!(whole, file(part), "{part}");
            let one = client.epoch_file(&homes(), 1, 0, part, 0, MAX_CHUNK_BYTES).await.unwrap();
            assert_eq!(one.bytes, whole);
            let end = client.epoch_file(&homes(), 1, 0, part, whole.len() as u64, 1).await.unwrap();
            assert_eq!((end.total, end.bytes.len()), (whole.len() as u64, 0));
        }
        let hint = client.epoch_file(&homes(), 1, 0, EpochPart::Hint, 0, MAX_CHUNK_BYTES).await.unwrap().bytes;
        let digest = Digest::of(world.genesis.suite, Label::LOOKUP_HINT, &hint);
        assert_eq!(digest, document.state.epoch.table.hint);
    }
    let raw = world.raw("bank").get(&target("locator", "offset=10&length=5")).await;
    assert_eq!(raw.headers["content-type"], "application/octet-stream");
    assert_eq!(raw.headers["covenant-total"], file(EpochPart::Locator).len().to_string());
    assert_eq!(raw.body, file(EpochPart::Locator)[10..15]);
}

#[tokio::test]
async fn the_longest_chunk_passes() {
    let world = World::new().await;
    let whole = file(EpochPart::Matrix);
    for transport in [Transport::Rest, Transport::Grpc] {
        let client = world.client("housing", transport).await;
        let first = client.epoch_file(&homes(), 1, 0, EpochPart::Matrix, 0, MAX_CHUNK_BYTES).await.unwrap();
        let at = first.bytes.len() as u64;
        assert_eq!((at, first.total), (MAX_CHUNK_BYTES.into(), whole.len() as u64));
        let second = client.epoch_file(&homes(), 1, 0, EpochPart::Matrix, at, MAX_CHUNK_BYTES).await.unwrap();
        assert!([first.bytes, second.bytes].concat() == whole);
    }
}

#[tokio::test]
async fn wrong_chunks_are_refused() {
    let world = World::new().await;
    let raw = world.raw("bank");
    let total = file(EpochPart::Hint).len();
    for (part, query) in [
        ("hint", format!("offset={}&length=1", total + 1)),
        ("hint", format!("offset={}&length=1", u64::MAX)),
        ("hint", "offset=-1&length=1".to_owned()),
        ("hint", "offset=0".to_owned()),
        ("hint", "length=0".to_owned()),
        ("hint", format!("length={}", MAX_CHUNK_BYTES + 1)),
        ("hint", "length=1&surprise=1".to_owned()),
        ("hint", "length=1&epoch=2".to_owned()),
        ("rows", "length=1".to_owned()),
        ("Hint", "length=1".to_owned()),
    ] {
        let answered = raw.get(&target(part, &query)).await;
        assert_eq!((answered.status, answered.code().as_str()), (400, "parameter-invalid"), "{part} {query}");
    }
    let no_dataset = raw.get("/v1/epoch-files/hint?dataset=nonsense&epoch=1&length=1").await;
    assert_eq!(no_dataset.code(), "parameter-invalid");
    for query in [format!("dataset={HOMES}&epoch=2&length=1"), format!("dataset={HOMES}&epoch=1&overlay=1&length=1")] {
        let answered = raw.get(&format!("/v1/epoch-files/hint?{query}")).await;
        assert_eq!((answered.status, answered.code().as_str()), (404, "epoch-file-unknown"), "{query}");
    }
}

#[tokio::test]
async fn the_rows_are_not_for_consumers() {
    let world = World::new().await;
    for (member, sees) in
        [("housing", true), ("regulator", true), ("trustee", true), ("bank", false), ("authority", false)]
    {
        for part in EpochPart::ALL {
            let answered = world.raw(member).get(&target(part.name(), "length=1")).await;
            match sees || !part.is_matrix() {
                true => assert_eq!(answered.status, 200, "{member} {part}"),
                false => assert_eq!(answered.code(), Code::NotAParty.as_str(), "{member} {part}"),
            }
        }
    }
}

#[tokio::test]
async fn only_the_holder_builds() {
    let world = World::new().await;
    let build = |more: serde_json::Value| {
        let mut body = serde_json::json!({ "dataset": HOMES });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body.to_string()
    };
    for member in ["bank", "insurer", "regulator", "trustee", "authority"] {
        for more in [serde_json::json!({ "days": 7 }), serde_json::json!({ "overlay": true })] {
            let answered = world.raw(member).post("/v1/epochs", build(more)).await;
            assert_eq!((answered.status, answered.code().as_str()), (403, "not-a-party"), "{member}");
        }
        let answered = world.raw(member).get(&format!("/v1/epoch-builds/{HOMES}")).await;
        assert_eq!(answered.status == 200, member == "regulator", "{member}");
    }
    let housing = world.raw("housing");
    for more in [
        serde_json::json!({}),
        serde_json::json!({ "days": 0 }),
        serde_json::json!({ "days": 32 }),
        serde_json::json!({ "days": 7, "overlay": true }),
    ] {
        let answered = housing.post("/v1/epochs", build(more.clone())).await;
        assert_eq!(answered.code(), "parameter-invalid", "{more}");
    }
    assert_eq!(housing.post("/v1/epochs", build(serde_json::json!({ "weeks": 1 }))).await.code(), "body-malformed");
    assert!(world.fake.builds.lock().is_empty(), "none of it reached the consortium");

    assert_eq!(housing.get(&format!("/v1/epoch-builds/{HOMES}")).await.json()["state"], "idle");
    let started = housing.post("/v1/epochs", build(serde_json::json!({ "days": 31 }))).await;
    assert_eq!((started.status, started.body.len()), (202, 0));
    assert_eq!(housing.get(&format!("/v1/epoch-builds/{HOMES}")).await.json()["state"], "running");
}
