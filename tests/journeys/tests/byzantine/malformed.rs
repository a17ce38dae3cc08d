//! A proposer that offers what is no block, or a wrong one.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::{Entry, MemberId};
use covenant_journeys::now_ms;
use covenant_ledger::{Block, SignedBatch};
use covenant_suite::{KeyPairSet, SigningKey};
use parking_lot::Mutex;

use crate::ear::refused;
use crate::mouth::{Manner, Said, Voice};
use crate::square::{HONEST, ROGUE, Square, id};
use crate::wire::{Message, parts};

/// What is wrong with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spoil {
    Garbage,
    OtherId,
    State,
    LogRoot,
    LogSize,
    NextRoster,
    Parent,
    Future,
    Signers,
    Proposer,
    Payload,
    Repeated,
    Stranger,
    Forged,
    Long,
    TooLong,
}

/// Each with what the honest say about it; nothing where they never get to see the whole.
const SPOILS: [(Spoil, Option<&str>); 16] = [
    (Spoil::Garbage, Some("cannot be read")),
    (Spoil::OtherId, Some("under another's id")),
    (Spoil::State, Some("names another state digest")),
    (Spoil::LogRoot, Some("gives another log root")),
    (Spoil::LogSize, Some("gives another log root")),
    (Spoil::NextRoster, Some("hands over to another roster")),
    (Spoil::Parent, Some("does not follow the tip")),
    (Spoil::Future, Some("dated in the future")),
    (Spoil::Signers, Some("make no quorum")),
    (Spoil::Proposer, Some("not proposed by a validator")),
    (Spoil::Payload, Some("does not cover its batches")),
    (Spoil::Repeated, Some("")),
    (Spoil::Stranger, Some("stranger")),
    (Spoil::Forged, Some("does not verify")),
    (Spoil::Long, Some("exceeds the limit")),
    (Spoil::TooLong, None),
];

/// What was offered instead, by the ids of the honest blocks and in the order of the turns.
type Offered = Arc<Mutex<Vec<(Spoil, Digest)>>>;

struct Spoiler {
    offered: Offered,
    /// A batch that is on the ledger, one of a stranger, and one in a member's name that the stranger signed.
    recorded: Arc<Mutex<Option<SignedBatch>>>,
    stranger: SignedBatch,
    forged: SignedBatch,
    instead: BTreeMap<Digest, (Digest, Vec<u8>)>,
}

impl Spoiler {
    fn spoilt(&mut self, block: Block) -> (Digest, Vec<u8>) {
        let true_id = block.header.id();
        if let Some(known) = self.instead.get(&true_id) {
            return known.clone();
        }
        let spoil = SPOILS[self.offered.lock().len() % SPOILS.len()].0;
        let made = self.made(spoil, block);
        self.offered.lock().push((spoil, made.0));
        self.instead.insert(true_id, made.clone());
        made
    }

    fn made(&self, spoil: Spoil, mut block: Block) -> (Digest, Vec<u8>) {
        let true_id = block.header.id();
        let rubbish = |length: usize| {
            let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            (Digest::of(SuiteId::Sm, Label::BLOCK, &[&true_id.0[..], &bytes].concat()), bytes)
        };
        let header = &mut block.header;
        match spoil {
            Spoil::Garbage => return rubbish(1_000),
            Spoil::Long => return rubbish(700_000),
            Spoil::TooLong => return rubbish(1_200_000),
            Spoil::OtherId => return (rubbish(1).0, to_bytes(&block)),
            Spoil::State => header.state = Digest([7; 32]),
            Spoil::LogRoot => header.log.sha256 = Digest([7; 32]),
            Spoil::LogSize => header.log.size += 1,
            Spoil::NextRoster => header.next_roster = Some(Digest([7; 32])),
            Spoil::Parent => header.parent = Digest([7; 32]),
            Spoil::Future => header.time_ms = now_ms() + 600_000,
            Spoil::Signers => header.parent_signers = vec![id(ROGUE)],
            Spoil::Proposer => header.proposer = id("regulator"),
            Spoil::Payload => header.payload = Digest([7; 32]),
            Spoil::Repeated => block.batches = self.recorded.lock().clone().into_iter().collect(),
            Spoil::Stranger => block.batches.push(self.stranger.clone()),
            Spoil::Forged => block.batches.push(self.forged.clone()),
        }
        if matches!(spoil, Spoil::Repeated | Spoil::Stranger | Spoil::Forged) {
            let ids = block.batches.iter().map(|b| b.id(SuiteId::Sm));
            block.header.payload = Block::payload(SuiteId::Sm, ids);
        }
        (block.header.id(), to_bytes(&block))
    }

    fn manner(mut self) -> Manner {
        Box::new(move |voice: &Voice, message| match message {
            Some(Message::Part(part)) if part.count == 1 => {
                let Ok(block) = Block::read(&part.data) else { return Said::So };
                let (other, bytes) = self.spoilt(block);
                Said::Instead(parts(part.height, part.round, other, &bytes))
            }
            Some(Message::Offer(offer)) => match self.instead.get(&offer.block) {
                Some((other, _)) => {
                    Said::Instead(vec![voice.offer(offer.height, offer.round, *other, offer.valid_round)])
                }
                None => Said::So,
            },
            _ => Said::So,
        })
    }
}

fn batch(square: &Square, author: &MemberId, key: &SigningKey) -> SignedBatch {
    let entry = Entry { author: Some(author.clone()), made_ms: now_ms(), body: square.fresh() };
    SignedBatch::sign(&square.founding.genesis.digest(), author, &[entry], key).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wrong_block_is_agreed_on_and_the_next_proposer_goes_on() {
    let square = Square::founded().await;
    square.start_honest().await;
    let key = KeyPairSet::generate(SuiteId::Sm, &mut rand::rng()).signing;
    let (offered, recorded) = (Offered::default(), Arc::default());
    let spoiler = Spoiler {
        offered: offered.clone(),
        recorded: Arc::clone(&recorded),
        stranger: batch(&square, &id("stranger"), &key),
        forged: batch(&square, &id("regulator"), &key),
        instead: BTreeMap::new(),
    };
    square.start_rogue(spoiler.manner()).await;
    let seen = square.watch("housing");

    let first = square.signed("regulator", square.fresh(), &square.key("regulator"));
    *recorded.lock() = Some(first.clone());
    square.record(&square.node("housing"), first).await;
    for _ in 0..100 {
        square.busy(&HONEST, 3).await;
        if offered.lock().len() > SPOILS.len() {
            break;
        }
    }
    square.stop(ROGUE).await;
    square.assert_sound(&HONEST).await;

    let offered = offered.lock().clone();
    assert!(offered.len() > SPOILS.len(), "each had its turn, and the last is over: {offered:?}");
    let agreed: Vec<Digest> = seen.lock().iter().map(|b| b.id).collect();
    for (spoil, block) in &offered[..SPOILS.len()] {
        assert!(!agreed.contains(block), "{spoil:?} was agreed on");
        let reason = refused(block);
        println!("{spoil:?}: {reason:?}");
        match SPOILS.iter().find(|(s, _)| s == spoil).unwrap().1 {
            Some(words) => assert!(reason.as_deref().is_some_and(|r| r.contains(words)), "{spoil:?}: {reason:?}"),
            None => assert_eq!(reason, None, "{spoil:?}"),
        }
    }
    assert!(seen.lock().iter().all(|b| b.header.proposer != id(ROGUE)), "nothing of its proposer stands");
}
