//! A validator whose node signs with the key that it has replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use covenant_canon::{Label, SuiteId};
use covenant_daemon::Keyring;
use covenant_domain::{Body, NewKeys, possession};
use covenant_journeys::until;
use covenant_suite::{SigningKey, suite};

use crate::mouth::{Said, speaking};
use crate::square::{HONEST, ROGUE, Square, id};
use crate::wire::Message;

/// A secret key, as often as it is wanted.
pub fn key_of(secret: u8) -> SigningKey {
    SigningKey::from_bytes(SuiteId::Sm, &[secret; 32]).unwrap()
}

/// What goes on the ledger of a member's new key. What is sealed to the member stays as it is.
pub fn new_keys(square: &Square, name: &str, secret: u8) -> NewKeys {
    let key = key_of(secret);
    let verifying_key = key.verifying_key().to_string();
    let sealing_key = square.founding.identity(name).unwrap().opening.sealing_key().to_string();
    let consortium = square.founding.genesis.digest();
    let digest = possession(SuiteId::Sm, &consortium, &id(name), &verifying_key, &sealing_key);
    let possession = suite(SuiteId::Sm).sign(&key, Label::NEW_KEYS, digest.as_bytes()).unwrap().to_string();
    NewKeys { member: id(name), verifying_key, sealing_key, possession }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn votes_under_a_replaced_key_count_for_nothing() {
    let square = Square::founded().await;
    square.start_honest().await;
    let keys = new_keys(&square, ROGUE, 51);
    // Its node has both keys and signs as it should; the mock signs everything again, with the old one.
    let spoken = Arc::new(AtomicU64::new(0));
    let count = spoken.clone();
    let manner = move |voice: &crate::mouth::Voice, message| match message {
        Some(Message::Vote(v)) => {
            count.fetch_max(v.height, Ordering::Relaxed);
            Said::Instead(vec![voice.vote(v.kind, v.height, v.round, v.block)])
        }
        Some(Message::Offer(o)) => Said::Instead(vec![voice.offer(o.height, o.round, o.block, o.valid_round)]),
        _ => Said::So,
    };
    let network = speaking(square.hub.join(&id(ROGUE)), square.voice(), Box::new(manner));
    let keyring = Keyring::searching(id(ROGUE), vec![square.key(ROGUE), key_of(51)], Arc::new(Vec::new));
    let config = square.config(ROGUE, keyring, network);
    square.launch(config).await.unwrap();

    let seen = square.watch("housing");
    square.busy(&HONEST, 6).await;
    let rotated = square.signed(ROGUE, Body::KeysRotated(keys), &square.key(ROGUE));
    square.record(&square.node("housing"), rotated).await;
    let from = until("the roster with the new key", async || {
        let roster = square.node("housing").with_state(|s| s.membership().roster().clone());
        (roster.number == 1).then_some(roster.from_height)
    })
    .await;
    square.busy(&HONEST, 30).await;
    assert!(spoken.load(Ordering::Relaxed) > from + 4, "it went on voting");
    square.stop(ROGUE).await;
    square.assert_sound(&HONEST).await;

    let (mut before, mut after) = (0, 0);
    for entry in square.acknowledged() {
        let anchor = square.receipt(&square.node("housing"), &entry).await.anchor;
        let signed = anchor.certificate.signatures.iter().any(|s| s.validator == id(ROGUE));
        match anchor.header.height >= from {
            true => {
                assert!(!signed && anchor.header.proposer != id(ROGUE), "height {}", anchor.header.height);
                after += 1;
            }
            false => before += 1,
        }
    }
    assert!(before > 0 && after > 10, "{before} before, {after} after");
    let counted = |b: &covenant_daemon::CommittedBlock| b.header.parent_signers.contains(&id(ROGUE));
    let seen = seen.lock();
    assert!(seen.iter().any(|b| b.header.height <= from && counted(b)), "its old key counted once");
    assert!(!seen.iter().any(|b| b.header.height > from && counted(b)));
}
