//! For anyone.

use axum::Json;
use axum::extract::State;
use covenant_domain::PurposeCode;

use super::{Failure, PathText, Shared, parse};
use crate::notice::NoticeText;
use crate::problem::{Trouble, trouble};
use crate::service::ledger_failed;
use crate::view::ServiceView;

pub(super) async fn live() -> &'static str {
    "ok"
}

pub(super) async fn openapi() -> Json<serde_json::Value> {
    Json(crate::openapi::openapi())
}

pub(super) async fn service(State(state): State<Shared>) -> Result<Json<ServiceView>, Failure> {
    let registered = state.ledger.notices().await.map_err(ledger_failed)?;
    Ok(Json(ServiceView {
        consortium: state.consortium,
        authoriser: state.identity.member.clone(),
        issuer: state.config.oidc.issuer.clone(),
        client_id: state.config.oidc.client_id.clone(),
        notices: state.notices.purposes(),
        faults: state.notices.faults(&registered),
    }))
}

pub(super) async fn notice(State(state): State<Shared>, purpose: PathText) -> Result<Json<NoticeText>, Failure> {
    let purpose: PurposeCode = parse(purpose)?;
    let unknown = || trouble(Trouble::NoticeUnknown, format!("no notice text of `{purpose}` is installed here"));
    Ok(Json(state.notices.get(&purpose).cloned().ok_or_else(unknown)?))
}
