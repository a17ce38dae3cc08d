//! The authorisation service of the demo, with an identity provider at which one click logs anybody in.

use std::path::Path;
use std::sync::Arc;

use covenant_authority::provider::{DemoCitizen, ProviderConfig, RunningProvider, serve_provider};
use covenant_authority::{
    AuthorityConfig, NoticeFiles, OidcConfig, Remote, Running, SystemClock, log_in, notice_digest, serve,
};
use covenant_domain::{Body, MemberId, Notice, PurposeCode};

use crate::city::City;
use crate::consortium::Consortium;
use crate::error::DemoError;

/// The purpose whose subjects are told what they agree to.
const PURPOSE: &str = "mortgage-review";
const ZH: &str = "云港银行为审查您的住房贷款申请，将通过云港数据共享联盟查询您的征信摘要。您可以随时暂停或撤回同意，并查看每一次使用。\n";
const EN: &str = "To review your home loan, Yungang Bank will look at your credit summary through the Yungang data sharing consortium. You may pause or revoke at any time, and see every use.\n";
const REDIRECT: &str = "http://127.0.0.1/v1/login/callback";
const CLIENT: &str = "authorisation";

/// Service and provider while they run.
pub struct Desk {
    /// The service from outside.
    pub remote: Remote,
    service: Running,
    provider: RunningProvider,
}

impl Desk {
    /// Starts both on loopback ports of their own. `citizens` are residents of the city, by their places in it; the
    /// provider lists them in this order.
    ///
    /// # Errors
    /// [`DemoError`] when a file cannot be written, the notice is not taken, or a port cannot be had.
    pub async fn open(consortium: &Consortium, city: &City, citizens: &[usize]) -> Result<Self, DemoError> {
        let failed = |e: &dyn std::fmt::Display| DemoError::story("authorisation service", e.to_string());
        let dir = consortium.founding.member_dir(&MemberId::new("authorisation")?)?;
        let notice = notice(consortium, &dir).await?;
        let people = citizens.iter().filter_map(|at| city.residents.get(*at));
        let citizens = people.map(|resident| DemoCitizen {
            name: resident.name.clone(),
            resident_number: Some(resident.number.expose().to_owned()),
            uscc: None,
        });
        let config = ProviderConfig {
            demo: true,
            listen: ([127, 0, 0, 1], 0).into(),
            client_id: CLIENT.into(),
            redirect_urls: vec![REDIRECT.into()],
            citizens: citizens.collect(),
        };
        let provider = serve_provider(config, Arc::new(SystemClock)).await.map_err(|e| failed(&e))?;
        let config = config_of(&dir, provider.issuer(), notice);
        let ledger = Arc::new(consortium.client("authorisation").await?);
        let own = Arc::new(consortium.founding.identity("authorisation")?);
        let service = serve(config, own, ledger, Arc::new(SystemClock)).await.map_err(|e| failed(&e))?;
        let remote = Remote::new(&service.base_url()).map_err(|e| failed(&e))?;
        Ok(Self { remote, service, provider })
    }

    /// Where the service is.
    pub fn url(&self) -> String {
        self.service.base_url()
    }

    /// Where the provider is.
    pub fn issuer(&self) -> &str {
        self.provider.issuer()
    }

    /// An identity token of a citizen, by its place in the provider's list.
    ///
    /// # Errors
    /// [`DemoError::Story`] when the login does not come about.
    pub async fn log_in(&self, citizen: usize) -> Result<impl std::ops::Deref<Target = String>, DemoError> {
        let failed = |e: covenant_authority::RemoteError| DemoError::story("login", e.to_string());
        let service = self.remote.service().await.map_err(failed)?;
        log_in(&service, Some(citizen), |_| {}).await.map_err(failed)
    }

    /// Stops both.
    pub async fn stop(self) {
        self.service.stop().await;
    }
}

/// Writes the texts and has the regulator register them, unless they are in force.
async fn notice(consortium: &Consortium, dir: &Path) -> Result<NoticeFiles, DemoError> {
    let (zh, en) = (dir.join("notice.zh.txt"), dir.join("notice.en.txt"));
    for (path, text) in [(&zh, ZH), (&en, EN)] {
        std::fs::write(path, text).map_err(|source| DemoError::File { path: path.clone(), source })?;
    }
    let purpose = PurposeCode::new(PURPOSE)?;
    let text = notice_digest(consortium.founding.genesis.suite, ZH, EN);
    let regulator = consortium.client("regulator").await?;
    let known = regulator.notices().await?.into_iter().find(|n| n.purpose == purpose);
    let version = match known {
        Some(known) if known.text == text => known.version,
        before => {
            let version = before.map_or(1, |n| n.version + 1);
            let notice = Notice { purpose: purpose.clone(), version, text };
            crate::setup::publish_as(&regulator, vec![Body::NoticeRegistered(notice)]).await?;
            version
        }
    };
    Ok(NoticeFiles { purpose, version, zh, en })
}

fn config_of(dir: &Path, issuer: &str, notice: NoticeFiles) -> AuthorityConfig {
    AuthorityConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        database: format!("sqlite://{}", dir.join("authority.db").display()),
        oidc: OidcConfig::public(issuer, CLIENT, REDIRECT),
        notices: vec![notice],
        request_days: 7,
        consent_days: 366,
        session_minutes: 30,
        provider: None,
        secure_cookies: false,
    }
}
