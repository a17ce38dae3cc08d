#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failure here is the test's failure")]

use std::sync::atomic::{AtomicBool, Ordering};

use covenant_canon::SuiteId;
use covenant_domain::{Authority, Body, Commitment, Entry, Intent, Mode, PurposeCode};
use covenant_ledger::Charter;
use covenant_suite::KeyPairSet;
use parking_lot::Mutex;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::watch;

use super::*;
use crate::port::{NodeAnswer, NodeAsk, NodeCall, NodePulse, Released};

/// A node with a height of its own that answers one release at a time.
struct Fake {
    height: u64,
    running: AtomicBool,
    away: AtomicBool,
    standings: Mutex<BTreeMap<IntentId, QueryStanding>>,
    answers: Mutex<BTreeMap<IntentId, Vec<u8>>>,
    /// What becomes known right after it was asked about queries.
    meanwhile: Mutex<Option<(IntentId, QueryStanding)>>,
    changes: watch::Sender<u64>,
    asked: Mutex<Vec<NodeAsk>>,
}

impl Fake {
    fn new(height: u64) -> Arc<Self> {
        Arc::new(Self {
            height,
            running: AtomicBool::new(true),
            away: AtomicBool::new(false),
            standings: Mutex::default(),
            answers: Mutex::default(),
            meanwhile: Mutex::default(),
            changes: watch::channel(1).0,
            asked: Mutex::default(),
        })
    }

    fn note(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn asked(&self, name: &str) -> usize {
        self.asked.lock().iter().filter(|ask| ask.name() == name).count()
    }
}

impl NodePulse for Fake {
    fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst)
    }

    fn changes(&self) -> u64 {
        *self.changes.borrow()
    }
}

#[async_trait]
impl NodeCall for Fake {
    async fn call(&self, ask: NodeAsk) -> Result<NodeAnswer, PortError> {
        if let NodeAsk::Changed((since, wait)) = ask {
            let mut counts = self.changes.subscribe();
            let _either = tokio::time::timeout(wait, counts.wait_for(|count| *count != since)).await;
            return Ok(NodeAnswer::Changed(self.changes()));
        }
        self.asked.lock().push(ask.clone());
        if self.away.load(Ordering::SeqCst) {
            return Err(PortError::unavailable(format!("node {} is away", self.height)));
        }
        Ok(match ask {
            NodeAsk::Tip(()) => {
                NodeAnswer::Tip(LedgerTip { height: self.height, block: Digest::ZERO, leaves: 0, time_ms: 0 })
            }
            NodeAsk::Queries((intents,)) => {
                let meanwhile = self.meanwhile.lock().take();
                let known = self.standings.lock();
                let standings =
                    intents.iter().map(|id| known.get(id).cloned().unwrap_or(QueryStanding::Unknown)).collect();
                drop(known);
                if let Some((intent, standing)) = meanwhile {
                    self.standings.lock().insert(intent, standing);
                    self.note();
                }
                NodeAnswer::Queries(standings)
            }
            NodeAsk::Releases((intents,)) => {
                let sealed = self.answers.lock().get(&intents[0]).cloned();
                NodeAnswer::Releases(vec![sealed.map(|sealed| Released { sealed, receipted: true })])
            }
            NodeAsk::Holders((datasets,)) => NodeAnswer::Holders(
                datasets.iter().map(|id| id.as_str().contains("homes").then(|| member("housing"))).collect(),
            ),
            NodeAsk::Record(_) => NodeAnswer::Record(vec![]),
            NodeAsk::Deliver(_) => NodeAnswer::Deliver(()),
            NodeAsk::Submit(_) => NodeAnswer::Submit(()),
            NodeAsk::BuildState(_) => NodeAnswer::BuildState(BuildState::Idle),
            NodeAsk::BuildOverlay(_) => return Err(PortError::refused("build-busy", "wait")),
            NodeAsk::Retrieval(_) => NodeAnswer::Retrieval(Some(vec![self.height as u8].into())),
            other => panic!("nobody asks `{}` here", other.name()),
        })
    }
}

fn member(id: &str) -> MemberId {
    MemberId::new(id).unwrap()
}

fn intent(n: u8) -> IntentId {
    IntentId::from_parts(u64::from(n), &[n; 10])
}

fn dataset(name: &str) -> DatasetId {
    DatasetId::new(&format!("cov:test/gov/housing/registry/{name}")).unwrap()
}

fn permitted(holder: &str) -> QueryStanding {
    QueryStanding::Permitted { consumer: member("bank"), holder: member(holder) }
}

fn answered(n: u8) -> Progress {
    Progress::Answered { sealed: vec![n], receipted: true }
}

/// Three nodes, in the order in which they are tried.
fn three() -> (Nodes, [Arc<Fake>; 3]) {
    let genesis = Genesis {
        version: 1,
        consortium: "test".into(),
        suite: SuiteId::Sm,
        created_ms: 0,
        members: vec![],
        charter: Charter::default(),
    };
    let nodes = Nodes::new(Arc::new(genesis), BTreeMap::new());
    let fakes = [1, 2, 3].map(Fake::new);
    for (id, fake) in ["civil", "housing", "tax"].into_iter().zip(&fakes) {
        nodes.add(member(id), fake.clone());
    }
    (nodes, fakes)
}

fn batch(intents: &[(IntentId, DatasetId)]) -> SignedBatch {
    let entry = |(id, dataset): &(IntentId, DatasetId)| {
        let intent = Intent {
            id: *id,
            consumer: member("bank"),
            dataset: dataset.clone(),
            purpose: PurposeCode::new("review").unwrap(),
            mode: Mode::Match,
            fields: vec![],
            authority: Authority::Legal { commitment: Commitment([1; 32]), case: None },
            input: Digest::ZERO,
            lookup: None,
        };
        Entry { author: Some(member("bank")), made_ms: 1, body: Body::Intent(intent) }
    };
    let keys = KeyPairSet::generate(SuiteId::Intl, &mut StdRng::from_seed([1; 32]));
    let entries: Vec<Entry> = intents.iter().map(entry).collect();
    SignedBatch::sign(&Digest::ZERO, &member("bank"), &entries, &keys.signing).unwrap()
}

async fn until(mut probe: impl FnMut() -> bool) {
    for _ in 0..4000 {
        if probe() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not happen within twenty seconds");
}

#[tokio::test]
async fn the_first_node_that_runs_is_home_and_the_next_one_stands_in() {
    let (nodes, [first, second, third]) = three();
    let height = async || nodes.tip().await.map(|tip| tip.height);
    assert_eq!(height().await, Ok(1));
    first.running.store(false, Ordering::SeqCst);
    assert_eq!(height().await, Ok(2), "its consensus stopped");
    first.running.store(true, Ordering::SeqCst);
    first.away.store(true, Ordering::SeqCst);
    assert_eq!(height().await, Ok(2), "it does not answer");
    second.away.store(true, Ordering::SeqCst);
    assert_eq!(height().await, Err(PortError::unavailable("node 2 is away")));
    assert_eq!(third.asked("tip"), 0, "two are tried");
    for node in [&first, &second] {
        node.running.store(false, Ordering::SeqCst);
    }
    assert_eq!(height().await, Ok(3));
    third.running.store(false, Ordering::SeqCst);
    first.away.store(false, Ordering::SeqCst);
    assert_eq!(height().await, Ok(1), "none runs, the first still reads");
    for id in ["civil", "housing", "tax"] {
        assert!(nodes.remove(&member(id)).is_some());
    }
    assert_eq!(height().await, Err(PortError::unavailable("no node runs")));
}

#[tokio::test]
async fn what_holders_do_is_asked_of_their_node_alone() {
    let (nodes, [first, second, third]) = three();
    assert_eq!(nodes.build_state(&dataset("homes")).await, Ok(BuildState::Idle));
    assert_eq!([&first, &second, &third].map(|n| n.asked("build_state")), [0, 1, 0]);
    let refused = nodes.build_overlay(&dataset("homes")).await;
    assert_eq!(refused, Err(PortError::refused("build-busy", "wait")), "as the holder said it");
    let unknown = nodes.build_state(&dataset("unknown")).await.unwrap_err();
    assert!(matches!(unknown, PortError::Refused { ref code, .. } if code == "dataset-unknown"), "{unknown:?}");
    first.standings.lock().insert(intent(1), permitted("housing"));
    assert_eq!(nodes.retrieval(&intent(1)).await, Ok(Some(vec![2])));
    assert_eq!(nodes.retrieval(&intent(2)).await, Ok(None), "nobody answers it");
    second.away.store(true, Ordering::SeqCst);
    let away = nodes.build_state(&dataset("homes")).await.unwrap_err().to_string();
    assert!(away.contains("holder `housing`") && away.contains("node 2 is away"), "{away}");
    nodes.remove(&member("housing"));
    let gone = nodes.retrieval(&intent(1)).await.unwrap_err().to_string();
    assert!(gone.contains("holder `housing` has no running node"), "{gone}");
}

#[tokio::test]
async fn inputs_reach_their_holder_before_the_batch_is_submitted() {
    let (nodes, [first, second, _]) = three();
    let batch = batch(&[(intent(1), dataset("homes")), (intent(2), dataset("unknown"))]);
    let input = |n: u8| SealedInput { intent: intent(n), sealed: vec![n] };
    let stray = nodes.ask(batch.clone(), vec![input(1), input(3)]).await.unwrap_err();
    assert!(matches!(stray, PortError::Refused { ref code, .. } if code == "input-without-intent"), "{stray:?}");
    second.away.store(true, Ordering::SeqCst);
    let away = nodes.ask(batch.clone(), vec![input(1), input(2)]).await.unwrap_err().to_string();
    assert!(away.contains("holder `housing`"), "{away}");
    assert_eq!(first.asked("submit"), 0, "nothing may be debited for a query that can only lapse");
    second.away.store(false, Ordering::SeqCst);
    second.asked.lock().clear();
    nodes.ask(batch.clone(), vec![input(1), input(2)]).await.unwrap();
    assert_eq!(*second.asked.lock(), [NodeAsk::Deliver((member("bank"), vec![input(1)]))]);
    assert_eq!(first.asked("submit"), 1);
}

#[tokio::test]
async fn a_batch_is_recorded_through_the_next_node_within_the_same_time() {
    let (nodes, [first, second, _]) = three();
    first.away.store(true, Ordering::SeqCst);
    let batch = batch(&[(intent(1), dataset("homes"))]);
    assert_eq!(nodes.record(batch.clone()).await, Ok(vec![]));
    let asked = second.asked.lock().clone();
    assert!(
        matches!(&asked[..], [NodeAsk::Record((sent, wait))] if *sent == batch && *wait <= RECORD_WAIT),
        "{asked:?}"
    );
}

#[tokio::test]
async fn progress_is_asked_anew_once_for_each_change_that_matters() {
    let (nodes, [home, holder, other]) = three();
    let nodes = Arc::new(nodes);
    home.standings.lock().insert(intent(1), QueryStanding::Waiting);
    let waiting = tokio::spawn({
        let nodes = nodes.clone();
        async move { nodes.progress(&[intent(1)], Duration::from_secs(20)).await }
    });
    until(|| home.asked("queries") == 1 && home.changes.receiver_count() == 1).await;
    // Nothing to do with this query yet.
    holder.note();
    other.note();
    home.standings.lock().insert(intent(1), permitted("housing"));
    home.note();
    until(|| holder.asked("releases") == 1 && holder.changes.receiver_count() == 1).await;
    holder.answers.lock().insert(intent(1), vec![7]);
    holder.note();
    assert_eq!(waiting.await.unwrap(), Ok(vec![answered(7)]));
    assert_eq!((home.asked("queries"), holder.asked("releases"), other.asked.lock().len()), (3, 2, 0));
}

#[tokio::test]
async fn what_changes_between_asking_and_waiting_is_not_missed() {
    let (nodes, [home, ..]) = three();
    let lapsed = QueryStanding::Lapsed { consumer: member("bank") };
    *home.meanwhile.lock() = Some((intent(1), lapsed));
    assert_eq!(nodes.progress(&[intent(1)], Duration::from_secs(600)).await, Ok(vec![Progress::Lapsed]));
    assert_eq!(home.asked("queries"), 2);
}

#[tokio::test]
async fn answers_come_in_pieces_and_those_of_an_absent_holder_later() {
    let (nodes, [home, holder, third]) = three();
    let standings = [(1, "housing"), (2, "housing"), (3, "tax"), (4, "housing"), (5, "nobody")];
    for (n, who) in standings {
        home.standings.lock().insert(intent(n), permitted(who));
        holder.answers.lock().insert(intent(n), vec![n]);
        third.answers.lock().insert(intent(n), vec![n]);
    }
    holder.answers.lock().remove(&intent(2));
    third.away.store(true, Ordering::SeqCst);
    let intents: Vec<_> = (1..=6).map(intent).collect();
    let progress = async || nodes.progress(&intents, Duration::ZERO).await.unwrap();
    let permitted = || Progress::Permitted;
    let expected = [answered(1), permitted(), permitted(), answered(4), permitted(), Progress::Unknown];
    assert_eq!(progress().await, expected);
    third.away.store(false, Ordering::SeqCst);
    assert_eq!(progress().await[2], answered(3));
    let owners = nodes.consumers_of(&[intent(1), intent(6)]).await;
    assert_eq!(owners, Ok(vec![Some(member("bank")), None]));
}
