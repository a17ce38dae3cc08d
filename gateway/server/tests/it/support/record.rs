//! The record of one query as a log of its own: intent, decision, completion, in one certified block.

use covenant_canon::{Digest, HashAlgorithm, Label, to_bytes};
use covenant_domain::*;
use covenant_ledger::*;
use covenant_suite::suite;

use super::fake::Fake;
use super::{HOMES, field, id};

pub fn grant() -> Grant {
    Grant {
        id: GrantId::from_parts(1, &[1; 10]),
        holder: id("housing"),
        consumer: id("bank"),
        dataset: DatasetId::new(HOMES).unwrap(),
        purpose: PurposeCode::new("mortgage-review").unwrap(),
        modes: vec![Mode::Match],
        fields: vec![field("owner")],
        quota: Quota { limit: 10, window_ms: 1000 },
        valid_from_ms: 0,
        valid_until_ms: u64::MAX,
        data_life_days: 30,
        max_rows: 1,
        supersedes: None,
    }
}

pub fn decide(genesis: &Genesis, intent: &Intent) -> Decision {
    let query = Digest::of(genesis.suite, Label::INTENT, &to_bytes(intent));
    let policy = Some(Digest([3; 32]));
    if intent.mode == Mode::Submit {
        let reasons = vec![Reason::new(ReasonCode::ModeNotGranted, "mode `submit` is not granted")];
        return Decision { intent: intent.id, query, outcome: Outcome::Refused, reasons, policy };
    }
    let obligations = Obligations {
        fields: intent.fields.clone(),
        masked: vec![],
        max_rows: 1,
        release: Release::AfterReceipt,
        data_life_days: 30,
        rate_per_minute: None,
        k_minimum: None,
        notify: vec![],
    };
    let permit = Permit {
        intent: intent.id,
        query,
        holder: id("housing"),
        consumer: intent.consumer.clone(),
        dataset: intent.dataset.clone(),
        dataset_revision: 1,
        mode: intent.mode,
        obligations,
        grant: grant().id,
        height: 1,
        expires_ms: 100,
        policy: Digest([3; 32]),
        epoch: intent.lookup.as_ref().map(|c| c.epoch),
    };
    let reasons = vec![Reason::new(ReasonCode::Allowed, "all conditions hold")];
    Decision { intent: intent.id, query, outcome: Outcome::Permitted { permit }, reasons, policy }
}

pub struct Log(pub Vec<Entry>);

impl Log {
    fn leaves(&self, algorithm: HashAlgorithm) -> Vec<Digest> {
        self.0.iter().map(|e| leaf_hash(algorithm, &to_bytes(e))).collect()
    }

    fn path(&self, algorithm: HashAlgorithm, index: usize) -> Vec<Digest> {
        let leaves = self.leaves(algorithm);
        let mut node = |id: NodeId| {
            let start = (id.index as usize) << id.level;
            Ok::<_, ()>(merkle_root(algorithm, &leaves[start..start + (1 << id.level)]))
        };
        inclusion_path(algorithm, index as u64, leaves.len() as u64, &mut node).unwrap()
    }

    pub fn proof(&self, index: usize) -> LeafProof {
        LeafProof {
            entry: self.0[index].clone(),
            index: index as u64,
            path_sm3: self.path(HashAlgorithm::Sm3, index),
            path_sha256: self.path(HashAlgorithm::Sha256, index),
        }
    }

    pub fn anchor(&self, fake: &Fake) -> Anchor {
        let root = |algorithm| merkle_root(algorithm, &self.leaves(algorithm));
        let log =
            Roots { size: self.0.len() as u64, sm3: root(HashAlgorithm::Sm3), sha256: root(HashAlgorithm::Sha256) };
        let consortium = fake.genesis.digest();
        let header = Header {
            version: 1,
            consortium,
            height: 1,
            parent: Digest::ZERO,
            time_ms: 5,
            proposer: id("housing"),
            payload: Digest::ZERO,
            log,
            state: Digest::ZERO,
            suite: fake.genesis.suite,
            parent_signers: vec![],
            next_roster: None,
        };
        let block = header.id();
        let message = vote_bytes(&consortium, VoteKind::Precommit, 1, 0, Some(block), &id("housing"));
        let key = &fake.keys[&id("housing")].signing;
        let vote = suite(key.suite()).sign(key, Label::VOTE, &message).unwrap();
        let signatures = vec![CommitSignature { validator: id("housing"), signature: vote.as_bytes().to_vec() }];
        Anchor { header, certificate: Certificate { height: 1, round: 0, block, signatures } }
    }
}

pub fn bundle(
    fake: &Fake,
    batch: &CheckedBatch,
    index: usize,
    decision: &Decision,
    answer: Option<&(Answer, Vec<u8>)>,
) -> Bundle {
    let derived = Entry { author: None, made_ms: 5, body: Body::Decision(decision.clone()) };
    let mut log = Log(vec![batch.entries()[index].clone(), derived]);
    let completion = answer.map(|(answer, sealed)| complete(fake, decision, answer, sealed));
    log.0.extend(completion.clone());
    let anchor = log.anchor(fake);
    let closure = match completion {
        Some(entry) => {
            let holder = &fake.keys[&id("housing")];
            let signed = SignedBatch::sign(&fake.genesis.digest(), &holder.member, &[entry], &holder.signing).unwrap();
            Closure::Completed {
                completion: Box::new(Authored { leaf: log.proof(2), signed: signed.proof(0) }),
                anchor: Box::new(anchor.clone()),
                consistency_sm3: vec![],
                consistency_sha256: vec![],
            }
        }
        None if decision.permit().is_some() => Closure::Open,
        None => Closure::Refused,
    };
    let intent = Authored { leaf: log.proof(0), signed: batch.batch().proof(index) };
    let (consortium, decision) = (fake.genesis.digest(), log.proof(1));
    Bundle { version: 1, consortium, intent, decision, anchor, closure, handovers: None }
}

fn complete(fake: &Fake, decision: &Decision, answer: &Answer, sealed: &[u8]) -> Entry {
    let suite = fake.genesis.suite;
    let completion = Completion {
        intent: decision.intent,
        permit: Digest::of(suite, Label::PERMIT, &to_bytes(decision.permit().unwrap())),
        answer: Digest::of(suite, Label::ANSWER, sealed),
        fields_root: answer.fields_root(suite),
        lookup: None,
    };
    Entry { author: Some(id("housing")), made_ms: 5, body: Body::Completion(completion) }
}
