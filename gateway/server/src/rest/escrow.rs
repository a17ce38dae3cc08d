//! Oversight of lookups.

use axum::Json;
use axum::extract::State;
use covenant_domain::{Case, Ceremony};

use super::Reply;
use crate::signed::Signed;
use crate::state::Shared;

pub(crate) async fn ceremonies(State(state): State<Shared>, signed: Signed) -> Reply<Vec<Ceremony>> {
    Ok(Json(state.gateway.ceremonies(signed.empty()?).await?))
}

pub(crate) async fn cases(State(state): State<Shared>, signed: Signed) -> Reply<Vec<Case>> {
    Ok(Json(state.gateway.cases(signed.empty()?).await?))
}
