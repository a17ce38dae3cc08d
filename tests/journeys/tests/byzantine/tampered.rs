//! A node whose own tables were changed while it was down: it stops by itself, and says what is wrong.

use std::error::Error;
use std::time::Duration;

use covenant_canon::{from_bytes, to_bytes};
use covenant_state::Object;
use covenant_store::{Seed, Store};

use crate::mouth::Said;
use crate::square::{HONEST, ROGUE, Square};

fn told(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", told(cause)),
        None => error.to_string(),
    }
}

/// Writes the member's database anew, with whatever the change leaves of it. The checksums of its rows are right.
async fn rewrite(square: &Square, change: impl FnOnce(&mut Seed)) {
    let file = square.database(ROGUE);
    let url = format!("sqlite://{}", file.display());
    let store = Store::open(&url).await.unwrap();
    let mut seed = store.snapshot_parts(0, u64::MAX >> 1).await.unwrap().unwrap();
    store.close().await;
    change(&mut seed);
    for end in ["db", "db-wal", "db-shm"] {
        let _absent = std::fs::remove_file(file.with_extension(end));
    }
    let store = Store::open(&url).await.unwrap();
    store.seed(&seed, &[]).await.unwrap();
    store.close().await;
}

/// Stops the fourth node, changes its database, starts it again and keeps the others busy; gives why it stopped.
async fn halted(change: impl FnOnce(&mut Seed)) -> (Square, String) {
    let square = Square::with(Box::new(|_, _| Said::So)).await;
    square.busy(&[HONEST[0], HONEST[1], HONEST[2], ROGUE], 8).await;
    covenant_journeys::settled(&square.nodes(&[HONEST[0], HONEST[1], HONEST[2], ROGUE])).await;
    square.stop(ROGUE).await;
    rewrite(&square, change).await;
    let cause = match square.start(ROGUE).await {
        Err(refused) => told(&refused),
        Ok(()) => {
            square.busy(&HONEST, 6).await;
            let rogue = square.node(ROGUE);
            let cause = tokio::time::timeout(Duration::from_secs(30), rogue.failed()).await;
            let cause = cause.expect("it noticed nothing");
            assert!(!rogue.is_running() && rogue.probe().await.is_err());
            told(&*cause)
        }
    };
    println!("{cause}");
    (square, cause)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_object_halts_the_node_at_the_next_block() {
    let (square, cause) = halted(|seed| {
        let purpose = seed.rows.iter_mut().find_map(|row| {
            let object: Object = from_bytes(row.value.as_ref()?).ok()?;
            matches!(object, Object::Purpose(_)).then_some((row, object))
        });
        let (row, Object::Purpose(mut purpose)) = purpose.unwrap() else { panic!("no purpose") };
        purpose.needs_case = !purpose.needs_case;
        row.value = Some(to_bytes(&Object::Purpose(purpose)));
    })
    .await;
    assert!(cause.contains("names another state digest") && cause.contains("the node halts"), "{cause}");
    square.assert_sound(&HONEST).await;
    assert!(square.node(ROGUE).rebuild().await.is_err(), "the tables do not lead where the blocks do");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_object_halts_the_node_at_the_next_block() {
    let (square, cause) = halted(|seed| drop(seed.rows.pop())).await;
    assert!(cause.contains("names another state digest") && cause.contains("the node halts"), "{cause}");
    square.assert_sound(&HONEST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_log_is_refused_at_the_start() {
    let (square, cause) = halted(|seed| {
        for hash in seed.tiles.iter_mut().flat_map(|tile| tile.hashes.first_mut()) {
            hash.0[0] ^= 1;
        }
    })
    .await;
    assert!(cause.contains("log root") && cause.contains("the node halts"), "{cause}");
    square.busy(&HONEST, 4).await;
    square.assert_sound(&HONEST).await;
}
