//! The validators change while entries keep coming.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_daemon::{Keyring, Node};
use covenant_domain::{
    Authority, Ballot, Body, Class, Commitment, DatasetId, FieldName, Intent, IntentId, Member, Mode, Names, Proposal,
    ProposalId, ProposalSubject, PurposeCode, Role, RosterChange, Vote, possession,
};
use covenant_journeys::{now_ms, settled, until};
use covenant_ledger::{verify_bundle, verify_receipt};
use covenant_suite::{OpeningKey, SigningKey, suite};
use parking_lot::Mutex;

use crate::square::{HONEST, ROGUE, Square, id};
use crate::stale::{key_of, new_keys};

const NEW: &str = "customs";
const FOUR: [&str; 4] = [HONEST[0], HONEST[1], HONEST[2], ROGUE];

/// Keys in force of those who submit here; rotation changes them.
struct Voters<'a> {
    square: &'a Square,
    keys: Vec<(&'static str, SigningKey)>,
}

impl Voters<'_> {
    fn key(&self, name: &str) -> &SigningKey {
        &self.keys.iter().find(|(n, _)| *n == name).unwrap().1
    }

    /// The first proposes, the others agree; waits until the roster of this number holds at the node.
    async fn agree(&self, at: &Node, who: &[&str], change: RosterChange, number: u32) {
        let proposal = ProposalId::from_parts(now_ms(), &[number as u8; 10]);
        let subject = ProposalSubject::Roster { change: Box::new(change) };
        let opened = Body::ProposalOpened(Proposal { id: proposal, subject, reason: "as agreed".into() });
        self.square.record(at, self.square.signed(who[0], opened, self.key(who[0]))).await;
        for other in &who[1..] {
            let cast = Body::BallotCast(Ballot { proposal, vote: Vote::Yes, reason: String::new() });
            self.square.record(at, self.square.signed(other, cast, self.key(other))).await;
        }
        holds(at, number).await;
    }
}

async fn holds(node: &Node, number: u32) {
    until("the next roster", async || (node.with_state(|s| s.membership().roster().number) >= number).then_some(()))
        .await;
}

/// The member's precommits are on record at this node, from now on.
async fn signs(square: &Square, at: &str, name: &str) {
    let seen = square.watch(at);
    until(&format!("{name} signs"), async || {
        square.busy(&[at], 1).await;
        seen.lock().iter().any(|b| b.header.parent_signers.contains(&id(name))).then_some(())
    })
    .await;
}

/// A query that will be refused, whose record is a bundle all the same.
async fn asked(square: &Square, at: &Node, n: u8) -> IntentId {
    let intent = IntentId::from_parts(now_ms(), &[n; 10]);
    let body = Body::Intent(Intent {
        id: intent,
        consumer: id("housing"),
        dataset: DatasetId::new("cov:square/gov/tax/returns/none").unwrap(),
        purpose: PurposeCode::new("purpose-1").unwrap(),
        mode: Mode::Match,
        fields: vec![FieldName::new("name").unwrap()],
        authority: Authority::Legal { commitment: Commitment([2; 32]), case: None },
        input: Digest([n; 32]),
        lookup: None,
    });
    square.record(at, square.signed("housing", body, &square.key("housing"))).await;
    intent
}

/// Bundles and receipts as one would have saved them at the time.
#[derive(Default)]
struct Saved {
    bundles: Vec<Vec<u8>>,
    receipts: Vec<Vec<u8>>,
}

impl Saved {
    async fn save(&mut self, square: &Square, at: &Node, n: u8) {
        let intent = asked(square, at, n).await;
        self.bundles.push(to_bytes(&at.evidence(&intent).await.unwrap().unwrap()));
        for entry in square.acknowledged() {
            self.receipts.push(to_bytes(&square.receipt(at, &entry).await));
        }
    }

    fn assert_good(&self, square: &Square) {
        for bundle in &self.bundles {
            let report = verify_bundle(bundle, &square.founding.genesis);
            assert!(report.verified, "{report:?}");
        }
        for receipt in &self.receipts {
            let report = verify_receipt(receipt, &square.founding.genesis);
            assert!(report.verified, "{report:?}");
        }
    }
}

/// A member to be.
fn newcomer(square: &Square, opening: &OpeningKey) -> RosterChange {
    let key = key_of(52);
    let (verifying_key, sealing_key) = (key.verifying_key().to_string(), opening.sealing_key().to_string());
    let consortium = square.founding.genesis.digest();
    let digest = possession(SuiteId::Sm, &consortium, &id(NEW), &verifying_key, &sealing_key);
    let possession = suite(SuiteId::Sm).sign(&key, Label::NEW_KEYS, digest.as_bytes()).unwrap().to_string();
    let roles = vec![Role::Holder, Role::Validator];
    let names = Names::new("海关", "Customs");
    let member = Member { id: id(NEW), names, class: Class::Government, roles, verifying_key, sealing_key };
    RosterChange::Admit { member, possession }
}

/// Submits one entry after the other, at one node after the other, until told to end; each must take effect.
async fn load(square: Arc<Square>, ends: Arc<AtomicBool>) -> usize {
    let (key, mut recorded) = (square.key("regulator"), 0);
    while !ends.load(Ordering::Relaxed) {
        let at = square.node(HONEST[recorded % 2]);
        square.record(&at, square.signed("regulator", square.fresh(), &key)).await;
        recorded += 1;
    }
    recorded
}

/// A member that is missing leaves no vote to spare: the newcomer is needed for the very blocks that come after its
/// admission. Whoever was away, or comes again with its new key alone, follows through every roster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_follows_through_every_change() {
    let square = Square::founded().await;
    for name in FOUR {
        square.start(name).await.unwrap();
    }
    square.busy(&FOUR, 8).await;
    square.stop(HONEST[0]).await;
    let everybody = [&FOUR[..], &["regulator"]].concat();
    let mut voters = Voters { square: &square, keys: everybody.iter().map(|n| (*n, square.key(n))).collect() };
    let at = square.node("housing");
    let opening = Arc::new(OpeningKey::from_bytes(SuiteId::Sm, &[53; 32]).unwrap());
    voters.agree(&at, &everybody, newcomer(&square, &opening), 1).await;

    // Three of five: nothing can be agreed on until the newcomer has fetched the chain and votes.
    let network = square.hub.join(&id(NEW));
    let config = square.config_with(NEW, Keyring::of(id(NEW), key_of(52)), opening, network);
    square.launch(config).await.unwrap();
    voters.keys.push((NEW, key_of(52)));
    square.busy(&["housing", NEW, ROGUE], 6).await;

    // A key is replaced while the first is still away. The block between is signed with the old one, so the node has both;
    // afterwards it starts with nothing but the new one.
    square.stop(ROGUE).await;
    let both = vec![square.key(ROGUE), key_of(51)];
    for keys in [both, vec![key_of(51)]] {
        let keyring = Keyring::searching(id(ROGUE), keys, Arc::new(Vec::new));
        square.launch(square.config(ROGUE, keyring, square.hub.join(&id(ROGUE)))).await.unwrap();
        if at.with_state(|s| s.trust().latest().roster().number) == 1 {
            let rotated = Body::KeysRotated(new_keys(&square, ROGUE, 51));
            square.record(&at, square.signed(ROGUE, rotated, &square.key(ROGUE))).await;
            holds(&at, 2).await;
            square.stop(ROGUE).await;
        }
    }
    signs(&square, "housing", ROGUE).await;

    square.start(HONEST[0]).await.unwrap();
    square.busy(&[HONEST[0], "housing", NEW, ROGUE], 8).await;
    signs(&square, "housing", HONEST[0]).await;
    drop(at);
    let all = [&FOUR[..], &[NEW]].concat();
    square.assert_sound(&all).await;

    // Once more from the disk, one by one.
    square.stop("housing").await;
    square.start("housing").await.unwrap();
    square.busy(&["housing"], 3).await;
    square.assert_sound(&all).await;
    assert!(square.nodes(&all).iter().all(|node| node.handovers(0).len() == 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn validators_come_change_their_key_and_go_while_entries_keep_coming() {
    let square = Arc::new(Square::founded().await);
    let keys = new_keys(&square, ROGUE, 51);
    for name in HONEST {
        square.start(name).await.unwrap();
    }
    // The node finds its new key only once the ledger names it, as one that is put beside the old one.
    let in_place: Arc<Mutex<Vec<SigningKey>>> = Arc::new(Mutex::new(Vec::new()));
    let found = in_place.clone();
    let search = Arc::new(move || std::mem::take(&mut *found.lock()));
    let keyring = Keyring::searching(id(ROGUE), vec![square.key(ROGUE)], search);
    square.launch(square.config(ROGUE, keyring, square.hub.join(&id(ROGUE)))).await.unwrap();

    let ends = Arc::new(AtomicBool::new(false));
    let loader = tokio::spawn(load(square.clone(), ends.clone()));
    let everybody = [&FOUR[..], &["regulator"]].concat();
    let voters = everybody.iter().map(|name| (*name, square.key(name))).collect();
    let mut voters = Voters { square: &square, keys: voters };
    let (at, mut saved) = (square.node("housing"), Saved::default());
    saved.save(&square, &at, 1).await;

    // One comes: admitted first, it starts with nothing but the genesis.
    let opening = Arc::new(OpeningKey::from_bytes(SuiteId::Sm, &[53; 32]).unwrap());
    voters.agree(&at, &everybody, newcomer(&square, &opening), 1).await;
    saved.save(&square, &at, 2).await;
    voters.keys.push((NEW, key_of(52)));
    let network = square.hub.join(&id(NEW));
    square.launch(square.config_with(NEW, Keyring::of(id(NEW), key_of(52)), opening, network)).await.unwrap();
    signs(&square, "housing", NEW).await;
    saved.save(&square, &square.node(NEW), 3).await;
    for _ in 0..5 {
        at.rebuild().await.expect("blocks that come meanwhile are no divergence");
    }

    // One takes a new key.
    in_place.lock().push(key_of(51));
    let rotated = square.signed(ROGUE, Body::KeysRotated(keys), voters.key(ROGUE));
    square.record(&at, rotated).await;
    holds(&at, 2).await;
    voters.keys.retain(|(name, _)| *name != ROGUE);
    voters.keys.push((ROGUE, key_of(51)));
    signs(&square, "housing", ROGUE).await;
    saved.save(&square, &at, 4).await;

    // One goes, by the vote of all others; its node still follows.
    let others: Vec<&str> = everybody.iter().copied().filter(|name| *name != HONEST[2]).chain([NEW]).collect();
    voters.agree(&at, &others, RosterChange::Remove { member: id(HONEST[2]) }, 3).await;
    square.busy(&["housing", NEW, ROGUE], 9).await;
    saved.save(&square, &square.node(ROGUE), 5).await;

    ends.store(true, Ordering::Relaxed);
    let loaded = tokio::time::timeout(Duration::from_secs(60), loader).await.unwrap().unwrap();
    assert!(loaded > 20, "{loaded} entries meanwhile");
    println!("{loaded} entries while the validators changed");
    let all = [&FOUR[..], &[NEW]].concat();
    settled(&square.nodes(&all)).await;
    square.assert_sound(&all).await;
    saved.assert_good(&square);
    for node in square.nodes(&all) {
        let set = node.with_state(|s| s.membership().validators().clone());
        assert!(set.get(&id(HONEST[2])).is_none() && set.get(&id(NEW)).is_some() && set.validators().len() == 4);
        assert_eq!(node.handovers(0).len(), 3, "{}", node.member());
    }
    let gone = square.signed(HONEST[2], square.fresh(), voters.key(HONEST[2]));
    assert!(at.submit(gone).await.is_err(), "whoever has gone submits nothing");
}
