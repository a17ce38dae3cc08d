//! A validator that sends without end: what nobody can read, what nobody asked for, and what never comes to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use covenant_canon::{Digest, SuiteId};
use covenant_consensus::Link;
use covenant_ledger::VoteKind;

use crate::square::{HONEST, ROGUE, Square, id};
use crate::wire::{Message, PART_BYTES, Part, Status, Vote};

/// Bytes of one wave.
const WAVE: usize = 128 * 1024 * 1024;
const WAVES: u64 = 6;

/// What may be held at once, by all three: unfinished blocks, votes ahead, inboxes. Less than what is sent.
const BOUND: usize = 256 * 1024 * 1024;

/// Memory of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn part(height: u64, index: u32, block: Digest) -> Message {
    Message::Part(Part { height, round: 0, valid_round: None, block, index, count: 8, data: vec![1; PART_BYTES] })
}

/// One wave: garbage, parts of blocks that never become whole, and of such as belong to heights far away.
fn wave(link: &Arc<dyn Link>, number: u64, tip: u64) {
    let frames = (WAVE / PART_BYTES) as u64;
    for n in 0..frames {
        let block =
            Digest::of(SuiteId::Sm, covenant_canon::Label::BLOCK, &[number.to_be_bytes(), n.to_be_bytes()].concat());
        let frame = match n % 4 {
            0 => Bytes::from(vec![n as u8; PART_BYTES]),
            1 => part(tip + 1, (n % 7) as u32, block).bytes(),
            2 => part(tip + 1 + n, 0, block).bytes(),
            _ => part(u64::MAX - n, 0, block).bytes(),
        };
        link.broadcast(frame);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_neither_kept_nor_in_the_way() {
    let square = Square::founded().await;
    square.start_honest().await;
    let (network, voice) = (square.hub.join(&id(ROGUE)), square.voice());
    square.busy(&HONEST, 6).await;
    let before = resident();
    let mut most = 0;
    for number in 0..WAVES {
        let tip = square.node("housing").tip().height;
        wave(&network.link, number, tip);
        // Votes that are truly signed, for heights and rounds to come; twice in each, and for nothing that exists.
        for n in 0..200 {
            let (height, round) = (tip + 1 + n / 4, (n % 4) as u32 + 10);
            for kind in [VoteKind::Prevote, VoteKind::Precommit] {
                network.link.broadcast(voice.vote(kind, height, round, Some(Digest([n as u8; 32]))).bytes());
            }
        }
        square.busy(&HONEST, 2).await;
        most = most.max(resident().saturating_sub(before));
    }
    println!("{} MiB sent, {} MiB more held at most", WAVE as u64 * WAVES / (1 << 20), most / (1 << 20));
    assert!(most < BOUND, "{most} bytes are held");
    drop(network);
    square.busy(&HONEST, 4).await;
    square.assert_sound(&HONEST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lies_about_heights_hold_nobody_up() {
    let square = Square::founded().await;
    square.start_honest().await;
    let network = square.hub.join(&id(ROGUE));
    square.busy(&HONEST, 4).await;
    for lie in [1_000_000, u64::MAX - 1, u64::MAX] {
        network.link.broadcast(Message::Status(Status { tip: lie, earliest: 1 }).bytes());
        network.link.broadcast(Message::Status(Status { tip: lie, earliest: lie }).bytes());
        network.link.broadcast(Message::Wake(lie).bytes());
        square.busy(&HONEST, 5).await;
    }
    // It is still there. Blocks for nothing are not made as fast as they can be.
    let before = square.node("housing").tip().height;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let made = square.node("housing").tip().height - before;
    assert!(made < 16, "{made} empty blocks");
    // Who is behind asks the liar too, and still comes to the tip.
    square.stop("credit-centre").await;
    square.start("credit-centre").await.unwrap();
    network.link.broadcast(Message::Status(Status { tip: 1_000_000, earliest: 1 }).bytes());
    square.busy(&HONEST, 5).await;
    drop(network);
    square.assert_sound(&HONEST).await;
}

/// Votes that are not truly signed cost as much to refuse as true ones cost to accept; they must not pile up before these.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_votes_without_end_leave_the_honest_ones_room() {
    let square = Arc::new(Square::founded().await);
    square.start_honest().await;
    let (network, voice) = (square.hub.join(&id(ROGUE)), square.voice());
    square.busy(&HONEST, 4).await;
    let Message::Vote(vote) = voice.vote(VoteKind::Prevote, 1, 0, None) else { unreachable!() };
    let (ends, before) = (Arc::new(AtomicBool::new(false)), resident());
    let (at, ended) = (square.node("housing"), ends.clone());
    let sender = tokio::spawn(async move {
        let mut sent = 0_u32;
        while !ended.load(Ordering::Relaxed) {
            let height = at.tip().height + 1 + u64::from(sent % 2);
            let (round, block) = (sent % 1_000, Some(Digest([sent as u8; 32])));
            network.link.broadcast(Message::Vote(Vote { height, round, block, ..vote.clone() }).bytes());
            sent += 1;
            if sent.is_multiple_of(100) {
                tokio::task::yield_now().await;
            }
        }
        sent
    });
    square.busy(&HONEST, 12).await;
    ends.store(true, Ordering::Relaxed);
    let (sent, more) = (sender.await.unwrap(), resident().saturating_sub(before));
    println!("{sent} forged votes; {} MiB more held", more / (1 << 20));
    assert!(sent > 1_000 && more < BOUND, "{sent} votes, {more} bytes");
    square.assert_sound(&HONEST).await;
}
