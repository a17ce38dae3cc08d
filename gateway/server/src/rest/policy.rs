//! Rule books.

use axum::Json;
use axum::extract::State;
use covenant_api::SimulateRequest;
use covenant_domain::Simulation;

use super::Reply;
use crate::signed::Signed;
use crate::state::Shared;

pub(crate) async fn simulate(State(state): State<Shared>, signed: Signed) -> Reply<Simulation> {
    Ok(Json(state.gateway.simulate(signed.json::<SimulateRequest>()?).await?))
}
