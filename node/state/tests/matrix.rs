//! Who may submit what: every role against every kind of entry, frozen in `tests/vectors/policy/v1/matrix.txt`.
//! `COVENANT_BLESS=1` writes it anew; a change is a change of the law and is reviewed as one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use std::fmt::Write as _;
use std::path::PathBuf;

use covenant_canon::{Digest, Label, SuiteId};
use covenant_domain::*;
use covenant_ledger::{Genesis, SignedBatch, VoteKind, vote_bytes};
use covenant_suite::suite;
use support::*;

const ROLES: [Role; 8] = [
    Role::Holder,
    Role::Consumer,
    Role::Authoriser,
    Role::Regulator,
    Role::Validator,
    Role::Trustee,
    Role::Platform,
    Role::Observer,
];

/// What makes an entry its author's own: parties are named in most kinds, so each is made out to the member at hand.
/// Absent where the kind needs a history that this list does not build.
fn entry_of(world: &World, kind: &str, me: &MemberId, permit: &Permit) -> Option<Body> {
    let own_dataset = DatasetId::new(&format!("cov:city/gov/{me}/registry/own")).unwrap();
    let owned = |dataset: Dataset| Dataset { id: own_dataset.clone(), holder: me.clone(), ..dataset };
    Some(match kind {
        "purpose_registered" => {
            Body::PurposeRegistered(Purpose { code: PurposeCode::new("other").unwrap(), ..purpose() })
        }
        "dataset_published" => Body::DatasetPublished(owned(dataset(1))),
        "policy_adopted" => {
            let revision = if me == &id("housing") { 2 } else { 1 };
            Body::PolicyAdopted(RuleBook { holder: me.clone(), ..book(revision) })
        }
        "grant_issued" => Body::GrantIssued(world.grant(2, 1)),
        "grant_changed" => Body::GrantChanged { grant: grant_id(1), change: GrantChange::Suspended },
        "consent_issued" => Body::ConsentIssued(consent(2, 1)),
        "consent_changed" => Body::ConsentChanged { consent: consent_id(1), change: ConsentChange::Paused },
        "intent" => Body::Intent(Intent { consumer: me.clone(), ..intent(START_MS, 7) }),
        "completion" => Body::Completion(completion(permit)),
        "voided" => {
            Body::Voided(Voided { intent: permit.intent, permit: completion(permit).permit, reason: "no table".into() })
        }
        "decision" => Body::Decision(Decision {
            intent: permit.intent,
            query: Digest::ZERO,
            outcome: Outcome::Refused,
            reasons: vec![],
            policy: None,
        }),
        "lapse" => Body::Lapse(Lapse { intent: permit.intent, due_ms: 1 }),
        "rejected" => Body::Rejected { entry: Digest::ZERO, reason: "no".into() },
        "ceremony_called" => {
            let trustees = world.genesis.members.iter().filter(|m| m.has(Role::Trustee)).map(|m| m.id.clone());
            Body::CeremonyCalled(CeremonyCall { number: 1, threshold: 2, trustees: trustees.collect() })
        }
        "case_opened" => Body::CaseOpened(CaseOpened {
            case: "2026-17".parse().unwrap(),
            intents: vec![permit.intent],
            order: Digest::ZERO,
        }),
        _ => return entry_of_register(world, kind, me, permit),
    })
}

/// As [`entry_of`], for requests, disputes, the catalogue and what regulators set for all.
fn entry_of_register(world: &World, kind: &str, me: &MemberId, permit: &Permit) -> Option<Body> {
    Some(match kind {
        "calendar_adopted" => Body::CalendarAdopted(Calendar { revision: 1, ..Calendar::default() }),
        "notice_registered" => {
            Body::NoticeRegistered(Notice { purpose: purpose_code(), version: 1, text: Digest::ZERO })
        }
        "tariff_adopted" => Body::TariffAdopted(Tariff { revision: 1, points: vec![] }),
        "request_submitted" => {
            let grant = Grant { consumer: me.clone(), ..world.grant(2, 1).grant };
            Body::RequestSubmitted(AccessRequest { grant: world.sign_grant(grant), ..request(world, 2) })
        }
        "delegation_given" => {
            let delegate = if me == &id("bank-b") { "bank" } else { "bank-b" };
            Body::DelegationGiven(Delegation {
                id: DelegationId::from_parts(START_MS, &[1; 10]),
                principal: me.clone(),
                delegate: id(delegate),
                powers: vec![Power::ChangeGrants],
                datasets: vec![],
                valid_from_ms: 0,
                valid_until_ms: u64::MAX,
            })
        }
        "dispute_opened" => Body::DisputeOpened(Dispute {
            id: DisputeId::from_parts(START_MS, &[1; 10]),
            intent: permit.intent,
            dataset: dataset_id(),
            fields: vec![field("owner")],
            kind: DisputeKind::Wrong,
            grounds: Digest::ZERO,
        }),
        "dataset_changed" => Body::DatasetChanged { dataset: dataset_id(), change: DatasetChange::Suspended },
        "proposal_closed" => Body::ProposalClosed(ProposalClosed {
            proposal: ProposalId::from_parts(START_MS, &[1; 10]),
            status: ProposalStatus::Accepted,
        }),
        "clock_overdue" => Body::ClockOverdue(ClockOverdue {
            what: "request".into(),
            id: request_id(1).to_string(),
            member: me.clone(),
            due_ms: 1,
        }),
        "request_auto_approved" => {
            Body::RequestAutoApproved(RuleApplied { request: request_id(1), rule: "small".into() })
        }
        _ => return entry_of_roster(world, kind, me),
    })
}

/// As [`entry_of`], for members and their keys.
fn entry_of_roster(world: &World, kind: &str, me: &MemberId) -> Option<Body> {
    Some(match kind {
        "keys_rotated" => Body::KeysRotated(new_keys(world, me.as_str(), 99).1),
        "key_locked" => Body::KeyLocked(me.clone()),
        "member_frozen" => Body::MemberFrozen(Freeze { member: id("bank-b"), frozen: true, reason: "case 7".into() }),
        "certificate_revoked" => {
            Body::CertificateRevoked(CertificateRevoked { serial: "00".into(), not_after_ms: u64::MAX })
        }
        "equivocation_shown" => {
            let say = |block| {
                let (consortium, validator) = (world.genesis.digest(), id("validator"));
                let message = vote_bytes(&consortium, VoteKind::Prevote, 1, 0, block, &validator);
                let signature = suite(SuiteId::Intl).sign(&world.keys[&validator], Label::VOTE, &message).unwrap();
                SignedStatement { message, signature: signature.as_bytes().to_vec() }
            };
            let (first, second) = (say(None), say(Some(Digest::ZERO)));
            Body::EquivocationShown(Equivocation { validator: id("validator"), height: 1, first, second })
        }
        "officer_named" => Body::OfficerNamed(None),
        _ => return None,
    })
}

/// Every kind of entry, in the order of its number.
const KINDS: [&str; 45] = [
    "purpose_registered",
    "dataset_published",
    "policy_adopted",
    "grant_issued",
    "grant_changed",
    "consent_issued",
    "consent_changed",
    "intent",
    "completion",
    "decision",
    "lapse",
    "rejected",
    "epoch_published",
    "overlay_published",
    "ceremony_called",
    "ceremony_stepped",
    "case_opened",
    "case_shared",
    "case_concluded",
    "voided",
    "calendar_adopted",
    "request_submitted",
    "request_stepped",
    "delegation_given",
    "delegation_ended",
    "proposal_opened",
    "ballot_cast",
    "proposal_closed",
    "dispute_opened",
    "dispute_answered",
    "deletion_attested",
    "clock_overdue",
    "dataset_changed",
    "right_proposed",
    "right_signed",
    "notice_registered",
    "tariff_adopted",
    "request_auto_approved",
    "keys_rotated",
    "key_locked",
    "member_frozen",
    "certificate_revoked",
    "equivocation_shown",
    "officer_named",
    "countersigned",
];

/// The usual world in which one member has one role and no other: `housing` to hold, `bank` to consume, and so on, so
/// that a refusal is the role's doing and not that of another party's name.
fn world_with(role: Role) -> (World, MemberId) {
    let mut world = World::new();
    let me = match role {
        Role::Holder => "housing",
        Role::Consumer => "bank",
        Role::Authoriser => "authorisation",
        Role::Regulator => "regulator",
        Role::Validator | Role::Platform => "validator",
        Role::Trustee => "trustee-a",
        Role::Observer => "bank-b",
    };
    if role == Role::Observer {
        world.genesis.members.iter_mut().filter(|m| m.id == id(me)).for_each(|m| m.roles = vec![Role::Observer]);
    }
    if role == Role::Platform {
        // Beside its validator's role, which a consortium cannot be without.
        let genesis: &mut Genesis = &mut world.genesis;
        genesis.members.iter_mut().filter(|m| m.id == id(me)).for_each(|m| m.roles.push(Role::Platform));
    }
    (world, id(me))
}

/// `may`, `may not`, or `-` where this list builds no example.
fn verdict(role: Role, kind: &str) -> &'static str {
    let (world, me) = world_with(role);
    let mut state = world.ready(10, 10);
    let permit = permits(&world.block(&mut state, START_MS, &[ask(START_MS, 1)])).remove(0);
    let Some(body) = entry_of(&world, kind, &me, &permit) else { return "-" };
    let (entry, key) = (by_at(me.as_str(), START_MS + 1, body), &world.keys[&me]);
    // Derived kinds do not even make a batch.
    let consortium = world.genesis.digest();
    let signed = SignedBatch::sign(&consortium, &me, &[entry], key);
    let checked = signed.and_then(|b| b.check(&consortium, &key.verifying_key().prepare().unwrap()));
    let Ok(batch) = checked else { return "may not" };
    let Ok(execution) = state.execute(state.height() + 1, START_MS + 1, &[batch]) else { return "may not" };
    match words(&execution.derived).first() {
        Some(&"rejected" | &"no") => "may not",
        _ => "may",
    }
}

fn matrix() -> String {
    let mut out = String::from("kind");
    ROLES.iter().for_each(|role| write!(out, "\t{role:?}").unwrap());
    for kind in KINDS {
        write!(out, "\n{kind}").unwrap();
        ROLES.iter().for_each(|role| write!(out, "\t{}", verdict(*role, kind)).unwrap());
    }
    out.to_lowercase() + "\n"
}

#[test]
fn the_matrix_of_roles_and_kinds_is_the_frozen_one() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/policy/v1/matrix.txt");
    let found = matrix();
    if std::env::var_os("COVENANT_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &found).unwrap();
    }
    let frozen = std::fs::read_to_string(&path).expect("the matrix is missing: run with COVENANT_BLESS=1");
    for (frozen, found) in frozen.lines().zip(found.lines()) {
        assert_eq!(found, frozen);
    }
    assert_eq!(found.lines().count(), frozen.lines().count());
}

#[test]
fn every_kind_of_the_schema_stands_in_the_matrix() {
    let names =
        std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas/domain/src/entry.rs"));
    let text = names.unwrap();
    let arms = text.lines().filter_map(|line| line.split_once("=> \"")).map(|(_, rest)| rest.trim_end_matches("\","));
    assert_eq!(arms.collect::<Vec<_>>(), KINDS);
}
