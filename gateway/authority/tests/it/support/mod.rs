//! A service, its ledger, its provider, and who uses them.

mod fake;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use covenant_authority::provider::{DemoCitizen, ProviderConfig, RunningProvider, serve_provider};
use covenant_authority::{
    Addressee, AuthorityConfig, Clock, MyRequest, NewRepresentation, NewRequest, NoticeFiles, NoticeShown, Registered,
    Remote, RemoteError, RequestView, Running, Wish, log_in, notice_digest, seal_to_service, serve,
};
use covenant_canon::Digest;
use covenant_client::Identity;
use covenant_domain::{
    Capacity, CaseNumber, Class, ConsentKind, ConsentScope, DatasetId, FieldName, Member, MemberId, Mode, Names,
    Notice, PurposeCode, ResidentNumber, Role, Subject,
};
use covenant_ledger::{Charter, Genesis};
use covenant_suite::SuiteId;
use jiff::civil::date;
use zeroize::Zeroizing;

pub use fake::Fake;

pub const DAY_MS: u64 = 24 * 3_600_000;
pub const CLIENT: &str = "authorisation-service";
pub const ZH: &str = "银行将查询您的征信记录。";
pub const EN: &str = "The bank will look at your credit record.";

/// The machine's clock, moved.
#[derive(Debug, Default)]
pub struct Shifted(AtomicI64);

impl Shifted {
    pub fn now(&self) -> u64 {
        self.now_ms()
    }

    pub fn pass(&self, ms: u64) {
        self.0.fetch_add(i64::try_from(ms).unwrap(), Ordering::SeqCst);
    }

    pub fn go_back(&self, ms: u64) {
        self.0.fetch_sub(i64::try_from(ms).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Shifted {
    fn now_ms(&self) -> u64 {
        now_ms().checked_add_signed(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

pub fn resident(year: i16, sequence: u16) -> Subject {
    Subject::Resident(ResidentNumber::from_parts(110_105, date(year, 3, 4), sequence).unwrap())
}

/// Zhang, adult. 0 at the provider.
pub fn zhang() -> Subject {
    resident(1985, 11)
}
/// Li, adult. 1 at the provider.
pub fn li() -> Subject {
    resident(1990, 12)
}
/// Xiao Ming, a child. 2 at the provider.
pub fn child() -> Subject {
    resident(2018, 13)
}
/// A company. 3 at the provider.
pub fn company() -> Subject {
    Subject::parse("company:91350100M000100Y43").unwrap()
}

pub fn member(id: &str) -> MemberId {
    MemberId::new(id).unwrap()
}

pub struct World {
    pub dir: tempfile::TempDir,
    pub clock: Arc<Shifted>,
    pub ledger: Arc<Fake>,
    pub provider: RunningProvider,
    pub service: Running,
    pub remote: Remote,
    pub identities: Vec<Arc<Identity>>,
    pub config: AuthorityConfig,
    http: reqwest::Client,
}

fn citizen(name: &str, subject: &Subject) -> DemoCitizen {
    let (resident_number, uscc) = match subject {
        Subject::Company(code) => (None, Some(code.expose().to_owned())),
        other => (Some(other.expose().to_owned()), None),
    };
    DemoCitizen { name: name.into(), resident_number, uscc }
}

pub fn provider_config() -> ProviderConfig {
    let citizens = [("Zhang", zhang()), ("Li", li()), ("Xiao Ming", child()), ("Company", company())];
    let nobody = DemoCitizen { name: "Nobody".into(), resident_number: None, uscc: None };
    ProviderConfig {
        demo: true,
        listen: ([127, 0, 0, 1], 0).into(),
        client_id: CLIENT.into(),
        redirect_urls: vec!["http://authority.test/v1/login/callback".into()],
        citizens: citizens.iter().map(|(name, s)| citizen(name, s)).chain([nobody]).collect(),
    }
}

pub fn notice(suite: SuiteId, version: u32) -> Notice {
    Notice { purpose: PurposeCode::new("mortgage-review").unwrap(), version, text: notice_digest(suite, ZH, EN) }
}

fn genesis(identities: &[Arc<Identity>]) -> Genesis {
    let role = |id: &str| match id {
        "authorisation" => vec![Role::Authoriser],
        "regulator" => vec![Role::Regulator],
        "node" => vec![Role::Validator],
        _ => vec![Role::Consumer],
    };
    let mut members: Vec<Member> = identities
        .iter()
        .map(|identity| Member {
            id: identity.member.clone(),
            names: Names::new("某单位", identity.member.as_str()),
            class: Class::Government,
            roles: role(identity.member.as_str()),
            verifying_key: identity.signing.verifying_key().to_string(),
            sealing_key: identity.opening.sealing_key().to_string(),
        })
        .collect();
    members.sort_by(|a, b| a.id.cmp(&b.id));
    Genesis {
        version: 1,
        consortium: "test".into(),
        suite: SuiteId::Sm,
        created_ms: 1,
        members,
        charter: Charter::default(),
    }
}

impl World {
    pub async fn open() -> Self {
        let ids = ["authorisation", "bank", "police", "regulator", "node"];
        let identities: Vec<Arc<Identity>> =
            ids.iter().map(|id| Arc::new(Identity::generate(member(id), SuiteId::Sm))).collect();
        let ledger = Arc::new(Fake::new(genesis(&identities)));
        ledger.set_notices(vec![notice(SuiteId::Sm, 1)]);
        let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(Shifted::default()));
        let provider = serve_provider(provider_config(), clock.clone()).await.unwrap();
        std::fs::write(dir.path().join("zh.txt"), ZH).unwrap();
        std::fs::write(dir.path().join("en.txt"), EN).unwrap();
        let text = format!(
            r#"
            listen = "127.0.0.1:0"
            database = "sqlite://{}"
            secure_cookies = false
            [oidc]
            issuer = "{}"
            client_id = "{CLIENT}"
            redirect_url = "http://authority.test/v1/login/callback"
            after_login = "/app"
            "#,
            dir.path().join("authority.db").display(),
            provider.issuer(),
        );
        let mut config: AuthorityConfig = toml::from_str(&text).unwrap();
        config.notices.push(NoticeFiles {
            purpose: PurposeCode::new("mortgage-review").unwrap(),
            version: 1,
            zh: dir.path().join("zh.txt"),
            en: dir.path().join("en.txt"),
        });
        let service = serve(config.clone(), identities[0].clone(), ledger.clone(), clock.clone()).await.unwrap();
        let remote = Remote::new(&service.base_url()).unwrap();
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { dir, clock, ledger, provider, service, remote, identities, config, http }
    }

    pub fn identity(&self, id: &str) -> &Identity {
        self.identities.iter().find(|i| i.member.as_str() == id).unwrap()
    }

    pub fn consortium(&self) -> Digest {
        self.ledger.genesis.digest()
    }

    /// An identity token of a citizen of the provider.
    pub async fn token(&self, citizen: usize) -> Zeroizing<String> {
        log_in(&self.remote.service().await.unwrap(), Some(citizen), |_| {}).await.unwrap()
    }

    pub fn wish(&self) -> Wish {
        let now = self.clock.now_ms();
        Wish {
            purpose: PurposeCode::new("mortgage-review").unwrap(),
            scopes: vec![ConsentScope {
                dataset: DatasetId::new("cov:test/gov/centre/scoring/credit").unwrap(),
                fields: vec![FieldName::new("defaulted").unwrap()],
            }],
            modes: vec![Mode::Detail],
            valid_from_ms: now,
            valid_until_ms: now + 30 * DAY_MS,
            max_uses: 3,
            data_life_days: 30,
            kind: ConsentKind::Consent,
            frequency: None,
        }
    }

    pub fn by_law(&self, sealed_until_ms: Option<u64>) -> Wish {
        let case = CaseNumber::new("JC-2026-7").unwrap();
        Wish {
            purpose: PurposeCode::new("investigation").unwrap(),
            kind: ConsentKind::LegalAuthority { case, sealed_until_ms },
            ..self.wish()
        }
    }

    pub fn shown(&self) -> NoticeShown {
        NoticeShown { version: 1, text: notice_digest(SuiteId::Sm, ZH, EN) }
    }

    pub fn new_request(&self, consumer: &str, wish: Wish, subject: &Subject) -> NewRequest {
        let shown = self.shown();
        let to = Addressee {
            trust: &self.ledger.genesis,
            authoriser: &member("authorisation"),
            notice: (wish.purpose.as_str() == "mortgage-review").then_some(&shown),
            now_ms: self.clock.now_ms(),
        };
        NewRequest::make(self.identity(consumer), wish, subject, to).unwrap()
    }

    pub async fn request(&self, consumer: &str, wish: Wish, subject: &Subject) -> Result<RequestView, RemoteError> {
        self.remote.request(self.identity(consumer), &self.new_request(consumer, wish, subject)).await
    }

    pub async fn only_request(&self, token: &str) -> MyRequest {
        let mut all = self.remote.my_requests(token).await.unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    pub async fn represent(
        &self,
        capacity: Capacity,
        subject: &Subject,
        speaker: &Subject,
    ) -> Result<Registered, RemoteError> {
        self.represent_as("authorisation", self.representation("authorisation", capacity, subject, speaker)).await
    }

    pub async fn represent_as(&self, caller: &str, new: NewRepresentation) -> Result<Registered, RemoteError> {
        self.remote.register(self.identity(caller), &self.consortium(), &new).await
    }

    pub fn representation(
        &self,
        from: &str,
        capacity: Capacity,
        subject: &Subject,
        speaker: &Subject,
    ) -> NewRepresentation {
        let names = format!("{}\n{}", subject.canonical(), speaker.canonical());
        let key = self.identity("authorisation").opening.sealing_key();
        let sealed = seal_to_service(key, &member(from), &member("authorisation"), names.as_bytes()).unwrap();
        let now = self.clock.now_ms();
        NewRepresentation {
            capacity,
            sealed_names: sealed.into(),
            evidence: Digest([7; 32]),
            purposes: vec![],
            valid_from_ms: now,
            valid_until_ms: now + 365 * DAY_MS,
        }
    }

    /// The browser: no token, only what it is told to send.
    pub fn browser(&self) -> &reqwest::Client {
        &self.http
    }

    pub fn at(&self, target: &str) -> String {
        format!("{}{target}", self.service.base_url())
    }
}

/// The code of a refusal.
pub fn code<T: std::fmt::Debug>(refused: Result<T, RemoteError>) -> String {
    match refused.unwrap_err() {
        RemoteError::Problem(problem) => problem.code.clone(),
        other => panic!("{other}"),
    }
}
