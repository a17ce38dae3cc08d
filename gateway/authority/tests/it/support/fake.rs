//! A ledger that fits in memory and refuses what the real one refuses here.

use std::collections::BTreeMap;

use async_trait::async_trait;
use covenant_authority::{Ledger, LedgerError, Placed, Register};
use covenant_client::ConsentStatusView;
use covenant_domain::{
    Body, Consent, ConsentChange, ConsentId, ConsentStatus, ConsentUse, IntentId, MemberId, Mode, Names, Notice,
    Purpose, PurposeCode, UseOutcome,
};
use covenant_ledger::Genesis;
use parking_lot::Mutex;

#[derive(Default)]
struct Inner {
    consents: BTreeMap<ConsentId, (Consent, ConsentStatus)>,
    uses: Vec<(ConsentId, ConsentUse)>,
    notices: Vec<Notice>,
    leaf: u64,
    /// The next entry takes effect, and nobody is told.
    silent: bool,
    /// The next entry is lost, and nobody is told.
    lost: bool,
    /// Nobody is told of any consent.
    deaf: bool,
    /// The next entry is refused.
    refuse: Option<String>,
}

pub struct Fake {
    pub genesis: Genesis,
    inner: Mutex<Inner>,
}

impl Fake {
    pub fn new(genesis: Genesis) -> Self {
        Self { genesis, inner: Mutex::default() }
    }

    pub fn set_notices(&self, notices: Vec<Notice>) {
        self.inner.lock().notices = notices;
    }

    pub fn be_silent_once(&self) {
        self.inner.lock().silent = true;
    }

    pub fn lose_once(&self) {
        self.inner.lock().lost = true;
    }

    pub fn be_deaf(&self, deaf: bool) {
        self.inner.lock().deaf = deaf;
    }

    pub fn refuse_once(&self, reason: &str) {
        self.inner.lock().refuse = Some(reason.into());
    }

    pub fn consents(&self) -> Vec<Consent> {
        self.inner.lock().consents.values().map(|(c, _)| c.clone()).collect()
    }

    /// A query under a consent.
    pub fn use_once(&self, consent: &Consent, at_ms: u64) {
        let mut inner = self.inner.lock();
        inner.leaf += 1;
        let found = ConsentUse {
            intent: IntentId::from_parts(at_ms, &[3; 10]),
            leaf: inner.leaf,
            height: inner.leaf,
            time_ms: at_ms,
            consumer: consent.consumer.clone(),
            holder: Some(MemberId::new("centre").unwrap()),
            dataset: consent.scopes[0].dataset.clone(),
            purpose: consent.purpose.clone(),
            mode: consent.modes[0],
            fields: consent.scopes[0].fields.clone(),
            outcome: UseOutcome::Answered,
        };
        inner.uses.push((consent.id, found));
    }
}

#[async_trait]
impl Register for Fake {
    async fn notices(&self) -> Result<Vec<Notice>, LedgerError> {
        Ok(self.inner.lock().notices.clone())
    }

    async fn uses(&self, consent: &ConsentId) -> Result<Vec<ConsentUse>, LedgerError> {
        Ok(self.inner.lock().uses.iter().filter(|(id, _)| id == consent).map(|(_, u)| u.clone()).collect())
    }
}

#[async_trait]
impl Ledger for Fake {
    fn trust(&self) -> &Genesis {
        &self.genesis
    }

    async fn purposes(&self) -> Result<Vec<Purpose>, LedgerError> {
        let purpose = |code: &str, needs_consent| Purpose {
            code: PurposeCode::new(code).unwrap(),
            names: Names::new("目的", code),
            legal_basis: "law".into(),
            needs_consent,
            needs_case: !needs_consent,
            modes: vec![Mode::Match, Mode::Detail],
            retention_days: 30,
            needs_record: None,
        };
        Ok(vec![purpose("mortgage-review", true), purpose("investigation", false), purpose("no-notice", true)])
    }

    async fn publish(&self, body: Body) -> Result<Placed, LedgerError> {
        let mut inner = self.inner.lock();
        if let Some(reason) = inner.refuse.take() {
            return Err(LedgerError::Refused(reason));
        }
        if std::mem::take(&mut inner.lost) {
            return Err(LedgerError::Unreachable("cut".into()));
        }
        inner.leaf += 1;
        match body {
            Body::ConsentIssued(consent) => {
                let answered = inner.consents.values().any(|(c, _)| c.request == consent.request);
                assert!(!answered, "a request was answered by two consents");
                inner.consents.insert(consent.id, (consent, ConsentStatus::Active));
            }
            Body::ConsentChanged { consent, change } => {
                let status = match change {
                    ConsentChange::Paused => ConsentStatus::Paused,
                    ConsentChange::Resumed => ConsentStatus::Active,
                    ConsentChange::Revoked => ConsentStatus::Revoked,
                };
                inner.consents.get_mut(&consent).ok_or(LedgerError::Unknown)?.1 = status;
            }
            other => return Err(LedgerError::Refused(format!("not from here: {}", other.kind()))),
        }
        if std::mem::take(&mut inner.silent) {
            return Err(LedgerError::Unreachable("cut".into()));
        }
        Ok(Placed { leaf: inner.leaf, height: inner.leaf })
    }

    async fn consent(&self, id: &ConsentId) -> Result<ConsentStatusView, LedgerError> {
        let inner = self.inner.lock();
        if inner.deaf {
            return Err(LedgerError::Unreachable("cut".into()));
        }
        let (consent, status) = inner.consents.get(id).ok_or(LedgerError::Unknown)?;
        let uses = inner.uses.iter().filter(|(c, _)| c == id).count();
        Ok(ConsentStatusView {
            consent: consent.clone(),
            issuer: MemberId::new("authorisation").unwrap(),
            status: *status,
            uses: u32::try_from(uses).unwrap(),
        })
    }
}
