//! A world for tests: members, their keys, a fake consortium and a gateway before it.

mod catalogue;
mod fake;
mod lookup;
mod raw;
mod record;
mod register;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use covenant_app::port::ConsentView;
use covenant_canon::SuiteId;
use covenant_client::{Client, ClientConfig, Ground, Identity, Question, Transport};
use covenant_domain::{
    Class, Commitment, Consent, ConsentId, ConsentKind, ConsentStatus, DatasetId, FieldName, Member, MemberId, Mode,
    Names, PurposeCode, Role, Subject, Value,
};
use covenant_ledger::{Charter, Genesis};
use covenant_server::{Running, ServerConfig, serve};
use covenant_suite::KeyPairSet;
use tokio::sync::oneshot;

pub use fake::Fake;
pub use lookup::{case_about, ceremony, file, lookup_intent, retrieval};
pub use raw::{Answered, Raw, now_ms};
pub use register::request_id;

pub const HOMES: &str = "cov:city/gov/housing/registry/homes";
pub const PERSON: &str = "11010519491231002X";

pub fn id(text: &str) -> MemberId {
    MemberId::new(text).unwrap()
}

pub fn field(text: &str) -> FieldName {
    FieldName::new(text).unwrap()
}

pub struct World {
    pub fake: Arc<Fake>,
    pub genesis: Genesis,
    keys: std::collections::BTreeMap<MemberId, Arc<Identity>>,
    pub running: Running,
    pub stop: oneshot::Sender<()>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(SuiteId::Sm, |_| {}).await
    }

    pub async fn with(suite: SuiteId, tweak: impl FnOnce(&mut ServerConfig)) -> Self {
        let cast = [
            ("authority", Class::Government, vec![Role::Authoriser]),
            ("bank", Class::Finance, vec![Role::Consumer]),
            ("housing", Class::Government, vec![Role::Holder, Role::Validator]),
            ("insurer", Class::Finance, vec![Role::Consumer]),
            ("regulator", Class::Regulator, vec![Role::Regulator]),
            ("trustee", Class::Notary, vec![Role::Trustee]),
        ];
        let (mut members, mut keys) = (Vec::new(), std::collections::BTreeMap::new());
        for (name, class, roles) in cast {
            let identity = Identity::new(id(name), KeyPairSet::generate(suite, &mut rand::rng()));
            members.push(Member {
                id: id(name),
                names: Names::new(name, name),
                class,
                roles,
                verifying_key: identity.signing.verifying_key().to_string(),
                sealing_key: identity.opening.sealing_key().to_string(),
            });
            keys.insert(id(name), Arc::new(identity));
        }
        let genesis = Genesis {
            version: 1,
            consortium: "city".into(),
            suite,
            created_ms: 1,
            members,
            charter: Charter::default(),
        };
        let fake = Arc::new(Fake::new(genesis.clone(), keys.clone()));
        let mut config = ServerConfig::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        tweak(&mut config);
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move {
            let _dropped = stopped.await;
        };
        let running = serve(config, fake.clone(), shutdown).await.unwrap();
        Self { fake, genesis, keys, running, stop }
    }

    pub fn identity(&self, member: &str) -> Arc<Identity> {
        self.keys[&id(member)].clone()
    }

    pub async fn client(&self, member: &str, transport: Transport) -> Client {
        let config = ClientConfig { patience: std::time::Duration::from_secs(5), ..ClientConfig::over(transport) };
        let base = self.running.base_url();
        Client::connect_with(&base, self.identity(member), self.genesis.clone(), config).await.unwrap()
    }

    /// A consent of the bank's that is on record.
    pub fn consent(&self) -> ConsentId {
        let id_text = ConsentId::from_parts(3, &[3; 10]);
        let consent = Consent {
            id: id_text,
            consumer: id("bank"),
            purpose: PurposeCode::new("mortgage-review").unwrap(),
            scopes: vec![],
            modes: vec![Mode::Match],
            commitment: Commitment([0; 32]),
            valid_from_ms: 0,
            valid_until_ms: u64::MAX,
            max_uses: 9,
            data_life_days: 1,
            kind: ConsentKind::Consent,
            frequency: None,
            notice: None,
            representative: None,
            request: None,
        };
        let (issuer, status) = (id("authority"), ConsentStatus::Active);
        self.fake.consents.lock().insert(id_text, ConsentView { consent, issuer, status, uses: 3 });
        id_text
    }

    pub fn raw(&self, member: &str) -> Raw {
        Raw::new(self.running.base_url(), self.identity(member), self.genesis.digest())
    }
}

pub fn question(mode: Mode, purpose: &str) -> Question {
    Question {
        dataset: DatasetId::new(HOMES).unwrap(),
        purpose: PurposeCode::new(purpose).unwrap(),
        mode,
        fields: vec![field("owner"), field("area_cm2")],
        subject: Subject::parse(PERSON).unwrap(),
        ground: Ground::Legal { case: Some("2026-1".into()) },
        claims: vec![(field("area_cm2"), Value::Integer(900_000))],
    }
}
