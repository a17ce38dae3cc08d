//! A query's walk through nodes in this process, without the gateway.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is the test's failure"
)]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use covenant_canon::{Digest, Label, SuiteId, from_bytes, to_bytes};
use covenant_consensus::MemoryHub;
use covenant_daemon::{EpochSettings, GossipHub, Keyring, Node, NodeConfig, Outcome, QueryState, Steps, SystemClock};
use covenant_domain::*;
use covenant_engine::Guard;
use covenant_ledger::{Charter, Genesis, SignedBatch, verify_answer, verify_bundle};
use covenant_sigma::{Opening, commit};
use covenant_source::{Source, SourceError, SubjectPage};
use covenant_store::Input;
use covenant_suite::{KeyPairSet, Opener, Sealed, Sealer, suite};
use rand::Rng;

const SUITE: SuiteId = SuiteId::Sm;

struct One(DatasetId);

#[async_trait]
impl Source for One {
    fn dataset(&self) -> &DatasetId {
        &self.0
    }

    async fn find(&self, subjects: &[Subject], _limit: u32) -> Result<Vec<Vec<Record>>, SourceError> {
        let record = |_: &Subject| {
            vec![Record {
                values: vec![
                    (name("address"), Value::Text("海港路1号".into())),
                    (name("area_cm2"), Value::Integer(900_000)),
                ],
            }]
        };
        Ok(subjects.iter().map(record).collect())
    }

    async fn subjects(&self, _after: Option<&str>, _limit: u32) -> Result<SubjectPage, SourceError> {
        Ok(SubjectPage::default())
    }
}

fn name(text: &str) -> FieldName {
    FieldName::new(text).unwrap()
}

fn member(id: &str) -> MemberId {
    MemberId::new(id).unwrap()
}

fn now_ms() -> u64 {
    covenant_daemon::Clock::now_ms(&SystemClock)
}

struct World {
    genesis: Arc<Genesis>,
    dir: tempfile::TempDir,
}

/// Keys are not clonable; each user re-makes them from a seed of its own.
fn keys_of(id: &str) -> KeyPairSet {
    use rand::SeedableRng;
    let mut seed = [0u8; 32];
    seed[..id.len()].copy_from_slice(id.as_bytes());
    let mut rng = rand::rngs::StdRng::from_seed(seed);
    KeyPairSet::generate(SUITE, &mut rng)
}

fn world(validators: usize) -> World {
    let mut members = Vec::new();
    for i in 0..validators {
        members.push((format!("dept{i}"), Class::Government, vec![Role::Holder, Role::Validator]));
    }
    members.push(("bank".into(), Class::Finance, vec![Role::Consumer]));
    members.push(("regulator".into(), Class::Regulator, vec![Role::Regulator]));
    members.sort();
    let members = members
        .into_iter()
        .map(|(id, class, roles)| {
            let keys = keys_of(&id);
            Member {
                id: member(&id),
                names: Names::new(&id, &id),
                class,
                roles,
                verifying_key: keys.signing.verifying_key().to_string(),
                sealing_key: keys.opening.sealing_key().to_string(),
            }
        })
        .collect();
    let genesis = Genesis {
        version: 1,
        consortium: "test".into(),
        suite: SUITE,
        created_ms: now_ms(),
        members,
        charter: Charter::default(),
    };
    World { genesis: Arc::new(genesis), dir: tempfile::tempdir().unwrap() }
}

async fn start(world: &World, validators: usize) -> Vec<Node> {
    start_with(world, validators, Steps::default()).await
}

async fn start_with(world: &World, validators: usize, steps: Steps) -> Vec<Node> {
    let (hub, gossip) = (MemoryHub::new(), GossipHub::new());
    let mut nodes = Vec::new();
    for i in 0..validators {
        let id = format!("dept{i}");
        let dir = world.dir.path().join(&id);
        std::fs::create_dir_all(&dir).unwrap();
        let keys = keys_of(&id);
        let config = NodeConfig {
            member: member(&id),
            genesis: world.genesis.clone(),
            keyring: Arc::new(Keyring::of(member(&id), keys.signing)),
            opening: Arc::new(keys.opening),
            store_url: format!("sqlite://{}", dir.join("node.db").display()),
            wal_dir: dir.join("wal"),
            sources: if i == 0 { vec![Arc::new(One(dataset().id))] } else { vec![] },
            epochs: EpochSettings { dir: dir.join("epochs"), memory: 1 << 30 },
            archives: None,
            network: hub.join(&member(&id)),
            gossip: gossip.join(&member(&id)),
            clock: Arc::new(SystemClock),
            steps: steps.clone(),
            observe: false,
        };
        nodes.push(Node::start(config).await.unwrap());
    }
    nodes
}

fn dataset() -> Dataset {
    let field = |n: &str, kind| Field {
        personal: true,
        ..Field::new(name(n), Names::new(n, n), kind, &[Mode::Match, Mode::Detail])
    };
    let area = Field { unit: Some("cm2".into()), ..field("area_cm2", FieldKind::Integer) };
    let id = DatasetId::new("cov:test/gov/dept0/registry/homes").unwrap();
    let fields = vec![field("address", FieldKind::Text), area];
    Dataset {
        duty_basis: "duty".into(),
        max_rows: 5,
        ..Dataset::new(id, member("dept0"), Names::new("住宅", "Homes"), fields)
    }
}

fn sign(world: &World, author: &str, bodies: Vec<Body>) -> SignedBatch {
    let made_ms = now_ms();
    let entries: Vec<Entry> =
        bodies.into_iter().map(|body| Entry { author: Some(member(author)), made_ms, body }).collect();
    SignedBatch::sign(&world.genesis.digest(), &member(author), &entries, &keys_of(author).signing).unwrap()
}

async fn record(world: &World, node: &Node, author: &str, bodies: Vec<Body>) {
    for entry in node.record(sign(world, author, bodies), Duration::from_secs(20)).await.unwrap() {
        assert_eq!(entry.outcome, Outcome::Accepted);
    }
}

async fn rules(world: &World, node: &Node) {
    let purpose = Purpose {
        code: PurposeCode::new("review").unwrap(),
        names: Names::new("审查", "review"),
        legal_basis: "law".into(),
        needs_consent: false,
        needs_case: false,
        modes: vec![Mode::Match, Mode::Detail],
        retention_days: 1,
        needs_record: None,
    };
    record(world, node, "regulator", vec![Body::PurposeRegistered(purpose)]).await;
    let rule = GuardRule {
        name: "all".into(),
        subject: "finance".into(),
        dataset: "*".into(),
        mode: "*".into(),
        purpose: "*".into(),
        from_hour: 0,
        until_hour: 24,
        effect: Effect::Allow,
        ..GuardRule::default()
    };
    let book = RuleBook { holder: member("dept0"), revision: 1, rules: vec![rule], roles: vec![], auto: vec![] };
    let grant = Grant {
        id: GrantId::from_parts(now_ms(), &[1; 10]),
        holder: member("dept0"),
        consumer: member("bank"),
        dataset: dataset().id,
        purpose: PurposeCode::new("review").unwrap(),
        modes: vec![Mode::Match, Mode::Detail],
        fields: vec![name("address"), name("area_cm2")],
        quota: Quota { limit: 100, window_ms: 86_400_000 },
        valid_from_ms: 0,
        valid_until_ms: u64::MAX / 2,
        data_life_days: 1,
        max_rows: 1,
        supersedes: None,
    };
    let digest = Digest::of(SUITE, Label::GRANT, &to_bytes(&grant));
    let signature = suite(SUITE).sign(&keys_of("bank").signing, Label::GRANT, digest.as_bytes()).unwrap();
    let signed = SignedGrant { grant, consumer_signature: signature.to_string() };
    let bodies = vec![Body::DatasetPublished(dataset()), Body::PolicyAdopted(book), Body::GrantIssued(signed)];
    record(world, node, "dept0", bodies).await;
}

/// An intent with its sealed input.
fn intent(fields: &[&str]) -> (Intent, Input) {
    let mut random = [0; 10];
    rand::rng().fill_bytes(&mut random);
    let id = IntentId::from_parts(now_ms(), &random);
    let subject = Subject::parse("11010519491231002X").unwrap();
    let opening = Opening::from_wide(&[9; 64]);
    let commitment = Commitment(commit(&subject.canonical(), &opening));
    let input = QueryInput { subject, opening: opening.to_bytes(), claims: vec![] };
    let holder = keys_of("dept0");
    let sealer = Sealer::new(holder.opening.sealing_key(), Label::SEAL_INPUT, &mut rand::rng()).unwrap();
    let aad = to_bytes(&(&dataset().id, &member("bank")));
    let sealed = sealer.seal(id.as_bytes(), &aad, &to_bytes(&input)).unwrap().to_bytes();
    let intent = Intent {
        id,
        consumer: member("bank"),
        dataset: dataset().id,
        purpose: PurposeCode::new("review").unwrap(),
        mode: Mode::Detail,
        fields: fields.iter().map(|f| name(f)).collect(),
        authority: Authority::Legal { commitment, case: None },
        input: Digest::of(SUITE, Label::QUERY_INPUT, &sealed),
        lookup: None,
    };
    (intent, Input { intent: id, consumer: member("bank"), sealed, received_ms: now_ms() })
}

async fn until<T>(mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..400 {
        if let Some(found) = probe().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it did not happen within ten seconds");
}

async fn walk(validators: usize) {
    let world = world(validators);
    let nodes = start(&world, validators).await;
    rules(&world, &nodes[validators - 1]).await;
    let (asked, input) = intent(&["address"]);
    let id = asked.id;
    nodes[0].deliver(vec![input]).await.unwrap();
    nodes[validators - 1].submit(sign(&world, "bank", vec![Body::Intent(asked)])).await.unwrap();
    let released = until(async || nodes[0].release(&id).await.unwrap()).await;
    assert!(released.receipted);

    let sealed = Sealed::from_bytes(&released.sealed).unwrap();
    let opener = Opener::new(Arc::new(keys_of("bank").opening), Label::SEAL_ANSWER);
    let answer = Answer::from_padded(&opener.open(id.as_bytes(), id.as_bytes(), &sealed).unwrap()).unwrap();
    assert_eq!(answer.value(&name("address")), Some(&Value::Text("海港路1号".into())));
    assert_eq!(answer.value(&name("area_cm2")), None, "not asked, so withheld");

    let bundle = to_bytes(&nodes[0].evidence(&id).await.unwrap().unwrap());
    let report = verify_answer(&bundle, &world.genesis, &released.sealed, &answer);
    assert!(report.verified, "{report:?}");
    assert!(verify_bundle(&bundle, &world.genesis).verified);
    every_changed_byte_is_caught(&bundle, &world.genesis);

    let (refused, input) = intent(&["address", "nosuch"]);
    let refused_id = refused.id;
    nodes[0].deliver(vec![input]).await.unwrap();
    nodes[0].submit(sign(&world, "bank", vec![Body::Intent(refused)])).await.unwrap();
    let (_, state) = until(async || nodes[0].query(&refused_id).await.unwrap()).await;
    assert!(
        matches!(state, QueryState::Refused(reasons) if reasons.iter().any(|r| r.code == ReasonCode::FieldUnknown))
    );
    let (decision, _, again) = nodes[0].explain(&refused_id, true).await.unwrap().unwrap();
    assert_eq!(Some(decision), again, "executing the ledger again gives the same decision");
    simulated(&nodes[0], &world, id).await;
    let counts = nodes[0].rebuild().await.unwrap();
    assert!(counts["blocks"] >= 3 && counts["leaves"] > 8, "{counts:?}");

    for node in nodes {
        node.stop().await;
    }
    let nodes = start(&world, validators).await;
    assert!(nodes[0].release(&id).await.unwrap().is_some(), "answers survive a restart");
    let again = to_bytes(&nodes[0].evidence(&id).await.unwrap().unwrap());
    assert_eq!(
        from_bytes::<covenant_ledger::Bundle>(&again).unwrap().intent.leaf.entry,
        from_bytes::<covenant_ledger::Bundle>(&bundle).unwrap().intent.leaf.entry
    );
    let (asked, input) = intent(&["address"]);
    let id = asked.id;
    nodes[0].deliver(vec![input]).await.unwrap();
    nodes[0].submit(sign(&world, "bank", vec![Body::Intent(asked)])).await.unwrap();
    until(async || nodes[0].release(&id).await.unwrap()).await;
    for node in nodes {
        node.stop().await;
    }
}

/// One query was permitted, one refused: a book that forbids changes the first, the book in force none.
async fn simulated(node: &Node, world: &World, permitted: IntentId) {
    let try_out = async |rules: Vec<GuardRule>, last| {
        let book = RuleBook { holder: member("dept0"), revision: 2, rules, roles: vec![], auto: vec![] };
        let guard = Guard::compile(SUITE, &book, &world.genesis.members).unwrap();
        node.simulate(Arc::new(guard), last).await.unwrap()
    };
    let open = GuardRule { name: "open".into(), effect: Effect::Allow, ..GuardRule::default() };
    let same = try_out(vec![open.clone()], 10).await;
    assert_eq!((same.compared, same.changed.len()), (2, 0), "{same:?}");
    let closed = try_out(vec![open.clone(), GuardRule { name: "closed".into(), ..GuardRule::default() }], 10).await;
    assert_eq!((closed.compared, closed.changed.len()), (2, 1));
    let changed = &closed.changed[0];
    assert_eq!((changed.intent, changed.would.is_none(), changed.was.is_some()), (permitted, true, true));
    assert_eq!(changed.reasons[0].code, ReasonCode::GuardForbids);
    let newest = try_out(vec![], 1).await;
    assert_eq!((newest.compared, newest.changed.len()), (1, 0), "the newest query was refused anyway");
}

/// Flips one bit in every byte: nothing verifies any more.
fn every_changed_byte_is_caught(bundle: &[u8], genesis: &Genesis) {
    let step = (bundle.len() / 200).max(1);
    for at in (0..bundle.len()).step_by(step) {
        let mut changed = bundle.to_vec();
        changed[at] ^= 1;
        let report = verify_bundle(&changed, genesis);
        assert!(!report.verified && report.failed.is_some(), "byte {at} of {} was changed unnoticed", bundle.len());
    }
}

/// I1: the answer is made and stored, and still does not leave before its record is final.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_answer_leaves_before_its_receipt() {
    let world = world(1);
    let (stored, seen) = std::sync::mpsc::channel();
    let (go_on, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let steps = Steps::with(Arc::new(move |step| {
        if step == "answer-stored" {
            stored.send(()).unwrap();
            // The holder stands still here until the test has looked.
            held.lock().unwrap().recv().unwrap();
        }
    }));
    let nodes = start_with(&world, 1, steps).await;
    rules(&world, &nodes[0]).await;
    let (asked, input) = intent(&["address"]);
    let id = asked.id;
    nodes[0].deliver(vec![input]).await.unwrap();
    nodes[0].submit(sign(&world, "bank", vec![Body::Intent(asked)])).await.unwrap();
    tokio::task::spawn_blocking(move || seen.recv_timeout(Duration::from_secs(20)).unwrap()).await.unwrap();
    let (_, state) = until(async || nodes[0].query(&id).await.unwrap()).await;
    assert!(matches!(state, QueryState::Permitted { release: Release::AfterReceipt, .. }));
    assert_eq!(nodes[0].release(&id).await.unwrap(), None, "permitted and stored, not yet on record");
    go_on.send(()).unwrap();
    let released = until(async || nodes[0].release(&id).await.unwrap()).await;
    assert!(released.receipted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_validator() {
    walk(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_validators() {
    walk(4).await;
}
