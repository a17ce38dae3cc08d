//! The authorisation service: a citizen or company agrees, pauses, revokes, and sees every use of its data.
//!
//! Consumers ask by signed requests in which the subject is sealed to the service. The subject logs in at an identity
//! provider (OpenID Connect), reads the terms and the notice, and agrees; a guardian does for a minor. The service
//! commits to the subject, writes the consent to the ledger as a member of the consortium, and leaves the ticket for the
//! consumer. Investigations by law are recorded the same way and shown to their subject after their date.
//!
//! It is not trusted by anybody else for more than that: nodes check every consent themselves, the ledger names nobody,
//! and no answer to any query passes through here. What it knows, and what follows, stands in docs/authorisation.md.
#![deny(missing_docs)]

mod age;
mod citizen;
mod clock;
mod config;
mod db;
mod http;
mod issue;
mod issuing;
mod ledger;
mod notice;
mod oidc;
mod openapi;
mod problem;
pub mod provider;
mod remote;
mod replay;
mod representation;
mod routes;
mod serve;
mod service;
mod session;
mod terms;
mod vault;
mod view;

pub use clock::{Clock, SystemClock};
pub use config::{AuthorityConfig, NoticeFiles, OidcConfig};
pub use db::DbError;
pub use ledger::{Ledger, LedgerError, Placed, Register};
pub use notice::{NoticeText, notice_digest};
pub use openapi::openapi;
pub use problem::Trouble;
pub use remote::{Remote, RemoteError, log_in};
pub use routes::{ROUTES, Route, Who};
pub use serve::{Running, StartError, serve};
pub use terms::{Addressee, NewRequest, NoticeShown, RequestTerms, Wish, seal_to_service};
pub use view::{
    Approval, Changed, MyConsent, MyRequest, MyUse, NewRepresentation, Registered, RequestState, RequestView,
    ServiceView, SessionView,
};
