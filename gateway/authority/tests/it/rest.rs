//! What lies on disk.

use covenant_domain::Capacity;

use crate::support::{World, child, li, zhang};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_names_nobody() {
    let world = World::open().await;
    world.request("bank", world.wish(), &zhang()).await.unwrap();
    world.request("bank", world.wish(), &child()).await.unwrap();
    world.represent(Capacity::Guardian, &child(), &li()).await.unwrap();
    let token = world.token(0).await;
    let shown = world.only_request(&token).await;
    world.remote.approve(&token, &shown).await.unwrap();
    let guardian = world.token(1).await;
    let shown = world.only_request(&guardian).await;
    world.remote.approve(&guardian, &shown).await.unwrap();
    crate::login::session(&world, 0).await;
    let mut seen = 0;
    for item in std::fs::read_dir(world.dir.path()).unwrap() {
        let path = item.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("authority.db") {
            let bytes = std::fs::read(&path).unwrap();
            seen += bytes.len();
            for subject in [zhang(), child(), li()] {
                let number = subject.expose().to_owned();
                let found = bytes.windows(18).any(|w| w == number.as_bytes());
                assert!(!found, "{} names somebody", path.display());
            }
            // An unkeyed digest would be as good as the number.
            for unkeyed in [covenant_canon::SuiteId::Sm, covenant_canon::SuiteId::Intl] {
                let mut hasher = covenant_canon::Hasher::new(unkeyed.hash());
                hasher.update(zhang().canonical().as_bytes());
                let digest = hasher.finish();
                assert!(!bytes.windows(32).any(|w| w == digest.as_bytes()));
            }
        }
    }
    assert!(seen > 4096, "the database was not found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_file_does_not_open_the_database() {
    let world = World::open().await;
    let other = World::open().await;
    let config =
        covenant_authority::AuthorityConfig { database: world.config.database.clone(), ..other.config.clone() };
    let started =
        covenant_authority::serve(config, other.identities[0].clone(), other.ledger.clone(), other.clock.clone()).await;
    assert!(started.unwrap_err().to_string().contains("another key file"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_authoriser_with_its_own_keys_starts() {
    let world = World::open().await;
    for at in [1, 3] {
        let config = covenant_authority::AuthorityConfig { database: "sqlite::memory:".into(), ..world.config.clone() };
        let started =
            covenant_authority::serve(config, world.identities[at].clone(), world.ledger.clone(), world.clock.clone());
        assert!(started.await.unwrap_err().to_string().contains("role of an authoriser"));
    }
}
