//! Private lookup on a whole consortium: what it gives, what it hides, and who is caught at lying.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod liar;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use covenant_app::port::EpochPart;
use covenant_canon::{SuiteId, from_bytes};
use covenant_client::authorise::{ConsentTicket, Terms};
use covenant_client::{
    BuildView, Client, ClientConfig, ClientError, Found, LookupQuestion, QueryState, ShareFile, Transport,
};
use covenant_demo::catalogue::{CONSORTIUM, datasets};
use covenant_demo::city::{City, Resident};
use covenant_demo::{Consortium, port};
use covenant_domain::*;
use covenant_journeys::{Desk, dataset, fields, now_ms, running_city, until};
use covenant_ledger::{Bundle, Closure, verify_bundle};
use covenant_server::{ServerConfig, serve};
use covenant_source::{ImportOptions, Mapping, Vault};
use covenant_suite::Sealed;
use liar::{Handle, Liar, Lie};

const CREDIT: &str = "credit-centre/scoring/credit";
const PATIENCE: Duration = Duration::from_secs(60);
const TRUSTEES: [&str; 3] = ["audit-office", "court", "regulator"];

struct World {
    dir: tempfile::TempDir,
    city: City,
    consortium: Consortium,
    desk: Desk,
    bank: Client,
    shares: Vec<ShareFile>,
}

fn a_city() -> City {
    City::generate(3, 300, 20)
}

/// A small city with an escrow key and an open epoch.
async fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let city = a_city();
    let consortium = running_city(dir.path(), SuiteId::Sm, &city, |s| s.rate.per_second = 100_000).await;
    let regulator = consortium.client("regulator").await.unwrap();
    let trustees = TRUSTEES.into_iter().map(|t| MemberId::new(t).unwrap()).collect();
    let number = regulator.call_ceremony(2, trustees).await.unwrap();
    let mut clients = Vec::new();
    for trustee in TRUSTEES {
        clients.push(consortium.client(trustee).await.unwrap());
    }
    let joined = clients.iter().map(|c| c.join_ceremony(number, PATIENCE));
    let shares = futures::future::try_join_all(joined).await.unwrap();
    build(&consortium).await;
    let bank = consortium.client("bank").await.unwrap();
    let desk = Desk::new(consortium.client("authorisation").await.unwrap(), &bank);
    World { dir, city, consortium, desk, bank, shares }
}

async fn build(consortium: &Consortium) -> u32 {
    let centre = consortium.client("credit-centre").await.unwrap();
    centre.build_epoch(&dataset(CREDIT), 1).await.unwrap();
    built(&centre).await
}

async fn built(centre: &Client) -> u32 {
    until("the epoch is built", async || match centre.build_state(&dataset(CREDIT)).await.unwrap() {
        BuildView::Done { epoch } => Some(epoch),
        BuildView::Failed { reason } => panic!("{reason}"),
        _ => None,
    })
    .await
}

fn terms(max_uses: u32) -> Terms {
    Terms {
        consumer: MemberId::new("bank").unwrap(),
        purpose: PurposeCode::new("mortgage-review").unwrap(),
        scopes: vec![ConsentScope {
            dataset: dataset(CREDIT),
            fields: fields(&["balance_fen", "defaulted", "overdue_24m"]),
        }],
        modes: vec![Mode::Lookup],
        valid_from_ms: now_ms() - 60_000,
        valid_until_ms: now_ms() + 3_600_000,
        max_uses,
        data_life_days: 30,
    }
}

impl World {
    async fn consent(&self, subject: &Subject, max_uses: u32) -> ConsentTicket {
        self.desk.issue(vec![(subject.clone(), terms(max_uses))]).await.remove(0)
    }

    fn question(&self, subject: &Subject, ticket: &ConsentTicket) -> LookupQuestion {
        let identity = self.consortium.founding.identity("bank").unwrap();
        LookupQuestion {
            dataset: dataset(CREDIT),
            purpose: PurposeCode::new("mortgage-review").unwrap(),
            subject: subject.clone(),
            ground: ticket.ground(&identity, subject).unwrap(),
        }
    }

    fn resident(&self, at: usize) -> (&Resident, Subject) {
        let resident = &self.city.residents[at];
        (resident, Subject::Resident(resident.number.clone()))
    }

    /// Imports other records into the credit centre: one resident's balance has risen since the epoch was built.
    async fn balance_rises(&self, at: usize) -> City {
        let mut city = a_city();
        city.residents[at].credit.balance_fen += 10_000_000;
        let table = city.tables(CONSORTIUM).into_iter().find(|t| t.name == "credit").unwrap();
        let dir = self.dir.path().join("credit-centre");
        let csv = dir.join("export/credit.csv");
        std::fs::write(&csv, &table.csv).unwrap();
        let described = datasets().unwrap().into_iter().find(|d| d.id == dataset(CREDIT)).unwrap();
        let vault = Vault::open(&format!("sqlite://{}", dir.join("records.db").display())).await.unwrap();
        let mapping = Mapping::load(&csv.with_extension("toml")).unwrap();
        let options = ImportOptions { replace: true, ..ImportOptions::default() };
        vault.import(&described, &mapping, &csv, options, &mut |_| {}).await.unwrap();
        city
    }
}

/// The three fields of the record, masked as the dataset says.
fn expected(resident: &Resident) -> Vec<(&'static str, Value)> {
    let credit = &resident.credit;
    vec![
        ("balance_fen", Value::Integer(credit.balance_fen.div_euclid(100_000) * 100_000)),
        ("defaulted", Value::Boolean(credit.defaulted)),
        ("overdue_24m", Value::Integer(credit.overdue_24m)),
    ]
}

fn check(found: &Found, resident: Option<&Resident>) {
    assert_eq!(found.state, QueryState::Answered, "{:?}", found.reasons);
    let answer = found.answer.as_ref().unwrap();
    match resident {
        None => assert!(answer.rows.is_empty()),
        Some(resident) => {
            assert_eq!(answer.rows.len(), 1);
            assert_eq!(answer.rows[0].len(), 3, "no field beside the granted ones");
            for (name, value) in expected(resident) {
                assert_eq!(answer.value(&FieldName::new(name).unwrap()), Some(&value), "{name}");
            }
        }
    }
}

/// Sizes of everything about a lookup that others see.
async fn seen(world: &World, found: &Found) -> (usize, usize, usize) {
    let bytes = found.evidence.clone().unwrap();
    assert!(verify_bundle(&bytes, world.bank.trust()).verified);
    let bundle: Bundle = from_bytes(&bytes).unwrap();
    let Closure::Completed { completion, .. } = &bundle.closure else { panic!("not completed") };
    let node = world.consortium.node("credit-centre").unwrap();
    let sealed = node.release(&found.intent).await.unwrap().unwrap().sealed;
    let sealed = Sealed::from_bytes(&sealed).unwrap();
    let stored = node.retrieval(&found.intent).await.unwrap().unwrap();
    let entry = covenant_canon::to_bytes(&completion.leaf.entry).len();
    (sealed.ciphertext.len(), entry, covenant_canon::to_bytes(&bundle.intent.leaf.entry).len() + stored.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn present_and_absent_subjects_are_told_to_the_bank_alone() {
    let world = world().await;
    let grpc = ClientConfig { epoch_dir: None, ..ClientConfig::over(Transport::Grpc) };
    let identity = Arc::new(world.consortium.founding.identity("bank").unwrap());
    let trust = world.bank.trust().clone();
    let over_grpc = Client::connect_with(&world.consortium.url(), identity, trust, grpc).await.unwrap();
    let mut sizes = Vec::new();
    for at in 0..24 {
        let (resident, subject) = world.resident(at * 12);
        let ticket = world.consent(&subject, 1).await;
        let client = if at % 6 == 0 { &over_grpc } else { &world.bank };
        let found = client.look_up(world.question(&subject, &ticket)).await.unwrap();
        check(&found, Some(resident));
        sizes.push(seen(&world, &found).await);
    }
    for row in 1..=12 {
        let subject = covenant_source::synthetic_subject(SubjectKind::Resident, row);
        let ticket = world.consent(&subject, 1).await;
        let found = world.bank.look_up(world.question(&subject, &ticket)).await.unwrap();
        check(&found, None);
        sizes.push(seen(&world, &found).await);
    }
    assert!(sizes.windows(2).all(|pair| pair[0] == pair[1]), "hit and miss differ in size: {sizes:?}");
    let named = (0..24).map(|at| world.resident(at * 12).0.number.expose().to_owned());
    nothing_personal(world.dir.path(), &named.collect::<Vec<_>>());
    world.consortium.stop().await;
}

/// No number in clear outside the departments' own records and exports.
fn nothing_personal(dir: &Path, numbers: &[String]) {
    for item in std::fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("records.db") || ["export", "documents"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            nothing_personal(&path, numbers);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for number in numbers {
            assert!(!bytes.windows(18).any(|w| w == number.as_bytes()), "{} names a subject", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uses_pauses_and_revocations_hold_for_lookups() {
    let world = world().await;
    let (resident, subject) = world.resident(7);
    let ticket = world.consent(&subject, 2).await;
    for _ in 0..2 {
        check(&world.bank.look_up(world.question(&subject, &ticket)).await.unwrap(), Some(resident));
    }
    let refusal = async |ticket: &ConsentTicket| {
        let found = world.bank.look_up(world.question(&subject, ticket)).await.unwrap();
        assert_eq!((found.state, found.answer), (QueryState::Refused, None));
        found.reasons[0].code
    };
    assert_eq!(refusal(&ticket).await, ReasonCode::ConsentExhausted);
    let other = world.consent(&subject, 5).await;
    world.desk.change(other.consent.id, ConsentChange::Paused).await;
    assert_eq!(refusal(&other).await, ReasonCode::ConsentPaused);
    world.desk.change(other.consent.id, ConsentChange::Resumed).await;
    check(&world.bank.look_up(world.question(&subject, &other)).await.unwrap(), Some(resident));
    world.desk.change(other.consent.id, ConsentChange::Revoked).await;
    assert_eq!(refusal(&other).await, ReasonCode::ConsentRevoked);
    world.consortium.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lying_gateway_learns_nothing_and_is_named() {
    let world = world().await;
    let consortium = &world.consortium;
    let liar = Liar::new(port(&consortium.founding.genesis, &consortium.nodes));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let config = ServerConfig::at(([127, 0, 0, 1], 0).into());
    let gateway = serve(config, Arc::new(Handle(liar.clone())), async { drop(stopped.await) }).await.unwrap();
    let (resident, subject) = world.resident(9);
    let ticket = world.consent(&subject, 20).await;
    let identity = Arc::new(world.consortium.founding.identity("bank").unwrap());
    let trust = world.bank.trust().clone();
    // A client that has fetched nothing yet.
    let fresh = async || Client::connect(&gateway.base_url(), identity.clone(), trust.clone()).await.unwrap();
    let look_up = async |lie: Lie| {
        *liar.lie.lock() = lie;
        fresh().await.look_up(world.question(&subject, &ticket)).await
    };
    check(&look_up(Lie::Nothing).await.unwrap(), Some(resident));
    let uses = async || world.bank.consent(&ticket.consent.id).await.unwrap().uses;
    let before = uses().await;
    assert!(matches!(look_up(Lie::EscrowKey).await, Err(ClientError::Escrow { .. })));
    for part in [EpochPart::Hint, EpochPart::Locator, EpochPart::OverlayHint, EpochPart::OverlayLocator] {
        assert!(matches!(look_up(Lie::File(part)).await, Err(ClientError::Epoch { .. })), "{part}");
    }
    assert_eq!(uses().await, before, "caught before anything was asked");
    assert!(matches!(look_up(Lie::Point).await, Err(ClientError::Evaluation { .. })));
    assert!(matches!(look_up(Lie::Proof).await, Err(ClientError::Evaluation { .. })));
    let replaced = look_up(Lie::Retrieval).await;
    let ClientError::Problem(problem) = replaced.unwrap_err() else { panic!("not a refusal by the holder") };
    assert!(problem.detail.contains("not signed by its consumer"));
    check(&look_up(Lie::Nothing).await.unwrap(), Some(resident));
    drop(stop);
    gateway.wait().await;
    drop(liar);
    world.consortium.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn epochs_rotate_under_their_consumers() {
    let world = world().await;
    let (resident, subject) = world.resident(4);
    let ticket = world.consent(&subject, 9).await;
    check(&world.bank.look_up(world.question(&subject, &ticket)).await.unwrap(), Some(resident));
    let centre = world.consortium.client("credit-centre").await.unwrap();
    let changed = world.balance_rises(4).await;
    let changed = &changed.residents[4];
    assert_ne!(expected(resident), expected(changed));
    check(&world.bank.look_up(world.question(&subject, &ticket)).await.unwrap(), Some(resident));
    centre.build_overlay(&dataset(CREDIT)).await.unwrap();
    assert_eq!(built(&centre).await, 1, "an overlay keeps its epoch");
    let found = world.bank.look_up(world.question(&subject, &ticket)).await.unwrap();
    check(&found, Some(changed));
    let regulator = world.consortium.client("regulator").await.unwrap();
    regulator.mirror_epoch(&dataset(CREDIT)).await.unwrap();
    assert_eq!(build(&world.consortium).await, 2);
    let epochs = world.dir.path().join("credit-centre/epochs");
    until("the former epoch is destroyed", async || {
        let kept = std::fs::read_dir(std::fs::read_dir(&epochs).unwrap().next().unwrap().unwrap().path()).unwrap();
        (kept.count() == 1).then_some(())
    })
    .await;
    check(&world.bank.look_up(world.question(&subject, &ticket)).await.unwrap(), Some(changed));
    let again = regulator.recompute(&found.intent).await.unwrap();
    assert!(again.equal, "{}", again.detail);
    let bank = world.bank.build_epoch(&dataset(CREDIT), 1).await;
    assert_eq!(bank.unwrap_err().code(), Some("not-a-party"), "only the holder builds");
    world.consortium.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_three_trustees_open_and_nobody_alone() {
    let world = world().await;
    let (resident, subject) = world.resident(11);
    let (_, other) = world.resident(12);
    let ticket = world.consent(&subject, 2).await;
    let found = world.bank.look_up(world.question(&subject, &ticket)).await.unwrap();
    check(&found, Some(resident));
    let regulator = world.consortium.client("regulator").await.unwrap();
    let case = CaseNumber::new("JC-7").unwrap();
    regulator.open_case(&case, vec![found.intent], b"order").await.unwrap();
    let court = world.consortium.client("court").await.unwrap();
    assert_eq!(court.help_case(&case, &world.shares[1]).await.unwrap(), 1);
    assert!(court.help_case(&case, &world.shares[0]).await.is_err(), "another's share does not open");
    assert!(matches!(regulator.open_escrow(&case, &found.intent).await, Err(ClientError::Case { .. })), "one part");
    assert!(world.bank.cases().await.is_err(), "cases are not the bank's to see");
    let audit = world.consortium.client("audit-office").await.unwrap();
    audit.help_case(&case, &world.shares[0]).await.unwrap();
    let opened = regulator.open_escrow(&case, &found.intent).await.unwrap();
    assert!(opened.is(&subject) && !opened.is(&other));
    regulator.conclude_case(&case, &found.intent, CaseOutcome::Confirmed).await.unwrap();
    let again = regulator.conclude_case(&case, &found.intent, CaseOutcome::Excluded).await;
    assert!(again.is_err(), "a result stays");
    world.consortium.stop().await;
}
