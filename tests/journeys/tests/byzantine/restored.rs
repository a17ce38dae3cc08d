//! A validator that was restored from a backup has forgotten what it signed, and signs nothing until it has another key.

use covenant_canon::to_bytes;
use covenant_daemon::{Keyring, RESTORED};
use covenant_domain::Body;
use covenant_journeys::until;
use covenant_store::Store;

use crate::square::{HONEST, ROGUE, Square, id};
use crate::stale::{key_of, new_keys};

impl Square {
    /// How many of the certificates over acknowledged entries, from that one on, bear the fourth member's signature.
    async fn signed_by_rogue(&self, from: usize) -> usize {
        let mut count = 0;
        for entry in self.acknowledged().into_iter().skip(from) {
            let signatures = self.receipt(&self.node("housing"), &entry).await.anchor.certificate.signatures;
            count += usize::from(signatures.iter().any(|s| s.validator == id(ROGUE)));
        }
        count
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_validator_signs_nothing_until_another_key_is_in_force() {
    let square = Square::founded().await;
    square.start_honest().await;
    square.start(ROGUE).await.unwrap();
    square.busy(&HONEST, 12).await;
    assert!(square.signed_by_rogue(0).await > 0, "it votes while nothing is wrong");

    square.stop(ROGUE).await;
    let (database, old) = (square.database(ROGUE), square.key(ROGUE));
    let url = format!("sqlite://{}", database.display());
    let store = Store::open(&url).await.unwrap();
    let (backup, _) = store.dump(Vec::new(), |_| {}).await.unwrap();
    store.close().await;
    for part in ["node.db", "node.db-wal", "node.db-shm", "consensus"] {
        let lost = database.with_file_name(part);
        let _gone = if lost.is_dir() { std::fs::remove_dir_all(lost) } else { std::fs::remove_file(lost) };
    }
    let barred = to_bytes(&vec![old.verifying_key().to_string()]);
    let loaded = Store::load_dump(&url, std::io::Cursor::new(backup), &[(RESTORED, &barred)], |_| {}).await;
    loaded.unwrap().0.close().await;

    let everybody = [HONEST.as_slice(), &[ROGUE]].concat();
    square.start(ROGUE).await.unwrap();
    let before = square.acknowledged().len();
    square.busy(&HONEST, 12).await;
    square.assert_sound(&everybody).await;
    assert_eq!(square.signed_by_rogue(before).await, 0, "it follows");

    let rotated = square.signed(ROGUE, Body::KeysRotated(new_keys(&square, ROGUE, 52)), &old);
    square.record(&square.node("housing"), rotated).await;
    until("the new key is in force there", async || {
        square.node(ROGUE).with_state(|s| s.membership().roster().number == 1).then_some(())
    })
    .await;
    square.stop(ROGUE).await;
    let keyring = Keyring::searching(id(ROGUE), vec![old, key_of(52)], std::sync::Arc::new(Vec::new));
    let network = square.hub.join(&id(ROGUE));
    square.launch(square.config(ROGUE, keyring, network)).await.unwrap();
    let before = square.acknowledged().len();
    square.busy(&HONEST, 24).await;
    square.assert_sound(&everybody).await;
    assert!(square.signed_by_rogue(before).await > 0, "it votes again");
}
