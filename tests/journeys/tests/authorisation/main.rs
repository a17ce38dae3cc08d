//! A consumer asks, a citizen agrees at the authorisation service, and sees what came of it. The whole consortium, the
//! service and the demo's identity provider run in this process.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::expect_used, reason = "a test crate")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use covenant_authority::provider::{DemoCitizen, ProviderConfig, RunningProvider, serve_provider};
use covenant_authority::{
    Addressee, AuthorityConfig, Clock, MyRequest, NewRepresentation, NewRequest, NoticeFiles, OidcConfig, Remote,
    RemoteError, RequestState, RequestView, Running, Wish, log_in, notice_digest, seal_to_service, serve,
};
use covenant_canon::{Digest, SuiteId, from_bytes};
use covenant_client::{Client, ConsentTicket, Identity, QueryState, Question, Reply};
use covenant_demo::Consortium;
use covenant_demo::city::City;
use covenant_domain::{
    Body, Capacity, CaseNumber, ConsentChange, ConsentKind, ConsentScope, MemberId, Mode, Notice, PurposeCode,
    ReasonCode, ResidentNumber, Subject, UseOutcome, Value,
};
use covenant_journeys::{Postgres, codes, dataset, fields, now_ms, running_city};
use covenant_ledger::{Bundle, verify_bundle};
use zeroize::Zeroizing;

const CREDIT: &str = "credit-centre/scoring/credit";
const LICENCES: &str = "market-regulation/licensing/licences";
const DAY_MS: u64 = 24 * 3_600_000;
const ADULT: usize = 0;
const GUARDIAN: usize = 1;
const CHILD: usize = 2;
const COMPANY: usize = 3;

/// This machine's clock, put forward.
#[derive(Debug, Default)]
struct Forward(AtomicU64);

impl Clock for Forward {
    fn now_ms(&self) -> u64 {
        now_ms() + self.0.load(Ordering::SeqCst)
    }
}

struct World {
    dir: tempfile::TempDir,
    city: City,
    consortium: Consortium,
    bank: Client,
    identity: Identity,
    clock: Arc<Forward>,
    service: Running,
    remote: Remote,
    _provider: RunningProvider,
}

/// A small city in which the third resident is a child.
fn a_city() -> City {
    let mut city = City::generate(5, 40, 8);
    city.residents[CHILD].number = ResidentNumber::from_parts(110_105, jiff::civil::date(2018, 3, 4), 7).unwrap();
    city
}

fn purpose(code: &str) -> PurposeCode {
    PurposeCode::new(code).unwrap()
}

fn citizens(city: &City) -> Vec<DemoCitizen> {
    let person = |at: usize| DemoCitizen {
        name: city.residents[at].name.clone(),
        resident_number: Some(city.residents[at].number.expose().to_owned()),
        uscc: None,
    };
    let code = city.companies[0].code.expose().to_owned();
    let company = DemoCitizen { name: "company".into(), resident_number: None, uscc: Some(code) };
    vec![person(ADULT), person(GUARDIAN), person(CHILD), company]
}

/// Writes the notice texts and has the regulator register them.
async fn notices(dir: &Path, consortium: &Consortium) -> NoticeFiles {
    let (zh, en) = ("银行将查询您的征信摘要。", "The bank will look at your credit summary.");
    let files = NoticeFiles {
        purpose: purpose("mortgage-review"),
        version: 1,
        zh: dir.join("notice.zh.txt"),
        en: dir.join("notice.en.txt"),
    };
    std::fs::write(&files.zh, zh).unwrap();
    std::fs::write(&files.en, en).unwrap();
    let notice = Notice { purpose: files.purpose.clone(), version: 1, text: notice_digest(SuiteId::Sm, zh, en) };
    let regulator = consortium.client("regulator").await.unwrap();
    let entry = regulator.publish(vec![Body::NoticeRegistered(notice)]).await.unwrap().remove(0);
    assert_eq!(entry.rejected, None);
    files
}

impl World {
    async fn open() -> Self {
        Self::open_on(None).await
    }

    /// With the service's database elsewhere than in a file.
    async fn open_on(database: Option<String>) -> Self {
        let (dir, city, clock) = (tempfile::tempdir().unwrap(), a_city(), Arc::new(Forward::default()));
        let consortium = running_city(dir.path(), SuiteId::Sm, &city, |s| s.rate.per_second = 100_000).await;
        let notice = notices(dir.path(), &consortium).await;
        let redirect = "http://authority.test/v1/login/callback";
        let provider = ProviderConfig {
            demo: true,
            listen: ([127, 0, 0, 1], 0).into(),
            client_id: "authorisation".into(),
            redirect_urls: vec![redirect.into()],
            citizens: citizens(&city),
        };
        let provider = serve_provider(provider, clock.clone()).await.unwrap();
        let config = AuthorityConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            database: database.unwrap_or_else(|| format!("sqlite://{}", dir.path().join("authority.db").display())),
            oidc: OidcConfig::public(provider.issuer(), "authorisation", redirect),
            notices: vec![notice],
            request_days: 7,
            consent_days: 366,
            session_minutes: 30,
            provider: None,
            secure_cookies: false,
        };
        let ledger = Arc::new(consortium.client("authorisation").await.unwrap());
        let own = Arc::new(consortium.founding.identity("authorisation").unwrap());
        let service = serve(config, own, ledger, clock.clone()).await.unwrap();
        let remote = Remote::new(&service.base_url()).unwrap();
        assert!(remote.service().await.unwrap().faults.is_empty(), "the notice is the one on the ledger");
        let bank = consortium.client("bank").await.unwrap();
        let identity = consortium.founding.identity("bank").unwrap();
        Self { dir, city, consortium, bank, identity, clock, service, remote, _provider: provider }
    }

    fn resident(&self, at: usize) -> Subject {
        Subject::Resident(self.city.residents[at].number.clone())
    }

    async fn token(&self, citizen: usize) -> Zeroizing<String> {
        log_in(&self.remote.service().await.unwrap(), Some(citizen), |_| {}).await.unwrap()
    }

    fn wish(&self) -> Wish {
        Wish {
            purpose: purpose("mortgage-review"),
            scopes: vec![ConsentScope { dataset: dataset(CREDIT), fields: fields(&["defaulted", "overdue_24m"]) }],
            modes: vec![Mode::Detail],
            valid_from_ms: now_ms() - 60_000,
            valid_until_ms: now_ms() + 30 * DAY_MS,
            max_uses: 5,
            data_life_days: 30,
            kind: ConsentKind::Consent,
            frequency: None,
        }
    }

    async fn request(&self, wish: Wish, subject: &Subject) -> Result<RequestView, RemoteError> {
        let notice = self.remote.notice(&wish.purpose).await.unwrap().map(|n| n.shown());
        let authoriser = MemberId::new("authorisation").unwrap();
        let trust = self.bank.trust();
        let to = Addressee { trust, authoriser: &authoriser, notice: notice.as_ref(), now_ms: now_ms() };
        let new = NewRequest::make(&self.identity, wish, subject, to).unwrap();
        self.remote.request(&self.identity, &new).await
    }

    async fn ticket(&self, id: &Digest) -> ConsentTicket {
        let view = self.remote.status(&self.identity, &self.bank.trust().digest(), id).await.unwrap();
        assert_eq!(view.state, RequestState::Issued);
        view.ticket.unwrap()
    }

    async fn only_request(&self, token: &str) -> MyRequest {
        let mut all = self.remote.my_requests(token).await.unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    async fn ask(&self, subject: &Subject, ticket: &ConsentTicket) -> Reply {
        let consent = &ticket.consent;
        let question = Question {
            dataset: consent.scopes[0].dataset.clone(),
            purpose: consent.purpose.clone(),
            mode: Mode::Detail,
            fields: consent.scopes[0].fields.clone(),
            subject: subject.clone(),
            ground: ticket.ground(&self.identity, subject).unwrap(),
            claims: vec![],
        };
        self.bank.ask(question).await.unwrap()
    }

    async fn close(self) {
        self.service.stop().await;
        self.consortium.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_citizen_approves_sees_the_use_and_revokes() {
    let world = World::open().await;
    let subject = world.resident(ADULT);
    let asked = world.request(world.wish(), &subject).await.unwrap();
    let token = world.token(ADULT).await;
    let shown = world.only_request(&token).await;
    assert_eq!(shown.consumer_names[0], "云港银行");
    world.remote.approve(&token, &shown).await.unwrap();
    let ticket = world.ticket(&asked.id).await;
    let reply = world.ask(&subject, &ticket).await;
    assert_eq!(reply.state, QueryState::Answered, "{:?}", reply.reasons);
    let overdue = reply.answer.as_ref().unwrap().value(&fields(&["overdue_24m"])[0]).cloned();
    assert_eq!(overdue, Some(Value::Integer(world.city.residents[ADULT].credit.overdue_24m)));
    let uses = world.remote.my_uses(&token).await.unwrap();
    assert_eq!(uses.len(), 1);
    let found = &uses[0].found;
    assert_eq!((found.intent, found.consumer.as_str(), found.outcome), (reply.intent, "bank", UseOutcome::Answered));
    assert_eq!(world.remote.my_consents(&token).await.unwrap()[0].uses, 1);
    let stranger = world.token(GUARDIAN).await;
    assert!(world.remote.my_uses(&stranger).await.unwrap().is_empty());
    world.remote.change(&token, &ticket.consent.id, ConsentChange::Paused).await.unwrap();
    assert_eq!(codes(&world.ask(&subject, &ticket).await), [ReasonCode::ConsentPaused]);
    world.remote.change(&token, &ticket.consent.id, ConsentChange::Resumed).await.unwrap();
    assert_eq!(world.ask(&subject, &ticket).await.state, QueryState::Answered);
    world.remote.change(&token, &ticket.consent.id, ConsentChange::Revoked).await.unwrap();
    assert_eq!(codes(&world.ask(&subject, &ticket).await), [ReasonCode::ConsentRevoked]);
    let uses = world.remote.my_uses(&token).await.unwrap();
    assert_eq!(uses.iter().filter(|u| u.found.outcome == UseOutcome::Refused).count(), 2, "attempts are seen too");
    let database = std::fs::read(world.dir.path().join("authority.db")).unwrap();
    let number = subject.expose().as_bytes();
    assert!(!database.windows(number.len()).any(|w| w == number), "the service's database names nobody");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guardian_approves_for_a_child() {
    let world = World::open().await;
    let (child, guardian) = (world.resident(CHILD), world.resident(GUARDIAN));
    let asked = world.request(world.wish(), &child).await.unwrap();
    let minor = world.token(CHILD).await;
    let shown = world.only_request(&minor).await;
    let refused = world.remote.approve(&minor, &shown).await.unwrap_err();
    assert_eq!(refused.code(), Some("minor-needs-guardian"));
    let operator = world.consortium.founding.identity("authorisation").unwrap();
    let names = format!("{}\n{}", child.canonical(), guardian.canonical());
    let key = operator.opening.sealing_key();
    let sealed = seal_to_service(key, &operator.member, &operator.member, names.as_bytes()).unwrap();
    let new = NewRepresentation {
        capacity: Capacity::Guardian,
        sealed_names: sealed.into(),
        evidence: Digest([5; 32]),
        purposes: vec![],
        valid_from_ms: now_ms(),
        valid_until_ms: now_ms() + 365 * DAY_MS,
    };
    world.remote.register(&operator, &world.bank.trust().digest(), &new).await.unwrap();
    let token = world.token(GUARDIAN).await;
    let shown = world.only_request(&token).await;
    world.remote.approve(&token, &shown).await.unwrap();
    let ticket = world.ticket(&asked.id).await;
    let on_ledger = world.bank.consent(&ticket.consent.id).await.unwrap().consent;
    assert_eq!(on_ledger.representative.as_ref().map(|r| r.capacity), Some(Capacity::Guardian));
    assert_eq!(world.ask(&child, &ticket).await.state, QueryState::Answered);
    for token in [&token, &minor] {
        assert_eq!(world.remote.my_uses(token).await.unwrap().len(), 1, "guardian and child see it");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_by_law_is_sealed_and_later_disclosed() {
    let world = World::open().await;
    let subject = Subject::Company(world.city.companies[0].code.clone());
    let until = now_ms() + 60 * DAY_MS;
    let wish = Wish {
        purpose: purpose("account-opening"),
        scopes: vec![ConsentScope { dataset: dataset(LICENCES), fields: fields(&["company_name", "status"]) }],
        kind: ConsentKind::LegalAuthority {
            case: CaseNumber::new("JC-2026-31").unwrap(),
            sealed_until_ms: Some(until),
        },
        ..world.wish()
    };
    let needs_consent = Wish { purpose: purpose("mortgage-review"), ..wish.clone() };
    let refused = world.request(needs_consent, &subject).await.unwrap_err();
    assert_eq!(refused.code(), Some("needs-consent"));
    let asked = world.request(wish, &subject).await.unwrap();
    let ticket = asked.ticket.unwrap();
    let reply = world.ask(&subject, &ticket).await;
    assert_eq!(reply.state, QueryState::Answered, "{:?}", reply.reasons);
    let token = world.token(COMPANY).await;
    assert!(world.remote.my_consents(&token).await.unwrap().is_empty());
    assert!(world.remote.my_uses(&token).await.unwrap().is_empty());
    world.clock.0.store(60 * DAY_MS + 1_000, Ordering::SeqCst);
    let token = world.token(COMPANY).await;
    let mine = world.remote.my_consents(&token).await.unwrap().remove(0);
    let uses = world.remote.my_uses(&token).await.unwrap();
    assert_eq!((mine.consent.id, uses.len(), uses[0].case.as_deref()), (ticket.consent.id, 1, Some("JC-2026-31")));
    // It was on the ledger all along: the evidence of the use verifies and names the same consent, leaf and block.
    let evidence = world.bank.evidence(&reply.intent).await.unwrap();
    assert!(verify_bundle(&evidence, world.bank.trust()).verified);
    let bundle: Bundle = from_bytes(&evidence).unwrap();
    let found = &uses[0].found;
    assert_eq!((found.intent, found.leaf), (reply.intent, bundle.intent.leaf.index));
    assert!(mine.leaf.unwrap() < found.leaf && mine.height.unwrap() <= found.height);
    assert!(found.time_ms < until, "used before it was disclosed");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_keeps_its_data_in_postgresql() {
    let Some(server) = Postgres::start("the_service_keeps_its_data_in_postgresql") else { return };
    let world = World::open_on(Some(server.database("authority"))).await;
    let subject = world.resident(ADULT);
    let asked = world.request(world.wish(), &subject).await.unwrap();
    let token = world.token(ADULT).await;
    let shown = world.only_request(&token).await;
    world.remote.approve(&token, &shown).await.unwrap();
    let ticket = world.ticket(&asked.id).await;
    assert_eq!(world.ask(&subject, &ticket).await.state, QueryState::Answered);
    world.remote.change(&token, &ticket.consent.id, ConsentChange::Revoked).await.unwrap();
    assert_eq!(world.remote.my_uses(&token).await.unwrap().len(), 1);
    world.close().await;
}
