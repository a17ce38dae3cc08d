//! Evidence across changes of members and keys: followed from the genesis, and every clause of a handover broken once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use covenant_canon::{Digest, Label, SuiteId, from_bytes, to_bytes};
use covenant_domain::*;
use covenant_ledger::*;
use covenant_suite::{OpeningKey, SigningKey, suite};
use support::*;

const SUITE: SuiteId = SuiteId::Intl;

/// The keys of a member after `bank` has rotated its own.
fn new_keys() -> (SigningKey, OpeningKey) {
    (SigningKey::from_bytes(SUITE, &[77; 32]).unwrap(), OpeningKey::from_bytes(SUITE, &[78; 32]).unwrap())
}

fn certified(world: &World, height: u64, next: &Roster, signers: &[&str]) -> Anchor {
    let mut header = header(world, height, OPENED_MS, Roots { size: 1, sm3: Digest::ZERO, sha256: Digest::ZERO });
    header.next_roster = Some(roster_digest(SUITE, next));
    Anchor { certificate: world.certify(&header, signers), header }
}

const SIGNERS: [&str; 3] = ["bank", "housing", "tax"];

/// From height 4 on `bank` signs with a new key; from 6 on `regulator` agrees on blocks no more.
fn chain(world: &World) -> Vec<Handover> {
    let first = world.genesis.roster();
    let mut rotated = Roster { number: 1, from_height: 4, ..first.clone() };
    let mut seat = rotated.seat(&id("bank")).unwrap().clone();
    seat.member.verifying_key = new_keys().0.verifying_key().to_string();
    rotated.place(seat);
    let mut smaller = Roster { number: 2, from_height: 6, ..rotated.clone() };
    let mut seat = smaller.seat(&id("regulator")).unwrap().clone();
    seat.standing = Standing::Removed;
    smaller.place(seat);
    let one = Handover { step: RosterStep::between(&first, &rotated), anchor: certified(world, 3, &rotated, &SIGNERS) };
    let later = at_seven();
    let anchor = certified(&later, 5, &smaller, &SIGNERS);
    vec![one, Handover { step: RosterStep::between(&rotated, &smaller), anchor }]
}

/// The world as it is at height 7: `bank` has its new key.
fn at_seven() -> World {
    let mut later = World::new(SUITE);
    later.keys.insert(id("bank"), new_keys().0);
    later
}

#[test]
fn evidence_after_changes_verifies_from_the_genesis_alone() {
    let world = World::new(SUITE);
    let later = at_seven();
    let mut bundle = Story::new(&later, Ending::Completed).bundle(&later);
    assert_eq!(verdict(&world, &bundle), Err(Step::BlockCertificate), "the genesis alone knows an older key");
    bundle.handovers = Some(chain(&world));
    assert_eq!(verdict(&world, &bundle), Ok("answered".into()));
    let read: Bundle = from_bytes(&to_bytes(&bundle)).unwrap();
    assert_eq!(read, bundle);
    bundle.handovers.as_mut().unwrap().pop();
    assert_eq!(verdict(&world, &bundle), Ok("answered".into()), "three of four agree as well as three of three");
}

#[test]
fn old_evidence_keeps_its_old_keys() {
    let world = World::new(SUITE);
    let mut trust = Trust::new(&world.genesis).unwrap();
    trust.follow(&chain(&world)).unwrap();
    let key = |height| trust.at(height).roster().seat(&id("bank")).unwrap().member.verifying_key.clone();
    assert_eq!((key(1), key(3)), (key(2), key(1)));
    assert_ne!(key(3), key(4));
    assert_eq!(trust.at(5).validators().validators().len(), 4);
    assert_eq!(trust.at(u64::MAX).validators().validators().len(), 3);
    assert!(trust.latest().keys(&id("regulator")).is_none() && trust.at(5).keys(&id("regulator")).is_some());
    let before = trust.latest().roster().number;
    trust.follow(&chain(&world)).unwrap();
    assert_eq!(trust.latest().roster().number, before, "what is known is passed over");
    let mut story = Story::new(&world, Ending::Open);
    story.heights = (2, 9);
    story.the_permit().height = 2;
    let mut bundle = story.bundle(&world);
    bundle.handovers = Some(chain(&world));
    assert_eq!(verdict(&world, &bundle), Ok("permitted".into()));
}

type Broken = (&'static str, fn(&World, &mut Vec<Handover>));

#[rustfmt::skip]
const BROKEN: &[Broken] = &[
    ("first left out", |_, h| { h.remove(0); }),
    ("order changed", |_, h| h.swap(0, 1)),
    ("another key smuggled in", |_, h| { let key = OpeningKey::from_bytes(SUITE, &[9; 32]).unwrap(); h[0].step.seats[0].member.sealing_key = key.sealing_key().to_string(); }),
    ("a seat more", |_, h| { let mut seat = h[0].step.seats[0].clone(); seat.member.id = id("zoo"); h[0].step.seats.push(seat); }),
    ("a seat less", |_, h| h[0].step.seats.clear()),
    ("another charter", |_, h| h[0].step.charter = Some(Charter { completion_ms: 1, ..Charter::default() })),
    ("earlier", |_, h| h[0].step.from_height = 3),
    ("later", |_, h| h[0].step.from_height = 5),
    ("header names none", |w, h| { h[0].anchor.header.next_roster = None; h[0].anchor.certificate = w.certify(&h[0].anchor.header, &SIGNERS); }),
    ("two signatures of four", |_, h| { h[0].anchor.certificate.signatures.pop(); }),
    ("second signed with the key before", |w, h| h[1].anchor.certificate = w.certify(&h[1].anchor.header, &SIGNERS)),
    ("certificate of another block", |_, h| h[0].anchor.certificate = h[1].anchor.certificate.clone()),
    ("another consortium", |w, h| { h[0].anchor.header.consortium = Digest::ZERO; h[0].anchor.certificate = w.certify(&h[0].anchor.header, &SIGNERS); }),
];

#[test]
fn every_clause_of_a_handover_is_missed() {
    let world = World::new(SUITE);
    let later = at_seven();
    let good = Story::new(&later, Ending::Completed).bundle(&later);
    for (name, spoil) in BROKEN {
        let mut bundle = good.clone();
        let mut handovers = chain(&world);
        spoil(&world, &mut handovers);
        bundle.handovers = Some(handovers);
        assert_eq!(verdict(&world, &bundle), Err(Step::Handover), "{name}");
    }
}

#[test]
fn a_roster_that_could_not_go_on_is_none() {
    let world = World::new(SUITE);
    let roster = world.genesis.roster();
    let with = |change: &dyn Fn(&mut Roster)| {
        let mut changed = roster.clone();
        change(&mut changed);
        Membership::new(SUITE, changed, None).map(drop)
    };
    assert!(with(&|_| ()).is_ok());
    let nobody = with(&|r| r.seats.iter_mut().for_each(|s| s.standing = Standing::Locked));
    assert!(matches!(nobody, Err(RosterError::NoValidator)));
    let silent = with(&|r| {
        r.charter.member_vote = Some(VoteRule { quorum_percent: 60, objection_ms: 1 });
        r.seats.iter_mut().for_each(|s| s.standing = Standing::Frozen);
    });
    assert!(matches!(silent, Err(RosterError::NoVoter)));
    let shared = with(&|r| r.seats[1].member.verifying_key = r.seats[0].member.verifying_key.clone());
    assert!(matches!(shared, Err(RosterError::SharedKey { .. })));
    let foreign = with(&|r| r.seats[0].member.verifying_key = "intl:00".into());
    assert!(matches!(foreign, Err(RosterError::Key { .. })));
    let unfair = with(&|r| r.charter.member_vote = Some(VoteRule { quorum_percent: 50, objection_ms: 1 }));
    assert!(matches!(unfair, Err(RosterError::Charter(_))));
    let label = suite(SUITE).sign(&new_keys().0, Label::NEW_KEYS, b"x").unwrap();
    assert!(new_keys().0.verifying_key().prepare().unwrap().verify(Label::VOTE, b"x", &label).is_err());
}
