//! `authority.toml`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use covenant_domain::PurposeCode;
use serde::Deserialize;

use crate::provider::ProviderConfig;

/// How the service runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityConfig {
    /// Where to listen; a TLS proxy stands before it.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
    /// Its own database: `sqlite:///path/authority.db` or `postgres://user@host/name`.
    pub database: String,
    /// The identity provider.
    pub oidc: OidcConfig,
    /// Notice texts.
    #[serde(default, rename = "notice")]
    pub notices: Vec<NoticeFiles>,
    /// How long a request may wait for its subject, in days.
    #[serde(default = "request_days")]
    pub request_days: u32,
    /// Longest validity of a consent, in days.
    #[serde(default = "consent_days")]
    pub consent_days: u32,
    /// How long a session lasts, in minutes.
    #[serde(default = "session_minutes")]
    pub session_minutes: u32,
    /// The provider for demos, started with the service by `covenant authority run`.
    #[serde(default)]
    pub provider: Option<ProviderConfig>,
    /// Whether cookies demand TLS. Off only where the browser reaches the service on this machine.
    #[serde(default = "yes")]
    pub secure_cookies: bool,
}

/// The identity provider and how its tokens name people.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    /// Its issuer URL, exactly as its tokens carry it.
    pub issuer: String,
    /// The service's id at the provider.
    pub client_id: String,
    /// File with the client's secret, for a confidential client.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// The service's address for the callback, as registered at the provider: `https://…/v1/login/callback`.
    pub redirect_url: String,
    /// Where calls of the service to the provider go instead of the issuer's own address: a TLS proxy nearby.
    #[serde(default)]
    pub back_channel: Option<String>,
    /// Claim with a resident number.
    #[serde(default = "resident_claim")]
    pub resident_claim: String,
    /// Claim with a unified social credit code.
    #[serde(default = "company_claim")]
    pub company_claim: String,
    /// How far the provider's clock may be off, in seconds.
    #[serde(default = "skew_s")]
    pub skew_s: u32,
    /// Where the browser goes after login.
    #[serde(default = "after_login")]
    pub after_login: String,
}

impl OidcConfig {
    /// A public client at a provider, with what the file has when it says nothing more.
    pub fn public(issuer: &str, client_id: &str, redirect_url: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret_file: None,
            redirect_url: redirect_url.to_owned(),
            back_channel: None,
            resident_claim: resident_claim(),
            company_claim: company_claim(),
            skew_s: skew_s(),
            after_login: after_login(),
        }
    }
}

/// The texts of one purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeFiles {
    /// The purpose.
    pub purpose: PurposeCode,
    /// Version, as on the ledger.
    pub version: u32,
    /// Text in Chinese.
    pub zh: PathBuf,
    /// Text in English.
    pub en: PathBuf,
}

fn listen() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 8700))
}
fn request_days() -> u32 {
    7
}
fn consent_days() -> u32 {
    366
}
fn session_minutes() -> u32 {
    30
}
fn yes() -> bool {
    true
}
fn resident_claim() -> String {
    "resident_number".into()
}
fn company_claim() -> String {
    "uscc".into()
}
fn skew_s() -> u32 {
    60
}
fn after_login() -> String {
    "/".into()
}
