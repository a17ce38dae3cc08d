//! A consortium of four validators and one query's story on its log, built with nothing but this crate's public types.
//!
//! The signed bytes of a batch are written here a second time: what the verifier accepts is checked against a plain
//! reading of the format, not against the code that made it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use covenant_canon::{Digest, HashAlgorithm, Label, SuiteId, to_bytes};
use covenant_domain::*;
use covenant_ledger::*;
use covenant_suite::{OpeningKey, SigningKey, suite};
use minicbor::Encode;

pub const OPENED_MS: u64 = 1_795_000_000_000;
pub const EXPIRES_MS: u64 = OPENED_MS + 60_000;
pub const VALIDATORS: [&str; 4] = ["bank", "housing", "regulator", "tax"];

pub fn id(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

pub fn field(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

pub struct World {
    pub genesis: Genesis,
    pub keys: BTreeMap<MemberId, SigningKey>,
}

impl World {
    pub fn new(suite: SuiteId) -> Self {
        let mut keys = BTreeMap::new();
        let mut members = Vec::new();
        for (n, name) in (1u8..).zip(VALIDATORS) {
            let signing = SigningKey::from_bytes(suite, &[n; 32]).unwrap();
            let opening = OpeningKey::from_bytes(suite, &[n + 100; 32]).unwrap();
            members.push(Member {
                id: id(name),
                names: Names::new(name, name),
                class: Class::Government,
                roles: vec![Role::Holder, Role::Consumer, Role::Validator],
                verifying_key: signing.verifying_key().to_string(),
                sealing_key: opening.sealing_key().to_string(),
            });
            keys.insert(id(name), signing);
        }
        let consortium = "city".to_owned();
        let genesis = Genesis { version: 1, consortium, suite, created_ms: 1, members, charter: Charter::default() };
        Self { genesis, keys }
    }

    pub fn suite(&self) -> SuiteId {
        self.genesis.suite
    }

    /// A batch as the format describes it, signed with any key: nothing here refuses a wrong author.
    pub fn batch(&self, author: &str, signer: &str, entries: &[Entry]) -> SignedBatch {
        #[derive(Encode)]
        #[cbor(map)]
        struct Signed {
            #[n(0)]
            consortium: Digest,
            #[n(1)]
            author: MemberId,
            #[n(2)]
            count: u64,
            #[n(3)]
            root: Digest,
        }
        let hash = self.suite().hash();
        let leaves: Vec<_> = entries.iter().map(|e| leaf_hash(hash, &to_bytes(e))).collect();
        let signed = Signed {
            consortium: self.genesis.digest(),
            author: id(author),
            count: entries.len() as u64,
            root: merkle_root(hash, &leaves),
        };
        let signature = suite(self.suite()).sign(&self.keys[&id(signer)], Label::BATCH, &to_bytes(&signed)).unwrap();
        SignedBatch { author: id(author), entries: entries.iter().map(|e| to_bytes(e).into()).collect(), signature }
    }

    pub fn vote(&self, name: &str, height: u64, round: u32, block: Digest) -> CommitSignature {
        let message = vote_bytes(&self.genesis.digest(), VoteKind::Precommit, height, round, Some(block), &id(name));
        let signature = suite(self.suite()).sign(&self.keys[&id(name)], Label::VOTE, &message).unwrap();
        CommitSignature { validator: id(name), signature: signature.as_bytes().to_vec() }
    }

    pub fn certify(&self, header: &Header, signers: &[&str]) -> Certificate {
        let (height, round, block) = (header.height, 2, header.id());
        let signatures = signers.iter().map(|s| self.vote(s, height, round, block)).collect();
        Certificate { height, round, block, signatures }
    }
}

/// A log of two blocks: entries, then roots at the size of each block.
#[derive(Clone, Default)]
pub struct Log(pub Vec<Entry>);

impl Log {
    fn leaves(&self, algorithm: HashAlgorithm, size: usize) -> Vec<Digest> {
        self.0[..size].iter().map(|e| leaf_hash(algorithm, &to_bytes(e))).collect()
    }

    pub fn roots(&self, size: usize) -> Roots {
        let root = |a| merkle_root(a, &self.leaves(a, size));
        Roots { size: size as u64, sm3: root(HashAlgorithm::Sm3), sha256: root(HashAlgorithm::Sha256) }
    }

    fn with_nodes(&self, algorithm: HashAlgorithm, size: usize) -> impl FnMut(NodeId) -> Result<Digest, ()> {
        let leaves = self.leaves(algorithm, size);
        move |node: NodeId| {
            let start = (node.index as usize) << node.level;
            Ok(merkle_root(algorithm, &leaves[start..start + (1 << node.level)]))
        }
    }

    pub fn proof(&self, index: usize, size: usize) -> LeafProof {
        let path = |a| inclusion_path(a, index as u64, size as u64, &mut self.with_nodes(a, size)).unwrap();
        LeafProof {
            entry: self.0[index].clone(),
            index: index as u64,
            path_sm3: path(HashAlgorithm::Sm3),
            path_sha256: path(HashAlgorithm::Sha256),
        }
    }

    pub fn consistency(&self, old: usize, new: usize) -> (Vec<Digest>, Vec<Digest>) {
        let path = |a| consistency_path(a, old as u64, new as u64, &mut self.with_nodes(a, new)).unwrap();
        (path(HashAlgorithm::Sm3), path(HashAlgorithm::Sha256))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Refused,
    Open,
    Completed,
    Lapsed,
}

impl Ending {
    pub const ALL: [Self; 4] = [Self::Refused, Self::Open, Self::Completed, Self::Lapsed];
}

/// What goes on the log. A test changes what it likes, then has [`Story::bundle`] build chain and proofs around it:
/// everything around the change is in order, as colluding validators could make it.
#[derive(Clone)]
pub struct Story {
    pub ending: Ending,
    pub intent: Entry,
    pub intent_signer: &'static str,
    pub decision: Entry,
    pub closing: Option<Entry>,
    pub closing_signer: &'static str,
    pub opened_ms: u64,
    pub closed_ms: u64,
    pub heights: (u64, u64),
    pub sealed: Vec<u8>,
    pub answer: Answer,
}

impl Story {
    pub fn new(world: &World, ending: Ending) -> Self {
        let intent = intent();
        let decision = decision(world, &intent, ending != Ending::Refused);
        let (sealed, answer) = (b"sealed to the consumer".to_vec(), answer(world));
        let closed_ms = if ending == Ending::Lapsed { EXPIRES_MS } else { OPENED_MS + 900 };
        let closing = match ending {
            Ending::Refused | Ending::Open => None,
            Ending::Completed => Some(authored("housing", closed_ms, completion(world, &decision, &sealed, &answer))),
            Ending::Lapsed => Some(derived(closed_ms, Body::Lapse(Lapse { intent: intent.id, due_ms: EXPIRES_MS }))),
        };
        Self {
            ending,
            intent: authored("bank", OPENED_MS - 5, Body::Intent(intent)),
            intent_signer: "bank",
            decision: derived(OPENED_MS, Body::Decision(decision)),
            closing,
            closing_signer: "housing",
            opened_ms: OPENED_MS,
            closed_ms,
            heights: (7, 9),
            sealed,
            answer,
        }
    }

    pub fn the_intent(&mut self) -> &mut Intent {
        let Body::Intent(intent) = &mut self.intent.body else { panic!("not an intent") };
        intent
    }

    pub fn the_decision(&mut self) -> &mut Decision {
        match &mut self.decision.body {
            Body::Decision(decision) => decision,
            _ => panic!("not a decision"),
        }
    }

    pub fn the_permit(&mut self) -> &mut Permit {
        match &mut self.the_decision().outcome {
            Outcome::Permitted { permit } => permit,
            Outcome::Refused => panic!("refused"),
        }
    }

    pub fn the_completion(&mut self) -> &mut Completion {
        let Some(Entry { body: Body::Completion(done), .. }) = &mut self.closing else { panic!("not completed") };
        done
    }

    pub fn the_lapse(&mut self) -> &mut Lapse {
        let Some(Entry { body: Body::Lapse(lapse), .. }) = &mut self.closing else { panic!("not lapsed") };
        lapse
    }

    /// Other entries stand around the story's own, so that no path is trivial.
    pub fn bundle(&self, world: &World) -> Bundle {
        let author = |e: &Entry| e.author.as_ref().map_or("bank".to_owned(), ToString::to_string);
        let asked = [noise("bank", 1), self.intent.clone(), noise("bank", 2)];
        let asked_batch = world.batch(&author(&self.intent), self.intent_signer, &asked);
        let mut log = Log(vec![noise("tax", 3), noise("tax", 4)]);
        log.0.extend(asked);
        log.0.extend([derived(self.opened_ms, rejection(5)), self.decision.clone()]);
        let first = log.0.len();
        let (closing_at, in_batch) = (first + 2, 1);
        let anchor = |log: &Log, height, time_ms, size| {
            let header = header(world, height, time_ms, log.roots(size));
            Anchor { certificate: world.certify(&header, &["bank", "housing", "tax"]), header }
        };
        let opening = anchor(&log, self.heights.0, self.opened_ms, first);
        let intent = Authored { leaf: log.proof(3, first), signed: asked_batch.proof(1) };
        let decision = log.proof(6, first);
        let closure = match (&self.closing, self.ending) {
            (Some(entry), ending) => {
                let batch = [noise("housing", 6), entry.clone(), noise("housing", 7)];
                log.0.extend([noise("tax", 8)]);
                log.0.extend(batch.clone());
                let size = log.0.len();
                let (consistency_sm3, consistency_sha256) = log.consistency(first, size);
                let later = Box::new(anchor(&log, self.heights.1, self.closed_ms, size));
                let leaf = log.proof(closing_at, size);
                if ending == Ending::Lapsed {
                    Closure::Lapsed { lapse: Box::new(leaf), anchor: later, consistency_sm3, consistency_sha256 }
                } else {
                    let signed = world.batch(&author(entry), self.closing_signer, &batch).proof(in_batch);
                    let completion = Box::new(Authored { leaf, signed });
                    Closure::Completed { completion, anchor: later, consistency_sm3, consistency_sha256 }
                }
            }
            (None, Ending::Refused) => Closure::Refused,
            (None, _) => Closure::Open,
        };
        let consortium = world.genesis.digest();
        Bundle { version: 1, consortium, intent, decision, anchor: opening, closure, handovers: None }
    }
}

pub fn header(world: &World, height: u64, time_ms: u64, log: Roots) -> Header {
    Header {
        version: 1,
        consortium: world.genesis.digest(),
        height,
        parent: Digest([height as u8; 32]),
        time_ms,
        proposer: id("tax"),
        payload: Digest([4; 32]),
        log,
        state: Digest([5; 32]),
        suite: world.suite(),
        parent_signers: VALIDATORS.map(id).to_vec(),
        next_roster: None,
    }
}

pub fn authored(author: &str, made_ms: u64, body: Body) -> Entry {
    Entry { author: Some(id(author)), made_ms, body }
}

pub fn derived(made_ms: u64, body: Body) -> Entry {
    Entry { author: None, made_ms, body }
}

pub fn rejection(n: u8) -> Body {
    Body::Rejected { entry: Digest([n; 32]), reason: "no".into() }
}

fn noise(author: &str, n: u8) -> Entry {
    let grant = GrantId::from_parts(OPENED_MS, &[n; 10]);
    authored(author, OPENED_MS, Body::GrantChanged { grant, change: GrantChange::Suspended })
}

pub fn intent_id(n: u8) -> IntentId {
    IntentId::from_parts(OPENED_MS - 10, &[n; 10])
}

pub fn intent() -> Intent {
    Intent {
        id: intent_id(1),
        consumer: id("bank"),
        dataset: DatasetId::new("cov:city/gov/housing/registry/homes").unwrap(),
        purpose: PurposeCode::new("mortgage-review").unwrap(),
        mode: Mode::Detail,
        fields: vec![field("area_cm2"), field("owner")],
        authority: Authority::Consent { id: ConsentId::from_parts(OPENED_MS, &[9; 10]) },
        input: Digest([6; 32]),
        lookup: None,
    }
}

pub fn query(world: &World, intent: &Intent) -> Digest {
    Digest::of(world.suite(), Label::INTENT, &to_bytes(intent))
}

pub fn decision(world: &World, intent: &Intent, yes: bool) -> Decision {
    let (query, policy) = (query(world, intent), Digest([8; 32]));
    let masked = vec![field("owner")];
    let obligations = Obligations::plain(intent.fields.clone(), masked, 1, Release::AfterReceipt, 30);
    let permit = Permit {
        intent: intent.id,
        query,
        holder: id("housing"),
        consumer: intent.consumer.clone(),
        dataset: intent.dataset.clone(),
        dataset_revision: 1,
        mode: intent.mode,
        obligations,
        grant: GrantId::from_parts(OPENED_MS, &[1; 10]),
        height: 7,
        expires_ms: EXPIRES_MS,
        policy,
        epoch: None,
    };
    let (outcome, code) = match yes {
        true => (Outcome::Permitted { permit }, ReasonCode::Allowed),
        false => (Outcome::Refused, ReasonCode::GrantMissing),
    };
    Decision { intent: intent.id, query, outcome, reasons: vec![Reason::new(code, "because")], policy: Some(policy) }
}

pub fn permit_digest(world: &World, permit: &Permit) -> Digest {
    Digest::of(world.suite(), Label::PERMIT, &to_bytes(permit))
}

fn completion(world: &World, decision: &Decision, sealed: &[u8], answer: &Answer) -> Body {
    Body::Completion(Completion {
        intent: decision.intent,
        permit: permit_digest(world, decision.permit().unwrap()),
        answer: Digest::of(world.suite(), Label::ANSWER, sealed),
        fields_root: answer.fields_root(world.suite()),
        lookup: None,
    })
}

pub fn answer(world: &World) -> Answer {
    let asked = intent();
    let record = Record {
        values: vec![
            (field("address"), Value::Text("1 Road".into())),
            (field("area_cm2"), Value::Integer(900_000)),
            (field("owner"), Value::Text("欧**".into())),
        ],
    };
    let mut n = 0;
    let row = disclose(world.suite(), 0, &record, &asked.fields, || {
        n += 1;
        [n; 16]
    });
    Answer {
        intent: asked.id,
        dataset: asked.dataset,
        mode: asked.mode,
        matches: vec![],
        rows: vec![row],
        truncated: false,
        failure: None,
        salt: [7; 16],
    }
}

/// The bundle verifies, or the first failing step.
pub fn verdict(world: &World, bundle: &Bundle) -> Result<String, Step> {
    verdict_of(&world.genesis, &to_bytes(bundle))
}

pub fn verdict_of(genesis: &Genesis, bytes: &[u8]) -> Result<String, Step> {
    let report = verify_bundle(bytes, genesis);
    assert_eq!(report.verified, report.failed.is_none());
    assert_eq!(report.verified, report.outcome.is_some());
    match report.failed {
        Some(step) => Err(step),
        None => Ok(report.outcome.unwrap()),
    }
}
