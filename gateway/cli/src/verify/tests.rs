//! A refusal built by hand: genesis, one block, its bundle; each then broken.

use covenant_canon::{Digest, HashAlgorithm, Label, SuiteId, to_bytes};
use covenant_client::Identity;
use covenant_domain::{
    Authority, Body, Class, Commitment, DatasetId, Decision, Entry, FieldName, Intent, IntentId, Member, MemberId,
    Mode, Names, Outcome, PurposeCode, Reason, ReasonCode, Role,
};
use covenant_ledger::{
    Anchor, Authored, Bundle, Certificate, Charter, Closure, CommitSignature, Genesis, Header, LeafProof, LogTail,
    SignedBatch, VoteKind, leaf_hash, vote_bytes,
};
use covenant_suite::suite;

use super::*;

const SUITE: SuiteId = SuiteId::Intl;

fn identity(name: &str) -> Identity {
    Identity::generate(MemberId::new(name).unwrap(), SUITE)
}

fn genesis(bank: &Identity, tax: &Identity) -> Genesis {
    let member = |identity: &Identity, class, role| Member {
        id: identity.member.clone(),
        names: Names::new("某", "some"),
        class,
        roles: vec![role],
        verifying_key: identity.signing.verifying_key().to_string(),
        sealing_key: identity.opening.sealing_key().to_string(),
    };
    let members = vec![member(bank, Class::Finance, Role::Consumer), member(tax, Class::Government, Role::Validator)];
    Genesis { version: 1, consortium: "city".into(), suite: SUITE, created_ms: 1, members, charter: Charter::default() }
}

fn entries(bank: &Identity) -> (Entry, Entry) {
    let intent = Intent {
        id: IntentId::from_parts(1, &[1; 10]),
        consumer: bank.member.clone(),
        dataset: DatasetId::new("cov:city/gov/tax/levy/income").unwrap(),
        purpose: PurposeCode::new("mortgage-review").unwrap(),
        mode: Mode::Detail,
        fields: vec![FieldName::new("income_fen").unwrap()],
        authority: Authority::Legal { commitment: Commitment([0; 32]), case: None },
        input: Digest::ZERO,
        lookup: None,
    };
    let decision = Decision {
        intent: intent.id,
        query: Digest::of(SUITE, Label::INTENT, &to_bytes(&intent)),
        outcome: Outcome::Refused,
        reasons: vec![Reason::new(ReasonCode::ConsentRequired, "no consent")],
        policy: None,
    };
    let asked = Entry { author: Some(bank.member.clone()), made_ms: 2, body: Body::Intent(intent) };
    (asked, Entry { author: None, made_ms: 2, body: Body::Decision(decision) })
}

/// A log of two leaves: each is the other's audit path.
fn leaf(entry: &Entry, index: u64, other: &Entry) -> LeafProof {
    let path = |algorithm| vec![leaf_hash(algorithm, &to_bytes(other))];
    let (path_sm3, path_sha256) = (path(HashAlgorithm::Sm3), path(HashAlgorithm::Sha256));
    LeafProof { entry: entry.clone(), index, path_sm3, path_sha256 }
}

fn refusal(bank: &Identity, tax: &Identity, genesis: &Genesis) -> Bundle {
    let consortium = genesis.digest();
    let (asked, decided) = entries(bank);
    let batch = SignedBatch::sign(&consortium, &bank.member, std::slice::from_ref(&asked), &bank.signing).unwrap();
    let mut log = LogTail::default();
    let (first, second) = (to_bytes(&asked), to_bytes(&decided));
    log.append(&[first.as_slice(), second.as_slice()]);
    let header = Header {
        version: 1,
        consortium,
        height: 1,
        parent: Digest::ZERO,
        time_ms: 2,
        proposer: tax.member.clone(),
        payload: Digest::ZERO,
        log: log.roots(),
        state: Digest::ZERO,
        suite: SUITE,
        parent_signers: vec![],
        next_roster: None,
    };
    let block = header.id();
    let message = vote_bytes(&consortium, VoteKind::Precommit, 1, 0, Some(block), &tax.member);
    let signature = suite(SUITE).sign(&tax.signing, Label::VOTE, &message).unwrap().as_bytes().to_vec();
    let signatures = vec![CommitSignature { validator: tax.member.clone(), signature }];
    Bundle {
        version: 1,
        consortium,
        intent: Authored { leaf: leaf(&asked, 0, &decided), signed: batch.proof(0) },
        decision: leaf(&decided, 1, &asked),
        anchor: Anchor { header, certificate: Certificate { height: 1, round: 0, block, signatures } },
        closure: Closure::Refused,
        handovers: None,
    }
}

fn report(bundle: &Bundle, genesis: &Genesis) -> Report {
    check(&to_bytes(bundle), genesis, None)
}

#[test]
fn a_refusal_verifies_and_each_change_is_named() {
    let (bank, tax) = (identity("bank"), identity("tax"));
    let genesis = genesis(&bank, &tax);
    let bundle = refusal(&bank, &tax, &genesis);
    let good = report(&bundle, &genesis);
    assert!(good.verified, "{good:?}");
    assert_eq!(exit(&good), Exit::Done);
    assert!(told(&good).ends_with("verified: the query was refused"), "{}", told(&good));

    let mut changed = bundle.clone();
    changed.decision.index = 0;
    assert_eq!(report(&changed, &genesis).failed, Some(Step::DecisionInclusion));
    let mut changed = bundle.clone();
    changed.anchor.header.time_ms = 3;
    assert_eq!(report(&changed, &genesis).failed, Some(Step::BlockCertificate));
    let mut changed = bundle;
    changed.anchor.certificate.signatures[0].signature[0] ^= 1;
    let bad = report(&changed, &genesis);
    assert_eq!((bad.failed, exit(&bad)), (Some(Step::BlockCertificate), Exit::No));
    assert!(told(&bad).ends_with("NOT verified: `block_certificate` does not hold"), "{}", told(&bad));
}

#[test]
fn no_changed_byte_verifies() {
    let (bank, tax) = (identity("bank"), identity("tax"));
    let genesis = genesis(&bank, &tax);
    let bytes = to_bytes(&refusal(&bank, &tax, &genesis));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_ne!(exit(&check(&changed, &genesis, None)), Exit::Done, "byte {at}");
    }
}

#[test]
fn another_trust_root_and_garbage_end_differently() {
    let (bank, tax) = (identity("bank"), identity("tax"));
    let ours = genesis(&bank, &tax);
    let bytes = to_bytes(&refusal(&bank, &tax, &ours));
    let theirs = Genesis { created_ms: 2, ..ours.clone() };
    let (foreign, garbage) = (check(&bytes, &theirs, None), check(b"garbage", &ours, None));
    assert_eq!((foreign.failed, exit(&foreign)), (Some(Step::TrustRoot), Exit::No));
    assert_eq!((garbage.failed, exit(&garbage)), (Some(Step::Format), Exit::Unusable));
    let both = documented(&[(Path::new("a.cov"), foreign), (Path::new("b.cov"), garbage)]);
    assert_eq!(both.exit, Exit::Unusable);
    assert_eq!(both.machine[1]["report"]["failed"], "format");
    assert!(both.human.starts_with("a.cov\n"), "{}", both.human);
}
