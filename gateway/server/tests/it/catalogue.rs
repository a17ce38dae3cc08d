//! Search, versions, export and rights over both transports.

use covenant_api::CatalogueQuery;
use covenant_client::{Client, Transport};
use covenant_domain::{DatasetId, DatasetStage, Grade, MemberId, RightId};

use super::support::{HOMES, World};

async fn both(world: &World, member: &str) -> [Client; 2] {
    [world.client(member, Transport::Rest).await, world.client(member, Transport::Grpc).await]
}

fn search(q: &str) -> CatalogueQuery {
    CatalogueQuery { q: q.into(), ..CatalogueQuery::default() }
}

#[tokio::test]
async fn a_search_is_filtered_sorted_and_paged() {
    let world = World::new().await;
    for client in both(&world, "bank").await {
        let page = client.catalogue(&search("房屋")).await.unwrap();
        assert_eq!((page.total, page.items.len()), (24, 20), "the archived one is left out");
        let rest = client.catalogue(&CatalogueQuery { after: page.next.clone(), ..search("房屋") }).await.unwrap();
        assert_eq!((rest.total, rest.items.len(), rest.next), (24, 4, None));
        let mut ids: Vec<_> = page.items.iter().chain(&rest.items).map(|i| i.dataset.id.clone()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 24);
        let small = CatalogueQuery { grade: Some(Grade::Core), limit: Some(2), ..search("HOMES") };
        assert_eq!(client.catalogue(&small).await.unwrap().total, 23);
        let archived = CatalogueQuery { stage: Some(DatasetStage::Archived), ..search("") };
        assert_eq!(client.catalogue(&archived).await.unwrap().total, 1);
        let nobody = CatalogueQuery { holder: Some(MemberId::new("bank").unwrap()), ..search("") };
        assert_eq!(client.catalogue(&nobody).await.unwrap().total, 0);
        assert_eq!(client.catalogue(&search("房屋 nothing")).await.unwrap().total, 0);
    }
}

#[tokio::test]
async fn both_transports_give_equal_catalogues() {
    let world = World::new().await;
    let [rest, grpc] = both(&world, "bank").await;
    let homes = DatasetId::new(HOMES).unwrap();
    assert_eq!(rest.catalogue(&search("homes")).await.unwrap(), grpc.catalogue(&search("homes")).await.unwrap());
    assert_eq!(rest.catalogue_item(&homes).await.unwrap(), grpc.catalogue_item(&homes).await.unwrap());
    assert_eq!(rest.dataset_versions(&homes).await.unwrap(), grpc.dataset_versions(&homes).await.unwrap());
    assert_eq!(rest.dataset_versions(&homes).await.unwrap().len(), 2);
    let read = |text: String| {
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["@graph"][0]["dct:modified"].take();
        json
    };
    let base = Some("https://share.example");
    let exported = read(rest.catalogue_export(base).await.unwrap());
    assert_eq!(exported, read(grpc.catalogue_export(base).await.unwrap()));
    assert!(exported.to_string().contains("https://share.example/v1/datasets/cov:"));
    let [rest, grpc] = both(&world, "housing").await;
    let id = RightId::from_parts(1, &[1; 10]);
    assert_eq!(rest.right(&id).await.unwrap(), grpc.right(&id).await.unwrap());
}

#[tokio::test]
async fn a_right_is_for_its_signers_and_regulators() {
    let world = World::new().await;
    let id = RightId::from_parts(1, &[1; 10]);
    for (member, may) in
        [("bank", false), ("housing", true), ("trustee", true), ("regulator", true), ("insurer", false)]
    {
        for client in both(&world, member).await {
            let read = client.right(&id).await;
            assert_eq!(read.as_ref().err().and_then(|e| e.code()), (!may).then_some("not-a-party"), "{member}");
        }
    }
    for client in both(&world, "housing").await {
        let unknown = client.right(&RightId::from_parts(2, &[1; 10])).await.unwrap_err();
        assert_eq!(unknown.code(), Some("right-unknown"));
    }
}

#[tokio::test]
async fn both_transports_give_equal_problems_of_the_catalogue() {
    let world = World::new().await;
    let [rest, grpc] = both(&world, "bank").await;
    let other = DatasetId::new("cov:city/gov/housing/registry/other").unwrap();
    let queries = [
        CatalogueQuery { limit: Some(0), ..search("") },
        CatalogueQuery { limit: Some(51), ..search("") },
        CatalogueQuery { after: Some("x".into()), ..search("") },
        search(&"长".repeat(201)),
    ];
    for query in queries {
        let errors = [rest.catalogue(&query).await.unwrap_err(), grpc.catalogue(&query).await.unwrap_err()];
        assert_eq!(errors[0].code(), Some("parameter-invalid"));
        assert_eq!(errors[0].to_string(), errors[1].to_string());
    }
    for client in [&rest, &grpc] {
        assert_eq!(client.catalogue_item(&other).await.unwrap_err().code(), Some("dataset-unknown"));
        assert_eq!(client.dataset_versions(&other).await.unwrap_err().code(), Some("dataset-unknown"));
        for base in ["ftp://x", "https://", "https://a b", "https://a\"", &format!("https://{}", "a".repeat(200))] {
            assert_eq!(
                client.catalogue_export(Some(base)).await.unwrap_err().code(),
                Some("parameter-invalid"),
                "{base}"
            );
        }
    }
}
