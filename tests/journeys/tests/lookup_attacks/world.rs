//! A consortium that serves private lookups, and gateways in front of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use covenant_app::Rate;
use covenant_canon::SuiteId;
use covenant_client::authorise::{ConsentTicket, Terms};
use covenant_client::{BuildView, Client, ClientConfig, Found, LookupQuestion, QueryState, ShareFile, Transport};
use covenant_demo::city::{City, Resident};
use covenant_demo::{Consortium, Founding, Settings, port};
use covenant_domain::{Answer, ConsentScope, Disclosure, MemberId, Mode, PurposeCode, Subject, Value};
use covenant_journeys::{Desk, dataset, fields, now_ms, running_city, until};
use covenant_server::{Running, ServerConfig, serve};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, oneshot};

use crate::spy::{Spy, Tricks};

pub(crate) const CREDIT: &str = "credit-centre/scoring/credit";
/// Fields of a credit row, sorted.
pub(crate) const FIELDS: [&str; 3] = ["balance_fen", "defaulted", "overdue_24m"];
pub(crate) const TRUSTEES: [&str; 3] = ["audit-office", "court", "regulator"];
pub(crate) const HOUR_MS: u64 = 3_600_000;
/// Residents on record; the city makes more, who are not.
const RESIDENTS: usize = 300;
const ABSENT: usize = 60;
const PATIENCE: Duration = Duration::from_secs(90);

/// What the shared world runs on: it outlives every test.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SHARED: OnceCell<World> = OnceCell::const_new();

/// The world that tests share.
pub(crate) async fn shared() -> &'static World {
    let open = || RUNTIME.block_on(World::open(&shared_dir(), |_| {}));
    SHARED.get_or_init(|| async { tokio::task::spawn_blocking(open).await.unwrap() }).await
}

/// Nothing drops a static, so the folder of an earlier process is removed by the next.
fn shared_dir() -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lookup");
    std::fs::create_dir_all(&root).unwrap();
    for old in std::fs::read_dir(&root).unwrap().map(|e| e.unwrap()) {
        if !Path::new("/proc").join(old.file_name()).exists() {
            std::fs::remove_dir_all(old.path()).unwrap();
        }
    }
    let dir = root.join(std::process::id().to_string());
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// A city of which the first residents are on record.
pub(crate) fn city() -> (City, Vec<Subject>) {
    let (city, more) = (City::generate(5, RESIDENTS, 20), City::generate(5, RESIDENTS + ABSENT, 1));
    let absent = more.residents[RESIDENTS..].iter().map(subject).collect();
    (city, absent)
}

pub(crate) fn subject(resident: &Resident) -> Subject {
    Subject::Resident(resident.number.clone())
}

/// What a lookup of a resident must give: the three fields, masked as the catalogue says.
pub(crate) fn expected(resident: &Resident) -> Vec<(String, Value)> {
    let credit = &resident.credit;
    let balance = Value::Integer(credit.balance_fen / 100_000 * 100_000);
    let values = [balance, Value::Boolean(credit.defaulted), Value::Integer(credit.overdue_24m)];
    FIELDS.map(str::to_owned).into_iter().zip(values).collect()
}

/// The values of an answer, row by row.
pub(crate) fn rows(answer: &Answer) -> Vec<Vec<(String, Value)>> {
    let open = |d: &Disclosure| match d {
        Disclosure::Open { field, value, .. } => (field.as_str().to_owned(), value.clone()),
        Disclosure::Closed { field, .. } => panic!("`{field}` is withheld"),
    };
    answer.rows.iter().map(|row| row.iter().map(open).collect()).collect()
}

/// The rows of a lookup that must have been answered.
#[track_caller]
pub(crate) fn found(found: &Found) -> Vec<Vec<(String, Value)>> {
    assert_eq!(found.state, QueryState::Answered, "{:?} {:?}", found.reasons, found.voided);
    rows(found.answer.as_ref().unwrap())
}

pub(crate) fn terms(max_uses: u32) -> Terms {
    Terms {
        consumer: MemberId::new("bank").unwrap(),
        purpose: PurposeCode::new("mortgage-review").unwrap(),
        scopes: vec![ConsentScope { dataset: dataset(CREDIT), fields: fields(&FIELDS) }],
        modes: vec![Mode::Lookup],
        valid_from_ms: now_ms() - HOUR_MS,
        valid_until_ms: now_ms() + HOUR_MS,
        max_uses,
        data_life_days: 1,
    }
}

/// The credit dataset's epoch under way to its end.
pub(crate) async fn built(centre: &Client) -> Result<u32, String> {
    until("the build ends", async || match centre.build_state(&dataset(CREDIT)).await.unwrap() {
        BuildView::Done { epoch } => Some(Ok(epoch)),
        BuildView::Failed { reason } => Some(Err(reason)),
        _ => None,
    })
    .await
}

/// The trustees' clients.
pub(crate) async fn trustees(consortium: &Consortium) -> Vec<Client> {
    let mut clients = Vec::new();
    for trustee in TRUSTEES {
        clients.push(consortium.client(trustee).await.unwrap());
    }
    clients
}

/// The trustees' key, made by all three at once.
pub(crate) async fn ceremony(clients: Vec<Client>, threshold: u16) -> BTreeMap<String, ShareFile> {
    let regulator = clients.iter().find(|c| c.member().as_str() == "regulator").unwrap();
    let trustees = clients.iter().map(|c| c.member().clone()).collect();
    let number = regulator.call_ceremony(threshold, trustees).await.unwrap();
    let mut joined = tokio::task::JoinSet::new();
    for client in clients {
        joined.spawn(async move { client.join_ceremony(number, PATIENCE).await.unwrap() });
    }
    joined.join_all().await.into_iter().map(|s| (s.trustee.to_string(), s)).collect()
}

/// A consortium with an escrow key and an epoch.
pub(crate) struct World {
    pub(crate) dir: PathBuf,
    pub(crate) city: City,
    /// Valid numbers of nobody on record.
    pub(crate) absent: Vec<Subject>,
    pub(crate) consortium: Consortium,
    pub(crate) shares: BTreeMap<String, ShareFile>,
}

impl World {
    pub(crate) async fn open(dir: &Path, adjust: impl FnOnce(&mut Settings)) -> Self {
        let (city, absent) = city();
        let consortium = running_city(dir, SuiteId::Sm, &city, adjust).await;
        let shares = ceremony(trustees(&consortium).await, 2).await;
        let centre = consortium.client("credit-centre").await.unwrap();
        centre.build_epoch(&dataset(CREDIT), 1).await.unwrap();
        built(&centre).await.unwrap();
        Self { dir: dir.to_owned(), city, absent, consortium, shares }
    }

    /// A gateway of a test's own.
    pub(crate) async fn gate(&self, tricks: Tricks) -> Gate {
        let port = port(&self.consortium.founding.genesis, &self.consortium.nodes);
        Gate::open(self.consortium.founding.clone(), Arc::new(port), tricks).await
    }

    pub(crate) fn resident(&self, n: usize) -> Subject {
        subject(&self.city.residents[n])
    }
}

/// A gateway, with the bank and the authorisation service as its callers.
pub(crate) struct Gate {
    pub(crate) spy: Arc<Spy>,
    pub(crate) bank: Client,
    pub(crate) desk: Desk,
    founding: Founding,
    running: Running,
    /// Where the regulator mirrors epochs.
    kept: TempDir,
    _stop: oneshot::Sender<()>,
}

impl Gate {
    pub(crate) async fn open(
        founding: Founding,
        port: Arc<dyn covenant_app::port::Consortium>,
        tricks: Tricks,
    ) -> Self {
        let spy = Arc::new(Spy::new(port, tricks));
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move {
            let _either = stopped.await;
        };
        let mut config = ServerConfig::at(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.app.rate = Rate { per_second: 100_000, burst: 100_000 };
        let running = serve(config, spy.clone(), stopped).await.unwrap();
        let (url, kept) = (running.base_url(), tempfile::tempdir().unwrap());
        let bank = connected(&url, &founding, "bank", Transport::Rest, None).await;
        let desk = Desk::new(connected(&url, &founding, "authorisation", Transport::Rest, None).await, &bank);
        Self { spy, bank, desk, founding, running, kept, _stop: stop }
    }

    pub(crate) fn url(&self) -> String {
        self.running.base_url()
    }

    pub(crate) async fn client(&self, member: &str, transport: Transport) -> Client {
        let kept = (member == "regulator").then(|| self.kept.path().to_owned());
        connected(&self.url(), &self.founding, member, transport, kept).await
    }

    /// One consent each.
    pub(crate) async fn consents(&self, subjects: &[Subject], max_uses: u32) -> Vec<ConsentTicket> {
        self.desk.issue(subjects.iter().map(|s| (s.clone(), terms(max_uses))).collect()).await
    }

    pub(crate) fn question(&self, ticket: &ConsentTicket, subject: &Subject) -> LookupQuestion {
        let ground = ticket.ground(&self.founding.identity("bank").unwrap(), subject).unwrap();
        question(subject, ground)
    }

    /// One lookup by the bank under a consent of its own.
    pub(crate) async fn look_up(&self, subject: &Subject) -> Result<Found, covenant_client::ClientError> {
        let ticket = self.consents(std::slice::from_ref(subject), 1).await.remove(0);
        self.bank.look_up(self.question(&ticket, subject)).await
    }
}

pub(crate) fn question(subject: &Subject, ground: covenant_client::Ground) -> LookupQuestion {
    let purpose = PurposeCode::new("mortgage-review").unwrap();
    LookupQuestion { dataset: dataset(CREDIT), purpose, subject: subject.clone(), ground }
}

async fn connected(
    url: &str,
    founding: &Founding,
    member: &str,
    transport: Transport,
    epoch_dir: Option<PathBuf>,
) -> Client {
    let identity = Arc::new(founding.identity(member).unwrap());
    let config = ClientConfig { transport, epoch_dir, patience: Duration::from_secs(30), ..ClientConfig::default() };
    Client::connect_with(url, identity, (*founding.genesis).clone(), config).await.unwrap()
}
