//! A validator that says two things in one round.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use covenant_canon::Digest;
use covenant_domain::{Body, Equivocation};
use covenant_journeys::until;
use covenant_ledger::{Block, MAX_BLOCK_BYTES, Statement, VoteKind, check_equivocation};

use crate::mouth::{Manner, Said, Voice};
use crate::square::{HONEST, ROGUE, Square, id};
use crate::wire::{Message, Vote, parts};

/// The proof on the ledger of all three; it holds against the genesis.
async fn shown(square: &Square, kind: Option<VoteKind>) {
    let keys = square.founding.genesis.check().unwrap().remove(&id(ROGUE)).unwrap();
    for node in square.nodes(&HONEST) {
        let proofs: Vec<Equivocation> = node.with_state(|s| s.equivocations().cloned().collect());
        assert!(!proofs.is_empty(), "{}", node.member());
        for proof in proofs {
            assert_eq!(proof.validator, id(ROGUE));
            check_equivocation(&proof, &square.founding.genesis.digest(), &keys).unwrap();
            let said = [&proof.first, &proof.second].map(|s| Statement::read(&s.message).unwrap());
            assert!(said.iter().all(|s| s.kind == kind && s.height == proof.height), "{said:?}");
            assert_ne!(said[0].block, said[1].block);
        }
        let mut entries = 0;
        for leaf in 0..node.tip().leaves {
            let entry = node.entry(leaf).await.unwrap().unwrap();
            entries += usize::from(matches!(entry.body, Body::EquivocationShown(_)));
        }
        assert!(entries > 0, "{}", node.member());
    }
}

/// Prevotes twice in every round while the switch is on.
fn prevotes_twice(on: Arc<AtomicBool>) -> Manner {
    Box::new(move |voice: &Voice, message| match message {
        Some(Message::Vote(vote @ Vote { kind: VoteKind::Prevote, .. })) if on.load(Ordering::Relaxed) => {
            let other = voice.vote(vote.kind, vote.height, vote.round, Some(Digest([9; 32])));
            Said::Instead(vec![other, Message::Vote(vote)])
        }
        _ => Said::So,
    })
}

async fn found_out(square: &Square) {
    let node = square.node("housing");
    let proven = async |square: &Square| {
        square.busy(&HONEST, 3).await;
        node.with_state(|s| s.equivocations().count())
    };
    for _ in 0..20 {
        if proven(square).await > 0 {
            return;
        }
    }
    panic!("nobody noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_prevotes_of_one_round_end_up_on_the_ledger() {
    let square = Square::with(prevotes_twice(Arc::new(AtomicBool::new(true)))).await;
    found_out(&square).await;
    square.busy(&HONEST, 6).await;
    square.stop(ROGUE).await;
    square.assert_sound(&HONEST).await;
    shown(&square, Some(VoteKind::Prevote)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_contradicts_itself_at_every_height_does_not_keep_the_ledger_busy() {
    let on = Arc::new(AtomicBool::new(true));
    let square = Square::with(prevotes_twice(on)).await;
    found_out(&square).await;
    square.busy(&HONEST, 10).await;
    // It is still there and still does it; with nothing left to record the others come to rest, and stay there.
    square.assert_sound(&HONEST).await;
    let rested = square.node("housing").tip().height;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(square.node("housing").tip().height, rested, "blocks without a reason");
    let proofs = square.node("housing").with_state(|s| s.equivocations().count());
    assert!(proofs <= 4, "{proofs} proofs where one says all");
}

/// As proposer, offers two blocks that differ in their time.
fn proposes_twice() -> Manner {
    let mut twins = std::collections::BTreeMap::new();
    Box::new(move |voice: &Voice, message| match message {
        Some(Message::Part(part)) if part.count == 1 => {
            let Ok(mut block) = Block::read(&part.data) else { return Said::So };
            block.header.time_ms += 1;
            let (bytes, other) = (covenant_canon::to_bytes(&block), block.header.id());
            assert!(bytes.len() < MAX_BLOCK_BYTES);
            twins.insert((part.height, part.round), other);
            let mut both = vec![Message::Part(part.clone())];
            both.extend(parts(part.height, part.round, other, &bytes));
            Said::Instead(both)
        }
        Some(Message::Offer(offer)) => match twins.get(&(offer.height, offer.round)) {
            Some(other) => {
                let twin = voice.offer(offer.height, offer.round, *other, offer.valid_round);
                Said::Instead(vec![Message::Offer(offer), twin])
            }
            None => Said::So,
        },
        _ => Said::So,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_proposals_of_one_round_end_up_on_the_ledger() {
    let square = Square::with(proposes_twice()).await;
    found_out(&square).await;
    square.busy(&HONEST, 6).await;
    square.stop(ROGUE).await;
    until("the proof is everywhere", async || {
        let all = square.nodes(&HONEST);
        all.iter().all(|n| n.with_state(|s| s.equivocations().count()) > 0).then_some(())
    })
    .await;
    square.assert_sound(&HONEST).await;
    shown(&square, None).await;
}
